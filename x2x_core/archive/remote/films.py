"""The radiograph of a study that an edit is made of: the frontal one, if there is exactly one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.imaging.dicom_view import check_modality, is_for_processing, is_frontal

from .archive import Archive
from .entries import Entry, Place
from .fetching import Report, check_count, fetch, list_instances

_MOST = 20  # objects of a study that are fetched to find its radiograph
# Classes of objects that may be radiographs: CR, DX for presentation and processing, secondary captures, RF, XA.
_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.1.12.1",
)  # fmt: skip
_TAGS = (
    "SyntheticData", "Modality", "BodyPartExamined", "ViewPosition", "ViewCodeSequence", "PatientOrientation",
    "PresentationIntentType", "SOPInstanceUID",
)  # fmt: skip


@dataclass(frozen=True)
class _Candidate:
    path: Path
    head: Any  # pydicom data set with `_TAGS`


def fetch_film(archive: Archive, place: Place, folder: Path, report: Report | None = None) -> Path:
    """Fetch the radiograph at a place.

    An instance is taken as it is. Of a study or series it is the only frontal radiograph that is not synthetic; an
    image for presentation goes before the same for processing.

    Args:
        archive: where it is.
        place: study, series or instance.
        folder: for the files, new or empty; others that were fetched to choose stay in it, too.
        report: see `fetch`.

    Returns:
        The file.

    Raises:
        ArchiveError: the archive cannot be reached or refuses.
        InputError: there is no such radiograph, or several.
    """
    entries = list_instances(archive, place)
    if place.instance:
        return fetch(archive, entries[:1], folder, report)[0]
    possible = [entry for entry in entries if entry.sop_class in ("", *_CLASSES)]
    check_count(possible, _MOST)
    if not possible:
        raise InputError(f"`study` must have a radiograph, but none of its {len(entries)} objects is of such a class.")
    return _choose([_read(path) for path in fetch(archive, possible, folder, report)], possible)


def _read(path: Path) -> _Candidate:
    from pydicom import dcmread

    return _Candidate(path, dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS)))


def _choose(candidates: Sequence[_Candidate], entries: Sequence[Entry]) -> Path:
    """Return the only frontal radiograph.

    Raises:
        InputError: there is none, or several.
    """
    films = [each for each in candidates if _is_original_film(each.head)]
    frontal = [each for each in films if is_frontal(each.head)]
    for_reading = [each for each in frontal if not is_for_processing(each.head)] or frontal
    if len(for_reading) == 1:
        return for_reading[0].path
    if not for_reading:
        raise InputError(
            f"`study` must have a frontal radiograph that is not synthetic, but of its {len(entries)} objects "
            f"{len(films)} are radiographs and none of these is frontal. Name an object with `instance` to edit it."
        )
    names = ", ".join(each.path.stem for each in for_reading)
    raise InputError(f"`study` has {len(for_reading)} frontal radiographs: name one with `instance`: {names}.")


def _is_original_film(head: Any) -> bool:
    if str(head.get("SyntheticData") or "").strip() == "YES":
        return False
    try:
        check_modality(head)
    except InputError:
        return False
    return True
