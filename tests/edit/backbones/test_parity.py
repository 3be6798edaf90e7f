"""Without restriction, an edit is the stock pipeline's: the wiring of each model is diffusers' own."""

import numpy as np
import pytest
from backbone_models import MAKERS
from PIL import Image
from tiny_models import seeded

from x2x_core import X2XEdit

PROMPT = "Make the car red."
SIDES = {"kontext": 16, "qwen": 16, "klein": 64, "klein_distilled": 64}  # klein takes no smaller pictures
STOCK = {
    "instruct_pix2pix": {"guidance_scale": 3.0, "image_guidance_scale": 1.4},
    "instruct_pix2pix_xl": {"guidance_scale": 3.0, "image_guidance_scale": 1.4},
    "inpainting": {"guidance_scale": 3.0},
    "inpainting_xl": {"guidance_scale": 3.0},
    "kontext": {"guidance_scale": 3.0},
    "klein": {"guidance_scale": 3.0},
    "klein_distilled": {},
    "qwen": {},
}
WHITE = {"mask_image": Image.new("L", (64, 64), 255), "strength": 1.0}  # everything may change
ONLY_STOCK = {
    "inpainting": WHITE,
    "inpainting_xl": WHITE,
    "qwen": {"true_cfg_scale": 3.0, "negative_prompt": " "},
    "kontext": {"_auto_resize": False, "max_area": 256},
    "klein_distilled": {"guidance_scale": 1.0},
}


@pytest.mark.parametrize("kind", STOCK)
def test_an_edit_without_restriction_is_the_stock_pipelines(kind, monkeypatch):
    place = "diffusers.pipelines.qwenimage.pipeline_qwenimage_edit.calculate_dimensions"
    monkeypatch.setattr(place, lambda area, ratio: (SIDES["qwen"], SIDES["qwen"], None))  # else a megapixel
    latents = "diffusers.models.autoencoders.vae.DiagonalGaussianDistribution"
    monkeypatch.setattr(f"{latents}.sample", lambda posterior, *_, **__: posterior.mode())  # ours are not drawn
    pipe, side = MAKERS[kind](), SIDES.get(kind, 64)
    if kind in SIDES:
        pipe.default_sample_size = side // pipe.vae_scale_factor
    small = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    photo = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
    sizes = {} if kind == "instruct_pix2pix" else {"height": side, "width": side}
    common = {"num_inference_steps": 2, "output_type": "np", **STOCK[kind]}
    only = ONLY_STOCK.get(kind, {})
    stock = pipe(prompt=PROMPT, image=photo, generator=seeded(), **sizes, **{**common, **only})
    scale = {"guidance_scale": 3.0} if kind == "qwen" else {}
    ours = X2XEdit(pipe)(photo, PROMPT, restricted=False, generator=seeded(), **{**common, **scale})
    assert np.abs(np.asarray(stock.images) - ours.images).max() < 2e-4
    assert np.ptp(ours.images) > 0.1
