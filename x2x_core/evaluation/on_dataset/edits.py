"""Edit a split of a dataset in the pair layout, resumably.

Layout of the run's folder::

    run.json    everything that decides the bytes: dataset, split, model, seed, batch size, settings of the edit
    edited/     edited images, at the inputs' size and depth
    masks/      guidance masks: white where the image could change
    guidance/   guidance maps, 8-bit grey

Pairs are edited in batches that depend only on their numbers, and an incomplete batch is edited again, so a run that
was stopped ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.run_folder import claim_folder
from x2x_core.common.storage import write_bytes
from x2x_core.evaluation.benchmark.editing import edit_pairs
from x2x_core.evaluation.benchmark.pairs import EditedPair, TruePair
from x2x_core.evaluation.benchmark.plan import BATCH_SIZE, EVALUATION_SEED
from x2x_core.evaluation.progress import Progress
from x2x_core.imaging.files import encode_png, read_image, to_values
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.pairs.layout import Row

RUN_FILE = "run.json"
EDITED_FOLDER, MASK_FOLDER, GUIDANCE_FOLDER = "edited", "masks", "guidance"
_FOLDERS = (MASK_FOLDER, GUIDANCE_FOLDER, EDITED_FOLDER)  # in the order of writing: the edited image comes last


@dataclass(frozen=True)
class DatasetEditSettings:
    """Settings that decide the edits of a dataset.

    Args:
        seed: the n-th pair is edited with `seed + n`.
        batch_size: pairs edited at once.
        about: further settings that decide the result (dataset, model, hash of the weights), recorded and compared.
        call: arguments of the pipeline's call.
    """

    seed: int = EVALUATION_SEED
    batch_size: int = BATCH_SIZE
    about: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)


def case_id(number: int, row: Row) -> str:
    """Return the name of a pair's files: its number and the name of its current image."""
    return f"{number:06d}-{row.current.stem}"


def read_grey(path: str | Path) -> torch.Tensor:
    """Read a picture as grey `(1, H, W)` float32 in [0, 1], at its own size."""
    return read_image(path).pixels.mean(1)


def edit_dataset(
    pipeline, rows: Sequence[Row], out: str | Path, settings: DatasetEditSettings, progress: Progress | None = None
) -> None:
    """Edit the past image of every row by its instruction.

    Args:
        pipeline: an `InstructX2XPipeline`.
        rows: the pairs.
        out: folder of the run; it is made.
        settings: seed, batches, and arguments of the pipeline's call.
        progress: called with the pairs done and in all.

    Raises:
        InputError: `out` holds a run of other settings, or the images of a batch differ in size.
    """
    out = Path(out)
    seed, call = settings.seed, dict(settings.call)
    record = {"pairs": len(rows), "seed": seed, "batch_size": settings.batch_size, **settings.about, "call": call}
    claim_folder(out, RUN_FILE, record, conflict=f"holds one of other settings ({RUN_FILE})")
    for folder in _FOLDERS:
        (out / folder).mkdir(exist_ok=True)
    for start in range(0, len(rows), settings.batch_size):
        batch = rows[start : start + settings.batch_size]
        names = [case_id(start + n, row) for n, row in enumerate(batch)]
        if not all(path.is_file() for name in names for path in _paths(out, name)):
            edits = edit_pairs(pipeline, _read(batch), seed + start, **call)
            for n, (row, name, edit) in enumerate(zip(batch, names, edits)):
                _write(out, name, row, edit, {**settings.about, "seed": seed + start + n, "call": call})
        if progress:
            progress(start + len(batch), len(rows))


def read_edit(out: str | Path, name: str) -> EditedPair:
    """Read an edit that `edit_dataset` wrote, by its `case_id`."""
    mask, guidance, edited = (read_grey(path) for path in _paths(Path(out), name))
    return EditedPair(edited, mask > 0.5, guidance)


def _paths(out: Path, name: str) -> list[Path]:
    return [out / folder / f"{name}.png" for folder in _FOLDERS]


def _read(rows: Sequence[Row]) -> list[TruePair]:
    pairs = [TruePair(read_grey(row.past), read_grey(row.current), row.instruction) for row in rows]
    for row, pair in zip(rows, pairs):
        sizes = [tuple(image.shape[-2:]) for image in (pairs[0].before, pair.before, pair.after)]
        if len(set(sizes)) > 1:
            raise InputError(
                f"The images of a dataset must be of one size, got {sizes[1]} for `{row.past}` and {sizes[2]} for "
                f"`{row.current}` beside {sizes[0]}."
            )
    return pairs


def _write(out: Path, name: str, row: Row, edit: EditedPair, parameters: dict[str, Any]) -> None:
    notice = synthetic_metadata({"instruction": row.instruction, **parameters})
    depths = (8, 8, read_image(row.past).bit_depth)
    pictures = (edit.mask.float(), edit.guidance_map, edit.image)
    for path, picture, bits in zip(_paths(out, name), pictures, depths):
        write_bytes(path, encode_png(to_values(picture, bits), notice))
