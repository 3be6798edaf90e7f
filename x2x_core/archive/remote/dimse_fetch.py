"""Fetching by DIMSE: C-GET on the same connection, or C-MOVE to a port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from x2x_core.common.addresses import is_loopback
from x2x_core.common.errors import InputError

from .archive import ANSWER, CONNECT
from .dimse_link import Link
from .entries import Entry
from .errors import ArchiveError
from .status_codes import PENDING, SUCCESS

_REFUSED = 0x0124  # not authorised: an object that nobody asked for
_UNKNOWN_TITLE = 0xA801  # of the destination of a C-MOVE
_IMPLEMENTATION = "2.25.158418146923098262905741925637174306785"  # of the heads of files that are written here
_TEXT_VERSION = "X2X"


class _Inbox:
    """Objects that arrive, of those that are expected."""

    def __init__(self) -> None:
        self._expected = ""
        self._file: bytes | None = None
        self._arrived = threading.Event()

    def expect(self, instance: str) -> None:
        """Expect one instance, and no other."""
        self._expected, self._file = instance, None
        self._arrived.clear()

    def take(self, event: Any) -> int:
        """Take an object of a C-STORE; return the status of the answer."""
        if event.request.AffectedSOPInstanceUID != self._expected:
            return _REFUSED
        self._file = _as_file(event)
        self._arrived.set()
        return SUCCESS

    def content(self, seconds: float) -> bytes | None:
        """Return the file of the expected instance; `None` if it does not come in time."""
        self._arrived.wait(seconds)
        return self._file


def _as_file(event: Any) -> bytes:
    """Return the object of a C-STORE as a file, its data set as it was sent."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import write_file_meta_info
    from pydicom.uid import UID

    head = FileMetaDataset()
    head.MediaStorageSOPClassUID = event.request.AffectedSOPClassUID
    head.MediaStorageSOPInstanceUID = event.request.AffectedSOPInstanceUID
    head.TransferSyntaxUID = event.context.transfer_syntax
    head.ImplementationClassUID, head.ImplementationVersionName = UID(_IMPLEMENTATION), _TEXT_VERSION
    encoded = BytesIO()
    encoded.write(bytes(128) + b"DICM")
    write_file_meta_info(encoded, head, enforce_standard=True)  # type: ignore[arg-type]
    return encoded.getvalue() + event.request.DataSet.getvalue()


def _question(entry: Entry) -> Any:
    from pydicom import Dataset

    question = Dataset()
    question.QueryRetrieveLevel = "IMAGE"
    question.StudyInstanceUID, question.SeriesInstanceUID = entry.study, entry.series
    question.SOPInstanceUID = entry.instance
    return question


def by_get(link: Link, entries: Sequence[Entry]) -> Generator[tuple[Entry, bytes], None, None]:
    """Yield instances by C-GET, those of one class after those of another.

    Args:
        link: to the node.
        entries: instances, with their classes.

    Raises:
        ArchiveError: the node cannot be reached, refuses, or does not send an instance.
    """
    from pynetdicom import ALL_TRANSFER_SYNTAXES, build_context, build_role, evt
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get  # type: ignore[attr-defined]

    inbox, name = _Inbox(), link.address.name
    for sop_class in sorted({entry.sop_class for entry in entries}):
        if not sop_class:
            raise ArchiveError(f"The archive {name} does not say the classes of its objects, which C-GET requires.")
        contexts = [build_context(Get), *(build_context(sop_class, syntax) for syntax in ALL_TRANSFER_SYNTAXES)]
        roles = [build_role(sop_class, scp_role=True)]
        with link.association("C-GET", contexts, roles, [(evt.EVT_C_STORE, inbox.take)]) as association:
            if Get not in [each.abstract_syntax for each in association.accepted_contexts]:
                raise ArchiveError(
                    f"The archive {name} does not offer C-GET: add ?listen=PORT to its address to fetch by C-MOVE."
                )
            for entry in (each for each in entries if each.sop_class == sop_class):
                inbox.expect(entry.instance)
                _follow(link, association.send_c_get(_question(entry), Get))
                yield entry, _received(inbox, name, 0)


def by_move(link: Link, entries: Sequence[Entry]) -> Generator[tuple[Entry, bytes], None, None]:
    """Yield instances by C-MOVE to the port that the address names; only those that were asked for are taken.

    Args:
        link: to the node.
        entries: instances.

    Raises:
        InputError: the port cannot be used.
        ArchiveError: the node cannot be reached, refuses, or does not send an instance.
    """
    from pynetdicom import build_context
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as Move  # type: ignore[attr-defined]

    inbox, address = _Inbox(), link.address
    classes = {entry.sop_class for entry in entries}
    with _listening(link, inbox, classes), link.association("C-MOVE", [build_context(Move)]) as association:
        for entry in entries:
            inbox.expect(entry.instance)
            _follow(link, association.send_c_move(_question(entry), address.calling, Move))
            yield entry, _received(inbox, address.name, CONNECT)


@contextmanager
def _listening(link: Link, inbox: _Inbox, classes: set[str]) -> Iterator[None]:
    """Receive objects of some classes at a port of this machine; of all classes where one of them is not known."""
    from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

    address = link.address
    assert address.listen is not None
    entity = AE(address.calling)
    entity.require_called_aet = True
    entity.dimse_timeout = entity.network_timeout = ANSWER
    if not all(classes):
        classes = {str(context.abstract_syntax) for context in AllStoragePresentationContexts}
    for sop_class in sorted(classes):
        entity.add_supported_context(sop_class, ALL_TRANSFER_SYNTAXES)
    try:
        server = entity.start_server(
            ("127.0.0.1" if is_loopback(address.host) else "", address.listen),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, inbox.take)],
            ssl_context=link.credentials.tls_server() if address.is_encrypted else None,
        )
    except OSError as error:
        raise InputError(
            f"`archive` must name a free port after listen=, but {address.listen} cannot be used: {error.strerror}."
        ) from error
    try:
        yield
    finally:
        if server is not None:
            server.shutdown()


def _follow(link: Link, answers: Iterator[tuple[Any, Any]]) -> None:
    """Read the answers to a C-GET or C-MOVE to their end.

    Raises:
        ArchiveError: it failed.
    """
    for status, _ in answers:
        if "Status" not in status:
            raise link.lost()
        code = int(status.Status)
        if code == _UNKNOWN_TITLE:
            raise ArchiveError(
                f"The archive {link.address.name} does not know the title {link.address.calling} to send to: register "
                "it there with this machine's address and port, or give another with ?calling=TITLE."
            )
        if code not in (*PENDING, SUCCESS):
            raise ArchiveError(f"The archive {link.address.name} could not send an object ({code:#06x}).")


def _received(inbox: _Inbox, name: str, seconds: float) -> bytes:
    content = inbox.content(seconds)
    if content is None:
        raise ArchiveError(f"The archive {name} did not send an object that it has in its list.")
    return content
