"""Locate the files that ship with the project, in a checkout or in the installed package."""

from __future__ import annotations

from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError

# Bundled name to path under `models/` in a checkout and under `x2x_core/_bundled/` in a wheel.
BUNDLED = {
    "atlas": "atlas/nih.safetensors",
    "demo": "demo",
    "lungs": "lungs/lungs.safetensors",
    "extents": "extents/extents.safetensors",
    "scorers": "scorers",
    "sample": "sample/radiograph.png",
    "landscape": "landscape/landscape.jpg",
}


def bundled_path(name: str) -> Path:
    """Return the path of a bundled file or folder.

    Args:
        name: a key of `BUNDLED`.

    Raises:
        InputError: no bundled file has this name.
        InputNotFoundError: missing from this installation.
    """
    if name not in BUNDLED:
        raise InputError(f"`name` must be one of {', '.join(BUNDLED)}, got {name!r}.")
    package = Path(__file__).resolve().parents[1]
    places = (package.parent / "models" / BUNDLED[name], package / "_bundled" / BUNDLED[name])
    for place in places:
        if place.exists():
            return place
    raise InputNotFoundError(
        f"The bundled {name} is missing from this installation: neither {places[0]} nor {places[1]} exists. "
        "Reinstall the package."
    )
