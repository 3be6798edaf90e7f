"""Addresses of a service's API."""

from __future__ import annotations

import asyncio
import base64
import io
import zipfile
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse, Response

import x2x_core
from x2x_core.archive.writing import EDITED
from x2x_core.common.errors import InputError
from x2x_core.edit.loading import BUNDLED_MODELS
from x2x_core.edit.presets import PRESETS
from x2x_core.imaging.kinds import DICOM
from x2x_core.language.clauses import Operation
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES, listed_names

from .desk import Desk
from .editor import OVERLAY, Answer
from .forms import (
    EditAnswer,
    EditForm,
    ErrorAnswer,
    ExplainAnswer,
    ExplainForm,
    FindingEntry,
    GuidanceForm,
    Health,
    ImageEntry,
    Vocabulary,
)

HEAVY = ("/api/images", "/api/guidance", "/api/edit")
SYNTHETIC = {"X-Synthetic": "true"}
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # of a zip file: equal files give equal bytes
_SENTENCES: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorAnswer, "description": "No token, or another one."},
    404: {"model": ErrorAnswer, "description": "The image is not held."},
    413: {"model": ErrorAnswer, "description": "Too many bytes."},
    422: {"model": ErrorAnswer, "description": "Something that the client can put right."},
    503: {"model": ErrorAnswer, "description": "All places are taken; the header Retry-After says how long to wait."},
    504: {"model": ErrorAnswer, "description": "It took too long."},
}
router = APIRouter(prefix="/api", responses={code: _SENTENCES[code] for code in (401, 422)})


def _desk(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


@router.get("/health", responses={401: {}, 422: {}})
async def health(request: Request) -> Health:
    """Say that the service runs, how many wait, and its limits. Needs no token."""
    desk = _desk(request)
    return Health(
        version=x2x_core.__version__,
        model=_model_name(desk),
        token_required=bool(desk.settings.token),
        workers=len(desk.editors),
        running=desk.line.running,
        waiting=desk.line.taken,
        places=desk.line.places,
        max_bytes=desk.settings.max_bytes,
        max_pixels=desk.settings.max_pixels,
    )


@router.get("/vocabulary")
async def vocabulary(request: Request) -> Vocabulary:
    """Return the words of the instruction language, and the presets of an edit."""
    listed = _desk(request).editors[0].pipeline.config.get("trained_findings")
    trained = None if listed is None else listed_names(listed)
    return Vocabulary(
        operations=[operation.value for operation in Operation],
        findings=[
            FindingEntry(name=name, lateral=finding.lateral, trained=None if trained is None else name in trained)
            for name, finding in FINDINGS.items()
        ],
        sides=list(SIDES),
        zones=list(ZONES),
        levels=list(LEVELS),
        presets=list(PRESETS),
    )


@router.post("/explain")
def explain(form: ExplainForm) -> ExplainAnswer:
    """Explain how an instruction is read, without an image. Clauses are put into words first."""
    instruction = form.instruction()
    explanation = instruction.explain()
    return ExplainAnswer(
        canonical=str(instruction),
        lines=str(explanation).splitlines(),
        explained=explanation.as_dict(),
        instruction=instruction.as_dict(),
    )


@router.post("/images", responses={code: _SENTENCES[code] for code in (413, 503, 504)})
async def upload(request: Request, image: Annotated[UploadFile, File()]) -> ImageEntry:
    """Upload a radiograph once, for several requests. It is held for a while, and can be dropped before."""
    desk = _desk(request)
    held = await desk.take_in(image.file)
    radiograph = held.radiograph
    height, width = radiograph.size
    return ImageEntry(
        id=held.identifier,
        kind=radiograph.kind,
        width=width,
        height=height,
        bit_depth=radiograph.bit_depth,
        notes=list(radiograph.notes),
        seconds=desk.settings.hold_seconds,
    )


@router.get("/images/{image_id}", response_class=Response, responses={404: _SENTENCES[404]})
async def preview(request: Request, image_id: str) -> Response:
    """Return a held radiograph as PNG of 8 bits, as it is read."""
    with _desk(request).images.use(image_id) as held:
        return Response(held.preview, media_type="image/png")


@router.delete("/images/{image_id}", status_code=204, responses={404: _SENTENCES[404]})
async def drop(request: Request, image_id: str) -> None:
    """Hold an upload no longer: its file is removed."""
    _desk(request).images.drop(image_id)


@router.post(
    "/guidance", response_model=EditAnswer, responses={code: _SENTENCES[code] for code in (404, 413, 503, 504)}
)
async def guidance(request: Request, form: Annotated[GuidanceForm, Form()]) -> Response:
    """Return the guidance map and mask of an edit, without making it: a small part of its cost."""
    desk = _desk(request)
    async with (
        desk.radiograph(_file_of(form.image), form.image_id) as radiograph,
        desk.keep_mask(_file_of(form.keep_mask), radiograph.size) as kept,
    ):
        answer = await desk.run(
            radiograph, lambda editor, stop: editor.guidance(radiograph, form.call(editor.model, kept))
        )
    if form.answer == "png":
        return _file(answer, OVERLAY, "image/png")
    return await asyncio.to_thread(_json, answer)


@router.post("/edit", response_model=EditAnswer, responses={code: _SENTENCES[code] for code in (404, 413, 503, 504)})
async def edit(request: Request, form: Annotated[EditForm, Form()]) -> Response:
    """Edit a radiograph. All results are synthetic, for research, and carry the record of how they were made."""
    desk = _desk(request)
    async with desk.radiograph(_file_of(form.image), form.image_id) as radiograph:
        if form.answer == "dicom" and radiograph.kind != DICOM:
            raise InputError(
                "`answer=dicom` requires a DICOM image: other files have no study that a result belongs to."
            )
        archive = form.archive(radiograph.kind == DICOM, desk.settings.pseudonym_key)
        async with desk.keep_mask(_file_of(form.keep_mask), radiograph.size) as kept:
            answer = await desk.run(
                radiograph, lambda editor, stop: editor.edit(radiograph, form.call(editor.model, kept), stop, archive)
            )
    await asyncio.to_thread(desk.keep, answer)
    if form.answer == "png":
        return _file(answer, f"{EDITED}.png", "image/png")
    if form.answer == "dicom":
        return _file(answer, f"{EDITED}.dcm", "application/dicom")
    if form.answer == "zip":
        return await asyncio.to_thread(_zip, answer)
    return await asyncio.to_thread(_json, answer)


def _file_of(upload: UploadFile | None) -> BinaryIO | None:
    return None if upload is None else upload.file


def _model_name(desk: Desk) -> str:
    """Return the model's name without the folders that it lies in."""
    model = desk.editors[0].model
    return model if model in BUNDLED_MODELS else model.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]


def _json(answer: Answer) -> JSONResponse:
    files = {name: base64.b64encode(data).decode() for name, data in answer.files.items()}
    return JSONResponse({"record": answer.record, "files": files}, headers=SYNTHETIC)


def _file(answer: Answer, name: str, media_type: str) -> Response:
    headers = {**SYNTHETIC, "Content-Disposition": f'attachment; filename="synthetic-{name}"'}
    return Response(answer.files[name], media_type=media_type, headers=headers)


def _zip(answer: Answer) -> Response:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in answer.files.items():
            archive.writestr(zipfile.ZipInfo(name, _FIRST_MOMENT), data)
    headers = {**SYNTHETIC, "Content-Disposition": 'attachment; filename="synthetic-edit.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=headers)
