"""Original single files: every weight is taken over or left out by name; damaged ones are refused."""

import json
import shutil

import pytest
import torch
from checkpoint_cases import WEIGHTS, lightning_checkpoint, same
from safetensors.torch import load_file, save_file

from x2x_core.common.errors import InputError
from x2x_core.conversion.convert import convert, read_checkpoint
from x2x_core.conversion.single_file import read_single_file
from x2x_core.conversion.standard_configs import stable_diffusion_files


def test_the_ema_is_chosen_unless_trained_weights_are_requested(ckpt, tiny_folder, plain):
    original = load_file(tiny_folder / f"{WEIGHTS[0]}.safetensors")
    for weights, factor in (("auto", 0.5), ("ema", 0.5), ("trained", 1.0)):
        read = read_checkpoint(ckpt, weights=weights, like=tiny_folder)
        assert same(read.weights["unet"], {name: factor * value for name, value in original.items()})


def test_every_key_is_taken_over_or_left_out_by_name(ckpt, tiny_folder):
    state = torch.load(ckpt, weights_only=True)["state_dict"]
    for weights in ("auto", "trained"):
        read = read_checkpoint(ckpt, weights=weights, like=tiny_folder)
        assert sum(map(len, read.weights.values())) + len(read.left_out) == len(state)
        assert read.left_out.keys() <= state.keys() and all(read.left_out.values())


def test_ema_weights_are_refused_for_a_file_without_them(single, tiny_folder):
    assert not read_checkpoint(single, weights="trained").left_out
    with pytest.raises(ValueError, match=r"`weights` is ema, but .* has no EMA weights"):
        read_checkpoint(single, weights="ema")
    with pytest.raises(ValueError, match="`weights` must be one of auto, ema, trained, got 'best'"):
        read_checkpoint(single, weights="best")


def test_missing_unexpected_and_misshapen_weights_are_all_named(plain, tiny_folder, tmp_path):
    state = dict(plain)
    gone = [name for name in plain if ".attn1." in name]
    for name in gone:
        del state[name]
    state["model.diffusion_model.input_blocks.0.0.weight"] = torch.zeros(16, 4, 3, 3)
    state["first_stage_model.loss.logvar"] = torch.zeros(1)
    state["control_model.x"] = torch.zeros(1)
    state["first_stage_model.quant_conv.bias"] = torch.zeros(8, dtype=torch.int64)
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(InputError, match=r"The weights of .* do not match its configuration") as caught:
        read_checkpoint(tmp_path / "bad.safetensors", like=tiny_folder)
    message = str(caught.value)
    assert f"{len(gone)} missing" in message and all(name in message for name in gone)
    assert "2 unexpected: control_model.x, first_stage_model.loss.logvar" in message
    assert (
        "1 of another shape: model.diffusion_model.input_blocks.0.0.weight (16, 4, 3, 3), not (16, 8, 3, 3)" in message
    )
    assert "1 not floating-point: first_stage_model.quant_conv.bias" in message


def test_an_ema_that_lacks_a_weight_is_refused(plain, tiny_folder, tmp_path):
    content = lightning_checkpoint(plain)
    gone = "model_ema.diffusion_modelout2bias"
    del content["state_dict"][gone]
    content["state_dict"]["model_ema.stranger"] = torch.zeros(1)
    torch.save(content, tmp_path / "bad.ckpt")
    for weights in ("auto", "trained"):
        with pytest.raises(ValueError, match=f"the EMA in .*1 missing: {gone}; 1 unexpected: model_ema.stranger"):
            read_checkpoint(tmp_path / "bad.ckpt", like=tiny_folder, weights=weights)


@pytest.mark.parametrize("weights", ["auto", "ema", "trained"])
@pytest.mark.parametrize("damage", ["missing", "of another shape"])
def test_a_damaged_trained_weight_is_refused_where_the_ema_is_complete(plain, tiny_folder, tmp_path, weights, damage):
    content = lightning_checkpoint(plain)
    name = "model.diffusion_model.out.2.bias"
    if damage == "missing":
        del content["state_dict"][name]
    else:
        content["state_dict"][name] = torch.zeros(3)
    torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(InputError, match=f"1 {damage}: {name}"):
        read_checkpoint(tmp_path / "bad.ckpt", like=tiny_folder, weights=weights)


@pytest.mark.parametrize("part", WEIGHTS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tiny_folder, tmp_path, part, value):
    folder = tmp_path / "bad"
    shutil.copytree(tiny_folder, folder)
    weights = load_file(folder / f"{part}.safetensors")
    name = sorted(weights)[3]
    weights[name].view(-1)[-1] = value
    save_file(weights, folder / f"{part}.safetensors", {"format": "pt"})
    for target in ("out", "out.safetensors"):
        with pytest.raises(InputError, match=f"must be finite, but 1 have NaN or infinite values: {name}"):
            convert(folder, tmp_path / target)
        assert not (tmp_path / target).exists()


def test_an_ema_that_is_not_finite_is_refused_unless_trained_weights_are_requested(plain, tiny_folder, tmp_path):
    content = lightning_checkpoint(plain)
    content["state_dict"]["model_ema.diffusion_modelout2bias"][0] = float("nan")
    torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(InputError, match=r"must be finite, but 1 have NaN or infinite values: conv_out.bias"):
        read_checkpoint(tmp_path / "bad.ckpt", like=tiny_folder)
    assert read_checkpoint(tmp_path / "bad.ckpt", like=tiny_folder, weights="trained").weights


@pytest.mark.parametrize("value", [70_000.0, -1e30])
def test_values_that_overflow_float16_are_refused_by_name_with_the_remedy(tiny_folder, tmp_path, value):
    folder = tmp_path / "large"
    shutil.copytree(tiny_folder, folder)
    weights = load_file(folder / f"{WEIGHTS[1]}.safetensors")
    name = sorted(weights)[0]
    weights[name].view(-1)[0] = value
    save_file(weights, folder / f"{WEIGHTS[1]}.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=rf"the vae overflow float16 \(values above 65504\): {name}. Use bfloat16 or"):
        convert(folder, tmp_path / "half", dtype=torch.float16)
    assert not (tmp_path / "half").exists()
    convert(folder, tmp_path / "wide", dtype=torch.bfloat16)


def test_another_noise_schedule_and_damaged_positions_are_refused(plain, tiny_folder, tmp_path):
    content = lightning_checkpoint(plain)
    content["state_dict"]["alphas_cumprod"] = torch.linspace(1, 0, 1000)
    torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match="another noise schedule"):
        read_checkpoint(tmp_path / "bad.ckpt", like=tiny_folder)
    content = lightning_checkpoint(plain)
    content["state_dict"]["cond_stage_model.transformer.text_model.embeddings.position_ids"][0, 5] = 4
    torch.save(content, tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match="must count from 0"):
        read_checkpoint(tmp_path / "bad.ckpt", like=tiny_folder)


def test_a_file_without_configuration_is_assumed_to_be_stable_diffusion(plain, tmp_path):
    save_file(dict(plain), tmp_path / "bare.safetensors")
    message = (
        r"input_blocks.0.0.weight \(16, 8, 3, 3\), not \(320, 8, 3, 3\).* set `like` \(`--like`\) to a diffusers folder"
    )
    with pytest.raises(ValueError, match=message):
        read_single_file(tmp_path / "bare.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(
        ValueError,
        match=r"not a checkpoint in the original layout: `model.diffusion_model.input_blocks.0.0.weight` is missing",
    ):
        read_single_file(tmp_path / "other.safetensors")


def test_the_standard_configurations_are_stable_diffusions(tmp_path):
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    files = stable_diffusion_files(8, torch.float16)
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(json.loads(files["unet/config.json"]))
        vae = AutoencoderKL.from_config(json.loads(files["vae/config.json"]))
        text = CLIPTextModel(CLIPTextConfig.from_dict(json.loads(files["text_encoder/config.json"])))
    counts = [sum(value.numel() for value in model.parameters()) for model in (unet, vae, text)]
    assert counts == [859_520_964 + 4 * 4 * 9 * 80, 83_653_863, 123_060_480]  # published, and 4 more input channels
    assert unet.config.attention_head_dim == 8 and vae.config.scaling_factor == 0.18215
    assert text.config.hidden_act == "quick_gelu" and text.config.dtype == torch.float16
    assert json.loads(files["scheduler/scheduler_config.json"])["prediction_type"] == "epsilon"
