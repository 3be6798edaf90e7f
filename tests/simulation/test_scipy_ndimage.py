import sys

import pytest

from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.thorax import segment_thorax


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(
        ImportError, match=r"needs SciPy: install the extra with `pip install 'instructx2x\[simulate\]'`"
    ):
        segment_thorax(phantom_ct())
