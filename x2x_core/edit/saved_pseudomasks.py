"""Pseudomasks of a checkpoint's own: an atlas saved beside its parts.

The entry "own_pseudomasks" of the pipeline's config says that there is one. It is then never replaced by the bundled
atlas: a missing or damaged file is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.pseudomasks.atlas import PseudomaskAtlas, atlas_digest

from .hub_files import hub_file

ENTRY = "own_pseudomasks"
FOLDER, FILE = "pseudomasks", "atlas.safetensors"


def as_atlas(atlas: PseudomaskAtlas | str | Path | None) -> PseudomaskAtlas | None:
    """Return an atlas, read from a path if needed; ``None`` stays.

    Raises:
        InputError: another type, or an atlas that can't be read.
    """
    if atlas is None or isinstance(atlas, PseudomaskAtlas):
        return atlas
    if isinstance(atlas, (str, Path)):
        return PseudomaskAtlas.load(atlas)
    raise InputError(f"`pseudomasks` must be a PseudomaskAtlas or its path, got {type(atlas).__name__}.")


def is_own(atlas: PseudomaskAtlas | None) -> bool:
    """Return True unless it is the bundled atlas."""
    return atlas is not None and atlas.source != str(bundled_path("atlas"))


def own_digest(atlas: PseudomaskAtlas | None) -> str | None:
    """Return the digest of an atlas that is not the bundled one, which the version of the program decides."""
    return atlas_digest(atlas) if atlas is not None and is_own(atlas) else None


def save_pseudomasks(atlas: PseudomaskAtlas | None, folder: Path) -> bool:
    """Write an atlas into a checkpoint's folder if it is not the bundled one; remove one that was there before.

    Returns:
        True if the checkpoint has pseudomasks of its own.
    """
    file = folder / FOLDER / FILE
    if atlas is None or not is_own(atlas):
        file.unlink(missing_ok=True)
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    atlas.save(file)
    return True


def saved_pseudomasks(config: Mapping[str, Any], folder: str | Path) -> PseudomaskAtlas | None:
    """Read the atlas of a checkpoint's folder, if its config says that there is one.

    Raises:
        InputNotFoundError: the file is missing.
        InputError: the file is damaged.
    """
    if not config.get(ENTRY):
        return None
    file = Path(folder) / FOLDER / FILE
    if not file.is_file():
        raise InputNotFoundError(
            f"The checkpoint `{folder}` has pseudomasks of its own, but lacks `{file}`. Copy that file too, download "
            "the checkpoint again, or pass `pseudomasks`."
        )
    return PseudomaskAtlas.load(file)


def downloaded_pseudomasks(
    config: Mapping[str, Any], repository: str, arguments: Mapping[str, Any]
) -> PseudomaskAtlas | None:
    """Download the atlas of a repository on the Hugging Face Hub, if its config says that there is one.

    Args:
        config: of the pipeline.
        repository: "owner/name".
        arguments: of `from_pretrained`.
    """
    if not config.get(ENTRY):
        return None
    return PseudomaskAtlas.load(hub_file(repository, f"{FOLDER}/{FILE}", arguments))
