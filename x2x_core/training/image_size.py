"""Check of the image size against a model."""

from __future__ import annotations

from x2x_core.common.errors import InputError


def check_image_size(name: str, size: int, factor: int) -> None:
    """Check that an image side can be divided as often as the model halves it.

    Args:
        name: the field of the configuration.
        size: image side in pixels.
        factor: product of all halvings of the model.

    Raises:
        InputError: `size` is not a multiple of `factor`.
    """
    if size % factor:
        raise InputError(f"`{name}` must be a multiple of {factor} for this model, got {size}.")
