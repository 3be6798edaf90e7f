"""Compatibility of all nodes: stable ids, tooltips, help pages, translations, and the library's defaults."""

import inspect
import json
from dataclasses import fields

import pytest
from comfy_pack import ROOT, load_pack, pack

NODES = load_pack()
# Never renamed or taken away: saved workflows name them.
IDS = (
    "X2XLoadPipeline", "X2XLoadRadiograph", "X2XLoadFolder", "X2XLoadArchive", "X2XLoadPseudomask", "X2XInstruction",
    "X2XPseudomask", "X2XRelevanceMap", "X2XGuidanceMap", "X2XGuidancePreview", "X2XEdit", "X2XSettings", "X2XCompare",
    "X2XSave", "X2XSaveArchive", "X2XLoadNative", "X2XNativeRelevanceMap", "X2XRegionGuider", "X2XCropToMask",
    "X2XNativeCompose", "X2XCandidates", "X2XPlaceHint",
)  # fmt: skip
# Places of a saved workflow's values and links: what comes later is only ever appended.
WIDGETS = {
    "X2XEdit": ["instruction", "preset", "steps", "guidance_scale", "image_guidance_scale", "mask_rule", "threshold",
                "solver", "edit_strength", "seed"],
    "X2XInstruction": ["operation", "finding", "level", "level_to", "side", "zone"],
    "X2XGuidanceMap": ["mask_rule", "threshold", "remove_islands", "close_holes", "soft_edge"],
    "X2XPseudomask": ["instruction", "align", "draw_place", "seed", "draw_extent"],
    "X2XNativeRelevanceMap": ["noise_level", "draws", "seed", "place_hint"],
    "X2XRegionGuider": ["guidance_scale", "image_guidance_scale"],
    "X2XNativeCompose": ["soft_edge", "strength", "composition", "remove_drift"],
    "X2XPlaceHint": ["strength"],
}  # fmt: skip
OUTPUTS = {
    "X2XLoadRadiograph": ["image", "mask", "info"],
    "X2XEdit": ["edited", "guidance", "edit_mask", "info"],
    "X2XGuidanceMap": ["guidance", "guidance_mask"],
    "X2XPseudomask": ["pseudomask", "info", "places", "placed_instruction", "extent"],
}


def test_no_node_is_missing():
    assert set(IDS) <= set(NODES)
    assert all(node_id.startswith("X2X") for node_id in NODES)


@pytest.mark.parametrize("node_id", sorted(NODES))
def test_every_node_explains_itself(node_id):
    schema = NODES[node_id].GET_SCHEMA()
    assert schema.display_name and schema.description
    assert schema.category.startswith("InstructX2X/")
    for socket in (*schema.inputs, *schema.outputs):
        assert socket.tooltip, f"{node_id}.{socket.id}"
    assert not {one.id for one in schema.inputs} & {one.id for one in schema.outputs}


@pytest.mark.parametrize("node_id", sorted(NODES))
def test_every_node_is_found_by_other_words(node_id, monkeypatch):
    """The words are those of the node's own call, on a ComfyUI whose schema does not know them too."""
    sockets, said = pack("sockets"), []
    monkeypatch.setattr(sockets, "search_aliases", lambda *words: said.extend(words) or {})
    schema = NODES[node_id].define_schema()
    assert len(set(said)) == len(said) >= 3
    assert schema.display_name.lower() not in {word.lower() for word in said}


def test_schemas_that_know_no_aliases_get_none(monkeypatch):
    from comfy_api.latest import io

    sockets = pack("sockets")
    knows = "search_aliases" in {field.name for field in fields(io.Schema)}
    assert sockets.search_aliases("heatmap") == ({"search_aliases": ["heatmap"]} if knows else {})
    monkeypatch.setattr(sockets, "_SCHEMA_FIELDS", {"node_id"})
    assert sockets.search_aliases("heatmap") == {}
    monkeypatch.setattr(sockets, "_SCHEMA_FIELDS", {"node_id", "search_aliases"})
    assert sockets.search_aliases("heatmap", "saliency") == {"search_aliases": ["heatmap", "saliency"]}


@pytest.mark.parametrize("node_id", sorted(NODES))
def test_every_node_has_a_help_page(node_id):
    page = ROOT / "web" / "docs" / f"{node_id}.md"
    text = page.read_text(encoding="utf-8")
    schema = NODES[node_id].GET_SCHEMA()
    for socket in (*schema.inputs, *schema.outputs):
        assert f"`{socket.display_name or socket.id}`" in text or f"`{socket.id}`" in text, f"{page.name}: {socket.id}"


@pytest.mark.parametrize("node_id", sorted(NODES))
def test_execute_takes_what_the_schema_offers(node_id):
    schema, taken = NODES[node_id].GET_SCHEMA(), inspect.signature(NODES[node_id].execute).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        return
    assert set(taken) == {one.id for one in schema.inputs}
    optional = {name for name, one in taken.items() if one.default is not inspect.Parameter.empty}
    assert {one.id for one in schema.inputs if one.optional} <= optional


@pytest.mark.parametrize("node_id", sorted(WIDGETS))
def test_widgets_keep_their_places(node_id):
    schema = NODES[node_id].GET_SCHEMA()
    widgets = [one.id for one in schema.inputs if hasattr(one, "default") and not getattr(one, "force_input", None)]
    assert widgets[: len(WIDGETS[node_id])] == WIDGETS[node_id]


@pytest.mark.parametrize("node_id", sorted(OUTPUTS))
def test_outputs_keep_their_places(node_id):
    assert [one.display_name or one.id for one in NODES[node_id].GET_SCHEMA().outputs] == OUTPUTS[node_id]


@pytest.mark.parametrize("node_id", IDS)
def test_outputs_have_names_on_every_version(node_id):
    assert all(one.display_name for one in NODES[node_id].GET_SCHEMA().outputs)


def test_defaults_are_the_librarys():
    from x2x_core.edit.settings import DEFAULT

    inputs = {one.id: one for one in NODES["X2XEdit"].GET_SCHEMA().inputs}
    assert inputs["steps"].default == DEFAULT.num_inference_steps
    assert inputs["guidance_scale"].default == DEFAULT.guidance_scale
    assert inputs["image_guidance_scale"].default == DEFAULT.image_guidance_scale
    assert inputs["threshold"].default == DEFAULT.mask_threshold
    assert inputs["edit_strength"].default == DEFAULT.edit_strength
    settings = {one.id: one for one in NODES["X2XSettings"].GET_SCHEMA().inputs}
    assert settings["composition"].default == pack("choices").RECOMMENDED
    for name in ("relevance_source", "attention_gating", "align"):
        assert settings[name].default == getattr(DEFAULT, name), name
    assert settings["soft_edge"].default == settings["soft_edge"].min == pack("choices").EDGE_BY_FINDING < 0
    guidance = {one.id: one for one in NODES["X2XGuidanceMap"].GET_SCHEMA().inputs}
    assert guidance["threshold"].default == DEFAULT.mask_threshold


def test_menus_are_the_librarys():
    from x2x_core.edit.settings import COMPOSITIONS
    from x2x_core.guidance.mask_settings import MASK_RULES
    from x2x_core.guidance.relevance import SOURCES

    for node_id in ("X2XEdit", "X2XGuidanceMap"):
        [rule] = [socket for socket in NODES[node_id].GET_SCHEMA().inputs if socket.id == "mask_rule"]
        assert set(rule.options) == set(MASK_RULES)
    settings = {socket.id: socket for socket in NODES["X2XSettings"].GET_SCHEMA().inputs}
    assert settings["composition"].options == [pack("choices").RECOMMENDED, *COMPOSITIONS]
    assert set(settings["relevance_source"].options) == set(SOURCES)


@pytest.mark.parametrize("language", ["en", "ko", "zh", "ja"])
def test_every_socket_has_a_text_in_each_language(language):
    words = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    assert set(words) == set(NODES)
    for node_id, node in NODES.items():
        schema, known = node.GET_SCHEMA(), words[node_id]
        assert known["display_name"] and known["description"], node_id
        assert set(known["inputs"]) == {one.id for one in schema.inputs}, node_id
        assert set(known.get("outputs", {})) == {str(number) for number in range(len(schema.outputs))}, node_id
        for socket in (*known["inputs"].values(), *known.get("outputs", {}).values()):
            assert socket["name"] and socket["tooltip"], node_id


def test_english_words_are_the_schemas():
    words = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    for node_id, node in NODES.items():
        schema = node.GET_SCHEMA()
        assert words[node_id]["display_name"] == schema.display_name
        assert words[node_id]["description"] == schema.description
        for one in schema.inputs:
            assert words[node_id]["inputs"][one.id]["tooltip"] == one.tooltip, f"{node_id}.{one.id}"
        for number, one in enumerate(schema.outputs):
            assert words[node_id]["outputs"][str(number)]["tooltip"] == one.tooltip, f"{node_id}.{one.id}"


@pytest.mark.parametrize("language", ["ko", "zh", "ja"])
def test_translations_are_translated(language):
    own = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    english = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    for node_id, words in english.items():
        for kind in ("inputs", "outputs"):
            for name, socket in words.get(kind, {}).items():
                assert own[node_id][kind][name]["tooltip"] != socket["tooltip"], f"{node_id}.{name}"
