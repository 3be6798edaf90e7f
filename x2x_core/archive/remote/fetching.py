"""Fetching a study, series or instance: everything of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.common.extras import needs_extra
from x2x_core.common.storage import assembled_folder, write_to_disk

from .archive import Archive
from .entries import INSTANCE, SERIES, STUDY, UID_OF, Entry, Place
from .errors import ArchiveError

Report = Callable[[int, int], None]  # of objects done and their number


def list_instances(archive: Archive, place: Place) -> list[Entry]:
    """Return the instances at a place, sorted by their UIDs.

    Raises:
        ArchiveError: the archive cannot be reached or refuses.
        InputNotFoundError: there are none.
    """
    conditions = {UID_OF[STUDY]: place.study}
    series = [place.series] if place.series else _uids(archive.find(SERIES, conditions), SERIES)
    found = []
    for uid in series:
        more = {UID_OF[INSTANCE]: place.instance} if place.instance else {}
        found += archive.find(INSTANCE, {**conditions, UID_OF[SERIES]: uid, **more})
    found = [entry for entry in found if place.instance in (None, entry.instance)]
    if not found:
        deepest = INSTANCE if place.instance else SERIES if place.series else STUDY
        raise InputNotFoundError(
            f"`{deepest}` must be the UID of what is in the archive, but {archive.name} has nothing at "
            f"{place.instance or place.series or place.study}."
        )
    return sorted(found, key=lambda entry: (entry.series, entry.instance))


def _uids(entries: Iterable[Entry], level: str) -> list[str]:
    return [entry.values[UID_OF[level]] for entry in entries]


def fetch(archive: Archive, entries: Sequence[Entry], folder: Path, report: Report | None = None) -> list[Path]:
    """Fetch instances into a new folder, which appears when all are there.

    Args:
        archive: where they are.
        entries: instances.
        folder: its path, of nothing or of an empty folder.
        report: is called before the first and after each.

    Returns:
        The files, `<SOP instance UID>.dcm`, in the order of `entries`.

    Raises:
        ArchiveError: the archive cannot be reached, refuses, breaks off, or sends something else.
        InputError: the folder holds something or cannot be written.
    """
    with needs_extra("Reading DICOM", "pydicom", "archive"):
        import pydicom  # noqa: F401
    with assembled_folder(folder) as partial, closing(archive.retrieve(entries)) as instances:
        if report is not None:
            report(0, len(entries))
        for done, (entry, content) in enumerate(instances, start=1):
            _check(archive, entry, content)
            write_to_disk(partial / f"{entry.instance}.dcm", content)
            if report is not None:
                report(done, len(entries))
    return [folder / f"{entry.instance}.dcm" for entry in entries]


def _check(archive: Archive, entry: Entry, content: bytes) -> None:
    """Check that a file is the instance that was asked for.

    Raises:
        ArchiveError: it is another one, or no DICOM file.
    """
    from pydicom import dcmread

    try:
        sent = str(dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
    except Exception:  # pydicom raises errors of many types, whose messages may quote the patient's data
        raise ArchiveError(f"The archive {archive.name} sent something else than a DICOM object.") from None
    if sent != entry.instance:
        raise ArchiveError(f"The archive {archive.name} sent another object than {entry.instance}.")


def check_count(entries: Sequence[Entry], most: int) -> None:
    """Check that a place does not hold more instances than are wanted at once.

    Raises:
        InputError: it does.
    """
    if len(entries) > most:
        raise InputError(f"`study` has {len(entries)} objects that may be radiographs: name one with `instance`.")
