"""Columns of a manifest: names, and how the text of a cell is read."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from x2x_core.common.errors import InputError

IMAGE, PROMPT, SEED, MODEL, KEEP_MASK = "image", "prompt", "seed", "model", "keep_mask"
_SWITCH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(text) if text.lstrip("+-").isdigit() else int(number)  # large numbers lose digits as floats


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[text.lower()]


def _numbers(text: str) -> float | tuple[float, ...]:
    values = tuple(float(part) for part in text.replace(";", " ").split())
    return values[0] if len(values) == 1 else values


def _margin(text: str) -> int:
    return False if text.lower() == "off" else _whole(text)


_WORDS = {
    _whole: "a whole number",
    float: "a number",
    _switch: "true or false",
    _numbers: "a number, or several separated by spaces",
    _margin: "a whole number or off",
    str: "text",
}
Reader = Callable[[str], Any]
# Column to argument of the pipeline's call and reader; the columns are named as the options of `x2x edit`.
SETTINGS: dict[str, tuple[str, Reader]] = {
    "steps": ("num_inference_steps", _whole),
    "mask_threshold": ("mask_threshold", float),
    "mask_rule": ("mask_rule", str),
    "relevance_samples": ("relevance_samples", _whole),
    "relevance_noise_level": ("relevance_noise_level", _numbers),
    "edit_strength": ("edit_strength", float),
    "guidance_scale": ("guidance_scale", float),
    "image_guidance_scale": ("image_guidance_scale", float),
    "relevance_source": ("relevance_source", str),
    "attention_gating": ("attention_gating", _switch),
    "composition": ("composition", str),
    "align": ("align", _switch),
    "draw_place": ("draw_place", _switch),
    "padding_mask_crop": ("padding_mask_crop", _margin),
    "mask_context": ("mask_context", _margin),
    "preset": ("preset", str),
    "reference": ("reference", _switch),
    "strict": ("strict", _switch),
}
OF_ARGUMENT = {argument: column for column, (argument, _) in SETTINGS.items()}
COLUMNS = (IMAGE, PROMPT, SEED, MODEL, KEEP_MASK, *SETTINGS)


def column_names(header: Sequence[str], place: str) -> list[str]:
    """Return the names of a manifest's columns; "mask-threshold" is `mask_threshold`.

    Args:
        header: as the table has it.
        place: of the manifest, for messages.

    Raises:
        InputError: unknown or repeated columns; the message names all of them.
    """
    names = [name.strip().lower().replace("-", "_") for name in header]
    unknown = [f"{name!r}{_nearest(name)}" for name in names if name not in COLUMNS]
    if unknown:
        raise InputError(
            f"`{place}` must have columns of these names: {', '.join(COLUMNS)}; got also {', '.join(unknown)}. Rename "
            "or remove what is not one of them."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"`{place}` must have each column once, got {', '.join(repeated)} more than once.")
    return names


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, 1)
    return f" (is it {near[0]}?)" if near else ""


def read_cell(column: str, text: str) -> Any:
    """Return the value of a setting's or the seed's cell.

    Raises:
        InputError: not a value of this column.
    """
    reader = _whole if column == SEED else SETTINGS[column][1]
    try:
        return reader(text)
    except (ValueError, OverflowError):
        raise InputError(f"`{column}` must be {_WORDS[reader]}, got {text!r}.") from None


def cell_text(value: Any) -> str:
    """Return a value of a typed table as the text of a cell; "" for missing ones."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return " ".join(cell_text(part) for part in value)
    return str(value).strip()
