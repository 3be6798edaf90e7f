"""Write the results of an edit of a DICOM file as DICOM objects."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from x2x_core.common.storage import write_files
from x2x_core.imaging.dicom import read_stored
from x2x_core.imaging.provenance import SOFTWARE, Proof

from .capture_object import capture_object
from .derived_ids import derived_uid
from .guidance_objects import Identity, check_library, content_moment, map_object, mask_object
from .image_object import image_object
from .mark import burn_in
from .pixel_grid import to_file_grid
from .pixels import StoredEdit, store_edit
from .provenance_elements import MAKER, RECORD_FORMAT, Made, add_equipment, mark_synthetic, plain_text
from .settings import DicomSettings
from .source import Source, read_source

if TYPE_CHECKING:
    from PIL.Image import Image

EDITED, MASK, MAP, PANEL = "edited", "guidance_mask", "guidance_map", "panel"
FILES = tuple(f"{role}.dcm" for role in (EDITED, MASK, MAP, PANEL))
_FIRST_SERIES = 9001
_DESCRIPTIONS = {
    EDITED: "Synthetic: edit",
    MASK: "Synthetic: guidance mask",
    MAP: "Synthetic: guidance map",
    PANEL: "Synthetic: panel",
}


@dataclass(frozen=True, eq=False)
class Results:
    """An edit, as the pipeline returns it."""

    edited: torch.Tensor  # (1, C, H, W) float32 in [0, 1]
    guidance_map: torch.Tensor  # (1, 1, H, W) in [0, 1]
    guidance_mask: torch.Tensor  # (1, 1, H, W) bool
    panel: Image


def write_dicom(
    folder: Path, path: Path, results: Results, prompt: str, parameters: Mapping[str, Any], settings: DicomSettings
) -> list[Path]:
    """Write what `encode_dicom` encodes: all files, or none.

    Args:
        folder: an existing folder; files of these names are replaced.
        path: the DICOM file that was edited.
        results: the edit.
        prompt: the instruction.
        parameters: how the edit was made (settings, seed, hashes, versions), as JSON can hold it.
        settings: how it is written.

    Returns:
        The written files.

    Raises:
        InputError: results of another size than the file's radiograph, or a folder that cannot be written.
        MissingExtraError: a library is missing.
    """
    files = encode_dicom(path, results, prompt, parameters, settings)
    write_files(folder, files)
    return [folder / name for name in files]


def encode_dicom(
    path: Path, results: Results, prompt: str, parameters: Mapping[str, Any], settings: DicomSettings
) -> dict[str, bytes]:
    """Encode `FILES`: the edited image, the guidance mask and map, and the panel.

    The edited image is in the input's pixel grid, bit depth and grey scale; outside the mask its stored values are the
    input's bit for bit. Each object is new, in a series of its own, and says that it is synthetic and how it was made.
    Equal arguments give equal bytes.

    Args:
        path: the DICOM file that was edited.
        results: the edit.
        prompt: the instruction.
        parameters: how the edit was made (settings, seed, hashes, versions), as JSON can hold it.
        settings: how it is written.

    Returns:
        Name to content.

    Raises:
        InputError: results of another size than the file's radiograph.
        MissingExtraError: a library is missing.
    """
    check_library()
    edit = store_edit(read_stored(path), results.edited, results.guidance_mask)
    source = read_source(path, settings)
    guidance = to_file_grid(results.guidance_map[0, 0].float().numpy(), edit.picture)
    made_by = Made(prompt, parameters, settings.identifiers, _warning(edit))
    writer = _Writer(source, made_by, settings, _run(edit, guidance, source))
    image = _image(edit, writer)
    panel = np.asarray(results.panel.convert("RGB"))
    made = {
        MASK: mask_object(image, edit.mask, writer.identity(MASK)),
        MAP: map_object(image, guidance, writer.identity(MAP)),
        PANEL: capture_object(image, panel),
    }
    proofs = {
        MASK: Proof(edit.mask.astype(np.uint8)),
        MAP: Proof(made[MAP].pixel_array.astype("<f4").view("<i4")),
        PANEL: Proof(panel),
    }
    writer.identify(made[PANEL], PANEL)
    for role, dataset in made.items():
        mark_synthetic(dataset, writer.made, str(image.SOPClassUID), str(image.SOPInstanceUID))
        add_equipment(dataset, writer.made, writer.record(role, proofs[role]))
    return {f"{role}.dcm": _encode(dataset) for role, dataset in {EDITED: image, **made}.items()}


def _image(edit: StoredEdit, writer: _Writer) -> Any:
    """Return the complete data set of the edited image."""
    values, box = (edit.after, None) if not writer.settings.burn_in else burn_in(edit)
    image = image_object(edit, writer.source, values)
    if box is not None:
        image.BurnedInAnnotation = "YES"
    writer.identify(image, EDITED)
    reference_class = writer.source.sop_class or str(image.SOPClassUID)
    mark_synthetic(image, writer.made, reference_class, writer.source.reference)
    proof = Proof(values, edit.before, edit.mask if box is None else edit.mask | box)
    add_equipment(image, writer.made, writer.record(EDITED, proof))
    return image


def _warning(edit: StoredEdit) -> str:
    if edit.picture.is_grey:
        return ""
    return "The source's colours were decoded, and are written as such."


def _run(edit: StoredEdit, guidance: np.ndarray, source: Source) -> str:
    """Return the hash that tells this edit's pixels from those of any other."""
    digest = hashlib.sha256(source.sha256.encode())
    digest.update(np.ascontiguousarray(edit.after, "<i4").tobytes())
    digest.update(np.packbits(edit.mask).tobytes())
    digest.update(np.ascontiguousarray(guidance, "<f4").tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Writer:
    """Identity and record, which all objects of an edit share."""

    source: Source
    made: Made
    settings: DicomSettings
    run: str  # hash of the edit's pixels and input

    def uid(self, *parts: str) -> str:
        choices = json.dumps([asdict(self.settings), self.made.prompt, self.made.parameters], sort_keys=True)
        return derived_uid(*parts, self.run, choices)

    def identity(self, role: str) -> Identity:
        """Return the identifiers of one of the objects."""
        number = _FIRST_SERIES + list(_DESCRIPTIONS).index(role)
        own = self.settings.series_description
        description = _DESCRIPTIONS[role]
        if own is not None:
            description = own if role == EDITED else plain_text(f"{own}: {role.replace('_', ' ')}", 64)
        return Identity(self.uid("instance", role), self.uid("series", role), number, description)

    def identify(self, dataset: Any, role: str) -> None:
        """Set the identifiers of an image."""
        own = self.identity(role)
        dataset.SOPInstanceUID, dataset.SeriesInstanceUID = own.instance, own.series
        dataset.SeriesNumber, dataset.InstanceNumber, dataset.SeriesDescription = own.number, 1, own.description
        dataset.ContentDate, dataset.ContentTime = content_moment(dataset)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        if role == PANEL:
            dataset.Manufacturer = MAKER
        dataset.file_meta = _file_meta(dataset)

    def record(self, role: str, proof: Proof) -> dict[str, Any]:
        """Return what `x2x verify` reads from an object."""
        return {
            "format": RECORD_FORMAT,
            "software": SOFTWARE,
            "role": role,
            "parameters": dict(self.made.parameters),
            "identifiers": self.settings.identifiers,
            "burned_in": self.settings.burn_in and role == EDITED,
            "proof": proof.as_dict(),
        }


def _file_meta(dataset: Any) -> Any:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    made = FileMetaDataset()
    made.TransferSyntaxUID = ExplicitVRLittleEndian
    made.MediaStorageSOPClassUID = dataset.SOPClassUID
    made.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return made


def _encode(dataset: Any) -> bytes:
    from pydicom import dcmwrite

    encoded = io.BytesIO()
    dcmwrite(encoded, dataset, enforce_file_format=True)
    return encoded.getvalue()
