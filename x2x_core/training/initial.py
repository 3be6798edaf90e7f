"""The weights that a run starts from, whatever layout they come in."""

from __future__ import annotations

from pathlib import Path

from x2x_core.common.errors import InputNotFoundError
from x2x_core.conversion.convert import convert

from .config import TrainingConfig


def initial_folder(config: TrainingConfig) -> str:
    """The diffusers folder that a run starts from; an original single file is converted to one in the run folder.

    InstructPix2Pix's own training starts a run from the averaged weights; so does this.

    Raises:
        InputNotFoundError: there is nothing at `init`.
        InputError: it can't be converted, see `x2x_core.conversion.convert.convert`.
    """
    init = Path(config.init)
    if init.is_dir():
        return str(init)
    if not init.is_file():
        raise InputNotFoundError(
            f"`init` must be a diffusers folder or a single file of weights, but there is no `{init}`."
        )
    folder = Path(config.out) / "init"
    if not folder.is_dir():  # written whole or not at all, so a run that goes on finds it whole
        convert(init, folder, tokenizer=config.tokenizer or None)
    return str(folder)
