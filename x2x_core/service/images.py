"""Uploads that a service holds for a while, so that one serves several requests."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from x2x_core.imaging.radiograph import Radiograph


class NotHeldError(Exception):
    """No upload of this name is held, or no longer."""


@dataclass(eq=False)
class HeldImage:
    """An upload."""

    identifier: str  # cannot be guessed: who knows it may use the image
    radiograph: Radiograph
    folder: Path  # of its file alone
    preview: bytes  # PNG of 8 bits
    last_use: float
    users: int = 0
    dropped: bool = False


class HeldImages:
    """Uploads by identifier; to be used from one thread.

    Args:
        limit: how many are held at one time; the longest unused one makes room.
        seconds: how long one is held after its last use.
        clock: seconds that grow steadily.
    """

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit, self.seconds = limit, seconds
        self._clock = clock
        self._images: dict[str, HeldImage] = {}

    def __len__(self) -> int:
        return len(self._images)

    def add(self, radiograph: Radiograph, folder: Path, preview: bytes) -> HeldImage:
        """Hold an upload, whose folder is removed with it."""
        self.sweep()
        while len(self._images) >= self.limit:
            self._drop(min(self._images.values(), key=lambda image: image.last_use))
        image = HeldImage(secrets.token_urlsafe(24), radiograph, folder, preview, self._clock())
        self._images[image.identifier] = image
        return image

    @contextmanager
    def use(self, identifier: str) -> Iterator[HeldImage]:
        """Yield an upload; its file stays while the context is open.

        Raises:
            NotHeldError: it is not held.
        """
        self.sweep()
        image = self._images.get(identifier)
        if image is None:
            raise NotHeldError
        image.users += 1
        try:
            yield image
        finally:
            image.users -= 1
            image.last_use = self._clock()
            if image.dropped and not image.users:
                shutil.rmtree(image.folder, ignore_errors=True)

    def drop(self, identifier: str) -> None:
        """Hold an upload no longer.

        Raises:
            NotHeldError: it is not held.
        """
        image = self._images.get(identifier)
        if image is None:
            raise NotHeldError
        self._drop(image)

    def sweep(self) -> None:
        """Drop what was not used for too long."""
        oldest = self._clock() - self.seconds
        for image in [image for image in self._images.values() if image.last_use < oldest and not image.users]:
            self._drop(image)

    def _drop(self, image: HeldImage) -> None:
        del self._images[image.identifier]
        image.dropped = True
        if not image.users:
            shutil.rmtree(image.folder, ignore_errors=True)
