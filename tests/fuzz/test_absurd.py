"""Absurd files and places: bombs, sizes beyond reason, one pixel, links, what is no file, what cannot be read."""

import gzip
import io
import os
import pickle
import struct
import zlib

import numpy as np
import pydicom
import pytest
from dicom_cases import write
from fuzz_child import RESULT
from fuzz_seeds import GREY, LUNG, nifti, seeds
from PIL import Image
from service_cases import huge_png

BOMB = 2**30  # bytes of zeros
BLOCK = bytes(2**20)


def packed(count: int = BOMB, head: bytes = b"") -> bytes:
    """Return `head` and that many zeros, compressed by zlib without a header.

    A block that is flushed wholly refers to nothing before it, so that one of them is compressed and repeated.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (count // len(BLOCK)) + packer.flush()


def gzip_bomb(head: bytes, count: int = BOMB) -> bytes:
    """Return `head` and that many zeros as a gzip file."""
    checksum = zlib.crc32(head)
    for _ in range(count // len(BLOCK)):
        checksum = zlib.crc32(BLOCK, checksum)
    return b"\x1f\x8b\x08" + bytes(7) + packed(count, head) + struct.pack("<II", checksum, len(head) + count)


def big_npy(shape: str, dtype: str = "<u2") -> bytes:
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG with a chunk behind its header."""
    data = seeds("read")["grey.png"]
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data[:33] + chunk + data[33:]


def changed(name: str, place: int, data: bytes) -> bytes:
    old = seeds("read")[name]
    return old[:place] + data + old[place + len(data) :]


def dicom_of(folder, **tags) -> bytes:
    return write(folder / "a.dcm", LUNG, 12, **tags).read_bytes()


def nested_bytes(folder, depth: int) -> bytes:
    """Return a DICOM file with sequences in sequences, of undefined length, before its pixels."""
    data = dicom_of(folder)
    item, end = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF), data.index(struct.pack("<HH", 0x7FE0, 0x0010))
    opening = struct.pack("<HH2sHI", 0x0054, 0x0220, b"SQ", 0, 0xFFFFFFFF) + item
    closing = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return data[:end] + opening * depth + closing * depth + data[end:]


def deflated_bomb(folder) -> bytes:
    data = dicom_of(folder)
    made = pydicom.dcmread(io.BytesIO(data))
    made.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    made.save_as(folder / "b.dcm")
    whole = (folder / "b.dcm").read_bytes()
    meta = made.file_meta.FileMetaInformationGroupLength
    return whole[: 132 + 12 + meta] + packed()


FILES = {
    "one pixel.png": lambda folder: encode(np.zeros((1, 1), np.uint8), "PNG"),
    "one pixel.tif": lambda folder: encode(np.ones((1, 1), np.uint16), "TIFF"),
    "one pixel.npy": lambda folder: npy(np.ones((1, 1))),
    "one pixel.dcm": lambda folder: write(folder / "a.dcm", np.ones((1, 1), np.uint16)).read_bytes(),
    "one pixel.nii": lambda folder: nifti(np.ones((1, 1), np.uint8), 2),
    "one row.png": lambda folder: encode(np.zeros((1, 5000), np.uint8), "PNG"),
    "nothing.png": lambda folder: b"",
    "nothing.dcm": lambda folder: b"",
    "nothing.nii.gz": lambda folder: b"",
    "30000 x 30000.png": lambda folder: huge_png(),
    "30000 x 30000.bmp": lambda folder: changed("grey.bmp", 18, struct.pack("<ii", 30000, 30000)),
    "30000 x 30000.pgm": lambda folder: b"P5\n30000 30000\n255\n" + bytes(100),
    "30000 x 30000.npy": lambda folder: big_npy("(30000, 30000)"),
    "30000 x 30000.nii": lambda folder: changed("grey.nii", 42, struct.pack("<2h", 30000, 30000)),
    "30000 x 30000.dcm": lambda folder: dicom_of(folder, Rows=30000, Columns=30000),
    "huge axis.npy": lambda folder: big_npy("(9223372036854775807, 1)"),
    "below nothing.npy": lambda folder: big_npy("(-1, 3)"),
    "objects.npy": lambda folder: npy(np.array([{"a": 1}], object)),
    "names.npy": lambda folder: npy(np.zeros((3, 3), "M8[s]")),
    "infinite.npy": lambda folder: npy(np.full((4, 4), np.inf)),
    "not a number.npy": lambda folder: npy(np.full((4, 4), np.nan)),
    "largest.npy": lambda folder: npy(np.full((4, 4), np.finfo(np.float64).max)),
    "not a number.nii": lambda folder: nifti(np.full((4, 4), np.nan, "<f4"), 16),
    "bomb.nii.gz": lambda folder: gzip_bomb(changed("grey.nii", 42, struct.pack("<2h", 30000, 30000))[:352]),
    "long axis.nii.gz": lambda folder: gzip_bomb(seeds("read")["grey.nii"][:352]),
    "text bomb.png": lambda folder: with_chunk(b"zTXt", b"Parameters\0\0" + zlib.compress(bytes(2**26), 9)),
    "profile bomb.png": lambda folder: with_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**26), 9)),
    "deflated bomb.dcm": deflated_bomb,
    "recursion.dcm": lambda folder: nested_bytes(folder, 3000),
    "long text.dcm": lambda folder: dicom_of(folder, PatientComments="a" * 10_000_000),
    "many windows.dcm": lambda folder: dicom_of(folder, WindowCenter=["5"] * 9000, WindowWidth=["7"] * 9000),
    "many frames.dcm": lambda folder: dicom_of(folder, NumberOfFrames=2_000_000_000),
    "shapes.dcm": lambda folder: dicom_of(folder, PixelSpacing=[1e-30, 1e30]),
    "png as dicom.dcm": lambda folder: seeds("read")["grey.png"],
    "dicom as png.png": lambda folder: dicom_of(folder),
    "zip.png": lambda folder: b"PK\x03\x04" + bytes(500),
    "pickle.npy": lambda folder: pickle.dumps({"a": os.system}),
    "xml.svg": lambda folder: b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><svg>&b;</svg>",
}  # fmt: skip


def encode(values, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def npy(values) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def test_bombs_are_whole_files():
    assert gzip.decompress(gzip_bomb(b"head", 2**21)) == b"head" + bytes(2**21)
    assert zlib.decompress(packed(2**21), -15) == bytes(2**21)


@pytest.mark.parametrize("name", FILES)
def test_absurd_files_give_a_result_or_one_sentence(child, tmp_path, name):
    data = FILES[name](tmp_path)
    for target in ("read", "verify", "mask"):
        before = child.answers[RESULT]
        said = child.give(target, name, data)
        assert said or child.answers[RESULT] == before + 1
        if target == "read" and name.startswith(("30000", "bomb", "nothing", "objects", "pickle")):
            assert said, "refused"


def test_a_sparse_array_of_30000_squared_is_refused(child, tmp_path):
    path = tmp_path / "sparse.npy"
    with path.open("wb") as file:
        file.write(big_npy("(30000, 30000)"))
        file.truncate(128 + 2 * 30000 * 30000)
    assert "pixels" in child.give("read", "", path)


@pytest.mark.parametrize("target", ["read", "verify", "mask", "manifest", "atlas", "certificates", "checkpoint"])
@pytest.mark.parametrize("place", ["folder", "loop", "dangling", "pipe", "device", "long", "nul", "no name"])
def test_places_that_hold_no_file_are_refused(child, tmp_path, place, target):
    path = tmp_path / "a.png"
    if place == "folder":
        path.mkdir()
    elif place == "loop":
        path.symlink_to(path)
    elif place == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif place == "pipe":
        os.mkfifo(path)
    else:
        path = {
            "device": tmp_path.__class__("/dev/zero"),
            "long": tmp_path / ("a" * 5000),
            "nul": tmp_path.__class__(f"{tmp_path}/a\0b"),
            "no name": tmp_path.__class__(f"{tmp_path}/\udcff\udcfe.png"),
        }[place]
    if target == "checkpoint" and place == "folder":
        pytest.skip("a folder is where a checkpoint can be")
    assert child.give(target, "", path)


def test_a_link_to_a_film_is_read(child, tmp_path):
    (tmp_path / "film.png").write_bytes(encode(GREY, "PNG"))
    (tmp_path / "link").symlink_to(tmp_path / "film.png")
    assert child.give("read", "", tmp_path / "link") == ""
