"""Blocks as folders, to publish or to load from disk."""

from __future__ import annotations

from pathlib import Path

from diffusers.modular_pipelines import ModularPipelineBlocks

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
    """
    folder, kind = Path(folder), type(block)
    folder.mkdir(parents=True, exist_ok=True)
    block.save_pretrained(str(folder))
    source = _SOURCE.format(name=kind.__name__, module=kind.__module__)
    (folder / f"{kind.__module__.rsplit('.', 1)[-1]}.py").write_text(source, encoding="utf-8")
