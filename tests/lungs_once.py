"""Lungs found once in each picture that many tests edit.

The finder looks at each picture alone and draws nothing, so that its answer for the same pixels is the same. Looking is
more than a third of what an edit with a tiny model costs.
"""

from __future__ import annotations

from collections import OrderedDict

import pytest

PICTURES = 32  # kept
MOST_PIXELS = 512 * 512  # of a picture that is kept


@pytest.fixture(scope="session", autouse=True)
def lungs_once():
    """Keep what the bundled finder found in small pictures; `found_anew` switches this off."""
    from x2x_core.anatomy.lungs import LungFinder

    look, kept = LungFinder._find_one, OrderedDict()

    def find(finder, grey):
        if grey.numel() > MOST_PIXELS or finder is not LungFinder.bundled():
            return look(finder, grey)
        key = (tuple(grey.shape), grey.contiguous().numpy().tobytes())
        if key not in kept:
            kept[key] = look(finder, grey)
        kept.move_to_end(key)
        if len(kept) > PICTURES:
            kept.popitem(last=False)
        masks, sure = kept[key]
        return masks.clone(), sure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LungFinder, "_find_one", find)
        yield look


@pytest.fixture
def found_anew(lungs_once, monkeypatch):
    """Find lungs at each look, for tests of the finder itself."""
    from x2x_core.anatomy.lungs import LungFinder

    monkeypatch.setattr(LungFinder, "_find_one", lungs_once)
