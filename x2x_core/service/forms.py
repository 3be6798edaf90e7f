"""Requests and answers of the API, as the OpenAPI description names them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from x2x_core.archive.edit_record import EditCall
from x2x_core.archive.keep_mask import KeepMaskFile
from x2x_core.archive.settings import IDENTIFIERS, DicomSettings
from x2x_core.common.errors import InputError
from x2x_core.edit.presets import PRESETS
from x2x_core.edit.settings import COMPOSITIONS
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction

LONGEST_PROMPT = 2000
MOST_STEPS = 200
MOST_CLAUSES = 8
_LARGEST_SEED = 2**63 - 1

Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT, description="The instruction, in words.")]
Strict = Annotated[bool, Field(description="Refuse a side, zone, level or verb that is not understood.")]


class _Request(BaseModel):
    """A request; names that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


class ClauseForm(_Request):
    """One operation on one finding."""

    operation: Annotated[str, Field(description="add, remove or change.")]
    finding: str
    side: Annotated[str | None, Field(description="The patient's side.")] = None
    zone: str | None = None
    level: Annotated[str | None, Field(description="The level after the edit, or the present one of a removal.")] = None
    level_from: Annotated[str | None, Field(description="The level before a change.")] = None

    def clause(self) -> Clause:
        """Return the clause.

        Raises:
            InputError: an unknown word, or a change without a level.
        """
        return Clause(**self.model_dump())


class ExplainForm(_Request):
    """An instruction: in words, or as clauses."""

    prompt: Annotated[str | None, Field(max_length=LONGEST_PROMPT, description="In words.")] = None
    clauses: Annotated[
        list[ClauseForm] | None,
        Field(
            max_length=MOST_CLAUSES,
            description="Instead of words: operation, finding, side, zone, level and level_from of each.",
        ),
    ] = None
    strict: Strict = True

    def instruction(self) -> Instruction:
        """Return the instruction.

        Raises:
            InputError: one that can't be used, or not exactly one of the two forms.
        """
        if (self.prompt is None) == (self.clauses is None):
            raise InputError("`prompt` or `clauses` must be given, and not both.")
        if self.prompt is not None:
            return Instruction.parse(self.prompt, strict=self.strict)
        written = Instruction(tuple(form.clause() for form in self.clauses or ()))
        return Instruction.parse(str(written), strict=self.strict)


class _PictureForm(_Request):
    """A picture and an instruction."""

    image: Annotated[UploadFile | None, Field(description="The radiograph: a PNG, JPEG, TIFF or DICOM file.")] = None
    image_id: Annotated[str | None, Field(max_length=64, description="Of an upload to /api/images, instead.")] = None
    keep_mask: Annotated[
        UploadFile | None,
        Field(description="A picture of the radiograph's size; what is not black in it stays as it is."),
    ] = None
    prompt: Prompt
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED, description="The same seed gives the same bytes.")] = 0
    strict: Strict = True
    preset: Annotated[str | None, Field(description=f"Speed against fidelity: {', '.join(PRESETS)}.")] = None
    mask_threshold: Annotated[float | None, Field(description="Where the map exceeds it, pixels may change.")] = None
    num_inference_steps: Annotated[int | None, Field(ge=1, le=MOST_STEPS, description="Denoising steps.")] = None
    edit_strength: Annotated[float | None, Field(description="Opacity of the edit over the input, 0 to 1.")] = None
    guidance_scale: Annotated[float | None, Field(description="Weight of the instruction.")] = None
    image_guidance_scale: Annotated[float | None, Field(description="Weight of the input image.")] = None
    composition: Annotated[str | None, Field(description=f"One of {', '.join(COMPOSITIONS)}.")] = None

    def call(self, model: str, keep_mask: KeepMaskFile | None = None) -> EditCall:
        """Return the arguments of the edit; those that are not given are the model's."""
        arguments: dict[str, Any] = {name: getattr(self, name) for name in _SETTINGS}
        given = {name: value for name, value in arguments.items() if value is not None}
        given |= {} if self.strict else {"strict": False}
        return EditCall(self.prompt, self.seed, model, given, keep_mask)


class GuidanceForm(_PictureForm):
    """A picture and an instruction."""

    answer: Annotated[
        Literal["json", "png"],
        Field(description="json: the record and the files in base64; png: the map in colours over the radiograph."),
    ] = "json"


class EditForm(_PictureForm):
    """A picture and an instruction."""

    identifiers: Annotated[
        str,
        Field(
            description=f"Identifiers and dates in DICOM results: one of {', '.join(IDENTIFIERS)}. keep is for storing "
            "the result beside its input; replace requires a secret of the service's."
        ),
    ] = IDENTIFIERS[0]
    new_study: Annotated[bool, Field(description="With identifiers=keep: write to a study of its own.")] = False
    burn_in: Annotated[bool, Field(description="Write the synthetic mark into the pixels of the DICOM result.")] = False
    series_description: Annotated[
        str | None, Field(max_length=64, description="Series description of the DICOM result.")
    ] = None
    answer: Annotated[
        Literal["json", "png", "dicom", "zip"],
        Field(
            description="json: the record and the files in base64; png: the edit; dicom: the edit of a DICOM file; "
            "zip: all files of x2x edit."
        ),
    ] = "json"

    def archive(self, is_dicom: bool, key: str) -> DicomSettings | None:
        """Return how DICOM results are written, ``None`` for another input.

        Args:
            is_dicom: the input is a DICOM file.
            key: secret of pseudonyms; "" if the service has none.

        Raises:
            InputError: a choice that cannot be used, or is for DICOM inputs alone.
        """
        choices = {name: getattr(self, name) for name in _DICOM}
        if is_dicom:
            return DicomSettings(**choices, key=key)
        for name, value in choices.items():
            if value != type(self).model_fields[name].default:
                raise InputError(f"`{name}` is for DICOM images, whose results are DICOM too: leave it out.")
        return None


_DICOM = ("identifiers", "new_study", "burn_in", "series_description")
_SETTINGS = (
    "preset", "mask_threshold", "num_inference_steps", "edit_strength", "guidance_scale", "image_guidance_scale",
    "composition",
)  # fmt: skip


class Health(BaseModel):
    """State of the service."""

    status: Literal["ok"] = "ok"
    version: str
    model: str
    token_required: bool
    workers: int
    running: int
    waiting: Annotated[int, Field(description="Requests in line, with those that run.")]
    places: Annotated[int, Field(description="Requests that may be in line at one time.")]
    max_bytes: int
    max_pixels: int


class FindingEntry(BaseModel):
    """A finding of the vocabulary."""

    name: str
    lateral: Annotated[bool, Field(description="It has a side.")]
    trained: Annotated[bool | None, Field(description="The model was trained on it; null: not known.")]


class Vocabulary(BaseModel):
    """The words of the instruction language, and the presets of an edit."""

    operations: list[str]
    findings: list[FindingEntry]
    sides: list[str]
    zones: list[str]
    levels: list[str]
    presets: list[str]


class ImageEntry(BaseModel):
    """A held upload."""

    id: str
    kind: str
    width: int
    height: int
    bit_depth: int
    notes: list[str]
    seconds: Annotated[float, Field(description="It is held for so long after its last use.")]


class ExplainAnswer(BaseModel):
    """Reading of an instruction."""

    canonical: Annotated[str, Field(description="The sentences that the model is given.")]
    lines: Annotated[list[str], Field(description="The explanation, for people.")]
    explained: dict[str, Any]
    instruction: dict[str, Any]


class EditAnswer(BaseModel):
    """A result in JSON."""

    record: dict[str, Any]
    files: Annotated[dict[str, str], Field(description="Name to content in base64.")]


class ErrorAnswer(BaseModel):
    """Error, in one sentence."""

    error: str
