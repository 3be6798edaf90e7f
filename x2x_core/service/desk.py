"""Desk of a service: takes uploads in, gives them to the workers, and throws away what is not to be kept."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Event
from typing import BinaryIO

from x2x_core.archive.edit_files import RECORD
from x2x_core.archive.guidance_objects import check_library
from x2x_core.archive.keep_mask import KeepMaskFile
from x2x_core.common.errors import InputError, OutputExistsError
from x2x_core.common.storage import write_folder
from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.kinds import DICOM
from x2x_core.imaging.radiograph import Radiograph

from .editor import Answer, Editor
from .images import HeldImage, HeldImages
from .line import Line
from .reader import Reader, public_message
from .settings import ServiceSettings

_SCRATCH = ".partial"


class Desk:
    """Everything that requests share.

    Args:
        settings: of the service.
        editors: the workers.
        reader: of uploads.
    """

    def __init__(self, settings: ServiceSettings, editors: Sequence[Editor], reader: Reader) -> None:
        self.settings, self.editors, self.reader = settings, tuple(editors), reader
        self.line: Line[Editor] = Line(self.editors, settings.waiting)
        self.images = HeldImages(settings.held_images, settings.hold_seconds)
        self._place = Path(tempfile.mkdtemp(prefix="x2x-serve-"))  # for this user alone

    async def take_in(self, upload: BinaryIO) -> HeldImage:
        """Read an upload, and hold it.

        Raises:
            InputError: it is not a radiograph, or too large.
        """
        radiograph, folder = await self._read(upload)
        preview = await asyncio.to_thread(encode_png, to_values(radiograph.pixels, 8))
        return self.images.add(radiograph, folder, preview)

    @asynccontextmanager
    async def radiograph(self, upload: BinaryIO | None, identifier: str | None) -> AsyncIterator[Radiograph]:
        """Yield the radiograph of a request, an upload or one that is held; its file stays while the context is open.

        Raises:
            InputError: neither or both are given, or the upload is not a radiograph, or too large.
            NotHeldError: it is not held.
        """
        if (upload is None) == (identifier is None):
            raise InputError("`image` (a file) or `image_id` must be given, and not both.")
        if identifier is not None:
            with self.images.use(identifier) as held:
                yield held.radiograph
        elif upload is not None:
            radiograph, folder = await self._read(upload)
            try:
                yield radiograph
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @asynccontextmanager
    async def keep_mask(self, upload: BinaryIO | None, size: tuple[int, int]) -> AsyncIterator[KeepMaskFile | None]:
        """Yield the keep mask of a request, ``None`` without one; its file stays while the context is open.

        Args:
            upload: the picture.
            size: of the radiograph.

        Raises:
            InputError: it is not a picture, or has another size.
        """
        if upload is None:
            yield None
            return
        try:
            picture, folder = await self._read(upload)
        except InputError as error:
            raise InputError(str(error).replace("`image`", "`keep_mask`")) from error
        try:
            yield KeepMaskFile.of(picture, size)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def run(self, radiograph: Radiograph, job: Callable[[Editor, Event], Answer]) -> Answer:
        """Run a job on the next idle worker.

        Raises:
            InputError: as the job does; its message names no file of the server.
        """
        try:
            return await self.line.run(job)
        except InputError as error:
            raise InputError(public_message(error, radiograph.path)) from error

    def keep(self, answer: Answer) -> None:
        """Write the files of an edit to a folder named by their digest, if edits are to be kept.

        Raises:
            InputError: the folder cannot be written.
        """
        if self.settings.keep is None:
            return
        name = hashlib.sha256(answer.files[RECORD]).hexdigest()[:16]
        with suppress(OutputExistsError):  # the same edit was kept before
            write_folder(self.settings.keep / name, answer.files, self.settings.keep / _SCRATCH)

    async def _read(self, upload: BinaryIO) -> tuple[Radiograph, Path]:
        """Return the radiograph of an upload, and the folder of its file."""
        folder = Path(tempfile.mkdtemp(dir=self._place))
        try:
            path = folder / "upload"
            await asyncio.to_thread(_copy, upload, path)
            radiograph = await self.reader.read(path)
            if radiograph.kind == DICOM:
                check_library()
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, InputError):
                raise InputError(public_message(error, folder / "upload")) from error
            raise
        return radiograph, folder

    def close(self) -> None:
        """Remove all files, and end what was started."""
        self.line.close()
        self.reader.close()
        shutil.rmtree(self._place, ignore_errors=True)


def _copy(upload: BinaryIO, path: Path) -> None:
    upload.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(upload, file)
