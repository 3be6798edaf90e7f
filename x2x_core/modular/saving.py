"""Blocks as folders, to publish or to load from disk."""

from __future__ import annotations

from pathlib import Path

from diffusers.modular_pipelines import ModularPipelineBlocks

from x2x_core.common.errors import InputError

from .anatomy import AnatomyGuidanceBlock

_SOURCE = '''"""{name} of InstructX2X; needs the package instructx2x."""

from {module} import {name}

__all__ = ["{name}"]
'''


def save_block(block: ModularPipelineBlocks, folder: str | Path) -> None:
    """Save a block as a folder that `ModularPipelineBlocks.from_pretrained(folder, trust_remote_code=True)` reads.

    The folder holds `modular_config.json`, which names a class, and a file of one line that imports it from this
    package. diffusers runs that file, which is why it asks for `trust_remote_code`: read it first.

    Args:
        block: one of this package.
        folder: where to; created if needed.

    Raises:
        InputError: the block has an atlas of its own, which the folder could not hold.
    """
    if isinstance(block, AnatomyGuidanceBlock) and block.atlas is not None:
        raise InputError(
            f"`block` must have the bundled atlas to be saved, got one with {str(block.atlas)!r}: a folder holds no "
            "atlas. Save a block without one, and make the block with yours where it is used."
        )
    folder, kind = Path(folder), type(block)
    folder.mkdir(parents=True, exist_ok=True)
    block.save_pretrained(str(folder))
    source = _SOURCE.format(name=kind.__name__, module=kind.__module__)
    (folder / f"{kind.__module__.rsplit('.', 1)[-1]}.py").write_text(source, encoding="utf-8")
