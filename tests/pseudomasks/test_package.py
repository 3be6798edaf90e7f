"""The package of pseudomasks: its public name, resolved on first use so that importing a part of it stays cheap."""

import subprocess
import sys

import pytest

import x2x_core
from x2x_core import pseudomasks
from x2x_core.pseudomasks.atlas import PseudomaskAtlas


def test_the_atlas_is_public_in_both_packages():
    assert pseudomasks.PseudomaskAtlas is x2x_core.PseudomaskAtlas is PseudomaskAtlas


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'x2x_core.pseudomasks' has no attribute 'Atlas'"):
        pseudomasks.Atlas  # noqa: B018 (the look-up is the test)


def test_importing_the_maps_does_not_import_the_atlas():
    code = "import sys, x2x_core.pseudomasks.maps; print('x2x_core.pseudomasks.atlas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
