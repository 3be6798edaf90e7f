"""Loading a checkpoint of any class, and the call that is named where another one is right."""

import json

import pytest
import torch
from backbone_models import MAKERS, make_inpainting, make_klein, saved_and_loaded
from diffusers import StableDiffusionPipeline
from tiny_models import make_components, make_unet

from x2x_core import InstructX2XPipeline, X2XEdit
from x2x_core.commands.loading import load_pipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.edit.backbones.registry import BACKBONES, INSTRUCT_PIX2PIX

OTHERS = [kind for kind in BACKBONES if kind != INSTRUCT_PIX2PIX]


def write_index(folder, kind):
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    return folder


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a function that puts an index into the cache of the Hugging Face Hub."""
    cache = tmp_path / "cache"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))

    def publish(repository, kind):
        place = cache / f"models--{repository.replace('/', '--')}"
        (place / "refs").mkdir(parents=True)
        (place / "refs" / "main").write_text("0" * 40)
        (place / "snapshots" / ("0" * 40)).mkdir(parents=True)
        write_index(place / "snapshots" / ("0" * 40), kind)
        return {"cache_dir": str(cache)}

    return publish


@pytest.mark.parametrize("kind", MAKERS)
def test_the_pipeline_returns_the_editor_of_another_kind_of_checkpoint(kind, tmp_path):
    pipe = MAKERS[kind]()
    loaded = saved_and_loaded(pipe, tmp_path, InstructX2XPipeline.from_pretrained)
    if kind == "instruct_pix2pix":
        assert type(loaded) is InstructX2XPipeline and loaded.pseudomasks.names
        return
    assert type(loaded) is X2XEdit and type(loaded.pipe) is type(pipe) and not loaded.pseudomasks.names
    assert type(loaded.backbone) is type(X2XEdit(pipe).backbone) and loaded.config == X2XEdit(pipe).config
    for name, module in pipe.components.items():
        if isinstance(module, torch.nn.Module):
            saved = loaded.pipe.components[name].state_dict()
            assert all(torch.equal(saved[key], value) for key, value in module.state_dict().items())


def test_arguments_reach_the_editor_of_another_kind_of_checkpoint(tmp_path):
    make_inpainting().save_pretrained(tmp_path)
    given = {"recommended": {"num_inference_steps": 7}, "dtype": torch.bfloat16}
    edit = InstructX2XPipeline.from_pretrained(tmp_path, "bundled", **given)
    assert edit.pseudomasks.names and edit.config["recommended"]["num_inference_steps"] == 7
    assert edit.pipe.unet.dtype == torch.bfloat16


@pytest.mark.parametrize("kind", OTHERS)
def test_a_repository_of_another_kind_is_known_by_its_index_alone(kind, hub, monkeypatch):
    loaded = []
    monkeypatch.setattr(X2XEdit, "from_pretrained", lambda *given, **more: loaded.append((given, more)))
    InstructX2XPipeline.from_pretrained("owner/model", **(cache := hub("owner/model", kind)))
    assert loaded == [(("owner/model", None), cache)]


@pytest.mark.parametrize("kind", OTHERS)
def test_the_command_line_says_how_another_kind_of_checkpoint_is_loaded(kind, tmp_path):
    said = rf"holds a {kind}, which is not an InstructPix2Pix checkpoint: load it with `X2XEdit.from_pretrained`\.$"
    with pytest.raises(InputError, match=said):
        load_pipeline(str(write_index(tmp_path, kind)), None, None, None)


@pytest.mark.parametrize("load", [InstructX2XPipeline.from_pretrained, X2XEdit.from_pretrained])
def test_an_unknown_class_is_refused_by_the_index_alone(load, tmp_path, hub):
    said = r"must hold one of StableDiffusionInstructPix2PixPipeline, .*, but holds a WanPipeline\. For another model"
    with pytest.raises(InputError, match=said):
        load(write_index(tmp_path, "WanPipeline"))
    with pytest.raises(InputError, match=said):
        load("owner/video", **hub("owner/video", "WanPipeline"))


@pytest.mark.parametrize("make", [make_klein, make_inpainting])
def test_the_pipeline_says_how_another_loaded_model_is_edited_with(make):
    pipe = make()
    with pytest.raises(InputError, match=rf"is a {type(pipe).__name__}, .* edit with `X2XEdit\(pipeline\)`\.$"):
        InstructX2XPipeline.from_pipe(pipe)


@pytest.mark.parametrize("name", ["demo", bundled_path("demo")])
def test_a_checkpoint_of_this_project_is_loaded_as_its_own_class(name):
    edit = X2XEdit.from_pretrained(name)
    assert isinstance(edit.pipe, InstructX2XPipeline)
    assert not edit.pseudomasks.names


def test_a_checkpoint_that_makes_pictures_from_texts_is_loaded_for_inpainting(tmp_path):
    pipe = StableDiffusionPipeline(**make_components(unet=make_unet(4)))
    pipe.save_pretrained(tmp_path)
    assert type(X2XEdit.from_pretrained(tmp_path).pipe).__name__ == "StableDiffusionInpaintPipeline"
    with pytest.raises(InputError, match=r"pass `StableDiffusionInpaintPipeline.from_pipe\(pipe\)`\.$"):
        X2XEdit(pipe)


def test_what_cannot_be_loaded_is_said_in_a_sentence(tmp_path):
    with pytest.raises(InputNotFoundError, match="There is no checkpoint at `/nowhere/at/all`"):
        X2XEdit.from_pretrained("/nowhere/at/all")
    with pytest.raises(InputNotFoundError, match=r"lacks model_index\.json"):
        X2XEdit.from_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"^The checkpoint `.*` cannot be loaded: "):
        X2XEdit.from_pretrained(write_index(tmp_path, "FluxKontextPipeline"))
    with pytest.raises(InputNotFoundError, match="no repository of this name could be loaded"):
        X2XEdit.from_pretrained("owner/nothing", cache_dir=str(tmp_path))


@pytest.mark.parametrize("loader", [InstructX2XPipeline, X2XEdit])
def test_sizes_that_the_weights_of_another_model_do_not_have_are_refused(loader, tmp_path):
    make_inpainting().save_pretrained(tmp_path)
    config = tmp_path / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"block_out_channels": [2**28, 2**28]}))
    with pytest.raises(InputError, match="block_out_channels"):
        loader.from_pretrained(tmp_path)
