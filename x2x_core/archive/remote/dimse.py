"""Archives that speak DIMSE: C-FIND finds, C-GET or C-MOVE fetches, C-STORE stores."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import BytesIO
from typing import Any

from .address import DimseAddress
from .archive import Outgoing, Receipt
from .credentials import Credentials
from .dimse_fetch import by_get, by_move
from .dimse_link import Link
from .entries import INSTANCE, KEYS, SERIES, STUDY, UID_OF, Entry, make_entry
from .errors import ArchiveError
from .status_codes import PENDING, SUCCESS, reason

_LEVELS = {STUDY: "STUDY", SERIES: "SERIES", INSTANCE: "IMAGE"}
_CANCELLED = 0xFE00
_WARNINGS = range(0xB000, 0xC000)  # stored, with elements changed or left out
_MESSAGE = 1


class DimseArchive:
    """A DIMSE node. Its methods are those of `Archive`.

    Args:
        address: of the node.
        credentials: to send.

    Raises:
        MissingExtraError: pynetdicom is not installed.
    """

    def __init__(self, address: DimseAddress, credentials: Credentials) -> None:
        self._link = Link(address, credentials)
        self.name = address.name

    def check(self) -> None:
        """Ask for a sign of life, as `Archive.check` does: C-ECHO."""
        from pynetdicom import build_context
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        with self._link.association("C-ECHO", [build_context(Verification)]) as association:
            if self._status(association.send_c_echo()) != SUCCESS:
                raise ArchiveError(f"The archive {self.name} does not answer C-ECHO.")

    def find(self, level: str, conditions: Mapping[str, str], limit: int | None = None) -> list[Entry]:
        """Return what meets some conditions, as `Archive.find` does."""
        from pydicom import Dataset
        from pynetdicom import build_context
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find  # type: ignore[attr-defined]

        question = Dataset()
        question.SpecificCharacterSet = "ISO_IR 192"
        question.QueryRetrieveLevel = _LEVELS[level]
        for keyword in KEYS[level]:
            setattr(question, keyword, None if keyword.startswith("Number") else "")
        for keyword, value in conditions.items():
            setattr(question, keyword, value)
        found: list[Entry] = []
        with self._link.association("C-FIND", [build_context(Find)]) as association:
            for status, answer in association.send_c_find(question, Find, msg_id=_MESSAGE):
                code = self._status(status)
                if code in PENDING and answer is not None and (limit is None or len(found) < limit):
                    found.append(make_entry(level, conditions, _values(answer, KEYS[level])))
                    if len(found) == limit:
                        association.send_c_cancel(_MESSAGE, query_model=Find)
                elif code not in (*PENDING, SUCCESS, _CANCELLED):
                    raise ArchiveError(f"The archive {self.name} refused the search: {reason(code)}.")
        return found

    def retrieve(self, entries: Sequence[Entry]) -> Generator[tuple[Entry, bytes], None, None]:
        """Yield instances as they are sent, as `Archive.retrieve` does.

        DIMSE sends no head of a file: it is written here, the same for the same object.
        """
        fetch = by_get if self._link.address.listen is None else by_move
        return fetch(self._link, entries)

    def send(self, objects: Sequence[Outgoing]) -> Receipt:
        """Send objects one after the other, as `Archive.send` does; none if one of their classes is not taken."""
        from pydicom import dcmread
        from pynetdicom import build_context

        wanted = {(sent.sop_class, sent.syntax): sent for sent in objects}
        accepted: set[str] = set()
        try:
            contexts = [build_context(*pair) for pair in wanted]
            with self._link.association("storing these objects", contexts) as association:
                taken = {(each.abstract_syntax, each.transfer_syntax[0]) for each in association.accepted_contexts}
                if refused := sorted(sent.name for pair, sent in wanted.items() if pair not in taken):
                    return Receipt(frozenset(), f"The archive {self.name} does not take {', '.join(refused)}.")
                for sent in objects:
                    code = self._status(association.send_c_store(dcmread(BytesIO(sent.content))))
                    if code != SUCCESS and code not in _WARNINGS:
                        trouble = f"The archive {self.name} refused {sent.name}: {reason(code)}."
                        return Receipt(frozenset(accepted), trouble)
                    accepted.add(sent.instance)
        except ArchiveError as error:
            return Receipt(frozenset(accepted), str(error))
        return Receipt(frozenset(accepted))

    def remove(self, sent: Outgoing) -> bool:
        """Return False, as `Archive.remove` does where the protocol does not allow it."""
        return False

    def _status(self, answer: Any) -> int:
        """Return the status of an answer.

        Raises:
            ArchiveError: there is none: the connection broke off.
        """
        if "Status" not in answer:
            raise self._link.lost()
        return int(answer.Status)


def _values(answer: Any, keywords: Sequence[str]) -> dict[str, str]:
    """Return the texts of some elements of a data set."""
    values = {}
    for keyword in {*keywords, *UID_OF.values()}:
        try:
            value = answer.get(keyword)
        except (ValueError, TypeError):  # damaged
            continue
        if value is not None:
            several = [value] if isinstance(value, (str, int, float)) else list(value)
            values[keyword] = "\\".join(map(str, several))
    return values
