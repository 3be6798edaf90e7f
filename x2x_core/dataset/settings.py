"""Settings that determine the bytes of a built dataset."""

from __future__ import annotations

from dataclasses import dataclass

from x2x_core.common.errors import InputError

SCHEMAS = ("v1", "v2")
REGISTRATIONS = ("affine", "rigid")


@dataclass(frozen=True)
class BuildSettings:
    """Settings of a build.

    Raises:
        InputError: a setting out of range.
    """

    schema: str = "v2"  # wording: "v1" (findings only) or "v2" (levels and places where the rows state them)
    size: int = 512  # width and height in pixels
    registration: str = "affine"  # transform of the past image: "affine" or "rigid"
    min_quality: float = 0.5  # least agreement after registration, see `x2x_core.dataset.agreement`
    min_overlap: float = 0.6  # least share of the current image covered by the registered past image

    def __post_init__(self) -> None:
        _check("schema", self.schema, SCHEMAS)
        _check("registration", self.registration, REGISTRATIONS)
        if self.size < 32:
            raise InputError(f"`size` must be at least 32 pixels, got {self.size}.")
        if not -1 <= self.min_quality < 1:
            raise InputError(f"`min_quality` must lie in [-1, 1), got {self.min_quality}.")
        if not 0 <= self.min_overlap <= 1:
            raise InputError(f"`min_overlap` must lie in [0, 1], got {self.min_overlap}.")


def _check(name: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise InputError(f"`{name}` must be one of {', '.join(options)}, got {value!r}.")
