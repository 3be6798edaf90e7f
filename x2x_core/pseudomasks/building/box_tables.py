"""Tables of expert bounding boxes, as they are published.

Four tables are read, as plain, gzipped or zipped CSV:

- NIH ChestX-ray14 (``BBox_List_2017.csv``): image, finding, x, y, w, h on 1024x1024 images (Wang et al., *ChestX-ray8*,
  CVPR 2017);
- RSNA Pneumonia Detection Challenge 2018 (``stage_2_train_labels.csv``): patient, x, y, width, height, target on
  1024x1024 images (Shih et al., Radiology: AI 2019);
- MS-CXR (``MS_CXR_Local_Alignment_v1.1.0.csv``): category, x, y, w, h, image width and height (Boecking et al., *Making
  the Most of Text Semantics to Improve Biomedical Vision-Language Processing*, ECCV 2022);
- VinDr-CXR (``annotations_train.csv``, and the Kaggle challenge's ``train.csv``): image, finding, left, top, right,
  bottom in pixels; one row per reader (Nguyen et al., Scientific Data 2022). The sizes of the images are not among its
  columns: they are read from additional columns, or from a table of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from x2x_core.common.errors import InputError

from .boxes import Box
from .table_rows import Row, is_blank, read_rows

NIH_IMAGE_SIZE = 1024
RSNA_IMAGE_SIZE = 1024
RSNA_CATEGORY = "Pneumonia"

# Terms of use of the boxes, and of masks made from them.
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
# Names of width and height in a table of image sizes: ours, MS-CXR's, DICOM's, and the "dim" of Kaggle's competitors.
SIZE_COLUMNS = (("width", "height"), ("image_width", "image_height"), ("Columns", "Rows"), ("dim1", "dim0"))


def read_boxes(path: str | Path, sizes: str | Path | None = None) -> list[Box]:
    """Read a table of boxes in the NIH, RSNA, MS-CXR or VinDr-CXR format, recognised by its header.

    Args:
        path: the table, ``.csv``, ``.csv.gz`` or a ``.zip`` with one CSV file.
        sizes: table of the images' sizes for VinDr-CXR, with a column ``image_id`` and a pair of `SIZE_COLUMNS`; not
            needed if the table of boxes has such a pair.

    Returns:
        The boxes in the order of the table. Rows of images without a finding (RSNA, VinDr-CXR) give no box.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: an unknown format, or a malformed row; the message names the row and the column.
    """
    path = Path(path)
    rows = read_rows(path)
    header = [name.strip() for name in rows[0]]
    parse = _FORMATS[_format_of(header, path)][1]
    if parse is None:  # VinDr-CXR, which needs the sizes of the images
        parse = _Vindr(None if sizes is None else _read_sizes(sizes)).parse
    lines = (Row(path, number, header, row) for number, row in enumerate(rows[1:], start=2) if not is_blank(row))
    boxes = [box for line in lines if (box := parse(line)) is not None]
    if not boxes:
        raise InputError(f"`{path}` must hold at least one box, got {len(rows) - 1} rows without any.")
    return boxes


def table_format(path: str | Path) -> str:
    """Return the format of a table of boxes: "NIH", "RSNA", "MS-CXR" or "VinDr-CXR".

    Raises:
        InputNotFoundError: there is no such file.
        InputError: another format.
    """
    path = Path(path)
    return _format_of([name.strip() for name in read_rows(path)[0]], path)


def _parse_nih(row: Row) -> Box:
    image = row.text("Image Index")
    patient = image.split("_")[0]
    size = (NIH_IMAGE_SIZE, NIH_IMAGE_SIZE)
    return row.box(row.text("Finding Label"), ("Bbox [x", "y", "w", "h]"), size, image, patient)


def _parse_rsna(row: Row) -> Box | None:
    target = row.text("Target")
    if target not in ("0", "1"):
        raise InputError(f"{row.place}: column `Target` must be 0 or 1, got {target!r}.")
    if target == "0":
        return None
    patient = row.text("patientId")
    size = (RSNA_IMAGE_SIZE, RSNA_IMAGE_SIZE)
    return row.box(RSNA_CATEGORY, ("x", "y", "width", "height"), size, patient, patient)


def _parse_mscxr(row: Row) -> Box:
    image = row.text("dicom_id")
    size = row.size(("image_width", "image_height"))
    patient = image
    if "path" in row.header:  # files/p10/p10000032/s50414267/<dicom_id>.jpg
        parts = Path(row.text("path")).parts
        patient = parts[-3] if len(parts) >= 3 else image
    return row.box(row.text("category_name"), ("x", "y", "w", "h"), size, image, patient)


@dataclass(frozen=True)
class _Vindr:
    """Parser of rows of VinDr-CXR. Its patients are not published, so each image counts as one."""

    sizes: dict[str, tuple[float, float]] | None  # width and height by image; None: in the columns of the row

    def parse(self, row: Row) -> Box | None:
        category = row.text("class_name")
        if category == VINDR_NORMAL:
            return None
        image = row.text("image_id")
        left, top, right, bottom = (row.number(column) for column in ("x_min", "y_min", "x_max", "y_max"))
        try:
            rectangle = (left, top, right - left, bottom - top)
            return Box.from_pixels(category, rectangle, self._size(row, image), image, image)
        except InputError as error:
            raise InputError(f"{row.place}: columns `x_min` to `y_max` are not a box in the image: {error}") from error

    def _size(self, row: Row, image: str) -> tuple[float, float]:
        if self.sizes is not None:
            if image not in self.sizes:
                raise InputError(f"`sizes` has no row for image {image}. Add it.")
            return self.sizes[image]
        for columns in SIZE_COLUMNS:
            if all(column in row.header for column in columns):
                width, height = row.size(columns)
                return width, height
        names = " or ".join(f"`{width}` and `{height}`" for width, height in SIZE_COLUMNS)
        raise InputError(f"the size of the image is unknown. Give a table of sizes, or add columns {names}.")


def _read_sizes(path: str | Path) -> dict[str, tuple[float, float]]:
    """Read width and height by image from a table with a column `image_id` and a pair of `SIZE_COLUMNS`."""
    path = Path(path)
    rows = read_rows(path)
    header = [name.strip() for name in rows[0]]
    present = [columns for columns in SIZE_COLUMNS if all(column in header for column in columns)]
    if "image_id" not in header or not present:
        names = " or ".join(f"`{width}` and `{height}`" for width, height in SIZE_COLUMNS)
        raise InputError(f"`{path}` must have a column `image_id` and columns {names}, got {header}.")
    sizes = {}
    for number, values in enumerate(rows[1:], start=2):
        if not is_blank(values):
            row = Row(path, number, header, values)
            sizes[row.text("image_id")] = row.size(present[0])
    return sizes


_FORMATS: dict[str, tuple[tuple[str, ...], Callable[[Row], Box | None] | None]] = {
    "NIH": (NIH_COLUMNS, _parse_nih),
    "RSNA": (RSNA_COLUMNS, _parse_rsna),
    "MS-CXR": (MSCXR_COLUMNS, _parse_mscxr),
    "VinDr-CXR": (VINDR_COLUMNS, None),
}


def _format_of(header: list[str], path: Path) -> str:
    """Return the format whose columns the header contains."""
    missing = {}
    for name, (columns, _) in _FORMATS.items():
        missing[name] = [column for column in columns if column not in header]
        if not missing[name]:
            return name
    nearest = min(missing, key=lambda name: len(missing[name]) / len(_FORMATS[name][0]))
    lacking = ", ".join(f"`{column}`" for column in missing[nearest])
    raise InputError(
        f"`{path}` must be a table of boxes in the {', '.join(_FORMATS)} format. The closest is {nearest}, "
        f"but column {lacking} is missing; the header is {header}."
    )
