"""Published masks: exact in pixels, bilinear in latents, and refused if malformed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from atlas_cases import ask

from x2x_core.pseudomasks.atlas import PseudomaskAtlas


def test_published_masks_are_exact_in_pixels_and_bilinear_in_latents(published):
    atlas = PseudomaskAtlas.load(published)
    mask = atlas.for_instruction(ask("pleural effusion"), (512, 512))
    assert torch.equal(mask[0, 0], torch.from_numpy(np.load(published / "pseudo_mask_Effusion.npy")).float())
    latent = atlas.for_instruction(ask("pleural effusion"), (64, 64))
    assert torch.equal(latent, F.interpolate(mask, (64, 64), mode="bilinear"))


def test_the_generators_own_file_names_are_read(published):
    assert PseudomaskAtlas.load(published).names == ("Effusion", "Lung Opacity")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((8, 8), 2, np.uint8), "only 0 and 1"),
        (np.full((8, 8), np.nan), "only 0 and 1"),
        (np.ones((8, 8, 3), np.uint8), "2-dimensional"),
        (np.array([["a"]]), "2-dimensional mask"),
        (np.zeros((8, 8), np.uint8), "is empty"),
    ],
)
def test_a_malformed_published_mask_is_named(published, values, words):
    np.save(published / "pseudo_mask_Edema.npy", values)
    with pytest.raises(ValueError, match=f"pseudo_mask_Edema.npy.*{words}"):
        PseudomaskAtlas.load(published)


def test_a_file_that_is_not_a_mask_is_named(published):
    (published / "pseudo_mask_Edema.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"pseudo_mask_Edema.npy"):
        PseudomaskAtlas.load(published)


def test_a_folder_without_masks_and_a_missing_path_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"pseudo_mask_<Category>.npy"):
        PseudomaskAtlas.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        PseudomaskAtlas.load(tmp_path / "nowhere")
