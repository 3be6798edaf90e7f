"""Status codes of DICOM's services, and failures of storing in words (PS3.4 B.2.3, PS3.7 C)."""

from __future__ import annotations

PENDING, SUCCESS = (0xFF00, 0xFF01), 0x0000
_REASONS = {
    0x0110: "processing failure",
    0x0111: "it has an object of this UID already",
    0x0117: "invalid UID",
    0x0122: "it does not take this class of objects",
    0x0124: "not authorised",
    0xC122: "it does not take this transfer syntax",
}
_RANGES = {
    0xA700: "no room or memory left",
    0xA900: "the object does not fit its class",
    0xC000: "it cannot understand the object",
}


def reason(code: int) -> str:
    """Return the meaning of a failure status."""
    if code in _REASONS:
        return _REASONS[code]
    start = code & (0xF000 if code >= 0xC000 else 0xFF00)
    return _RANGES.get(start, f"failure {code:#06x}")
