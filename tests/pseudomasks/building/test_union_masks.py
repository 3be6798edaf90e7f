"""Masks in the published style: the union of all boxes of a category."""

import numpy as np
import torch

from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.building.boxes import Box
from x2x_core.pseudomasks.building.union_masks import save_union_masks, union_masks


def test_masks_in_the_published_style_hold_every_box_and_nothing_else(tmp_path):
    boxes = [Box("Mass", 0.25, 0.25, 0.5, 0.5, "i", "p"), Box("Mass", 0.75, 0.75, 0.25, 0.25, "j", "q")]
    mask = union_masks(boxes)["Mass"]
    assert mask.shape == (512, 512) and mask.dtype == np.uint8 and mask.sum() == 256**2 + 128**2
    assert mask[:256, :256].all() and sorted(union_masks(boxes)) == ["Lung Lesion", "Lung Opacity", "Mass"]
    save_union_masks(boxes, tmp_path / "masks")
    loaded = PseudomaskAtlas.load(tmp_path / "masks")
    assert loaded.published and torch.equal(loaded.map("Mass"), torch.from_numpy(mask).float())
