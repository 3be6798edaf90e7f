"""Workflow files against definitions of nodes, in the form of ComfyUI's `/object_info`."""

from __future__ import annotations

WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


def inputs_of(definition: dict) -> dict[str, list]:
    """Return required inputs, then optional ones, by name."""
    return {**definition["input"].get("required", {}), **definition["input"].get("optional", {})}


def check_sockets(node: dict, definition: dict) -> None:
    """Check a node's inputs and outputs and their types, and that required inputs are connected."""
    inputs = inputs_of(definition)
    assert [one["name"] for one in node["inputs"]] == list(inputs), node["type"]
    assert [one["type"] for one in node["outputs"]] == list(definition["output"]), node["type"]
    for one in node["inputs"]:
        spec = inputs[one["name"]]
        assert one["type"] == ("COMBO" if isinstance(spec[0], list) else spec[0]), (node["type"], one["name"])
        assert ("widget" in one) == is_widget(spec), (node["type"], one["name"])
        if one["name"] in definition["input"].get("required", {}) and "widget" not in one:
            assert one["link"] is not None, (node["type"], one["name"])


def check_values(node: dict, definition: dict) -> None:
    """Check that each widget has a valid value, in order."""
    inputs = inputs_of(definition)
    names = [value for name, spec in inputs.items() for value in values_of(name, spec)]
    assert len(node["widgets_values"]) == len(names), (node["type"], names)
    for name, value in zip(names, node["widgets_values"]):
        if name not in ("control", "upload"):
            _check_value(inputs[name], value, f"{node['type']}.{name}")


def is_widget(spec: list) -> bool:
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    return (isinstance(kind, list) or kind in WIDGETS) and not options.get("forceInput")


def values_of(name: str, spec: list) -> list[str]:
    """Return the names of an input's values in a file: none for a socket, two for a seed."""
    if not is_widget(spec):
        return []
    options = spec[1] if len(spec) > 1 else {}
    extra = ["control"] if options.get("control_after_generate") or name in ("seed", "noise_seed") else []
    return [name, *extra, *(["upload"] if options.get("image_upload") else [])]


def _check_value(spec: list, value, place: str) -> None:
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    choices = kind if isinstance(kind, list) else options.get("options")
    if choices:
        assert value in choices, place
    elif kind in ("INT", "FLOAT"):
        assert isinstance(value, int if kind == "INT" else (int, float)) and not isinstance(value, bool), place
        assert options.get("min", value) <= value <= options.get("max", value), place
    elif kind == "BOOLEAN":
        assert isinstance(value, bool), place
    else:
        assert isinstance(value, str), place
