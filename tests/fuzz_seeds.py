"""Files to be mutated: one of each kind that is read, small and valid."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import torch
from archive_cases import COMPLETE, draw, write_pictures, write_results
from dicom_cases import IDENTITY, table, write
from PIL import Image
from pydicom import uid

from x2x_core.imaging.files import encode_png
from x2x_core.pseudomasks.files import AtlasContent, write_atlas_file

GREY = np.random.default_rng(5).integers(0, 256, (24, 20)).astype(np.uint8)
DEEP = np.random.default_rng(6).integers(0, 65536, (24, 20)).astype(np.uint16)
COLOUR = np.random.default_rng(7).integers(0, 256, (24, 20, 3)).astype(np.uint8)
LUNG = draw(12)
#: Parts of prompts.
WORDS = (
    "add", "remove", "the finding of", "left", "right", "upper", "effusion", "pleural", "edema", "mild", "severe", "no",
    "not", "except", "and", "or", ",", ".", ";", "(", ")", "->", "50 %", "change", "from", "to", "bilateral", "?", "!",
    "Füge", "hinzu", "links", "ajouter", "à gauche", "左", "胸水", "을", "추가", "\n", "\t", "\u200b", "\u202e", "\0",
)  # fmt: skip


def _saved(values, kind: str, mode: str | None = None, **options) -> bytes:
    picture = Image.fromarray(values)
    file = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(file, kind, **options)
    return file.getvalue()


def _npy(values) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def nifti(values: np.ndarray, code: int, version: int = 1) -> bytes:
    """Return a NIfTI file of one slice."""
    size = 348 if version == 1 else 540
    head = bytearray(size)
    height, width = values.shape
    if version == 1:
        struct.pack_into("<i", head, 0, size)
        struct.pack_into("<8h", head, 40, 2, width, height, 1, 1, 1, 1, 1)
        struct.pack_into("<h", head, 70, code)
        struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
        struct.pack_into("<f", head, 108, size + 4)
        head[344:348] = b"n+1\0"
    else:
        struct.pack_into("<i", head, 0, size)
        head[4:8] = b"n+2\0"
        struct.pack_into("<h", head, 12, code)
        struct.pack_into("<8q", head, 16, 2, width, height, 1, 1, 1, 1, 1)
        struct.pack_into("<8d", head, 104, 1, 1, 1, 1, 1, 1, 1, 1)
        struct.pack_into("<q", head, 168, size + 4)
    return bytes(head) + bytes(4) + values.tobytes()


def _pictures() -> dict[str, bytes]:
    return {
        "grey.png": encode_png(GREY),
        "deep.png": encode_png(DEEP, {"Title": "a", "Parameters": "{}"}),
        "deep-colour.png": encode_png(np.stack([DEEP] * 3, -1) // np.uint16(2)),
        "palette.png": _saved(COLOUR, "PNG", "P"),
        "bits.png": _saved(GREY, "PNG", "1"),
        "alpha.png": _saved(COLOUR, "PNG", "RGBA"),
        "grey.jpg": _saved(GREY, "JPEG"),
        "colour.jpeg": _saved(COLOUR, "JPEG", progressive=True),
        "cmyk.jpg": _saved(COLOUR, "JPEG", "CMYK"),
        "grey.tif": _saved(GREY, "TIFF"),
        "deep.tiff": _saved(DEEP, "TIFF", compression="tiff_deflate"),
        "lzw.tif": _saved(COLOUR, "TIFF", compression="tiff_lzw"),
        "packed.tif": _saved(GREY, "TIFF", "1", compression="group4"),
        "grey.bmp": _saved(GREY, "BMP"),
        "colour.webp": _saved(COLOUR, "WEBP"),
        "lossless.webp": _saved(COLOUR, "WEBP", lossless=True),
        "grey.pgm": _saved(GREY, "PPM"),
        "deep.pgm": b"P5\n20 24\n4095\n" + (DEEP // 16).astype(">u2").tobytes(),
        "text.ppm": b"P3 # words\n2 1\n300\n1 2 3 300 5 6\n",
        "grey.jp2": _saved(GREY, "JPEG2000"),
        "deep.j2k": _saved(DEEP, "JPEG2000", no_jp2=True),
        "grey.npy": _npy(GREY),
        "float.npy": _npy((GREY / 255).astype(np.float32)),
        "fortran.npy": _npy(np.asfortranarray(DEEP)),
        "objects.npy": _npy(np.array([[1, "a"]], object)),
        "grey.nii": nifti(GREY, 2),
        "float.nii": nifti(np.where(GREY > 200, np.nan, GREY).astype("<f4"), 16),
        "two.nii": nifti(DEEP.astype("<i4"), 8, version=2),
        "packed.nii.gz": gzip.compress(nifti(DEEP.astype("<u2"), 512), mtime=0),
    }


def _dicom_files() -> dict[str, bytes]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dcm"
        window = {"WindowCenter": 2000, "WindowWidth": 3000}
        for name, syntax in {
            "explicit": uid.ExplicitVRLittleEndian,
            "implicit": uid.ImplicitVRLittleEndian,
            "big": uid.ExplicitVRBigEndian,
            "rle": uid.RLELossless,
        }.items():
            found[f"{name}.dcm"] = write(path, LUNG, 12, syntax, **window).read_bytes()
        write(path, LUNG, 12, **{**COMPLETE, **IDENTITY})
        found["complete.dcm"] = path.read_bytes()
        for name, syntax in {"jpegls": uid.JPEGLSLossless, "jpeg2000": uid.JPEG2000Lossless}.items():
            made = pydicom.dcmread(write(path, draw(12, shape=(72, 64)), 12))  # OpenJPEG writes no smaller ones
            made.compress(syntax)
            made.save_as(Path(folder) / "b.dcm")
            found[f"{name}.dcm"] = (Path(folder) / "b.dcm").read_bytes()
        made = pydicom.dcmread(write(path, LUNG, 12))
        made.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
        made.save_as(Path(folder) / "b.dcm")
        found["deflated.dcm"] = (Path(folder) / "b.dcm").read_bytes()
        found["signed.dcm"] = write(path, draw(12, signed=True), 12).read_bytes()
        steps = table(range(4096), kind="OW", bits=12)
        found["tables.dcm"] = write(path, LUNG, 12, VOILUTSequence=[steps], ModalityLUTSequence=[steps]).read_bytes()
        found["colour.dcm"] = write(path, COLOUR).read_bytes()
        found["lossless-jpeg.dcm"] = lossless_jpeg(Path(folder))
        found["bare"] = found["implicit.dcm"][132:]
    return found


def lossless_jpeg(folder: Path) -> bytes:
    """Return a DICOM file in lossless JPEG, which GDCM alone decodes here."""
    import gdcm

    source, target = folder / "plain.dcm", folder / "lossless.dcm"
    write(source, LUNG, 12)
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(source))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(target))
    assert writer.Write()
    return target.read_bytes()


def _results() -> dict[str, bytes]:
    """Return files that this program writes, a signed one among them."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        _, edited = write_pictures(Path(folder))
        found["edited.png"] = edited.read_bytes()
        path = write(Path(folder) / "a.dcm", LUNG, 12, **{**IDENTITY, **COMPLETE})
        write_results(Path(folder) / "out", path)
        for name in ("edited.dcm", "guidance_mask.dcm", "panel.dcm"):
            found[name] = (Path(folder) / "out" / name).read_bytes()
        found |= _signed(edited, Path(folder))
    return found


def _signed(edited: Path, folder: Path) -> dict[str, bytes]:
    try:
        import c2pa  # noqa: F401
    except ImportError:
        return {}
    from signing_cases import write_chain

    from x2x_core.archive.credentials.key import SigningFiles
    from x2x_core.archive.credentials.signing import Signer
    from x2x_core.archive.signed_copy import sign_copy

    chain = write_chain(folder / "chain")
    signer = Signer.load(SigningFiles(chain.key, chain.certificate))
    assert signer is not None
    return {f"signed.{kind}": sign_copy(edited, f"signed.{kind}", signer) for kind in ("png", "jpg", "tif")}


def _others() -> dict[str, dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "atlas.safetensors"
        masks = {"Edema": torch.rand(8, 8, generator=torch.Generator().manual_seed(0))}
        write_atlas_file(path, AtlasContent(masks=masks, metadata={"a": 1}))
        atlas = path.read_bytes()
    manifest = b'image,prompt,seed,steps\na.png,Add the finding of edema.,1,4\n"b,c.png",Remove the edema.,,\n'
    manifests = {"m.csv": manifest, "m.csv.gz": gzip.compress(manifest, mtime=0)}
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        pass
    else:
        file = io.BytesIO()
        parquet.write_table(pyarrow.table({"image": ["a.png", None], "seed": [1, 2], "prompt": ["x", "y"]}), file)
        manifests["m.parquet"] = file.getvalue()
    return {"atlas": {"atlas.safetensors": atlas, "mask_Edema.npy": _npy(GREY)}, "manifest": manifests}


def with_right_sums(data: bytes) -> bytes:
    """Return a PNG whose chunks have right check sums, so that their content is looked at."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    made, place = bytearray(data[:8]), 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        body = data[place + 4 : place + 8 + length]
        made += data[place : place + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        place += 12 + length
    return bytes(made)


@cache
def seeds(target: str) -> dict[str, bytes]:
    """Return name and content of the files for a target of `fuzz_child.TARGETS`."""
    if target in ("atlas", "manifest"):
        return _others()[target]
    if target == "verify":
        return _results()
    if target == "dicom edit":
        return {name: data for name, data in _dicom_files().items() if name in ("complete.dcm", "tables.dcm")}
    if target == "certificates":
        return _certificates()
    return {**_pictures(), **_dicom_files()}


def _certificates() -> dict[str, bytes]:
    from signing_cases import write_chain

    with tempfile.TemporaryDirectory() as folder:
        chain = write_chain(Path(folder))
        return {"both.pem": chain.key.read_bytes() + chain.certificate.read_bytes()}
