"""Masks over an image: moved by the frame, cut to zones, never cut to a side the finding does not have."""

import pytest
import torch
from atlas_cases import ask

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.pseudomasks.atlas import Frame


@pytest.mark.parametrize("zone", ["perihilar", "retrocardiac", "costophrenic"])
def test_zones_defined_by_a_structure_cut_the_map(bundled, zone):
    side = bundled.for_instruction(ask("consolidation", side="left"), (64, 64))
    cut = bundled.for_instruction(ask("consolidation", side="left", zone=zone), (64, 64))
    assert (cut <= side + 1e-6).all() and 0.005 < (cut >= EDGE_LEVEL).float().mean() < 0.15


def test_a_finding_without_a_side_is_not_cut(bundled):
    whole = bundled.for_instruction(ask("cardiomegaly"), (64, 64))
    assert torch.equal(bundled.for_instruction(ask("cardiomegaly", side="right"), (64, 64)), whole)


def test_a_frame_moves_the_masks_and_nothing_is_outside_it(bundled):
    plain = bundled.for_instruction(ask("pneumonia"), (64, 64))
    whole = bundled.for_instruction(ask("pneumonia"), (64, 64), frame=Frame())
    assert (plain - whole).abs().max() < 0.15  # the same, but for the resampling filter
    moved = bundled.for_instruction(ask("pneumonia"), (64, 128), frame=Frame.rectangle(left=0.5))
    assert moved[..., :64].max() == 0
    assert (moved[..., 64:] - whole).abs().max() < 1e-5
    with pytest.raises(ValueError, match="`frame`"):
        Frame.rectangle(left=1, right=0)
