"""Expert bounding boxes of findings, read from the tables in which they are published.

Four tables are understood, as plain, gzipped or zipped CSV:

- NIH ChestX-ray14 (``BBox_List_2017.csv``): image, finding, x, y, w, h on 1024x1024 images
  (Wang et al., *ChestX-ray8*, CVPR 2017);
- RSNA Pneumonia Detection Challenge 2018 (``stage_2_train_labels.csv``): patient, x, y, width,
  height, target on 1024x1024 images (Shih et al., Radiology: AI 2019);
- MS-CXR (``MS_CXR_Local_Alignment_v1.1.0.csv``): category, x, y, w, h, image width and height
  (Boecker et al., ECCV 2022);
- VinDr-CXR (``annotations_train.csv``, and the Kaggle challenge's ``train.csv``): image, finding, left, top, right,
  bottom in pixels; one row for each reader (Nguyen et al., Scientific Data 2022). The images' sizes are not among
  its columns: they are read from columns that were added, or from a table of their own.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from x2x_core.anatomy.sites import ZONE_BANDS
from x2x_core.common.errors import InputError, InputNotFoundError

NIH_IMAGE_SIZE = 1024
RSNA_IMAGE_SIZE = 1024
RSNA_CATEGORY = "Pneumonia"

# The tables' own names of a category, where ours (the published pseudomasks') differs.
CATEGORY_ALIASES = {
    "Pleural Effusion": "Effusion",
    "Pleural effusion": "Effusion",
    "Infiltration": "Infiltrate",
    "Nodule/Mass": "Lung Lesion",
    "Edema/Congestion": "Edema",
}

# What may be done with the boxes, and with masks made of them.
TERMS = {
    "NIH": (
        "No restrictions on use. Link to https://nihcc.app.box.com/v/ChestXray-NIHCC, cite Wang et al., ChestX-ray8, "
        "CVPR 2017, and acknowledge the NIH Clinical Center as the provider of the data."
    ),
    "RSNA": (
        "Terms of use and attribution of the RSNA Pneumonia Detection Challenge 2018; check them before sharing: "
        "https://www.rsna.org/education/ai-resources-and-training/ai-image-challenge/"
        "rsna-pneumonia-detection-challenge-2018"
    ),
    "MS-CXR": (
        "PhysioNet Credentialed Health Data License, https://physionet.org/content/ms-cxr/. Check it before sharing."
    ),
    "VinDr-CXR": (
        "PhysioNet Credentialed Health Data License, https://physionet.org/content/vindr-cxr/. Check it before sharing."
    ),
}

NIH_COLUMNS = ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]")
RSNA_COLUMNS = ("patientId", "x", "y", "width", "height", "Target")
MSCXR_COLUMNS = ("category_name", "x", "y", "w", "h", "dicom_id", "image_width", "image_height")
VINDR_COLUMNS = ("image_id", "class_name", "x_min", "y_min", "x_max", "y_max")
VINDR_NORMAL = "No finding"
# What a table of image sizes calls width and height: our names, MS-CXR's, DICOM's, and the Kaggle competitors' "dim".
SIZE_COLUMNS = (("width", "height"), ("image_width", "image_height"), ("Columns", "Rows"), ("dim1", "dim0"))


@dataclass(frozen=True)
class Box:
    """One expert's rectangle around one finding, in the unit square of its whole image."""

    category: str  # finding category, e.g. "Effusion"
    cx: float  # centre, share of the image's width from its left edge, [0, 1]
    cy: float  # centre, share of the image's height from its top edge, [0, 1]
    width: float  # share of the image's width, (0, 1]
    height: float  # share of the image's height, (0, 1]
    image_id: str  # file or DICOM id, as the table has it
    patient_id: str  # groups the boxes that must not be split between building and measuring
    told_side: str | None = None  # "left", "right" or "bilateral", where the source tells it; None: by the box
    told_zone: str | None = (
        None  # a key of `x2x_core.anatomy.sites.ZONE_BANDS`, where the source tells it; None: by the box
    )

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in [0, 1]."""
        half_width, half_height = self.width / 2, self.height / 2
        return (self.cx - half_width, self.cy - half_height, self.cx + half_width, self.cy + half_height)

    @property
    def crosses_midline(self) -> bool:
        """Whether at least a quarter of the box lies on either side of the image's middle."""
        return abs(self.cx - 0.5) < self.width / 4

    @property
    def side(self) -> str | None:
        """The patient's side: "right" is the image's left; ``None`` for a box across the midline."""
        if self.told_side is not None:
            return None if self.told_side == "bilateral" else self.told_side
        if self.crosses_midline:
            return None
        return "right" if self.cx < 0.5 else "left"

    @property
    def zones(self) -> tuple[str, ...]:
        """The zone bands that hold its centre; bands overlap, so there may be several."""
        if self.told_zone is not None:
            return (self.told_zone,)
        return tuple(zone for zone, (top, bottom) in ZONE_BANDS.items() if top <= self.cy < bottom)

    def told(self, side: str | None, zone: str | None) -> Box:
        """This box with a side and a zone that are known from elsewhere; ``None``: told by the box."""
        return replace(self, told_side=side, told_zone=zone)

    @classmethod
    def from_pixels(
        cls,
        category: str,
        rectangle: tuple[float, float, float, float],  # left, top, width, height in pixels
        image_size: tuple[float, float],  # width, height in pixels
        image_id: str,
        patient_id: str,
    ) -> Box:
        """Scale a rectangle of pixels to the unit square, cut to the image.

        Raises:
            InputError: the rectangle is empty, not finite, or lies outside the image.
        """
        values = (*rectangle, *image_size)
        if not all(math.isfinite(v) for v in values):
            raise InputError(f"`rectangle` and `image_size` must be finite numbers, got {values}.")
        if min(rectangle[2:]) <= 0 or min(image_size) <= 0:
            raise InputError(
                f"`rectangle` (left, top, width, height) and `image_size` must have a positive width and "
                f"height, got {rectangle} on {image_size}."
            )
        left, right = _clip_span(rectangle[0], rectangle[2], image_size[0])
        top, bottom = _clip_span(rectangle[1], rectangle[3], image_size[1])
        if left >= right or top >= bottom:
            raise InputError(f"`rectangle` must lie inside its image, got {rectangle} on {image_size}.")
        category = CATEGORY_ALIASES.get(category, category)
        centre = ((left + right) / 2, (top + bottom) / 2)
        return cls(category, *centre, right - left, bottom - top, image_id, patient_id)


def _clip_span(start: float, length: float, extent: float) -> tuple[float, float]:
    return max(start / extent, 0.0), min((start + length) / extent, 1.0)


def read_boxes(path: str | Path, sizes: str | Path | None = None) -> list[Box]:
    """Read a table of boxes in the NIH, RSNA, MS-CXR or VinDr-CXR format, told apart by its header.

    Args:
        path: the table, ``.csv``, ``.csv.gz`` or a ``.zip`` that holds one CSV file.
        sizes: table of the images' sizes for VinDr-CXR, with a column ``image_id`` and a pair of `SIZE_COLUMNS`; not
            needed where the table of boxes has such a pair.

    Returns:
        The boxes in the table's order. Rows of images without a finding (RSNA, VinDr-CXR) give none.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: no known format, or a malformed row; the message names the row and the column.
    """
    path = Path(path)
    rows = _read_rows(path)
    header = [name.strip() for name in rows[0]]
    parse = _FORMATS[_format_of(header, path)][1]
    if parse is None:  # VinDr-CXR, that needs the images' sizes
        parse = _Vindr(None if sizes is None else _read_sizes(sizes)).parse
    boxes = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(value.strip() for value in row):
            continue
        box = parse(_Row(path, number, header, row))
        if box is not None:
            boxes.append(box)
    if not boxes:
        raise InputError(f"`{path}` must hold at least one box, got {len(rows) - 1} rows without any.")
    return boxes


def table_format(path: str | Path) -> str:
    """Which format a table of boxes is in: "NIH", "RSNA", "MS-CXR" or "VinDr-CXR".

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is in none of them.
    """
    path = Path(path)
    return _format_of([name.strip() for name in _read_rows(path)[0]], path)


def _read_rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        raise InputNotFoundError(f"There is no box table at `{path}`. Give a CSV file (plain, .gz or .zip).")
    try:
        text = _read_bytes(path).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise InputError(f"`{path}` must be a CSV table (plain, .gz or .zip), but can't be read: {error}.") from error
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        raise InputError(f"`{path}` must be a table of boxes with a header, but it is empty.")
    return rows


def _read_bytes(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".csv") and not name.startswith("__MACOSX")]
        if len(names) != 1:
            raise InputError(f"`{path}` must hold one CSV file, got {len(names)}: unzip it and name the table.")
        return archive.read(names[0])


class _Row:
    """One line of a table, that names itself in errors."""

    def __init__(self, path: Path, number: int, header: Sequence[str], values: Sequence[str]) -> None:
        self.place = f"`{path}`, row {number}"
        self.header = header
        self._values = values

    def text(self, column: str) -> str:
        index = self.header.index(column)
        value = self._values[index].strip() if index < len(self._values) else ""
        if not value:
            raise InputError(f"{self.place}: column `{column}` must have a value, but it is empty.")
        return value

    def number(self, column: str) -> float:
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            raise InputError(f"{self.place}: column `{column}` must be a number, got {value!r}.") from None
        if not math.isfinite(number):
            raise InputError(f"{self.place}: column `{column}` must be a finite number, got {value!r}.")
        return number

    def numbers(self, *columns: str) -> tuple[float, ...]:
        return tuple(self.number(column) for column in columns)

    def box(self, category: str, columns: tuple[str, ...], size: tuple[float, float], image: str, patient: str) -> Box:
        rectangle = self.numbers(*columns)
        try:
            return Box.from_pixels(category, rectangle, size, image, patient)
        except ValueError as error:
            named = ", ".join(f"`{column}`" for column in columns)
            raise InputError(f"{self.place}: columns {named} are no box in the image: {error}") from error


def _parse_nih(row: _Row) -> Box:
    image = row.text("Image Index")
    patient = image.split("_")[0]
    size = (NIH_IMAGE_SIZE, NIH_IMAGE_SIZE)
    return row.box(row.text("Finding Label"), ("Bbox [x", "y", "w", "h]"), size, image, patient)


def _parse_rsna(row: _Row) -> Box | None:
    target = row.text("Target")
    if target not in ("0", "1"):
        raise InputError(f"{row.place}: column `Target` must be 0 or 1, got {target!r}.")
    if target == "0":
        return None
    patient = row.text("patientId")
    size = (RSNA_IMAGE_SIZE, RSNA_IMAGE_SIZE)
    return row.box(RSNA_CATEGORY, ("x", "y", "width", "height"), size, patient, patient)


def _parse_mscxr(row: _Row) -> Box:
    image = row.text("dicom_id")
    size = row.numbers("image_width", "image_height")
    patient = image
    if "path" in row.header:  # files/p10/p10000032/s50414267/<dicom_id>.jpg
        parts = Path(row.text("path")).parts
        patient = parts[-3] if len(parts) >= 3 else image
    return row.box(row.text("category_name"), ("x", "y", "w", "h"), size, image, patient)


@dataclass(frozen=True)
class _Vindr:
    """Reads rows of VinDr-CXR. Its patients are not published: an image counts as one."""

    sizes: dict[str, tuple[float, float]] | None  # image to width and height; None: columns of the row

    def parse(self, row: _Row) -> Box | None:
        category = row.text("class_name")
        if category == VINDR_NORMAL:
            return None
        image = row.text("image_id")
        left, top, right, bottom = row.numbers("x_min", "y_min", "x_max", "y_max")
        try:
            rectangle = (left, top, right - left, bottom - top)
            return Box.from_pixels(category, rectangle, self._size(row, image), image, image)
        except ValueError as error:
            raise InputError(f"{row.place}: columns `x_min` to `y_max` are no box in the image: {error}") from error

    def _size(self, row: _Row, image: str) -> tuple[float, float]:
        if self.sizes is not None:
            if image not in self.sizes:
                raise InputError(f"`sizes` must name image {image}, but does not.")
            return self.sizes[image]
        for columns in SIZE_COLUMNS:
            if all(column in row.header for column in columns):
                width, height = row.numbers(*columns)
                return width, height
        names = " or ".join(f"`{width}` and `{height}`" for width, height in SIZE_COLUMNS)
        raise InputError(f"the image's size is not known. Give a table of sizes, or add columns {names}.")


def _read_sizes(path: str | Path) -> dict[str, tuple[float, float]]:
    """Image to width and height, of a table with a column `image_id` and a pair of `SIZE_COLUMNS`."""
    path = Path(path)
    rows = _read_rows(path)
    header = [name.strip() for name in rows[0]]
    found = [columns for columns in SIZE_COLUMNS if all(column in header for column in columns)]
    if "image_id" not in header or not found:
        names = " or ".join(f"`{width}` and `{height}`" for width, height in SIZE_COLUMNS)
        raise InputError(f"`{path}` must have a column `image_id` and columns {names}, got {header}.")
    sizes = {}
    for number, values in enumerate(rows[1:], start=2):
        if any(value.strip() for value in values):
            row = _Row(path, number, header, values)
            width, height = row.numbers(*found[0])
            sizes[row.text("image_id")] = (width, height)
    return sizes


_FORMATS: dict[str, tuple[tuple[str, ...], Callable[[_Row], Box | None] | None]] = {
    "NIH": (NIH_COLUMNS, _parse_nih),
    "RSNA": (RSNA_COLUMNS, _parse_rsna),
    "MS-CXR": (MSCXR_COLUMNS, _parse_mscxr),
    "VinDr-CXR": (VINDR_COLUMNS, None),
}


def _format_of(header: list[str], path: Path) -> str:
    """The format whose columns the header has."""
    missing = {}
    for name, (columns, _) in _FORMATS.items():
        missing[name] = [column for column in columns if column not in header]
        if not missing[name]:
            return name
    nearest = min(missing, key=lambda name: len(missing[name]) / len(_FORMATS[name][0]))
    lacking = ", ".join(f"`{column}`" for column in missing[nearest])
    raise InputError(
        f"`{path}` must be a table of boxes in the {', '.join(_FORMATS)} format. Nearest is {nearest}, "
        f"but column {lacking} is missing; its header is {header}."
    )
