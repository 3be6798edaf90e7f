"""MedEBench: 1,182 medical images with instruction, target and region of interest.

Layout (Liu et al., *MedEBench: Diagnosing Reliability in Text-Guided Medical Image Editing*, 2025;
github.com/mliuby/MedEBench, huggingface.co/datasets/LIUMinghao/MedEBench)::

    editing/editing_metadata.json   {"samples": [{id, Organ, Task, prompt, rephrased_prompt, detailed_prompt,
                                     previous_image, changed_image, previous_mask, url}]}
    editing/previous/               inputs
    editing/changed/                targets
    editing/previous_mask/          regions of interest, white
"""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

from x2x_core.common.errors import InputError

from .cases import BenchCase, field_of, read_json

METADATA = "editing/editing_metadata.json"


def read_medebench(folder: str | Path) -> list[BenchCase]:
    """Read the cases, grouped by organ; their files are not checked.

    Args:
        folder: that holds "editing".

    Raises:
        InputNotFoundError: there is no copy of MedEBench.
        InputError: another layout.
    """
    folder = Path(folder)
    record = read_json(folder / METADATA, "MedEBench")
    if not isinstance(record, dict) or not isinstance(record.get("samples"), list):
        raise InputError(f"`{folder / METADATA}` must have an entry `samples`, a list.")
    cases = []
    for number, sample in enumerate(record["samples"], 1):
        place = f"{METADATA}, sample {number}"
        before, target, mask = (
            folder / PureWindowsPath(field_of(sample, name, place)).as_posix()  # some paths have backslashes
            for name in ("previous_image", "changed_image", "previous_mask")
        )
        cases.append(
            BenchCase(
                id=field_of(sample, "id", place),
                instruction=field_of(sample, "prompt", place),
                before=before,
                target=target,
                group=field_of(sample, "Organ", place),
                mask=mask,
                caption=sample.get("detailed_prompt") or None,
            )
        )
    return cases
