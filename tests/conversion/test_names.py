"""The names of weights in the two layouts: one to one, and those that diffusers' own functions know."""

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint

from x2x_core.conversion.names import PREFIXES, ema_name, original_names

SD_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
SHALLOW = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D")


def models():
    with torch.device("meta"):
        yield "unet", UNet2DConditionModel(in_channels=8, cross_attention_dim=768)
        yield "vae", AutoencoderKL(**SD_VAE)
        yield "unet", UNet2DConditionModel(
            in_channels=8, block_out_channels=(32, 64, 96), layers_per_block=1, down_block_types=SHALLOW,
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        )  # fmt: skip
        yield "vae", AutoencoderKL(
            block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2, mid_block_add_attention=False,
        )  # fmt: skip


def test_the_names_are_those_that_diffusers_reads():
    """diffusers' functions, given tensors under our original names, put each where our map has it from."""
    reads = {"unet": convert_ldm_unet_checkpoint, "vae": convert_ldm_vae_checkpoint}
    for part, model in models():
        names = original_names(part, model.state_dict())
        tagged = {original: torch.empty(0) for original in names.values()}
        read = reads[part](dict(tagged), dict(model.config))
        assert read.keys() == names.keys() and len(tagged) == len(names)
        assert all(read[name] is tagged[original] for name, original in names.items())


def test_the_names_at_stable_diffusions_size_are_the_published_ones():
    model = next(iter(models()))[1]
    names = original_names("unet", model.state_dict())
    assert len(names) == 686
    expected = {
        "conv_in.weight": "input_blocks.0.0.weight",
        "down_blocks.0.downsamplers.0.conv.bias": "input_blocks.3.0.op.bias",
        "down_blocks.3.resnets.1.conv2.weight": "input_blocks.11.0.out_layers.3.weight",
        "mid_block.attentions.0.proj_in.weight": "middle_block.1.proj_in.weight",
        "up_blocks.0.upsamplers.0.conv.weight": "output_blocks.2.1.conv.weight",
        "up_blocks.1.upsamplers.0.conv.weight": "output_blocks.5.2.conv.weight",
        "up_blocks.3.resnets.2.conv_shortcut.bias": "output_blocks.11.0.skip_connection.bias",
    }
    assert {name: names[name].removeprefix(PREFIXES["unet"]) for name in expected} == expected


def test_the_running_average_has_names_without_points():
    assert ema_name("model.diffusion_model.input_blocks.0.0.weight") == "model_ema.diffusion_modelinput_blocks00weight"


def test_a_weight_without_a_place_is_named():
    for part, stranger in [
        ("unet", "add_embedding.linear_1.weight"),
        ("vae", "encoder.extra.bias"),
        ("text_encoder", "x"),
    ]:
        with pytest.raises(
            ValueError, match=f"`{part}` has weights that the original layout has no place for: {stranger}."
        ):
            original_names(part, [stranger])
