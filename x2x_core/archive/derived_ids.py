"""Identifiers derived from hashes: UIDs of new objects, pseudonyms, and the shift of a patient's dates.

No clock and no random number enters them: the same input, settings and seed give the same bytes.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
import uuid

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(.*)", re.DOTALL)
LARGEST_SHIFT = 3650  # days


def derived_uid(*parts: str) -> str:
    """Return the UID that stands for some texts, by PS3.5 B.2 ("2.25." and a UUID)."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def pseudonym(key: str, *parts: str) -> str:
    """Return 16 hexadecimal digits that stand for some texts; without the key nobody can compute them."""
    return hmac.new(key.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:16]


def replaced_uid(key: str, uid: str) -> str:
    """Return the UID that replaces another; without the key nobody can compute it."""
    return derived_uid("replaced", hmac.new(key.encode(), uid.encode(), hashlib.sha256).hexdigest())


def days_back(key: str, patient: str) -> int:
    """Return by how many days the dates of a patient are shifted into the past, 1 to `LARGEST_SHIFT`."""
    return 1 + int(pseudonym(key, "days", patient), 16) % LARGEST_SHIFT


def shifted(value: str, days: int) -> str:
    """Return a date (DA) or date and time (DT) moved into the past by whole days, "" if it is not a full date."""
    match = _DATE.fullmatch(value.strip())
    if match is None or not re.fullmatch(r"[\d.+-]*", match[4]):
        return ""
    try:
        date = datetime.date(int(match[1]), int(match[2]), int(match[3])) - datetime.timedelta(days)
    except (ValueError, OverflowError):
        return ""
    return f"{date.year:04}{date.month:02}{date.day:02}{match[4]}"
