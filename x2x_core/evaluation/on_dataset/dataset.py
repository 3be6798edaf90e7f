"""Edit a split of a dataset in the published layout, and go on where it was stopped.

In the folder of the run::

    run.json    what decides the bytes: dataset, split, model, seed, batch size, settings of the edit
    edited/     the edited images, at the inputs' size and depth
    masks/      where each could change, white
    guidance/   the guidance maps, 8-bit grey

Pairs are edited in batches that depend on their numbers alone, and a batch is there whole or is done again: so a run
that was stopped ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.storage import write_bytes
from x2x_core.evaluation.benchmark.simulated import BATCH_SIZE, EVALUATION_SEED, EditedPair, TruePair, edit_pairs
from x2x_core.evaluation.run_folder import claim
from x2x_core.imaging.files import encode_png, read_image, to_values
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.pairs.layout import Row

RUN_FILE = "run.json"
EDITED_FOLDER, MASK_FOLDER, GUIDANCE_FOLDER = "edited", "masks", "guidance"
_FOLDERS = (MASK_FOLDER, GUIDANCE_FOLDER, EDITED_FOLDER)  # in the order of writing: an edited image comes last
Progress = Callable[[int, int], None]


def case_id(number: int, row: Row) -> str:
    """What the files of a pair are called: its number, then its current image's name."""
    return f"{number:06d}-{row.current.stem}"


def read_grey(path: str | Path) -> torch.Tensor:
    """A picture as `(1, H, W)` float32 in [0, 1], grey, at its own size."""
    return read_image(path).pixels.mean(1)


def edit_dataset(
    pipeline,
    rows: Sequence[Row],
    out: str | Path,
    *,
    seed: int = EVALUATION_SEED,
    batch_size: int = BATCH_SIZE,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **call: Any,
) -> None:
    """Edit the past image of every row by its instruction, into the folder `out`.

    Args:
        pipeline: an `InstructX2XPipeline`.
        rows: the pairs.
        out: folder of the run; it is made.
        seed: of the edits; the n-th pair is edited with `seed + n`.
        batch_size: pairs edited at once.
        about: what else decides the result (dataset, model, hash of the weights), recorded and compared.
        progress: called with the pairs done and in all.
        call: arguments of the pipeline's call.

    Raises:
        InputError: `out` holds a run of other settings, or the images of a batch differ in size.
    """
    out = Path(out)
    settings = {"pairs": len(rows), "seed": seed, "batch_size": batch_size, **(about or {}), "call": dict(call)}
    claim(out, RUN_FILE, settings, other=f"holds one of other settings ({RUN_FILE})")
    for folder in _FOLDERS:
        (out / folder).mkdir(exist_ok=True)
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        names = [case_id(start + n, row) for n, row in enumerate(batch)]
        if not all(place.is_file() for name in names for place in _places(out, name)):
            edits = edit_pairs(pipeline, _read(batch), seed + start, **call)
            for n, (row, name, edit) in enumerate(zip(batch, names, edits)):
                _write(out, name, row, edit, {**(about or {}), "seed": seed + start + n, "call": dict(call)})
        if progress:
            progress(start + len(batch), len(rows))


def read_edit(out: str | Path, name: str) -> EditedPair:
    """An edit that `edit_dataset` wrote, by its `case_id`."""
    mask, guidance, edited = (read_grey(place) for place in _places(Path(out), name))
    return EditedPair(edited, mask > 0.5, guidance)


def _places(out: Path, name: str) -> list[Path]:
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


def _write(out: Path, name: str, row: Row, edit: EditedPair, how: dict[str, Any]) -> None:
    notice = synthetic_metadata({"instruction": row.instruction, **how})
    depths = (8, 8, read_image(row.past).bit_depth)
    pictures = (edit.mask.float(), edit.guidance_map, edit.image)
    for place, picture, bits in zip(_places(out, name), pictures, depths):
        write_bytes(place, encode_png(to_values(picture, bits), notice))
