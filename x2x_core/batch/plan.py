"""The plan of a batch: its rows, in the order in which they are edited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from x2x_core.archive.edit_record import EditCall
from x2x_core.common.errors import InputError

from .columns import IMAGE, KEEP_MASK, MODEL, PROMPT, SEED, SETTINGS, read_cell
from .manifest import Manifest, image_place

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Row:
    """One edit."""

    number: int  # 1 for the first row below the header
    image: str  # as the manifest names it
    place: str  # path or URL of the image
    prompt: str
    seed: int
    model: str
    settings: Mapping[str, Any]  # by column: the cells of this row, else the options; equal ones share one mapping
    keep_mask: str = ""  # as the manifest names it; "" without one
    keep_mask_place: str = ""  # its path or URL

    @property
    def call(self) -> EditCall:
        """The arguments of the edit, without the keep mask, which is a file."""
        arguments = {SETTINGS[name][0]: value for name, value in self.settings.items()}
        return EditCall(self.prompt, self.seed, self.model, arguments)

    def as_dict(self) -> dict[str, Any]:
        """Return what tells this row from others, as JSON can hold it."""
        about = {"row": self.number, IMAGE: self.image, PROMPT: self.prompt, SEED: self.seed, MODEL: self.model}
        kept = {KEEP_MASK: self.keep_mask} if self.keep_mask else {}
        return {**about, **kept, **self.settings}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one image and model that are to be edited, one after the other."""

    rows: tuple[Row, ...]
    is_shared: bool  # other rows of the manifest have the image, whether they are done or not


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be edited."""

    row: int
    message: str


@dataclass(frozen=True)
class Defaults:
    """Values for rows whose cells are empty: the options of the command."""

    prompt: str = ""
    seed: int = 0
    model: str = "demo"
    settings: Mapping[str, Any] | None = None  # by column


def read_rows(manifest: Manifest, defaults: Defaults) -> tuple[list[Row], list[Problem]]:
    """Return the rows of a manifest, and the problems with their cells.

    A row with a problem keeps its place; cells that cannot be read are kept as text.
    """
    rows, problems = [], []
    shared: dict[str, Mapping[str, Any]] = {}
    for number, cells in enumerate(manifest.rows, start=1):
        given = {name: cell for name, cell in zip(manifest.columns, cells) if cell}
        if len(cells) != len(manifest.columns):
            problems.append(Problem(number, f"it has {len(cells)} cells instead of {len(manifest.columns)}"))
        values: dict[str, Any] = {}
        for name in (SEED, *SETTINGS):
            if name not in given:
                continue
            try:
                values[name] = read_cell(name, given[name])
            except InputError as error:
                problems.append(Problem(number, str(error)))
                values[name] = given[name]
        seed = values.pop(SEED, defaults.seed)
        settings = {**(defaults.settings or {}), **values}
        key = repr(sorted(settings.items()))
        image = given.get(IMAGE, "")
        if not image:
            problems.append(Problem(number, "`image` must name a file, but the cell is empty."))
        rows.append(
            Row(
                number,
                image,
                image_place(manifest, image) if image else "",
                given.get(PROMPT, defaults.prompt),
                seed,
                given.get(MODEL, defaults.model),
                shared.setdefault(key, settings),
                given.get(KEEP_MASK, ""),
                image_place(manifest, given[KEEP_MASK]) if KEEP_MASK in given else "",
            )
        )
    return rows, problems


@dataclass(frozen=True)
class Shard:
    """One of several runs that share a batch."""

    index: int = 1  # from 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "2/8".

        Raises:
            InputError: not a shard.
        """
        match = _SHARD.fullmatch(text.strip())
        index, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= index <= count:
            raise InputError(f"`shard` must be i/n with i from 1 to n, such as 2/8, got {text!r}.")
        return cls(index, count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def in_order(rows: Iterable[Row]) -> list[list[Row]]:
    """Return the rows grouped by model and image: rows of one image follow one another, each model is loaded once.

    Groups are in the order in which their models, then their images, come first.
    """
    models: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        models.setdefault(row.model, {}).setdefault(row.place, []).append(row)
    return [group for images in models.values() for group in images.values()]


def of_shard(groups: Sequence[list[Row]], shard: Shard) -> list[list[Row]]:
    """Return every n-th group; which one a group falls to depends on the manifest alone."""
    return list(groups[shard.index - 1 :: shard.count])
