"""Storing results in an archive: all of them, or none; twice is as once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from x2x_core.archive.provenance_elements import MAKER, read_record
from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

from .archive import Archive, Outgoing
from .entries import INSTANCE, UID_OF, is_uid
from .errors import ArchiveError


@dataclass(frozen=True)
class Stored:
    """Objects of a study that an archive has now."""

    study: str
    sent: tuple[Outgoing, ...]  # that were new
    known: tuple[Outgoing, ...]  # that it had already


def outgoing(files: Mapping[str, bytes]) -> list[Outgoing]:
    """Return results as objects to store.

    Args:
        files: name to content, of DICOM files that this program wrote.

    Raises:
        InputError: one of them is something else: only results are stored, marked as synthetic.
        MissingExtraError: pydicom is not installed.
    """
    with needs_extra("Storing in an archive", "pydicom", "archive"):
        from pydicom import dcmread
    objects = []
    for name, content in files.items():
        try:
            head = dcmread(BytesIO(content), stop_before_pixels=True)
            record = read_record(head)
            study, series, instance = (str(head[name].value) for name in UID_OF.values())
            kind, syntax = str(head.SOPClassUID), str(head.file_meta.TransferSyntaxUID)
        except Exception:  # pydicom raises errors of many types, whose messages may quote the patient's data
            raise InputError(f"`{name}` is not a DICOM file that {MAKER} wrote. Leave it out.") from None
        is_synthetic = str(head.get("SyntheticData") or "") == "YES"
        if record is None or not is_synthetic or not all(map(is_uid, (study, series, instance))):
            raise InputError(
                f"`{name}` must be a DICOM result of {MAKER}, marked as synthetic: nothing else is stored. Leave it "
                "out."
            )
        objects.append(Outgoing(name, content, study, series, instance, kind, syntax))
    return objects


def by_study(objects: Sequence[Outgoing]) -> dict[str, list[Outgoing]]:
    """Return objects by the UID of their study; those with the same instance UID once."""
    studies: dict[str, dict[str, Outgoing]] = {}
    for each in objects:
        studies.setdefault(each.study, {}).setdefault(each.instance, each)
    return {study: list(instances.values()) for study, instances in studies.items()}


def read_studies(files: Sequence[Path]) -> Iterator[list[Outgoing]]:
    """Yield results on this disk study by study, so that the results of a large batch are never in memory at once.

    All files are checked before the first study is read.

    Raises:
        InputError: a file that cannot be read, or is not a result of this program.
    """
    studies: dict[str, list[Path]] = {}
    for path in files:
        studies.setdefault(_read(path).study, []).append(path)
    for paths in studies.values():
        yield from by_study([_read(path) for path in paths]).values()


def _read(path: Path) -> Outgoing:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"`{path}` must be a file that can be read, but is not: {error.strerror}.") from error
    return outgoing({str(path): content})[0]


def store(archive: Archive, objects: Sequence[Outgoing]) -> Stored:
    """Store objects of one study.

    What the archive has is not sent again: the UIDs of results follow from input and settings. If something goes wrong,
    what had arrived is removed where the archive allows it, and named where not.

    Args:
        archive: where to.
        objects: of one study; what others refer to goes first.

    Raises:
        ArchiveError: not all are stored; the message says which are.
    """
    known = _present(archive, objects)
    new = [each for each in objects if each.instance not in known]
    done = Stored(objects[0].study, tuple(new), tuple(each for each in objects if each.instance in known))
    if not new:
        return done
    receipt = archive.send(new)
    if not receipt.trouble and receipt.accepted >= {each.instance for each in new}:
        return done
    trouble = receipt.trouble or f"The archive {archive.name} did not store everything, and gave no reason."
    try:
        there = _present(archive, new)
    except ArchiveError as error:
        raise ArchiveError(
            f"{trouble} Then it could not be asked which of these it has stored: {_named(new)}. Do the same again "
            "later: what is there is not sent twice."
        ) from error
    arrived = [each for each in new if each.instance in there]
    if len(arrived) == len(new):
        return done  # only its answer was lost
    raise ArchiveError(f"{trouble} {_undo(archive, arrived, len(new))}")


def _present(archive: Archive, objects: Sequence[Outgoing]) -> set[str]:
    """Return the instance UIDs of the objects that an archive has."""
    found = set()
    for study, series in sorted({(each.study, each.series) for each in objects}):
        conditions = {UID_OF["study"]: study, UID_OF["series"]: series}
        found |= {entry.instance for entry in archive.find(INSTANCE, conditions)}
    return found & {each.instance for each in objects}


def _undo(archive: Archive, arrived: Sequence[Outgoing], count: int) -> str:
    """Remove what had arrived, the last first; return what is left, as a sentence."""
    if not arrived:
        return "Nothing was stored."
    left = [each for each in reversed(arrived) if not archive.remove(each)]
    if not left:
        return f"The {len(arrived)} of {count} objects that had arrived were removed again: nothing is stored."
    return (
        f"Of {count} objects {len(left)} are stored, which cannot be removed in this way: {_named(left[::-1])}. Do the "
        "same again to store the rest: what is there is not sent twice."
    )


def _named(objects: Sequence[Outgoing]) -> str:
    return ", ".join(f"{each.name} ({each.instance})" for each in objects)
