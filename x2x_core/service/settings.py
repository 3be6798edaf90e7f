"""Limits and promises of a service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from x2x_core.common.values import number, whole_number

MIB = 2**20


@dataclass(frozen=True)
class ServiceSettings:
    """Choices of a service.

    Attributes:
        host: address to listen at.
        port: 1 to 65535.
        token: secret that clients send as `Authorization: Bearer ...`; "" for none.
        any_host: accept requests under any name of this machine. Without a token that lets pages of other sites reach
            the service through a browser in the same network, so it is for addresses outside loopback alone.
        waiting: requests that may wait for a worker; further ones are refused.
        timeout: seconds from the first byte of a request to its answer.
        max_bytes: of a request.
        max_pixels: of an image.
        held_images: uploads that are held for further requests at one time; the longest unused one makes room.
        hold_seconds: how long an upload is held after its last use.
        keep: folder that every edit is written to; ``None``: nothing is kept.
        pseudonym_key: secret that pseudonyms of `identifiers=replace` are derived from; "" for none.

    Raises:
        InputError: a limit out of range.
    """

    host: str = "127.0.0.1"
    port: int = 8600
    token: str = field(default="", repr=False)
    any_host: bool = False
    waiting: int = 8
    timeout: float = 300.0
    max_bytes: int = 64 * MIB
    max_pixels: int = 32_000_000
    held_images: int = 8
    hold_seconds: float = 900.0
    keep: Path | None = None
    pseudonym_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        number(1, 65535)("port", self.port)
        number(0, 1000)("waiting", self.waiting)
        number(1, 86400)("timeout", self.timeout)
        number(1024)("max_bytes", self.max_bytes)
        number(1024)("max_pixels", self.max_pixels)
        whole_number("held_images", self.held_images)
        number(1, 86400)("hold_seconds", self.hold_seconds)
