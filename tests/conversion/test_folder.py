"""Diffusers folders: older names, shards and parts that are left out or missing."""

import json
import shutil

import pytest
import torch
from checkpoint_cases import WEIGHTS, same
from safetensors.torch import load_file, save_file

from x2x_core import InstructX2XPipeline
from x2x_core.conversion.convert import convert, read_checkpoint


def test_old_names_bins_and_shards_are_read(tiny_folder, tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(tiny_folder, folder)
    renamed = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    vae = load_file(folder / "vae/diffusion_pytorch_model.safetensors")
    for new, old in renamed.items():
        vae = {name.replace(f"attentions.0.{new}.", f"attentions.0.{old}."): value for name, value in vae.items()}
    assert sum(".query." in name for name in vae) == 4
    (folder / "vae/diffusion_pytorch_model.safetensors").unlink()
    torch.save(vae, folder / "vae/diffusion_pytorch_model.bin")
    text = load_file(folder / "text_encoder/model.safetensors")
    text = {f"text_model.{name}": value for name, value in text.items()}
    text["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(text, folder / "text_encoder/model.safetensors")
    unet = list(load_file(folder / "unet/diffusion_pytorch_model.safetensors").items())
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    places = {}
    for number, part in enumerate((unet[:50], unet[50:]), start=1):
        name = f"diffusion_pytorch_model-0000{number}-of-00002.safetensors"
        save_file(dict(part), folder / "unet" / name)
        places |= dict.fromkeys(dict(part), name)
    (folder / "unet/diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    read, new = read_checkpoint(folder), read_checkpoint(tiny_folder)
    assert all(same(read.weights[part], new.weights[part]) for part in new.weights)
    assert list(read.left_out) == ["text_encoder: embeddings.position_ids"]


def test_a_safety_checker_is_left_out_and_reported(tiny_folder, tmp_path):
    folder = tmp_path / "safe"
    shutil.copytree(tiny_folder, folder)
    index = json.loads((folder / "model_index.json").read_text())
    index |= {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "requires_safety_checker": True}
    (folder / "model_index.json").write_text(json.dumps(index))
    made = convert(folder, tmp_path / "out")
    assert list(made.left_out) == ["safety_checker"]
    InstructX2XPipeline.from_pretrained(tmp_path / "out")


def test_a_folder_that_lacks_something_is_refused(tiny_folder, tmp_path):
    for path, match in [
        ("vae/config.json", "lacks `vae/config.json`"),
        (f"{WEIGHTS[0]}.safetensors", "lacks the weights of the unet"),
    ]:
        folder = tmp_path / "part"
        shutil.copytree(tiny_folder, folder)
        (folder / path).unlink()
        with pytest.raises(FileNotFoundError, match=match):
            read_checkpoint(folder)
        shutil.rmtree(folder)
    folder = tmp_path / "wrong"
    shutil.copytree(tiny_folder, folder)
    config = json.loads((folder / "unet/config.json").read_text())
    (folder / "unet/config.json").write_text(json.dumps(config | {"layers_per_block": 2}))
    with pytest.raises(
        ValueError, match=r"weights of the unet do not match its configuration: .* missing: down_blocks\.0\.resnets\.1"
    ):
        read_checkpoint(folder)


def test_weights_and_like_are_for_single_files(tiny_folder):
    for extra in ({"weights": "ema"}, {"like": tiny_folder}):
        with pytest.raises(ValueError, match="`weights` and `like` are for single files"):
            read_checkpoint(tiny_folder, **extra)
