"""Editing of rows: the image read once for the rows that share it, the model loaded once for the rows that name it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from x2x_core.archive.credentials.key import SigningFiles
from x2x_core.archive.credentials.signing import Signer
from x2x_core.archive.edit_files import encode_edit
from x2x_core.archive.edit_record import EditCall, FinishedEdit, edit_record, run_edit
from x2x_core.archive.keep_mask import KeepMaskFile
from x2x_core.archive.settings import DicomSettings
from x2x_core.common.errors import InputError, MissingExtraError
from x2x_core.common.notes import Notes
from x2x_core.imaging.files import read_image
from x2x_core.imaging.kinds import DICOM
from x2x_core.imaging.radiograph import Radiograph

from .output import ERROR
from .places import on_this_machine
from .plan import Row

if TYPE_CHECKING:
    from x2x_core.edit.prepared import PreparedImage
    from x2x_core.pipeline import InstructX2XPipeline

logger = logging.getLogger(__name__)

Files = Mapping[str, bytes]
# Edit of a radiograph, of which more edits follow if the last argument is True.
Edit = Callable[[Radiograph, EditCall, bool], FinishedEdit]


class PipelineEdit:
    """Edits by a pipeline, which encodes a radiograph and finds its lungs once for all its edits in sequence.

    Args:
        pipeline: on its device.
    """

    def __init__(self, pipeline: InstructX2XPipeline) -> None:
        self.pipeline = pipeline
        self._prepared: tuple[Radiograph, bool, PreparedImage | None] | None = None

    def __call__(self, radiograph: Radiograph, call: EditCall, is_shared: bool) -> FinishedEdit:
        """Edit a radiograph."""
        settings = call.settings(self.pipeline.config)
        prepared = self._prepare(radiograph, settings.reference) if is_shared else None
        return run_edit(self.pipeline, radiograph, call, settings, prepared=prepared)

    def _prepare(self, radiograph: Radiograph, reference: bool) -> PreparedImage | None:
        """Prepare a radiograph; ``None`` if there is a warning about it, which each of its edits then gives itself."""
        known = self._prepared
        if known is None or known[0] is not radiograph or known[1] != reference:
            prepared = None
            with Notes() as notes, suppress(InputError):  # the edit says what is wrong
                prepared = self.pipeline.prepare(radiograph.pixels, reference=reference)
            known = self._prepared = (radiograph, reference, None if notes.lines else prepared)
        return known[2]


@dataclass(frozen=True)
class WorkerSettings:
    """Resources of a worker beside its rows; they can be sent to another process.

    Args:
        load: returns the edit of a model, by its name.
        weights: hash of each model's weights, ``None`` for one of the hub.
        archive: how DICOM objects are written for DICOM inputs; ``None``: they are not.
        threads: PyTorch's threads, which decide how sums are rounded; ``None`` leaves them as they are,
            which is also what the processes of another engine get.
        signing: the files of a key that pictures are signed with, on the worker's machine; ``None``: unsigned.
    """

    load: Callable[[str], Edit]
    weights: Mapping[str, str | None]
    archive: DicomSettings | None
    threads: int | None = None
    signing: SigningFiles | None = None


class Worker:
    """Editor of one row after the other; give it the rows of one image in sequence.

    Args:
        settings: see `WorkerSettings`.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._model: tuple[str, Edit] | None = None
        self._image: tuple[str, Radiograph] | None = None
        self._copy = ExitStack()  # of the image, if it is not of this machine
        self._signer = Signer.load(settings.signing)
        if settings.threads is not None:
            import torch

            torch.set_num_threads(settings.threads)

    def edit(self, row: Row, is_shared: bool = False) -> Files:
        """Edit a row.

        Args:
            row: what to edit.
            is_shared: True if other rows have its image.

        Returns:
            Name to content: the results, or `ERROR` alone if the row cannot be edited.

        Raises:
            InputError: the model cannot be loaded.
            MissingExtraError: a library is missing.
        """
        edit = self._edit_of(row.model)
        try:
            radiograph = self._radiograph(row.place)
            with _call_of(row, radiograph) as call:
                with Notes() as notes:
                    finished = edit(radiograph, call, is_shared)
                weights = self._settings.weights.get(row.model)
                record = edit_record(finished, radiograph, call, weights, notes.lines)
            archive = self._settings.archive if _is_dicom(radiograph) else None
            return encode_edit(finished, radiograph, record, archive, self._signer)
        except MissingExtraError:
            raise
        except InputError as error:
            return error_files(row, str(error))
        except Exception as error:  # one row must not stop the others
            logger.exception("Row %d failed.", row.number)
            return error_files(row, f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Release the image."""
        self._image = None
        self._copy.close()

    def _edit_of(self, model: str) -> Edit:
        if self._model is None or self._model[0] != model:
            self._model = None  # before the next one is loaded
            self._model = (model, self._settings.load(model))
        return self._model[1]

    def _radiograph(self, place: str) -> Radiograph:
        if self._image is None or self._image[0] != place:
            self.close()
            path = self._copy.enter_context(on_this_machine(place))
            self._image = (place, read_image(path))
        return self._image[1]


@contextmanager
def _call_of(row: Row, radiograph: Radiograph) -> Iterator[EditCall]:
    """Yield the arguments of a row's edit; the file of its keep mask is there while the context is open."""
    if not row.keep_mask_place:
        yield row.call
        return
    with on_this_machine(row.keep_mask_place) as path:
        yield replace(row.call, keep_mask=KeepMaskFile.read(path, radiograph.size))


def _is_dicom(radiograph: Radiograph) -> bool:
    return radiograph.kind == DICOM


def error_files(row: Row, message: str) -> dict[str, Any]:
    """Return the files of a row that cannot be edited."""
    record = {"error": " ".join(message.split()), "prompt": row.prompt, "seed": row.seed, "model": row.model}
    return {ERROR: (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()}
