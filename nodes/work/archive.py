"""Radiographs from an archive, and edits stored beside them.

The address and the credentials are the server's, from its environment: who uses the page cannot send them elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from x2x_core.archive.remote.address import ADDRESS_VARIABLE
from x2x_core.archive.remote.entries import Place
from x2x_core.archive.remote.films import fetch_film
from x2x_core.archive.remote.opening import open_archive
from x2x_core.archive.remote.storing import outgoing, store
from x2x_core.archive.settings import KEEP, DicomSettings
from x2x_core.archive.writing import Results, encode_dicom
from x2x_core.common.errors import InputError
from x2x_core.imaging.files import read_image
from x2x_core.imaging.kinds import DICOM
from x2x_core.imaging.panel import panel
from x2x_core.imaging.provenance import sha256_file, versions
from x2x_core.imaging.radiograph import Radiograph

from .tensors import size_of, to_library, to_map


@dataclass(frozen=True, eq=False)
class Film:
    """A radiograph of an archive with the DICOM file that it was read from."""

    content: bytes
    radiograph: Radiograph


@dataclass(frozen=True, eq=False)
class ArchivedEdit:
    """An edit of a film."""

    image: torch.Tensor  # IMAGE
    guidance: torch.Tensor  # MASK
    mask: torch.Tensor  # MASK
    instruction: str
    info: str | None  # of X2XEdit


def archive_address() -> str:
    """Return the address of the archive; "" if there is none."""
    return os.environ.get(ADDRESS_VARIABLE, "")


def check_place(study: str, series: str, instance: str) -> bool | str:
    """Return True if texts name a place in an archive, else an error message."""
    try:
        _place(study, series, instance)
    except InputError as error:
        return str(error)
    return True


def _place(study: str, series: str, instance: str) -> Place:
    return Place(study.strip(), series.strip() or None, instance.strip() or None)


def load_film(study: str, series: str, instance: str) -> Film:
    """Fetch a radiograph; nothing of it stays on the disk.

    Args:
        study: its UID.
        series: a UID, or "".
        instance: a UID, or "".

    Raises:
        InputError: there is no archive, it cannot be reached or refuses, or has no such radiograph.
    """
    place = _place(study, series, instance)
    with tempfile.TemporaryDirectory(prefix="x2x-archive-") as scratch:
        path = fetch_film(open_archive(), place, Path(scratch) / "film")
        return Film(path.read_bytes(), read_image(path))


def store_edit(film: Film, edit: ArchivedEdit, burn_in: bool) -> str:
    """Store an edit as DICOM objects beside its film.

    Returns:
        The objects that the archive has now, a line each.

    Raises:
        InputError: an edit of another size, or an archive that cannot be reached or refuses.
    """
    pixels = to_library(edit.image)
    size = film.radiograph.size
    if len(pixels) != 1 or size_of(pixels) != size:
        raise InputError(
            f"`image` must be one image of the film's size, {size[1]} x {size[0]} pixels, got {len(pixels)} of "
            f"{pixels.shape[-1]} x {pixels.shape[-2]}. Connect the edit of this film."
        )
    guidance = to_map(edit.guidance, size, 1, "guidance")
    mask = to_map(edit.mask, size, 1, "edit_mask") >= 0.5
    before = film.radiograph.pixels
    edited = pixels if before.shape[1] == pixels.shape[1] else pixels[:, :1].expand_as(before)
    picture = panel(before, guidance, mask, edited, edit.instruction)
    with tempfile.TemporaryDirectory(prefix="x2x-archive-") as scratch:
        path = Path(scratch) / "film.dcm"
        path.write_bytes(film.content)
        source = {"file": DICOM, "kind": DICOM, "sha256": sha256_file(path)}
        parameters = {"prompt": edit.instruction, "edit": edit.info, "input": source, "versions": versions()}
        results = Results(edited, guidance, mask, picture)
        files = encode_dicom(path, results, edit.instruction, parameters, DicomSettings(KEEP, burn_in=burn_in))
    stored = store(open_archive(), outgoing(files))
    lines = [f"{len(stored.sent)} objects stored, {len(stored.known)} already there."]
    return "\n".join([*lines, *(f"{each.name}: {each.instance}" for each in (*stored.sent, *stored.known))])
