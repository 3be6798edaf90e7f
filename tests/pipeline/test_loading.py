"""Checkpoints: found, checked, loaded safely, saved and loaded again."""

import json
import os
import pickle
import shutil

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from peft import LoraConfig
from safetensors.torch import load_file, save_file
from tiny_models import PROMPT, make_pipeline, make_text_encoder, make_vae, seeded

from x2x_core import InstructX2XPipeline, PseudomaskAtlas
from x2x_core import pipeline as pipeline_module
from x2x_core.common.errors import InputError
from x2x_core.edit import loading as pipeline_loading
from x2x_core.edit.loading import checkpoint_error, locate_checkpoint


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny checkpoint that a test may change."""
    return shutil.copytree(tiny_folder, tmp_path / "checkpoint")


def edit(pipe, picture, **arguments):
    pipe.set_progress_bar_config(disable=True)
    output = pipe(picture, PROMPT, num_inference_steps=1, generator=seeded(), output_type="pt", **arguments)
    return output.images


def rename_to_bin(file, name):
    torch.save(load_file(file), file.with_name(name))
    file.unlink()


# -- folders ----------------------------------------------------------------------------------------------------------


def test_a_stock_folder_loads(tiny_folder, pipe, radiograph):
    assert json.loads((tiny_folder / "model_index.json").read_text())["_class_name"] == (
        "StableDiffusionInstructPix2PixPipeline"
    )
    loaded = InstructX2XPipeline.from_pretrained(tiny_folder)
    assert type(loaded) is InstructX2XPipeline and loaded.config.recommended == {}
    assert torch.allclose(edit(loaded, radiograph), edit(pipe, radiograph), atol=1e-5)


def test_saving_and_loading_keeps_everything(pipe, tmp_path, radiograph, shared_components):
    advised = make_pipeline(
        **shared_components,
        recommended={
            "guidance_scale": 3.5,
            "image_guidance_scale": 1.2,
            "num_inference_steps": 2,
            "mask_threshold": 0.3,
            "relevance_noise_level": [0.5, 0.8],
            "mask_rule": "adaptive",
            "limit_area": False,
        },
    )
    advised.save_pretrained(tmp_path / "saved")
    loaded = InstructX2XPipeline.from_pretrained(str(tmp_path / "saved"))
    assert loaded.config.recommended == advised.config.recommended and len(loaded.config.recommended) == 7
    assert torch.allclose(edit(loaded, radiograph), edit(advised, radiograph), atol=1e-5)
    assert not torch.equal(edit(loaded, radiograph), edit(pipe, radiograph))
    assert set(loaded.components) == set(shared_components) - {"requires_safety_checker"} | {"image_encoder"}


def test_what_is_saved_also_opens_as_the_stock_pipeline(pipe, tmp_path):
    pipe.save_pretrained(tmp_path / "saved")
    stock = StableDiffusionInstructPix2PixPipeline.from_pretrained(tmp_path / "saved")
    assert torch.equal(stock.unet.conv_in.weight, pipe.unet.conv_in.weight)


def test_a_pipeline_is_made_from_the_stock_one(tiny_folder):
    stock = StableDiffusionInstructPix2PixPipeline.from_pretrained(tiny_folder)
    ours = InstructX2XPipeline.from_pipe(stock)
    assert type(ours) is InstructX2XPipeline and ours.unet is stock.unet


def test_optional_parts_that_are_named_but_missing_are_left_out(folder):
    index = folder / "model_index.json"
    entries = json.loads(index.read_text())
    entries["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    entries["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    index.write_text(json.dumps(entries))
    loaded = InstructX2XPipeline.from_pretrained(folder)
    assert loaded.safety_checker is None and loaded.feature_extractor is None


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_part_is_named(folder, part):
    shutil.rmtree(folder / part)
    with pytest.raises(FileNotFoundError, match=f"lacks its {part}: there is no folder"):
        InstructX2XPipeline.from_pretrained(folder)


def test_a_part_saved_with_lora_layers_alone_is_whole(folder):
    """transformers saves a model with adapters as the adapters, and where the model itself is."""
    part, base = folder / "text_encoder", folder.parent / "base"
    part.rename(base)
    model = make_text_encoder()
    model.name_or_path = str(base)
    model.add_adapter(LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False))
    model.save_pretrained(part)
    assert not (part / "config.json").exists()
    loaded = InstructX2XPipeline.from_pretrained(folder)
    assert any("lora" in name for name, _ in loaded.text_encoder.named_parameters())


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_part_without_weights_is_named(folder, part):
    for file in (folder / part).glob("*.safetensors"):
        file.unlink()
    with pytest.raises(FileNotFoundError, match=f"lacks its {part}.*weights as .safetensors"):
        InstructX2XPipeline.from_pretrained(folder)


def test_a_part_that_the_caller_brings_may_be_missing(folder):
    shutil.rmtree(folder / "vae")
    vae = make_vae(seed=5)
    assert InstructX2XPipeline.from_pretrained(folder, vae=vae).vae is vae


def test_an_index_that_names_too_little_or_is_damaged_is_refused(folder):
    index = folder / "model_index.json"
    entries = json.loads(index.read_text())
    index.write_text(json.dumps({name: value for name, value in entries.items() if name != "unet"}))
    with pytest.raises(FileNotFoundError, match="does not name the unet"):
        InstructX2XPipeline.from_pretrained(folder)
    index.write_text("{")
    with pytest.raises(ValueError, match="must be a JSON object"):
        InstructX2XPipeline.from_pretrained(folder)
    index.unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks model_index.json"):
        InstructX2XPipeline.from_pretrained(folder)


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["./nowhere", "/nowhere/model", "no such model", "demoo", "a/b/c", "../x", "models\\demo", "x/m.ckpt", ""]
)
def test_a_missing_path_gives_one_sentence_and_no_download(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name == "":
        name = str(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"There is no checkpoint at `.*`. Give a folder"):
        InstructX2XPipeline.from_pretrained(name)


def test_a_misspelt_folder_beside_others_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    with pytest.raises(FileNotFoundError, match="`models/dmeo`"):
        InstructX2XPipeline.from_pretrained("models/dmeo")


def test_a_repository_is_left_to_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locate_checkpoint("owner/some-model.v2") == ("owner/some-model.v2", False)
    asked = []
    monkeypatch.setattr(
        StableDiffusionInstructPix2PixPipeline, "download", lambda name, **rest: asked.append(name) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        InstructX2XPipeline.from_pretrained("owner/some-model.v2")
    assert asked == ["owner/some-model.v2"]


def test_a_repository_that_cannot_be_reached_gives_one_sentence(monkeypatch):
    def fail(*arguments, **keywords):
        raise OSError("We couldn't connect to the hub.\nMore lines")

    monkeypatch.setattr(StableDiffusionInstructPix2PixPipeline, "from_pretrained", fail)
    with pytest.raises(
        FileNotFoundError, match=r"no folder `owner/name`, and no repository.*couldn't connect to the hub\. Check"
    ) as error:
        InstructX2XPipeline.from_pretrained("owner/name")
    assert "More lines" not in str(error.value)


def test_weights_saved_in_one_variant_load_without_naming_it(pipe, tmp_path):
    pipe.save_pretrained(tmp_path / "model", variant="fp16")
    assert not (tmp_path / "model" / "unet" / "diffusion_pytorch_model.safetensors").exists()
    loaded = InstructX2XPipeline.from_pretrained(tmp_path / "model")
    for name, weights in pipe.unet.state_dict().items():
        assert torch.equal(loaded.unet.state_dict()[name], weights)


def test_a_single_file_is_sent_to_its_own_door(tmp_path):
    file = tmp_path / "model.safetensors"
    file.touch()
    with pytest.raises(ValueError, match="from_single_file"):
        InstructX2XPipeline.from_pretrained(file)


def test_the_bundled_name_is_the_bundled_folder(tiny_folder, monkeypatch):
    monkeypatch.setattr(pipeline_loading, "bundled_path", {"demo": tiny_folder}.__getitem__)
    assert type(InstructX2XPipeline.from_pretrained("demo")) is InstructX2XPipeline


# -- old weights ------------------------------------------------------------------------------------------------------


def test_old_weights_are_read(folder, pipe):
    rename_to_bin(folder / "unet/diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
    rename_to_bin(folder / "vae/diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
    rename_to_bin(folder / "text_encoder/model.safetensors", "pytorch_model.bin")
    loaded = InstructX2XPipeline.from_pretrained(folder)
    for name in ("unet", "vae", "text_encoder"):
        for old, new in zip(getattr(pipe, name).parameters(), getattr(loaded, name).parameters()):
            assert torch.equal(old, new)


class Trap:
    """Runs a command when it is unpickled without care."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize(
    ("weights", "old"),
    [
        ("unet/diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
        ("vae/diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
        ("text_encoder/model.safetensors", "pytorch_model.bin"),
    ],
)
def test_code_in_old_weights_is_never_run(folder, tmp_path, weights, old):
    file = folder / weights
    state = load_file(file)
    file.unlink()
    torch.save({**state, "trap": Trap(tmp_path / "sprung")}, file.with_name(old))
    with pytest.raises(ValueError, match=f"`.*{old}` must hold weights and nothing else"):
        InstructX2XPipeline.from_pretrained(folder)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))  # the trap does work
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("file", ["unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"])
def test_damaged_weights_are_named(folder, file):
    (folder / file).write_bytes(b"not weights")
    with pytest.raises(ValueError, match=f"`.*{file}` must hold weights"):
        InstructX2XPipeline.from_pretrained(folder)


def test_a_config_that_does_not_fit_its_weights_is_not_blamed_on_them(folder):
    config = folder / "unet/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "block_out_channels": [32, 32]}))
    with pytest.raises((RuntimeError, ValueError), match="shape") as caught:
        InstructX2XPipeline.from_pretrained(folder)
    assert "must hold weights" not in str(caught.value)


# -- faults of the folder, and of this package ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("scheduler/scheduler_config.json", "["),
        ("tokenizer/tokenizer.json", "{}"),
        ("unet/config.json", '{"_class_name": "UNet2DConditionModel", "down_block_types": ["Nothing"]}'),
        ("text_encoder/config.json", '{"model_type": "nothing"}'),
    ],
)
def test_a_damaged_part_gives_one_sentence(folder, file, content):
    (folder / file).write_text(content)
    with pytest.raises(InputError, match=r"The checkpoint `.*checkpoint` cannot be loaded: .*\.$") as caught:
        InstructX2XPipeline.from_pretrained(folder)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"recommended": 7}, "`recommended` must map names of settings to values"),
        ({"recommended": 7, "recommended_guidance_scale": 3.0}, "`recommended` must map names of settings to values"),
        ({"recommended": {"guidance_scale": 10**400}}, "`guidance_scale` of `recommended` must be a finite number"),
        ({"recommended_num_inference_steps": []}, "`num_inference_steps` of `recommended` must be a whole number"),
        ({"trained_levels": 7}, "`trained_levels` must map findings to lists of levels"),
        ({"trained_levels": {"edema": [{}]}}, "checkpoint` cannot be loaded: "),
        ({"trained_findings": 7}, "`trained_findings` must be text, got 7"),
        ({"canonical_prompts": "no"}, "`canonical_prompts` must be True or False, got 'no'"),
        ({"own_pseudomasks": 1.5}, "lacks `.*atlas.safetensors`"),
    ],
)
def test_an_entry_of_this_package_that_cannot_be_used_is_named(folder, entries, said):
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), **entries}))
    with pytest.raises(InputError, match=said):
        InstructX2XPipeline.from_pretrained(folder)


@pytest.mark.parametrize("name", ["RECOMMENDABLE", "check_levels"])
def test_a_fault_of_this_package_keeps_its_traceback(folder, monkeypatch, name):
    """While the libraries load the folder, they call this package."""
    index = folder / "model_index.json"
    entries = {"recommended": {"guidance_scale": 3.0}, "trained_levels": {"edema": ["mild"]}}
    index.write_text(json.dumps({**json.loads(index.read_text()), **entries}))
    monkeypatch.setattr(pipeline_module, name, None)
    with pytest.raises(TypeError):
        InstructX2XPipeline.from_pretrained(folder)


@pytest.mark.parametrize(
    ("callers", "of_the_folder"),
    [
        (("diffusers.loading",), True),
        (("diffusers.loading", "transformers.models"), True),
        (("diffusers.loading", "tokenizer_of_the_machine"), True),
        (("diffusers.loading", "x2x_core.pipeline"), False),
        (("diffusers.loading", "x2x_core.pipeline", "diffusers.schedulers"), True),
        ((), False),
    ],
)
def test_an_error_is_the_folders_if_the_libraries_raised_it(tmp_path, callers, of_the_folder):
    """Each caller is a module; the last calls a module of Python's own, which raises."""

    def call(names):
        code = "call(names[1:]) if len(names) > 1 else json.loads('{')"
        exec(code, {"__name__": names[0], "call": call, "names": names, "json": json})

    with pytest.raises(ValueError, match="Expecting") as caught:
        call(("x2x_core.pipeline", *callers))
    assert (checkpoint_error(str(tmp_path), True, caught.value) is not None) == of_the_folder


def test_exhausted_memory_is_not_blamed_on_the_folder(folder, monkeypatch):
    def fail(*arguments, **keywords):
        raise MemoryError

    monkeypatch.setattr(StableDiffusionInstructPix2PixPipeline, "from_pretrained", fail)
    with pytest.raises(MemoryError):
        InstructX2XPipeline.from_pretrained(folder)


# -- atlas ------------------------------------------------------------------------------------------------------------


def test_the_bundled_atlas_is_used_unless_another_is_given(tiny_folder, tmp_path):
    assert InstructX2XPipeline.from_pretrained(tiny_folder).pseudomasks.metadata["tables"][0]["format"] == "NIH"
    atlas = PseudomaskAtlas({"Effusion": torch.ones(8, 8)})
    assert InstructX2XPipeline.from_pretrained(tiny_folder, pseudomasks=atlas).pseudomasks is atlas
    atlas.save(tmp_path / "mine.safetensors")
    loaded = InstructX2XPipeline.from_pretrained(tiny_folder, pseudomasks=tmp_path / "mine.safetensors")
    assert loaded.pseudomasks.names == ("Effusion",)
    loaded.pseudomasks = None
    assert len(loaded.pseudomasks.names) > 1


def test_a_missing_atlas_and_another_type_are_refused(tiny_folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no atlas at"):
        InstructX2XPipeline.from_pretrained(tiny_folder, pseudomasks=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="`pseudomasks` must be a PseudomaskAtlas or its path, got dict"):
        InstructX2XPipeline.from_pretrained(tiny_folder, pseudomasks={})


def test_the_bundled_atlas_is_not_saved_with_a_checkpoint(pipe, tmp_path):
    assert pipe.pseudomasks is not None
    pipe.save_pretrained(tmp_path / "saved")
    index = json.loads((tmp_path / "saved/model_index.json").read_text())
    assert index["own_pseudomasks"] is False and not (tmp_path / "saved/pseudomasks").exists()


# -- single files -----------------------------------------------------------------------------------------------------


def original_resnet(names):
    renamed = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0"}
    renamed |= {"conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
    return {name: f"{renamed[name.split('.')[0]]}.{name.split('.')[1]}" for name in names}


def original_unet(state):
    """The tiny U-Net's weights under the names of the original code base."""
    places = {
        "down_blocks.0.resnets.0": "input_blocks.1.0",
        "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
        "down_blocks.1.resnets.0": "input_blocks.3.0",
        "down_blocks.1.attentions.0": "input_blocks.3.1",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
        "up_blocks.0.resnets.0": "output_blocks.0.0",
        "up_blocks.0.attentions.0": "output_blocks.0.1",
        "up_blocks.0.resnets.1": "output_blocks.1.0",
        "up_blocks.0.attentions.1": "output_blocks.1.1",
        "up_blocks.0.upsamplers.0.conv": "output_blocks.1.2.conv",
        "up_blocks.1.resnets.0": "output_blocks.2.0",
        "up_blocks.1.resnets.1": "output_blocks.3.0",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
    }
    named = {}
    for name, weights in state.items():
        place = next(place for place in places if name.startswith(place + "."))
        rest = name[len(place) + 1 :]
        rest = original_resnet([rest])[rest] if ".resnets." in name else rest
        named[f"model.diffusion_model.{places[place]}.{rest}"] = weights
    return named


def test_a_single_file_gives_this_pipeline_with_the_atlas(pipe, tiny_folder, tmp_path):
    state = original_unet(pipe.unet.state_dict())
    state |= {f"cond_stage_model.transformer.text_model.{k.removeprefix('text_model.')}": v
              for k, v in pipe.text_encoder.state_dict().items()}  # fmt: skip
    save_file({name: weights.contiguous() for name, weights in state.items()}, tmp_path / "model.safetensors")
    loaded = InstructX2XPipeline.from_single_file(
        tmp_path / "model.safetensors", config=str(tiny_folder), vae=pipe.vae, local_files_only=True
    )
    assert type(loaded) is InstructX2XPipeline and len(loaded.pseudomasks.names) > 1
    for old, new in zip(pipe.unet.parameters(), loaded.unet.parameters()):
        assert torch.equal(old, new)


def test_a_single_file_takes_an_atlas(pipe, tiny_folder, tmp_path):
    parts = {name: part for name, part in pipe.components.items() if part is not None}
    save_file({"nothing": torch.zeros(1)}, tmp_path / "model.safetensors")
    atlas = PseudomaskAtlas({"Effusion": torch.ones(8, 8)})
    loaded = InstructX2XPipeline.from_single_file(
        tmp_path / "model.safetensors", pseudomasks=atlas, config=str(tiny_folder), local_files_only=True, **parts
    )
    assert loaded.pseudomasks is atlas and loaded.unet is pipe.unet


def test_the_folder_of_another_diffusers_version_is_no_matter(folder, radiograph):
    index = folder / "model_index.json"
    index.write_text(index.read_text().replace(diffusers.__version__, "0.8.0"))
    images = edit(InstructX2XPipeline.from_pretrained(folder), radiograph)
    assert np.isfinite(images.numpy()).all()


def test_diffusers_alone_finds_the_class_of_a_saved_folder(pipe, tmp_path):
    pipe.save_pretrained(tmp_path / "saved")
    loaded = diffusers.DiffusionPipeline.from_pretrained(
        tmp_path / "saved", custom_pipeline=str(tmp_path / "saved"), trust_remote_code=True
    )
    assert isinstance(loaded, InstructX2XPipeline)
    assert isinstance(InstructX2XPipeline.from_pretrained(tmp_path / "saved"), InstructX2XPipeline)
