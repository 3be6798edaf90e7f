"""Checkpoints converted both ways: bit for bit, every key accounted for, nothing run."""

import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_models import make_scheduler, make_text_encoder, make_tokenizer

from x2x_core import InstructX2XPipeline
from x2x_core.common.errors import InputError
from x2x_core.conversion.convert import convert, read_checkpoint
from x2x_core.conversion.names import ema_name
from x2x_core.conversion.single_file import read_single_file
from x2x_core.conversion.standard_configs import stable_diffusion_files
from x2x_core.training.small_tokenizer import make_tokenizer as make_small_tokenizer

WEIGHTS = ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model")


def folder_weights(folder):
    return {name: load_file(folder / f"{name}.safetensors") for name in WEIGHTS}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def single(tiny_folder, tmp_path_factory):
    """The tiny checkpoint as a single file; don't change it."""
    file = tmp_path_factory.mktemp("single") / "tiny.safetensors"
    convert(tiny_folder, file)
    return file


@pytest.fixture(scope="module")
def plain(single, tmp_path_factory):
    """The weights of the single file under their original names, as InstructPix2Pix's training leaves them."""
    return load_file(single)


def schedule():
    alphas = make_scheduler().alphas_cumprod
    return {"alphas_cumprod": alphas, "betas": torch.zeros(1000), "logvar": torch.zeros(1000)}


def lightning_checkpoint(plain, average=0.5):
    """What PyTorch Lightning writes in InstructPix2Pix's training: weights, their average, schedule, counters."""
    state = dict(plain)
    unet = [name for name in plain if name.startswith("model.diffusion_model.")]
    state |= {ema_name(name): plain[name] * average for name in unet}
    state |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7, dtype=torch.int32)}
    state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return {"epoch": 3, "global_step": 22000, "state_dict": state | schedule(), "optimizer_states": [{"lr": 1e-4}]}


@pytest.fixture
def ckpt(plain, tmp_path):
    file = tmp_path / "original.ckpt"
    torch.save(lightning_checkpoint(plain), file)
    return file


# -- both ways --------------------------------------------------------------------------------------------------------


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


# -- original files ---------------------------------------------------------------------------------------------------


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


def test_a_file_without_an_ema(single, tiny_folder):
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


def test_a_bare_file_is_taken_for_stable_diffusion(plain, tmp_path):
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


# -- folders of other makes -------------------------------------------------------------------------------------------


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


def test_a_safety_checker_is_left_out_and_said(tiny_folder, tmp_path):
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


# -- tokenizer and targets --------------------------------------------------------------------------------------------


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


# -- what a file may hold ---------------------------------------------------------------------------------------------


class Trap:
    """Runs a command when it is unpickled without care."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused_and_never_run(plain, tiny_folder, tmp_path, zipped):
    mark, file = tmp_path / "sprung", tmp_path / "trap.ckpt"
    torch.save({"state_dict": dict(plain), "trap": Trap(mark)}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"holds more than weights \(posix.mkdir\).*Use a safetensors file"):
        convert(file, tmp_path / "out", like=tiny_folder)
    assert not mark.exists() and not (tmp_path / "out").exists()
    pickle.loads(pickle.dumps(Trap(mark)))  # the trap does work
    assert mark.exists()


def test_lightnings_callbacks_beside_the_weights_are_no_hindrance(plain, tiny_folder, tmp_path, monkeypatch):
    import sys
    import types

    module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    module.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": module.__name__})
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks", module.__name__):
        monkeypatch.setitem(sys.modules, name, module)
    content = lightning_checkpoint(plain) | {"callbacks": {module.ModelCheckpoint: {"best_model_path": "x"}}}
    torch.save(content, tmp_path / "lightning.ckpt")
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks", module.__name__):
        monkeypatch.delitem(sys.modules, name)
    allowed = set(torch.serialization.get_safe_globals())  # PyTorch keeps a set: the order of its list means nothing
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "lightning.ckpt", weights_only=True)
    read = read_checkpoint(tmp_path / "lightning.ckpt", like=tiny_folder)
    assert same(read.weights["vae"], load_file(tiny_folder / f"{WEIGHTS[1]}.safetensors"))
    assert set(torch.serialization.get_safe_globals()) == allowed


def test_numbers_of_numpy_beside_the_weights_are_no_hindrance_and_in_their_place_refused(plain, tiny_folder, tmp_path):
    content = lightning_checkpoint(plain) | {
        "global_step": np.int64(22000), "lr_schedulers": [{"base_lrs": [np.float32(1e-4)]}], "scores": np.arange(3),
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": np.float64(1e-4)}]}],
    }  # fmt: skip
    torch.save(content, tmp_path / "numbers.ckpt")
    read = read_checkpoint(tmp_path / "numbers.ckpt", like=tiny_folder)
    assert same(read.weights["vae"], load_file(tiny_folder / f"{WEIGHTS[1]}.safetensors"))
    content["state_dict"]["extra"] = np.float64(0.5)
    torch.save(content, tmp_path / "numbers.ckpt")
    with pytest.raises(ValueError, match="weights alone, but these are not: extra"):
        read_checkpoint(tmp_path / "numbers.ckpt", like=tiny_folder)


@pytest.mark.parametrize("name", ["x.safetensors", "x.ckpt", "x.pt"])
def test_damaged_files_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"not weights")
    with pytest.raises(ValueError, match=r"is damaged|can't be read"):
        read_checkpoint(tmp_path / name)


def test_files_that_hold_something_else_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_checkpoint(tmp_path / "gone.ckpt")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ValueError, match="must be a file of weights"):
        read_checkpoint(tmp_path / "x.txt")
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="must hold weights by name, got list"):
        read_checkpoint(tmp_path / "list.pt")
    torch.save({"state_dict": {"a": torch.zeros(1), "b": 3}}, tmp_path / "mixed.pt")
    with pytest.raises(ValueError, match="weights alone, but these are not: b"):
        read_checkpoint(tmp_path / "mixed.pt")


def test_a_damaged_header_is_refused(single, tmp_path):
    with safe_open(single, framework="pt") as opened:
        assert set(opened.metadata()) == {"x2x_files"}
    save_file(load_file(single), tmp_path / "x.safetensors", {"x2x_files": "eJw"})
    with pytest.raises(ValueError, match=r"small files in the header of .* can't be read"):
        read_checkpoint(tmp_path / "x.safetensors")


# -- command ----------------------------------------------------------------------------------------------------------


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
