"""Pseudomasks of a checkpoint's own survive saving, loading and `from_pipe`, and are never replaced silently."""

import json

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from edit_cases import edit
from safetensors.torch import save_file
from tiny_models import make_pipeline

from x2x_core import InstructX2XPipeline, PseudomaskAtlas
from x2x_core.edit import hub_files
from x2x_core.edit import saved_pseudomasks as saving

MASK = torch.zeros(8, 8)
MASK[2:5, 1:7] = 1


@pytest.fixture
def own(pipe):
    """A pipeline whose atlas is not the bundled one."""
    pipe.pseudomasks = PseudomaskAtlas({"Effusion": MASK}, {"made": "by hand"})
    return pipe


@pytest.fixture
def saved(own, tmp_path):
    own.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def test_saving_and_loading_keeps_them(own, saved, radiograph):
    loaded = InstructX2XPipeline.from_pretrained(saved)
    assert loaded.pseudomasks.names == ("Effusion",) and loaded.pseudomasks.metadata == {"made": "by hand"}
    assert torch.equal(loaded.pseudomasks.map("Effusion"), MASK)
    loaded.set_progress_bar_config(disable=True)
    maps = [edit(pipe, radiograph).guidance_map for pipe in (own, loaded)]
    assert torch.equal(*maps)


def test_saving_again_keeps_them(saved, tmp_path):
    InstructX2XPipeline.from_pretrained(saved).save_pretrained(tmp_path / "again")
    assert torch.equal(InstructX2XPipeline.from_pretrained(tmp_path / "again").pseudomasks.map("Effusion"), MASK)


def test_published_masks_stay_published(pipe, tmp_path):
    np.save(tmp_path / "pseudo_mask_Edema.npy", np.ones((8, 8), np.uint8))
    pipe.pseudomasks = tmp_path
    pipe.save_pretrained(tmp_path / "saved")
    loaded = InstructX2XPipeline.from_pretrained(tmp_path / "saved").pseudomasks
    assert loaded.published and loaded.names == ("Edema",)


def test_the_arguments_atlas_takes_precedence(saved):
    other = PseudomaskAtlas({"Edema": MASK})
    assert InstructX2XPipeline.from_pretrained(saved, pseudomasks=other).pseudomasks is other


def test_a_missing_file_is_an_error(saved):
    (saved / "pseudomasks" / "atlas.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"has pseudomasks of its own, but lacks `.*atlas\.safetensors`"):
        InstructX2XPipeline.from_pretrained(saved)
    assert InstructX2XPipeline.from_pretrained(saved, pseudomasks=PseudomaskAtlas({"Edema": MASK}))


def test_a_damaged_file_is_an_error(saved):
    (saved / "pseudomasks" / "atlas.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"atlas\.safetensors` must be an atlas"):
        InstructX2XPipeline.from_pretrained(saved)


def test_a_reset_to_the_bundled_atlas_is_saved(saved):
    pipe = InstructX2XPipeline.from_pretrained(saved)
    pipe.pseudomasks = None
    pipe.save_pretrained(saved)
    assert not json.loads((saved / "model_index.json").read_text())["own_pseudomasks"]
    assert not (saved / "pseudomasks" / "atlas.safetensors").exists()
    assert len(InstructX2XPipeline.from_pretrained(saved).pseudomasks.names) > 1


def test_from_pipe_keeps_them(own):
    assert InstructX2XPipeline.from_pipe(own).pseudomasks is own.pseudomasks
    other = PseudomaskAtlas({"Edema": MASK})
    assert InstructX2XPipeline.from_pipe(own, pseudomasks=other).pseudomasks is other


def test_from_pipe_of_a_stock_pipeline_has_the_bundled_atlas(tiny_folder):
    stock = StableDiffusionInstructPix2PixPipeline.from_pretrained(tiny_folder)
    assert len(InstructX2XPipeline.from_pipe(stock).pseudomasks.names) > 1


def test_the_constructor_takes_an_atlas(shared_components, tmp_path):
    atlas = PseudomaskAtlas({"Effusion": MASK})
    assert make_pipeline(**shared_components, pseudomasks=atlas).pseudomasks is atlas
    atlas.save(tmp_path / "mine.safetensors")
    pipe = make_pipeline(**shared_components, pseudomasks=tmp_path / "mine.safetensors")
    assert pipe.pseudomasks.names == ("Effusion",)


def test_a_single_file_takes_them_from_its_configuration(own, saved, tmp_path):
    save_file({"nothing": torch.zeros(1)}, tmp_path / "model.safetensors")
    parts = {name: part for name, part in own.components.items() if part is not None}
    loaded = InstructX2XPipeline.from_single_file(
        tmp_path / "model.safetensors", config=str(saved), local_files_only=True, **parts
    )
    assert loaded.pseudomasks.names == ("Effusion",)


def test_a_repository_s_are_downloaded_from_where_it_is(saved, monkeypatch):
    requests = []

    def download(repository, name, **arguments):
        requests.append((repository, name, arguments))
        return str(saved / name)

    monkeypatch.setattr(hub_files, "hf_hub_download", download)
    atlas = saving.downloaded_pseudomasks(
        {"own_pseudomasks": True}, "owner/name", {"revision": "v2", "token": "t", "dtype": torch.float32}
    )
    assert torch.equal(atlas.map("Effusion"), MASK)
    assert requests == [("owner/name", "pseudomasks/atlas.safetensors", {"revision": "v2", "token": "t"})]
    assert saving.downloaded_pseudomasks({}, "owner/name", {}) is None and len(requests) == 1
