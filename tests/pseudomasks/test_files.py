"""Atlas files: the same maps, the same bytes, both formats."""

import pytest
import torch
from atlas_cases import ask, probabilities

from x2x_core.pseudomasks.atlas import PseudomaskAtlas, atlas_digest


def test_saving_and_loading_gives_the_same_maps_and_the_same_bytes(bundled, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    bundled.save(first)
    loaded = PseudomaskAtlas.load(first)
    loaded.save(second)
    assert loaded.names == bundled.names and loaded.metadata == bundled.metadata
    assert all(torch.equal(loaded.map(name), bundled.map(name)) for name in bundled.names)
    assert first.read_bytes() == second.read_bytes()


def test_the_digest_is_of_the_maps_not_of_the_file(bundled, tmp_path):
    bundled.save(tmp_path / "a.safetensors")
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    loaded.metadata["note"] = "mine"
    assert atlas_digest(loaded) == atlas_digest(bundled) and len(atlas_digest(bundled)) == 64
    masks = [
        PseudomaskAtlas({"Edema": torch.full((4, 4), value)}, published=p) for value, p in ((0, 0), (1, 0), (1, 1))
    ]
    assert len({atlas_digest(each) for each in masks}) == 3


def test_maps_that_do_not_fit_into_bytes_stay_exact(tmp_path):
    values = torch.rand(5, 7, generator=torch.Generator().manual_seed(0))
    PseudomaskAtlas({"Edema": values}).save(tmp_path / "a.safetensors")
    assert torch.equal(PseudomaskAtlas.load(tmp_path / "a.safetensors").map("Edema"), values)


def test_published_masks_stay_published_through_our_own_file(published, tmp_path):
    PseudomaskAtlas.load(published).save(tmp_path / "a.safetensors")
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    assert loaded.published
    with pytest.raises(ValueError, match=r"pseudo_mask_Edema.npy"):
        loaded.source_of("edema")


def test_a_malformed_atlas_file_is_named(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "atlas.safetensors"
    path.write_bytes(b"no safetensors at all")
    with pytest.raises(ValueError, match=r"atlas.safetensors` must be an atlas"):
        PseudomaskAtlas.load(path)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(ValueError, match="must be an atlas in the format"):
        PseudomaskAtlas.load(path)


def test_probability_maps_are_saved_as_they_are(tmp_path):
    PseudomaskAtlas(probabilities("Edema", "Edema/right")).save(tmp_path / "a.safetensors")
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    assert loaded.names == ("Edema",)
    expected = probabilities("Edema")["Edema"]
    assert torch.equal(loaded.probability("Edema", "right"), expected.probability())
    assert torch.equal(loaded.probability("Edema", "left"), expected.probability().flip(-1))
    assert torch.equal(loaded.map("Edema"), expected.mask())


def test_a_file_of_the_first_format_is_read_and_cut_by_windows(tmp_path):
    PseudomaskAtlas({"Edema": torch.ones(64, 64)}).save(tmp_path / "a.safetensors")
    assert b"x2x-pseudomask-atlas-1" in (tmp_path / "a.safetensors").read_bytes()
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    left = loaded.for_instruction(ask("edema", side="left"), (64, 64))
    assert left[..., :28].max() == 0 and left[..., 40:].min() == 1


def test_an_atlas_needs_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        PseudomaskAtlas({}).save(tmp_path / "nowhere" / "a.safetensors")
