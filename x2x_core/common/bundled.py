"""Where the files that ship with the project are: in a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError

# Bundled name to its place under `models/` in a checkout and under `x2x_core/_bundled/` in a wheel.
BUNDLED = {
    "atlas": "atlas/nih.safetensors",
    "demo": "demo",
    "lungs": "lungs/lungs.safetensors",
    "scorers": "scorers",
    "sample": "sample/radiograph.png",
}


def bundled_path(name: str) -> Path:
    """The path of a bundled file or folder.

    Args:
        name: a key of `BUNDLED`.

    Raises:
        InputError: nothing of this name ships with the project.
        InputNotFoundError: this installation lacks it.
    """
    if name not in BUNDLED:
        raise InputError(f"`name` must be one of {', '.join(BUNDLED)}, got {name!r}.")
    package = Path(__file__).resolve().parents[1]
    places = (package.parent / "models" / BUNDLED[name], package / "_bundled" / BUNDLED[name])
    for place in places:
        if place.exists():
            return place
    raise InputNotFoundError(
        f"The bundled {name} is missing from this installation: looked in {places[0]} and {places[1]}. Install again."
    )
