"""The check that weights and pictures change only with the version."""

import json
from pathlib import Path

import pytest
from programs import load_program

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    return load_program("tools/check_weight.py")


@pytest.fixture
def checkout(tool, tmp_path):
    """A small checkout whose manifest is written."""
    (tmp_path / "models" / "demo").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.0.0"\n')
    (tmp_path / "models" / "demo" / "unet.safetensors").write_bytes(b"weights")
    (tmp_path / "docs" / "figure.png").write_bytes(b"picture")
    tool.write_manifest(tmp_path)
    return tmp_path


def test_this_checkout_is_as_recorded(tool):
    assert tool.find_changes(ROOT) == [] and tool.find_oversized(ROOT) == []
    assert tool.read_manifest(ROOT)["version"] is not None


def test_unchanged_files_pass(tool, checkout):
    assert tool.find_changes(checkout) == [] and tool.find_oversized(checkout) == []
    assert json.loads((checkout / tool.MANIFEST).read_text())["version"] == "1.0.0"


def test_each_kind_of_change_is_found(tool, checkout):
    (checkout / "models" / "demo" / "unet.safetensors").write_bytes(b"other weights")
    (checkout / "docs" / "figure.png").unlink()
    (checkout / "docs" / "more.JPG").write_bytes(b"another picture")
    (checkout / "docs" / "page.md").write_text("text is free")
    assert tool.find_changes(checkout) == [
        "models/demo/unet.safetensors was changed",
        "docs/more.JPG was added",
        "docs/figure.png was removed",
    ]


def test_a_change_needs_another_version(tool, checkout):
    (checkout / "models" / "demo" / "unet.safetensors").write_bytes(b"other weights")
    with pytest.raises(ValueError, match=r"^Version 1\.0\.0 is already recorded: raise it in pyproject\.toml first\.$"):
        tool.write_manifest(checkout)
    (checkout / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    tool.write_manifest(checkout)
    assert tool.find_changes(checkout) == [] and tool.read_manifest(checkout)["version"] == "1.1.0"


def test_large_pictures_and_records_are_found(tool, checkout):
    (checkout / "docs" / "figure.png").write_bytes(bytes(tool.MOST_PICTURE_BYTES + 1))
    (checkout / "models" / "demo" / "record.json").write_bytes(bytes(tool.MOST_JSON_BYTES + 1))
    (checkout / "models" / "demo" / "small.json").write_bytes(bytes(tool.MOST_JSON_BYTES))
    picture, record = tool.find_oversized(checkout)
    assert picture == "docs/figure.png has 200001 bytes; a picture may have 200000: save it as JPEG or WebP"
    assert record.startswith("models/demo/record.json has 100001 bytes; a JSON file may have 100000: compress it")
