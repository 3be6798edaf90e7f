"""Bundled files are found in a checkout and inside an installed package."""

import pytest

from x2x_core.common import bundled
from x2x_core.common.bundled import BUNDLED, bundled_path


def lay(root, name):
    place = root / BUNDLED[name]
    place.parent.mkdir(parents=True)
    place.touch()
    return place


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An empty installation: a folder that holds nothing but the package."""
    package = tmp_path / "somewhere" / "x2x_core"
    package.mkdir(parents=True)
    monkeypatch.setattr(bundled, "__file__", str(package / "common" / "bundled.py"))
    return package


@pytest.mark.parametrize("name", ["atlas", "lungs", "sample"])
def test_this_checkout_holds_what_ships(name):
    assert bundled_path(name).is_file()


def test_this_checkout_holds_the_scorers_that_ship():
    files = sorted(bundled_path("scorers").glob("*.safetensors"))
    assert [file.name for file in files] == ["attributes.safetensors", "findings.safetensors"]
    assert sum(file.stat().st_size for file in files) < 4_000_000


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_it_is_found_in_a_wheel_and_a_checkout_comes_first(installation, name):
    inside = lay(installation / "_bundled", name)
    assert bundled_path(name) == inside
    beside = lay(installation.parent / "models", name)
    assert bundled_path(name) == beside


def test_what_is_missing_or_unknown_is_said(installation):
    with pytest.raises(FileNotFoundError, match="The bundled demo is missing from this installation"):
        bundled_path("demo")
    with pytest.raises(
        ValueError, match="`name` must be one of atlas, demo, lungs, extents, scorers, sample, landscape, got 'model'"
    ):
        bundled_path("model")
