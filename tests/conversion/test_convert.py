"""Conversion in both directions, bit for bit: layouts, tokenizer, targets, command."""

import json
import shutil

import numpy as np
import pytest
import torch
from checkpoint_cases import WEIGHTS, folder_weights, same
from safetensors.torch import load_file
from tiny_models import make_scheduler, make_text_encoder, make_tokenizer

from x2x_core import InstructX2XPipeline
from x2x_core.conversion.convert import convert, read_checkpoint
from x2x_core.training.small_tokenizer import make_tokenizer as make_small_tokenizer


def test_folder_to_file_to_folder_is_the_same_to_the_byte(tiny_folder, single, tmp_path):
    convert(single, tmp_path / "back")
    files = sorted(path.relative_to(tiny_folder) for path in tiny_folder.rglob("*") if path.is_file())
    assert files == sorted(
        path.relative_to(tmp_path / "back") for path in (tmp_path / "back").rglob("*") if path.is_file()
    )
    for file in files:
        assert (tmp_path / "back" / file).read_bytes() == (tiny_folder / file).read_bytes()


def test_file_to_folder_to_file_is_the_same(single, plain, tmp_path):
    convert(single, tmp_path / "folder")
    convert(tmp_path / "folder", tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == single.read_bytes()


def test_a_network_of_stable_diffusions_plan_goes_both_ways_bit_for_bit(tmp_path):
    """Four levels of two layers, attention on three and in the middle of the autoencoder, as in Stable Diffusion."""
    from diffusers import AutoencoderKL, StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel

    torch.manual_seed(3)
    widths = (8, 16, 24, 24)
    vae = AutoencoderKL(
        block_out_channels=widths, layers_per_block=2, norm_num_groups=4, down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        in_channels=8, block_out_channels=widths, cross_attention_dim=32, attention_head_dim=2, norm_num_groups=4
    )
    pipe = StableDiffusionInstructPix2PixPipeline(
        vae=vae, unet=unet, text_encoder=make_text_encoder(), tokenizer=make_tokenizer(), scheduler=make_scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(tmp_path / "folder")
    convert(tmp_path / "folder", tmp_path / "one.safetensors")
    convert(tmp_path / "one.safetensors", tmp_path / "back")
    before, after = folder_weights(tmp_path / "folder"), folder_weights(tmp_path / "back")
    assert all(same(before[name], after[name]) for name in WEIGHTS)
    assert len(before[WEIGHTS[0]]) == 686 and len(before[WEIGHTS[1]]) == 248


def test_the_converted_checkpoint_edits_as_the_first(single, pipe, tmp_path, radiograph):
    convert(single, tmp_path / "folder")
    loaded = InstructX2XPipeline.from_pretrained(tmp_path / "folder")
    loaded.set_progress_bar_config(disable=True)

    def edit(pipeline):
        settings = {"num_inference_steps": 2, "output_type": "pt", "generator": torch.Generator().manual_seed(0)}
        return pipeline(radiograph, "Add the finding of edema.", **settings).images

    assert torch.equal(edit(pipe), edit(loaded))


def test_weights_can_be_cast(tiny_folder, tmp_path):
    made = convert(tiny_folder, tmp_path / "half.safetensors", dtype=torch.float16)
    values = load_file(tmp_path / "half.safetensors")
    assert {value.dtype for value in values.values()} == {torch.float16}
    assert json.loads(made.files["text_encoder/config.json"])["dtype"] == "float16"
    original = load_file(tiny_folder / "unet/diffusion_pytorch_model.safetensors")
    assert all(torch.equal(made.weights["unet"][name], value.half()) for name, value in original.items())


def test_a_folder_needs_a_tokenizer_that_fits(plain, ckpt, tiny_folder, tmp_path):
    bare = tmp_path / "like"
    shutil.copytree(tiny_folder, bare)
    shutil.rmtree(bare / "tokenizer")
    with pytest.raises(ValueError, match="needs a tokenizer, and the source has none"):
        convert(ckpt, tmp_path / "made", like=bare)
    assert not (tmp_path / "made").exists()
    convert(ckpt, tmp_path / "made", like=bare, tokenizer=tiny_folder / "tokenizer")
    InstructX2XPipeline.from_pretrained(tmp_path / "made")
    make_small_tokenizer(["add"]).save_pretrained(tmp_path / "small")
    with pytest.raises(ValueError, match="must have the 190 tokens of the text encoder, got"):
        convert(ckpt, tmp_path / "made", like=bare, tokenizer=tmp_path / "small")
    with pytest.raises(ValueError, match="`tokenizer` must be a folder with a CLIP tokenizer"):
        convert(ckpt, tmp_path / "made", like=bare, tokenizer=tmp_path / "nowhere")


def test_nothing_but_a_checkpoint_is_replaced(tiny_folder, single, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="isn't replaced"):
        convert(single, mine)
    assert (mine / "notes.txt").read_text() == "mine"
    shutil.copytree(tiny_folder, tmp_path / "old")
    (tmp_path / "old/unet/config.json").write_text("{}")
    convert(single, tmp_path / "old")
    assert read_checkpoint(tmp_path / "old").files == read_checkpoint(tiny_folder).files
    with pytest.raises(ValueError, match="another place than the source"):
        convert(single, single)
    with pytest.raises(ValueError, match="pickles are read but not written"):
        convert(tiny_folder, tmp_path / "x.ckpt")


def test_the_command_lists_what_it_leaves_out(ckpt, tiny_folder, tmp_path):
    from typer.testing import CliRunner

    from x2x_core.cli import app

    arguments = ["convert", str(ckpt), "-o", str(tmp_path / "out"), "--like", str(tiny_folder)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "unet: " in done.output and "alphas_cumprod" in done.output and "model_ema.decay" in done.output
    assert np.isfinite(sum(float(v.sum()) for v in folder_weights(tmp_path / "out")[WEIGHTS[0]].values()))
    whole = CliRunner().invoke(app, [*arguments, "--overwrite", "--list-all"]).output
    unet = [
        name for name in torch.load(ckpt, weights_only=True)["state_dict"] if name.startswith("model.diffusion_model.")
    ]
    assert all(name in whole for name in unet) and f"and {len(unet) - 3} more" in done.output
    again = CliRunner().invoke(app, arguments)
    assert isinstance(again.exception, FileExistsError)
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0
    wrong = CliRunner().invoke(app, ["convert", str(ckpt), "-o", str(tmp_path / "b"), "--dtype", "int8"])
    assert isinstance(wrong.exception, ValueError)
