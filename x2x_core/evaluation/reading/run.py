"""Make a reading set: plan it, edit the films, and write the sheet with its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from x2x_core.common.run_folder import claim_folder
from x2x_core.evaluation.progress import Progress
from x2x_core.simulation.films.folder import Film, films_digest

from .pictures import make_pictures
from .plan import ReadingSettings, plan_reading
from .sheet import Sheet, check_sheet, write_sheet

SETTINGS, KEY = "settings.json", "key.json"


def make_reading_set(
    films: Sequence[Film],
    sheet: Path,
    made: Path,
    settings: ReadingSettings,
    load: Callable[[], Any],
    weights: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make a reading set, or continue one that was stopped.

    Args:
        films: suitable films of the folder that `settings` names.
        sheet: empty folder for the reader.
        made: folder for the pictures and the key; it must not reach the reader.
        settings: decide the reading set.
        load: returns the pipeline.
        weights: hash of the model's weights.
        progress: called with the pictures done and in all.

    Returns:
        The path of the key.

    Raises:
        InputError: `sheet` is not empty, or `made` holds another reading set.
    """
    key = made / KEY
    check_sheet(sheet, key)
    record = {**asdict(settings), "weights_sha256": weights, "films_sha256": films_digest(films)}
    claim_folder(made, SETTINGS, record, run="reading set", conflict="was made with another {changed}")
    entries = plan_reading(films, settings)
    make_pictures(made, load(), entries, settings.call, progress)
    write_sheet(Sheet(sheet, key, made, settings, weights), entries)
    return key
