"""Worker of a service: a pipeline, and what it answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from x2x_core.archive.credentials.signing import Signer
from x2x_core.archive.edit_files import RECORD, encode_edit, encode_record, sign_pictures
from x2x_core.archive.edit_record import EditCall, FinishedEdit, carried, edit_record, run_edit
from x2x_core.archive.settings import DicomSettings
from x2x_core.common.notes import Notes
from x2x_core.edit.arguments import GuidanceKwargs, names_of
from x2x_core.edit.saved_pseudomasks import own_digest
from x2x_core.imaging.files import encode_png, to_values
from x2x_core.imaging.overlay import guidance_colormap, guidance_overlay
from x2x_core.imaging.provenance import Proof, encode_picture, synthetic_metadata
from x2x_core.imaging.radiograph import Radiograph

if TYPE_CHECKING:
    from x2x_core.edit.prepared import PreparedImage
    from x2x_core.pipeline import InstructX2XPipeline

MAP, MASK, OVERLAY = "guidance_map.png", "guidance_mask.png", "overlay.png"
_AFTER = ("changed_share", "change")  # entries of a record that are not known before an edit


class StoppedError(Exception):
    """Nobody waits for this edit any more."""


@dataclass(frozen=True)
class Answer:
    """Result of a request."""

    record: dict[str, Any]
    files: dict[str, bytes]  # name to content


@dataclass(frozen=True)
class _Prepared:
    image: PreparedImage
    notes: tuple[str, ...]  # warnings about the image, which hold for each of its edits


class _OwnNotes(Notes):
    """Warnings of one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            super().emit(record)


@dataclass(frozen=True, eq=False)
class Editor:
    """A pipeline with what records say of it; for one thread at a time."""

    pipeline: InstructX2XPipeline
    model: str  # as the user named it
    weights: str | None  # hash; None: of a repository of the hub
    signer: Signer | None = None  # signs the pictures; None: they are not signed
    _prepared: WeakKeyDictionary[Radiograph, _Prepared] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False
    )

    def guidance(self, radiograph: Radiograph, call: EditCall) -> Answer:
        """Return the guidance map and mask that an edit with the same arguments would have, without the edit.

        Args:
            radiograph: what would be edited.
            call: how.

        Returns:
            The record of the edit as far as it is known, `MAP` and `MASK` as an edit writes them, and `OVERLAY`: the
            map in colours over the radiograph, with the outline of the mask.

        Raises:
            InputError: an argument that can't be used.
        """
        with _OwnNotes() as notes:
            prepared = self._prepare(radiograph)
            used = {name: value for name, value in call.arguments.items() if name in names_of(GuidanceKwargs)}
            if call.keep_mask is not None:
                used["keep_mask"] = call.keep_mask.mask
            output = self.pipeline.guidance(prepared.image, call.prompt, generator=call.seed, **used)
        finished = FinishedEdit(
            radiograph.pixels,
            output.guidance_map,
            output.guidance_mask,
            output.instructions[0],
            output.alignments[0] if output.alignments else None,
            output.windows[0] if output.windows else None,
            call.settings(self.pipeline.config),
            str(self.pipeline.device),
            str(self.pipeline.dtype).removeprefix("torch."),
            pseudomasks_sha256=own_digest(self.pipeline.pseudomasks),
        )
        record = self._record(finished, radiograph, call, (*prepared.notes, *notes.lines))
        parameters = carried(record)
        guidance_map, guidance_mask = output.guidance_map.cpu(), output.guidance_mask.cpu()
        white = to_values(guidance_mask.float(), 8)
        overlay = guidance_colormap(radiograph.pixels, guidance_map, legend=False, mask=guidance_mask.float())
        files = {
            MAP: encode_picture(guidance_overlay(radiograph.pixels, guidance_map), parameters),
            MASK: encode_png(white, synthetic_metadata(parameters, Proof(white))),
            OVERLAY: encode_picture(overlay, parameters),
        }
        if self.signer is not None:
            files = sign_pictures(files, radiograph, record, self.signer)
        known = {name: value for name, value in _public(record).items() if name not in _AFTER}
        return Answer(known, files)

    def edit(
        self, radiograph: Radiograph, call: EditCall, stop: threading.Event, archive: DicomSettings | None = None
    ) -> Answer:
        """Edit a radiograph; the files are those of `x2x edit`.

        Args:
            radiograph: what to edit.
            call: how.
            stop: set to end the edit after its current step.
            archive: how DICOM objects are written; ``None``: they are not.

        Raises:
            InputError: an argument that can't be used.
            StoppedError: `stop` was set.
        """

        def check(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if stop.is_set():
                raise StoppedError
            return {}

        settings = call.settings(self.pipeline.config)
        with _OwnNotes() as notes:
            prepared = self._prepare(radiograph)
            check(None, 0, None, {})
            finished = run_edit(
                self.pipeline, radiograph, call, settings, prepared=prepared.image, callback_on_step_end=check
            )
        record = self._record(finished, radiograph, call, (*prepared.notes, *notes.lines))
        files = encode_edit(finished, radiograph, record, archive, self.signer)
        files[RECORD] = encode_record(_public(record))
        return Answer(_public(record), files)

    def _prepare(self, radiograph: Radiograph) -> _Prepared:
        """Return the prepared radiograph, which is kept as long as the radiograph is held."""
        if radiograph not in self._prepared:
            with _OwnNotes() as notes:
                image = self.pipeline.prepare(radiograph.pixels)
            self._prepared[radiograph] = _Prepared(image, tuple(notes.lines))
        return self._prepared[radiograph]

    def _record(
        self, finished: FinishedEdit, radiograph: Radiograph, call: EditCall, notes: tuple[str, ...]
    ) -> dict[str, Any]:
        return edit_record(finished, radiograph, call, self.weights, list(dict.fromkeys(notes)))


def _public(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without the place of the model on the server."""
    return {**record, "model": carried(record)["model"]}
