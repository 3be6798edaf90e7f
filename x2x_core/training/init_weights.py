"""Initial weights of a run, in either layout of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from diffusers import AutoencoderKL

from x2x_core.common.errors import InputNotFoundError
from x2x_core.conversion.convert import convert
from x2x_core.edit.loading import check_folder

from .config import TrainingConfig


def resolve_init(config: TrainingConfig) -> str:
    """Return the diffusers folder of the initial weights; an original single file is converted into the run folder.

    As in InstructPix2Pix's own training, a run starts from the averaged weights of such a file.

    Raises:
        InputNotFoundError: nothing exists at `init`, or the folder lacks a part.
        InputError: the file cannot be converted, see `x2x_core.conversion.convert.convert`.
    """
    init = Path(config.init)
    if init.is_dir():
        check_folder(init)
        return str(init)
    if not init.is_file():
        raise InputNotFoundError(
            f"`init` must be a diffusers folder or a single file of weights, but there is no `{init}`."
        )
    folder = Path(config.out) / "init"
    if not folder.is_dir():  # `convert` writes a folder completely or not at all
        convert(init, folder, tokenizer=config.tokenizer or None)
    return str(folder)


def load_vae(name: str, folder: str) -> AutoencoderKL:
    """Load the autoencoder of a diffusers folder.

    Args:
        name: the field of the configuration that names the folder.
        folder: holds `vae/`.

    Raises:
        InputNotFoundError: the folder has no autoencoder.
    """
    if not (Path(folder) / "vae" / "config.json").is_file():
        raise InputNotFoundError(f"`{name}` must be a diffusers folder with a trained `vae`, but `{folder}` has none.")
    return AutoencoderKL.from_pretrained(folder, subfolder="vae")
