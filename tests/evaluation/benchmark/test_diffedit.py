"""DiffEdit's rule against diffusers' own pipeline, and why that pipeline can't take this project's U-Net."""

from types import SimpleNamespace

import pytest
import torch
from diffusers import DDIMInverseScheduler, StableDiffusionDiffEditPipeline
from tiny_models import NATIVE, make_components, make_radiograph, make_unet

from x2x_core.evaluation.benchmark.diffedit import CLIP_RATIO, diffedit_mask

DRAWS = 3


class Told(torch.nn.Module):
    """A 4-channel U-Net that predicts what it is told to, with guidance that changes nothing: the source words' noise
    without and with them, then the target words'."""

    def __init__(self, predictions):
        super().__init__()
        self.predictions, self.config = predictions, make_unet(4).config
        self.dtype, self.device = torch.float32, torch.device("cpu")

    def forward(self, latents, timestep, **_):
        assert latents.shape == self.predictions.shape
        return SimpleNamespace(sample=self.predictions)


def stock(unet):
    components = make_components(unet=make_unet(4))
    pipe = StableDiffusionDiffEditPipeline(**components, inverse_scheduler=DDIMInverseScheduler())
    pipe.unet = unet
    pipe.set_progress_bar_config(disable=True)
    return pipe


def ask(unet):
    return stock(unet).generate_mask(
        image=torch.from_numpy(make_radiograph())[None, None].float().expand(-1, 3, -1, -1) / 127.5 - 1,
        source_prompt="a", target_prompt="b", num_maps_per_mask=DRAWS, output_type="np",
        generator=torch.Generator().manual_seed(0), mask_thresholding_ratio=CLIP_RATIO,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_rule_is_that_of_diffusers_on_the_same_differences(seed):
    side = NATIVE // 4
    generator = torch.Generator().manual_seed(seed)
    source, change = torch.randn(2, DRAWS, 4, side, side, generator=generator)
    target = source + change * torch.rand(1, 1, side, side, generator=generator) ** 4
    differences = (target - source).abs().mean((0, 1))[None, None]
    mask = diffedit_mask(differences)
    assert 0 < mask.sum() < mask.numel()
    assert torch.equal(torch.from_numpy(ask(Told(torch.cat([source, source, target, target])))) > 0, mask[0])


def test_the_stock_pipeline_can_t_run_a_unet_that_sees_the_image():
    with pytest.raises(RuntimeError, match="8 channels, but got 4 channels"):
        ask(make_unet(8))
