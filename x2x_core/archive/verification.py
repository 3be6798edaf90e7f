"""Verification of results: what a file's record says, and whether its pixels still agree with it.

Without a content credential a record is not signed: it shows what a file says of itself, and finds changes that were
not made on purpose. Whoever changes the pixels can write a record that agrees with them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x2x_core.common.errors import InputError, InputNotFoundError, MissingExtraError
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.dicom import read_stored
from x2x_core.imaging.dicom_deflation import check_deflation
from x2x_core.imaging.files import read_image, to_values
from x2x_core.imaging.fingerprint import pixel_digest, unpack_mask
from x2x_core.imaging.kinds import is_dicom
from x2x_core.imaging.provenance import is_record_intact, read_proof, read_provenance, sha256_file

from .credentials.media import JPEG, PNG, media_type_of
from .credentials.reading import CredentialCheck, check_credentials, read_trusted
from .pixels import before_values
from .provenance_elements import MAKER, RECORD_FORMAT, changed_elements, is_intact, read_record

_INSTANCE = "SOPInstanceUID"
UNSIGNED = "The record is not signed: it shows what the file says of itself, not who made it."
PROVEN = (
    "A valid credential shows that the holder of the key made these statements and that the file is the one that was "
    "signed. It does not show that the statements are true, nor, without a time stamp, when they were made."
)
UNCHECKED = (
    "The file holds content credentials, which were not checked: that needs c2pa-python (`pip install "
    "'instructx2x[sign]'`)."
)
LOSSY = "It is encoded with loss: its pixels are not those of the result that it was made from."
NO_RECORD = (
    "The file has no record of InstructX2X. Either this program did not make it, or the record was lost: by saving in "
    "another format, by a messenger or a website, by a screenshot, or by removing metadata. Which, cannot be known."
)


@dataclass(frozen=True)
class OriginalCheck:
    """A result compared with the file that is said to be its input."""

    is_input: bool  # the file's SHA-256 is the recorded one
    has_input_pixels: bool | None  # its pixels have the recorded digest; None: no digest was recorded
    changed_inside: int | None  # pixels in the mask that differ; None: the two cannot be compared
    changed_outside: int | None  # pixels outside the mask that differ
    remark: str = ""

    @property
    def agrees(self) -> bool:
        """Return True if it is the recorded input, by file or pixels, and nothing outside the mask differs.

        A map, mask or panel has no pixels to compare: the file alone decides.
        """
        if self.has_input_pixels is None:
            return self.is_input
        return (self.is_input or self.has_input_pixels) and self.changed_outside == 0


@dataclass(frozen=True)
class Verification:
    """Findings about a file."""

    is_made_here: bool  # it has a record of this program
    software: str
    parameters: dict[str, Any]  # instruction, settings, seed, hashes, versions
    is_unaltered: bool | None  # the pixels have the recorded digest; None: no digest was recorded
    original: OriginalCheck | None
    remarks: tuple[str, ...]
    is_record_intact: bool | None = None  # the record has the digest that it holds of itself; None: it holds none
    changed_elements: tuple[str, ...] = ()  # recorded elements of a DICOM file that changed
    credential: CredentialCheck | None = None  # None: the file has none, or it was not checked
    needs_trust: bool = False  # trusted certificates were given

    @property
    def holds(self) -> bool:
        """Return True if the record is there and intact, and pixels, elements and a given original agree with it.

        A new SOP instance UID alone is no disagreement: compression and de-identification give one. A credential must
        be valid where there is one, and where trusted certificates were given, there must be one that leads to them.
        """
        signed = self.credential
        if (signed is not None and not signed.is_valid) or (self.needs_trust and not (signed and signed.is_trusted)):
            return False
        is_intact = self.is_unaltered and self.is_record_intact is not False
        if not self.is_made_here or not is_intact or set(self.changed_elements) - {_INSTANCE}:
            return False
        return self.original is None or self.original.agrees

    def as_dict(self) -> dict[str, Any]:
        """Return the findings as JSON can hold them."""
        return {
            "made_by_instructx2x": self.is_made_here,
            "software": self.software,
            "parameters": self.parameters,
            "unaltered": self.is_unaltered,
            "record_intact": self.is_record_intact,
            "changed_elements": list(self.changed_elements),
            "credential": None if self.credential is None else self.credential.as_dict(),
            "original": None if self.original is None else vars(self.original),
            "remarks": list(self.remarks),
            "holds": self.holds,
        }


@dataclass(frozen=True, eq=False)
class _File:
    """A file to verify."""

    values: np.ndarray  # its pixels, in the numbers that the digest is of
    software: str
    parameters: dict[str, Any]
    proof: dict[str, str]
    is_dicom: bool
    remarks: tuple[str, ...] = ()
    is_record_intact: bool | None = None
    changed_elements: tuple[str, ...] = ()
    credential: CredentialCheck | None = None


def verify(path: str | Path, original: str | Path | None = None, trust: str | Path | None = None) -> Verification:
    """Verify a result of this program by its own record, and by its original if that is at hand.

    Args:
        path: a PNG or DICOM file, or a JPEG or TIFF file with a content credential, of any name.
        original: the file that it is said to be an edit of.
        trust: PEM file of trusted certificates, to which that of a credential must lead.

    Raises:
        InputNotFoundError: no such file.
        InputError: a damaged file or record, or an original of another kind than a picture.
        MissingExtraError: a DICOM file, and pydicom is not installed, or trusted certificates, and c2pa-python is not.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise InputNotFoundError(f"There is no file `{path}` to verify.")
    trusted = None if trust is None else read_trusted(Path(trust))
    file, credential = _read(path, trusted)
    if file is None or not file.software.startswith(MAKER):
        nothing = Verification(False, "", {}, None, None, (NO_RECORD, *(file.remarks if file else ())))
        return replace(nothing, credential=credential, needs_trust=trusted is not None)
    recorded = file.proof.get("pixels_sha256")
    if recorded is None:
        unaltered = True if credential is not None and credential.is_valid else None
    else:
        unaltered = pixel_digest(file.values) == recorded
    remarks = [UNSIGNED if credential is None else PROVEN, *file.remarks]
    if unaltered is None:
        remarks.append("The record has no digest of the pixels: whether they were altered cannot be known.")
    elif not unaltered:
        remarks.append(
            "The pixels are not those that were written: they were edited or encoded with loss; which, cannot be known."
        )
    if file.is_record_intact is None and credential is None:
        remarks.append("The record has no digest of itself: whether its words were altered cannot be known.")
    if _INSTANCE in file.changed_elements:
        remarks.append("It is a new instance of what was written, as compression or de-identification make one.")
    compared = None if original is None else _compare(file, Path(original))
    return Verification(
        True,
        file.software,
        file.parameters,
        unaltered,
        compared,
        tuple(remarks),
        file.is_record_intact,
        file.changed_elements,
        credential,
        trusted is not None,
    )


def _read(path: Path, trusted: str | None) -> tuple[_File | None, CredentialCheck | None]:
    """Read pixels, record and credential; no file for one of a kind that this program does not write."""
    if is_dicom(path):
        return _read_dicom(path), None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"`{path}` must be a file that can be read, but is not: {error.strerror}.") from error
    remarks: tuple[str, ...] = ()
    try:
        credential = check_credentials(data, trusted)
    except MissingExtraError:
        if trusted is not None:
            raise
        credential, remarks = None, (UNCHECKED,)
    if media_type_of(data) == PNG:
        file: _File | None = _read_png(path, data)
    else:
        file = _read_signed(path, data, credential)
    return (None if file is None else replace(file, remarks=(*file.remarks, *remarks))), credential


def _read_signed(path: Path, data: bytes, credential: CredentialCheck | None) -> _File | None:
    """Read a JPEG or TIFF file, whose record is in its credential; `None` without one."""
    if credential is None or credential.record is None:
        return None
    software, parameters, proof = (credential.record.get(name) for name in ("software", "parameters", "proof"))
    return _File(
        _decoded(path, data),
        str(software),
        parameters if isinstance(parameters, dict) else {},
        {str(name): str(value) for name, value in proof.items()} if isinstance(proof, dict) else {},
        False,
        (LOSSY,) if media_type_of(data) == JPEG else (),
    )


def _decoded(path: Path, data: bytes) -> np.ndarray:
    """Decode a picture to `(H, W)` or `(H, W, 3)` integers."""
    log = cv2.utils.logging
    level = log.setLogLevel(log.LOG_LEVEL_ERROR)  # OpenCV warns of the TIFF tag that holds the credential
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    finally:
        log.setLogLevel(level)
    if values is None:
        raise InputError(f"`{path}` must be an intact picture, but its pixels cannot be decoded.")
    return values if values.ndim == 2 else np.ascontiguousarray(values[..., 2::-1])


def _read_png(path: Path, data: bytes) -> _File:
    said = read_provenance(path)
    values = _decoded(path, data)
    parameters = said["parameters"] if isinstance(said["parameters"], dict) else {}
    software = said["software"] if said["synthetic"] else ""
    return _File(values, software, parameters, read_proof(path), False, is_record_intact=is_record_intact(path))


def _read_dicom(path: Path) -> _File:
    with needs_extra("Reading DICOM", "pydicom", "dicom"):
        import pydicom
    try:
        check_deflation(path)
    except InputError as error:
        raise InputError(f"`{path}` {error}.") from error
    except Exception as error:  # as below
        raise _damaged(path, error) from error
    try:
        dataset = pydicom.dcmread(path, force=True)
        record = read_record(dataset)
        if record is None:
            marked = str(dataset.get("SyntheticData", "")) == "YES"
            said = ("It says of itself that it is synthetic.",) if marked else ()
            return _File(np.zeros((0, 0), np.int32), "", {}, {}, True, said)
        values = _stored(dataset, str(record.get("role")), path)
        remarks, changed = _dicom_remarks(dataset, record), tuple(changed_elements(dataset, record))
    except InputError:
        raise
    except Exception as error:  # pydicom raises errors of many types, whose messages may quote the patient's data
        raise _damaged(path, error) from error
    if is_intact(record) and record.get("format") != RECORD_FORMAT:
        raise InputError(
            f"`{path}` must have a record of format {RECORD_FORMAT}, which this version reads, got "
            f"{record.get('format')!r}. Verify it with the version that wrote it, or a newer one."
        )
    parameters, proof = record.get("parameters"), record.get("proof")
    return _File(
        values,
        str(record.get("software", "")),
        parameters if isinstance(parameters, dict) else {},
        {str(key): str(value) for key, value in proof.items()} if isinstance(proof, dict) else {},
        True,
        tuple(remarks),
        is_intact(record),
        changed,
    )


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"`{path}` must be an intact DICOM file, but cannot be read ({type(error).__name__}).")


def _dicom_remarks(dataset: Any, record: dict[str, Any]) -> list[str]:
    """Return what limits or explains the findings about a DICOM result."""
    remarks = []
    if record.get("identifiers") != "keep":
        remarks.append("Identifiers of the input were left out or replaced when it was made.")
    if record.get("burned_in"):
        remarks.append("The synthetic mark is burnt into its pixels; its box counts as part of the mask.")
    if str(dataset.get("LossyImageCompression", "00")) == "01":
        remarks.append("It was compressed with loss at some time, perhaps already before the edit.")
    return remarks


def _stored(dataset: Any, role: str, path: Path) -> np.ndarray:
    """Return the numbers that the digest is of."""
    if role == "edited":
        return before_values(read_stored(path))
    values = dataset.pixel_array
    return values.astype("<f4").view("<i4") if role == "guidance_map" else values


def _compare(file: _File, path: Path) -> OriginalCheck:
    """Compare a result with its original."""
    if not os.path.isfile(path):
        raise InputNotFoundError(f"There is no file `{path}` to compare with. Give the path of the original.")
    recorded = file.parameters.get("input", {})
    is_input = isinstance(recorded, dict) and recorded.get("sha256") == sha256_file(path)
    digest, packed = file.proof.get("original_pixels_sha256"), file.proof.get("guidance_mask")
    if digest is None or packed is None:
        return OriginalCheck(is_input, None, None, None, "Only edited images can be compared, not maps and panels.")
    before = _original_values(file, path)
    same_pixels = pixel_digest(before) == digest
    mask = unpack_mask(packed)
    if before.shape != file.values.shape or mask.shape != before.shape[:2]:
        return OriginalCheck(is_input, same_pixels, None, None, "The two have different sizes, or one is in colour.")
    differs = before.astype(np.int64) != file.values.astype(np.int64)
    differs = differs.any(-1) if differs.ndim == 3 else differs
    return OriginalCheck(is_input, same_pixels, int((differs & mask).sum()), int((differs & ~mask).sum()))


def _original_values(file: _File, path: Path) -> np.ndarray:
    """Return an original's pixels in the numbers of the result: stored values for DICOM, grey levels for PNG."""
    if not file.is_dicom:
        depth = 16 if file.values.dtype == np.uint16 else 8
        return to_values(read_image(path).pixels, depth)
    if not is_dicom(path):
        raise InputError(f"`original` must be a DICOM file, as the result is, got `{path}`.")
    return before_values(read_stored(path))


def summary(found: Verification) -> list[str]:
    """Return the findings as sentences."""
    lines = []
    if found.is_made_here:
        lines.append(f"Made by {found.software}, as its record says.")
        lines += _said(found.parameters)
        if found.is_unaltered is not None:
            lines.append(f"Pixels since then: {'unaltered' if found.is_unaltered else 'ALTERED'}.")
        if found.is_record_intact is not None:
            lines.append(f"Record since then: {'unaltered' if found.is_record_intact else 'ALTERED'}.")
        if found.changed_elements:
            lines.append(f"Elements since then: {', '.join(found.changed_elements)} CHANGED.")
    lines += _signed(found)
    if (check := found.original) is not None:
        lines.append(f"Original: {_original_sentence(check)}")
        if check.changed_outside is not None:
            outside = f"{check.changed_outside} pixels DIFFER" if check.changed_outside else "identical to the original"
            lines.append(f"Outside the mask: {outside}. Inside: {check.changed_inside} pixels changed.")
        if check.remark:
            lines.append(check.remark)
    return ["".join(letter if letter.isprintable() else " " for letter in line) for line in (*lines, *found.remarks)]


def _signed(found: Verification) -> list[str]:
    """Return what the credential shows, in sentences."""
    check = found.credential
    if check is None:
        return (
            ["Content credential: NONE, so that nothing leads to a trusted certificate."] if found.needs_trust else []
        )
    signer = check.signer or "an unnamed signer"
    if not check.is_valid:
        return [f"Content credential: NOT VALID: {'; '.join(check.problems) or 'the reason is not known'}."]
    when = f" at {check.signed_at}" if check.signed_at else ""
    lines = [f"Content credential: valid, signed by {signer}{when}."]
    if check.is_trusted:
        lines.append("Certificate: leads to a trusted one.")
    elif check.is_trusted is False:
        lines.append("Certificate: leads to NO TRUSTED one. Anyone can make a certificate with any name.")
    else:
        lines.append(
            "Certificate: not checked. Anyone can make one with any name: give trusted certificates with --trust."
        )
    if check.source_type:
        lines.append(f"Stated source: {check.source_type}, made from {', '.join(check.inputs) or 'nothing named'}.")
    return lines


def _original_sentence(check: OriginalCheck) -> str:
    if check.is_input:
        return "the recorded input (same SHA-256)."
    if check.has_input_pixels:
        return "another file than the recorded input, with the same pixels."
    return "NOT the recorded input."


def _said(parameters: dict[str, Any]) -> list[str]:
    lines = []
    if "prompt" in parameters:
        lines.append(f"Instruction: {parameters['prompt']}")
    given = parameters.get("input")
    if isinstance(given, dict) and given.get("sha256"):
        lines.append(f"Input: SHA-256 {given['sha256']}")
    if "model" in parameters:
        lines.append(f"Model: {parameters['model']}, weights' SHA-256 {parameters.get('weights_sha256') or 'unknown'}")
    kept = parameters.get("keep_mask")
    if isinstance(kept, dict) and kept.get("sha256"):
        lines.append(f"Keep mask: SHA-256 {kept['sha256']}")
    if parameters.get("pseudomasks_sha256"):
        lines.append(f"Pseudomasks: SHA-256 of their maps {parameters['pseudomasks_sha256']}")
    for name in ("seed", "settings"):
        if name in parameters:
            lines.append(f"{name.capitalize()}: {json.dumps(parameters[name], ensure_ascii=False)}")
    return lines
