"""Provenance: what a written picture says of itself, and the hashes that tie it to its origins."""

import hashlib

import pytest
import torch

import x2x_core
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import read_provenance, sha256_file, sha256_weights, synthetic_metadata, versions


def test_a_picture_says_that_it_is_synthetic_and_how_it_was_made(tmp_path):
    parameters = {"prompt": "Add the finding of edema.", "seed": 3, "scales": [7.5, 1.5], "levels": None}
    write_png(tmp_path / "a.png", torch.zeros(1, 4, 4), 16, synthetic_metadata(parameters))
    found = read_provenance(tmp_path / "a.png")
    assert found["synthetic"] is True
    assert found["parameters"] == parameters
    assert found["software"] == f"InstructX2X {x2x_core.__version__}"


def test_a_picture_that_says_nothing(tmp_path):
    write_png(tmp_path / "a.png", torch.zeros(1, 4, 4))
    assert read_provenance(tmp_path / "a.png") == {"synthetic": False, "software": "", "parameters": {}}


def test_the_order_of_parameters_does_not_matter():
    assert synthetic_metadata({"a": 1, "b": 2}) == synthetic_metadata({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [torch.ones(1), float("nan")])
def test_parameters_that_json_cant_hold_are_refused(value):
    with pytest.raises(ValueError, match="`parameters` must be JSON-serialisable"):
        synthetic_metadata({"value": value})


def test_parameters_that_are_no_json_are_named(tmp_path):
    write_png(tmp_path / "a.png", torch.zeros(1, 4, 4), 8, {"Parameters": "{"})
    with pytest.raises(ValueError, match=r"a\.png` must hold its parameters as JSON"):
        read_provenance(tmp_path / "a.png")


def test_versions_name_the_package_and_torch():
    found = versions()
    assert (
        found["x2x_core"] == x2x_core.__version__ and found["torch"] == torch.__version__.split("+")[0]
    ) or "+" in found["torch"]
    assert "python" in found


def test_the_hash_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        sha256_file(tmp_path / "nowhere")


def test_the_hash_of_a_model_follows_its_weights_and_nothing_else(tmp_path):
    unet = tmp_path / "unet"
    unet.mkdir()
    (unet / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "README.md").write_text("card")
    first = sha256_weights(tmp_path)
    (tmp_path / "README.md").write_text("another card")
    assert sha256_weights(tmp_path) == first
    (unet / "model.safetensors").write_bytes(b"other weights")
    assert sha256_weights(tmp_path) != first
    assert sha256_weights(unet / "model.safetensors") == sha256_file(unet / "model.safetensors")


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights"):
        sha256_weights(tmp_path)
