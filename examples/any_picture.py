"""Edit a picture that is no radiograph, with a model of your own: where would it change, and only inside a box.

python examples/any_picture.py [OUT] [PICTURE]

The model has no weights: a rule that turns one colour of a picture into another. It stands for a pipeline of diffusers
(`X2XEdit(pipe)`), and has a known answer, so that you see what the method makes of a model's predictions.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DiffusionPipeline

from x2x_core import X2XEdit
from x2x_core.common.bundled import bundled_path
from x2x_core.edit.backbones.conditioning import TWO_BRANCHES, Conditioning
from x2x_core.edit.backbones.diffusion import DiffusionSchedule
from x2x_core.edit.backbones.protocol import Geometry, Traits
from x2x_core.guidance.cfg import guided_by_two
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.panel import panel
from x2x_core.imaging.provenance import synthetic_metadata

COLOURS = ("red", "green", "blue")


class RulePipeline(DiffusionPipeline):
    """A pipeline with a scheduler alone."""

    def __init__(self, scheduler):
        super().__init__()
        self.register_modules(scheduler=scheduler)


class ColourRule:
    """Turn the first colour of the instruction into the second; latents are the picture at a half of its size."""

    traits = Traits(
        TWO_BRANCHES,
        ("latents",),
        refused={"image_guidance_scale": "it predicts nothing without the picture"},
        recommended={"num_inference_steps": 4, "guidance_scale": 1.0, "composition": "difference"},
    )
    geometry = Geometry(latent_channels=3, image_channels=3, cell=2, resolution=384, step=2)

    def __init__(self, pipe):
        self.pipe = pipe

    def check(self, prompts):
        """Accept any prompt."""

    def schedule(self, published=False, solver=None):
        """Return the pipeline's schedule."""
        return DiffusionSchedule(self.pipe.scheduler)

    def encode_image(self, pixels):
        """Return pictures `(V, 3, H, W)` in [0, 1] at half their size, in [-1, 1]."""
        return F.avg_pool2d(pixels * 2 - 1, 2)

    def decode(self, image_latents):
        """Return pictures in [-1, 1]."""
        return F.interpolate(image_latents, scale_factor=2, mode="bilinear")

    def to_latents(self, image_latents):
        """Return the same."""
        return image_latents

    def to_image_latents(self, latents):
        """Return the same."""
        return latents

    def condition(self, prompts, pixels, image_latents):
        """Return what the picture is with the instruction, and without."""
        asked = [words for words in prompts.wordings for _ in range(prompts.copies)]
        changed = torch.stack([recoloured(own, words) for own, words in zip(image_latents, asked, strict=True)])
        return Conditioning(TWO_BRANCHES, {"picture": torch.cat([changed, image_latents])}, torch.float32)

    def predict(self, conditioning, noisy, timesteps, guidance_scale=None):
        """Return the noise that leads to each branch's picture."""
        branches = len(conditioning.branches)
        signal = self.pipe.scheduler.alphas_cumprod[timesteps.long()].repeat(branches)[:, None, None, None]
        noise = (torch.cat([noisy] * branches) - signal**0.5 * conditioning.tensors["picture"]) / (1 - signal) ** 0.5
        return noise.chunk(branches)

    def guide(self, predictions, guidance_scale, image_guidance_scale):
        """Combine the two predictions."""
        return guided_by_two(*predictions, guidance_scale)


def recoloured(picture, words):
    """Return a picture `(3, h, w)` in [-1, 1] with one colour turned into another, by the words of an instruction."""
    named = [COLOURS.index(word) for word in words.lower().strip(".").split() if word in COLOURS]
    if len(named) != 2:
        return picture
    old, new = named
    others = picture[[channel for channel in range(3) if channel != old]].amax(dim=0)
    share = ((picture[old] - others) / 0.3).clamp(0, 1)  # how much of the colour there is
    pure = picture.amin(dim=0).expand(3, -1, -1).clone()
    pure[new] = picture[old]
    return torch.lerp(picture, pure, share)


out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
out.mkdir(parents=True, exist_ok=True)
picture = read_image(sys.argv[2] if len(sys.argv) > 2 else bundled_path("landscape")).pixels
picture = picture.expand(-1, 3, -1, -1)  # (1, 3, H, W) in [0, 1]
prompt = "Turn the blue into red."
mark = synthetic_metadata({"prompt": prompt, "seed": 0})
pipe = RulePipeline(DDIMScheduler(clip_sample=False))
edit = X2XEdit(pipe, backbone=ColourRule(pipe))

box = torch.zeros(1, 1, *picture.shape[-2:])
box[..., box.shape[-2] * 6 // 10 :, :] = 1  # the lower part of the picture

for name, where in (("everywhere", None), ("in-the-box", box)):
    result = edit(picture, prompt, pseudomask=where, soft_edge=0.005, output_type="pt", generator=0)
    write_png(out / f"{name}.png", result.images, 8, mark)
    shown = panel(picture, result.guidance_map, result.guidance_mask, result.images, prompt, footer="Synthetic image.")
    write_png(out / f"{name}-panel.png", torch.from_numpy(np.asarray(shown) / 255).permute(2, 0, 1)[None], 8, mark)
    changed = (result.images != picture).any(dim=1, keepdim=True)
    outside = int((changed & ~result.guidance_mask).sum())
    print(f"{name}: {changed.float().mean():.0%} of the picture changed, {outside} pixels outside the mask did")
