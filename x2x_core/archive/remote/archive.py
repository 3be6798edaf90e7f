"""An archive as the rest of this package sees it, whatever its protocol."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .entries import Entry

CONNECT, ANSWER = 10.0, 120.0  # seconds that an archive may take to accept a connection, and to answer


@dataclass(frozen=True, eq=False)
class Outgoing:
    """A DICOM object to store."""

    name: str  # in messages
    content: bytes  # of the file
    study: str
    series: str
    instance: str
    sop_class: str
    syntax: str  # UID of its transfer syntax


@dataclass(frozen=True)
class Receipt:
    """An archive's answer to objects that were sent."""

    accepted: frozenset[str]  # instance UIDs that it says it stored
    trouble: str = ""  # what went wrong, as a sentence; "" if nothing did


class Archive(Protocol):
    """A connection to an archive.

    All methods raise `ArchiveError` if it cannot be reached, refuses or breaks off.
    """

    @property
    def name(self) -> str:
        """Its address."""

    def check(self) -> None:
        """Ask for a sign of life."""

    def find(self, level: str, conditions: Mapping[str, str], limit: int | None = None) -> list[Entry]:
        """Return what meets some conditions.

        Args:
            level: a level of `entries`; with the UIDs of the levels above it among the conditions.
            conditions: values by keyword.
            limit: the most entries to return.
        """

    def retrieve(self, entries: Sequence[Entry]) -> Generator[tuple[Entry, bytes], None, None]:
        """Yield instances with the content of their files, one in memory at a time."""

    def send(self, objects: Sequence[Outgoing]) -> Receipt:
        """Send objects of one study; what goes wrong on the way is in the receipt."""

    def remove(self, sent: Outgoing) -> bool:
        """Remove an object that was sent; False if the protocol or the archive does not allow it."""
