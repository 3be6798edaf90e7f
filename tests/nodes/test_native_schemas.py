"""Compatibility of the native nodes: ids and positions that saved workflows use, and the library's defaults."""

from __future__ import annotations

import pytest
from comfy_pack import load_pack

INPUTS = {
    "X2XLoadNative": ["checkpoint", "dtype"],
    "X2XNativeRelevanceMap": [
        "model", "positive", "negative", "latent", "noise_level", "draws", "seed", "image", "place", "place_hint",
    ],
    "X2XPlaceHint": ["noise", "model", "place", "strength"],
    "X2XRegionGuider": [
        "model", "positive", "negative", "image_latent", "guidance_scale", "image_guidance_scale", "guidance_mask",
        "keep_mask",
    ],
    "X2XCropToMask": ["image", "guidance_mask", "size", "margin"],
    "X2XNativeCompose": [
        "image", "edited", "guidance_mask", "soft_edge", "strength", "unchanged", "encoded", "composition",
        "remove_drift", "keep_mask", "crop", "places",
    ],
}  # fmt: skip
OUTPUTS = {
    "X2XLoadNative": ["model", "clip", "vae"],
    "X2XNativeRelevanceMap": ["relevance"],
    "X2XPlaceHint": ["hinted"],
    "X2XRegionGuider": ["guider"],
    "X2XCropToMask": ["cropped", "cropped_mask", "crop"],
    "X2XNativeCompose": ["result"],
}
DEFAULTS = {
    "X2XRegionGuider": {"guidance_scale": "guidance_scale", "image_guidance_scale": "image_guidance_scale"},
    "X2XNativeCompose": {"strength": "edit_strength"},
}


@pytest.mark.parametrize("node_id", sorted(INPUTS))
def test_sockets_keep_their_places(node_id):
    schema = load_pack()[node_id].GET_SCHEMA()
    assert [one.id for one in schema.inputs][: len(INPUTS[node_id])] == INPUTS[node_id]
    assert [one.id for one in schema.outputs][: len(OUTPUTS[node_id])] == OUTPUTS[node_id]
    assert schema.category == "InstructX2X/Native"


@pytest.mark.parametrize("node_id", sorted(DEFAULTS))
def test_defaults_are_the_librarys(node_id):
    from x2x_core.edit.settings import DEFAULT

    inputs = {one.id: one for one in load_pack()[node_id].GET_SCHEMA().inputs}
    for widget, setting in DEFAULTS[node_id].items():
        assert inputs[widget].default == getattr(DEFAULT, setting)


def test_the_soft_edge_is_the_librarys_and_the_words_name_its_exception():
    from x2x_core.anatomy.edges import SOFT_EDGE, SOFT_EDGES

    native, edit = (load_pack()[one].GET_SCHEMA().inputs for one in ("X2XNativeCompose", "X2XSettings"))
    native, edit = (next(one for one in inputs if one.id == "soft_edge") for inputs in (native, edit))
    assert native.default == SOFT_EDGE
    for words in (native.tooltip, edit.tooltip):
        for finding, width in SOFT_EDGES.items():
            assert f"{width:g} for {finding}" in words and f"else {SOFT_EDGE:g}" in words


def test_only_folders_are_offered_and_others_are_rejected(tmp_path):
    import folder_paths

    file = folder_paths.get_folder_paths("checkpoints")[0] + "/single-for-native.safetensors"
    open(file, "wb").close()
    node = load_pack()["X2XLoadNative"]
    offered = node.define_schema().inputs[0].options
    assert "demo (bundled)" in offered
    assert "checkpoints/single-for-native.safetensors" not in offered
    assert node.validate_inputs("demo (bundled)", "auto") is True
    assert node.validate_inputs(None, None) is True  # linked: the values are not known yet
    assert "must be a folder in diffusers layout" in node.validate_inputs(
        "checkpoints/single-for-native.safetensors", "auto"
    )
    assert "`dtype` must be one of" in node.validate_inputs("demo (bundled)", "int8")


def test_noise_levels_are_checked_before_a_run():
    node = load_pack()["X2XNativeRelevanceMap"]
    assert node.validate_inputs("0.6, 0.8") is True
    assert node.validate_inputs(None) is True  # linked: the value is not known yet
    assert "`noise_level`" in node.validate_inputs("1.4")
