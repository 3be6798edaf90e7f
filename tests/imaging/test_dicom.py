"""DICOM files as radiographs: what comes out of each way of writing one, what is refused, and that nobody is named."""

import json
import logging
import subprocess
import sys

import numpy as np
import pydicom
import pytest
import torch
from dicom_cases import IDENTITY, table, write
from pydicom import uid

from x2x_core.imaging.dicom import LARGEST, TAGS, read_dicom
from x2x_core.imaging.files import read_image, to_values, write_png

NATIVE = [
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
]
# 8, 12 and 16 bits with their least and greatest values, so that a range without a window is the whole depth.
DEPTHS = {8: np.uint8, 12: np.uint16, 16: np.uint16}


def draw(bits, shape=(5, 7), seed=0):
    values = np.random.default_rng(seed).integers(0, 2**bits, shape).astype(DEPTHS[bits])
    values[0, 0], values[0, 1] = 0, 2**bits - 1
    return values


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize("syntax", [*NATIVE, uid.RLELossless])
def test_every_depth_comes_out_of_every_way_of_writing(tmp_path, bits, syntax):
    values = draw(bits)
    found = read_image(write(tmp_path / "a.dcm", values, bits, syntax))
    assert (found.bit_depth, found.size, found.mode, found.kind) == (
        8 if bits == 8 else 16,
        (5, 7),
        "MONOCHROME2",
        "DICOM",
    )
    assert found.pixels.shape == (1, 1, 5, 7) and found.pixels.dtype == torch.float32
    expected = values / (2**bits - 1)
    assert np.abs(found.pixels[0, 0].numpy() - expected).max() < 1 / 2 ** (found.bit_depth + 1) + 1e-7
    if bits != 12:
        assert np.array_equal(to_values(found.pixels, bits), values)


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless])
@pytest.mark.parametrize("bits", DEPTHS)
def test_compressed_files_hold_the_same_picture(tmp_path, bits, syntax):
    gdcm = pytest.importorskip("gdcm")
    plain = write(tmp_path / "plain.dcm", draw(bits, (32, 40)), bits)
    reader, changer, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(plain))
    assert reader.Read()
    changer.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    changer.SetInput(reader.GetImage())
    assert changer.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(changer.GetOutput())
    writer.SetFileName(str(tmp_path / "small.dcm"))
    assert writer.Write()
    assert pydicom.dcmread(tmp_path / "small.dcm").file_meta.TransferSyntaxUID == syntax
    assert torch.equal(read_image(tmp_path / "small.dcm").pixels, read_image(plain).pixels)


def test_what_is_written_is_read_again_as_it_was(tmp_path):
    found = read_image(write(tmp_path / "a.dcm", draw(12), 12, WindowCenter=1900, WindowWidth=1733))
    write_png(tmp_path / "a.png", found.pixels, found.bit_depth)
    assert torch.equal(read_image(tmp_path / "a.png").pixels, found.pixels)


@pytest.mark.parametrize("syntax", NATIVE)
def test_signed_values_are_read(tmp_path, syntax):
    values = np.array([[-1000, -500, 0, 1000]], np.int16)
    found = read_image(write(tmp_path / "a.dcm", values, syntax=syntax))
    assert found.pixels[0, 0].numpy() == pytest.approx(np.array([[0, 0.25, 0.5, 1]]), abs=1e-5)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_tables_are_read_in_every_order_of_bytes(tmp_path, syntax):
    steps = table([0, 10, 300, 65535], first=0)
    found = read_image(
        write(tmp_path / "a.dcm", np.array([[0, 1, 2, 3]], np.uint16), 12, syntax, VOILUTSequence=[steps])
    )
    assert to_values(found.pixels, 16).tolist() == [[0, 10, 300, 65535]]


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_files_without_preamble_and_head_are_read(tmp_path, syntax):
    values = draw(16)
    write(tmp_path / "a.dcm", values, 16, syntax)
    whole = pydicom.dcmread(tmp_path / "a.dcm")
    del whole.file_meta
    whole.preamble = None
    little = syntax != uid.ExplicitVRBigEndian
    pydicom.dcmwrite(tmp_path / "b", whole, implicit_vr=syntax == uid.ImplicitVRLittleEndian, little_endian=little)
    assert (tmp_path / "b").read_bytes()[128:132] != b"DICM"
    assert np.array_equal(to_values(read_image(tmp_path / "b").pixels, 16), values)


def test_a_file_without_suffix_is_read(tmp_path):
    assert read_image(write(tmp_path / "IM000001", draw(8))).kind == "DICOM"


def test_monochrome1_and_window_and_sides_together(tmp_path):
    values = np.array([[0, 1000], [2000, 4095]], np.uint16)
    tags = {
        "PhotometricInterpretation": "MONOCHROME1",
        "PresentationLUTShape": "INVERSE",
        "PatientOrientation": ["R", "F"],
    }
    found = read_image(write(tmp_path / "a.dcm", values, 12, WindowCenter=1000.5, WindowWidth=2001, **tags))
    # the window: 0, 1/2 / 1, 1; inverted: 1, 1/2 / 0, 0; left and right swapped
    assert found.pixels[0, 0].numpy() == pytest.approx(np.array([[0.5, 1], [0, 0]]), abs=1e-5)
    said = " ".join(found.notes)
    assert "centre 1000.5, width 2001" in said and "inverted" in said and "left and right were swapped" in said


def test_doubts_are_warned_of_with_the_file_and_noted_without(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        found = read_image(write(tmp_path / "Kowalska.dcm", draw(8), ViewPosition="LL"))
    assert "Kowalska.dcm: It is a lateral view" in caplog.text
    assert any("lateral" in note for note in found.notes) and "Kowalska" not in " ".join(found.notes)


@pytest.mark.parametrize(
    ("tags", "size"),
    [
        ({"PixelSpacing": [0.2, 0.1]}, (8, 4)),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, (4, 8)),
        ({"PixelAspectRatio": [2, 1]}, (8, 4)),
        ({"PixelSpacing": [0.1, 0.1], "PixelAspectRatio": [2, 1]}, (4, 4)),
        ({"PixelSpacing": [0.1430, 0.1431]}, (4, 4)),
        ({"PixelSpacing": [0, 0.1]}, (4, 4)),
        ({"PixelSpacing": [0.2, 0.1], "PatientOrientation": ["F", "L"]}, (4, 8)),
    ],
)
def test_pixels_are_made_square(tmp_path, tags, size):
    values = np.repeat(np.array([[0], [50], [150], [250]], np.uint8), 4, axis=1)
    found = read_image(write(tmp_path / "a.dcm", values, **tags))
    assert found.size == size
    if size != (4, 4):
        assert "times as high as wide" in " ".join(found.notes)
        grey = to_values(found.pixels, 8)
        grey = grey.T if "PatientOrientation" in tags else grey
        assert (np.diff(grey.astype(int), axis=0) >= 0).all() and (grey == grey[:, :1]).all()  # still the same steps


def test_an_implausible_aspect_ratio_is_ignored_with_a_note(tmp_path):
    found = read_image(write(tmp_path / "a.dcm", draw(8), PixelSpacing=[1e8, 1]))
    assert found.size == (5, 7) and "aspect ratio of its pixels is implausible" in " ".join(found.notes)


def test_colour_is_read_and_equal_channels_are_grey(tmp_path):
    colour = draw(8, (4, 6, 3))
    found = read_image(write(tmp_path / "a.dcm", colour, Modality="OT"))
    assert found.pixels.shape == (1, 3, 4, 6) and np.array_equal(to_values(found.pixels, 8), colour)
    grey = np.repeat(draw(8, (4, 6))[..., None], 3, axis=2)
    found = read_image(write(tmp_path / "b.dcm", grey, Modality="OT"))
    assert found.pixels.shape == (1, 1, 4, 6) and np.array_equal(to_values(found.pixels, 8), grey[..., 0])


def test_palettes_are_looked_up(tmp_path):
    lut = {}
    for name, entries in (("Red", [0, 255, 10, 1]), ("Green", [0, 255, 20, 2]), ("Blue", [0, 255, 30, 3])):
        lut[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, 8]
        lut[f"{name}PaletteColorLookupTableData"] = np.array(entries, np.uint8).tobytes()
    values = np.array([[0, 1, 2]], np.uint8)
    found = read_image(
        write(tmp_path / "a.dcm", values, PhotometricInterpretation="PALETTE COLOR", Modality="OT", **lut)
    )
    assert to_values(found.pixels, 8).tolist() == [[[0, 0, 0], [255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"Modality": "CT"}, "must be a radiograph .* but is computed tomography"),
        ({"NumberOfFrames": 2}, "must hold one picture, but holds 2 frames"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "must have pixels of 8 or 16 bits, got 32 bits in 32"),
        ({"BitsStored": 9}, "must have pixels of 8 or 16 bits, got 9 bits in 8"),
        ({"Rows": None}, "must hold a picture, but lacks Rows"),
        ({"Rows": 60000, "Columns": 60000}, f"must have up to {LARGEST} pixels, got 60000 x 60000"),
        ({"SamplesPerPixel": 3}, "must be MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or YBR, but is none of these"),
        (
            {"PhotometricInterpretation": "HSV"},
            "must be MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or YBR, but is none of these",
        ),
        ({"Rows": 50}, "must be an intact DICOM image, but its pixels cannot be decoded"),
        ({"RescaleSlope": 0}, "cannot be displayed: its rescaling must have a slope"),
        ({"VOILUTSequence": [table([1, 2], bits=40)]}, "cannot be displayed: its table must hold"),
    ],
)
def test_what_cant_be_edited_is_refused(tmp_path, tags, words):
    with pytest.raises(ValueError, match=f"a.dcm` {words}"):
        read_image(write(tmp_path / "a.dcm", draw(8), **tags))


def test_what_holds_no_picture_is_refused(tmp_path):
    made = pydicom.dcmread(write(tmp_path / "a.dcm", draw(8)))
    del made.PixelData
    made.save_as(tmp_path / "b.dcm")
    with pytest.raises(ValueError, match="must hold a picture, but lacks PixelData"):
        read_image(tmp_path / "b.dcm")
    made.FloatPixelData = np.zeros((5, 7), np.float32).tobytes()
    made.save_as(tmp_path / "c.dcm")
    with pytest.raises(ValueError, match="floating-point"):
        read_image(tmp_path / "c.dcm")


def test_what_is_no_dicom_is_refused(tmp_path):
    for content in (b"", b"a letter" * 40, bytes(300)):
        (tmp_path / "a.dcm").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.dcm` (is not a DICOM file|must be an intact DICOM file|must hold a)"):
            read_image(tmp_path / "a.dcm")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.dcm"):
        read_dicom(tmp_path / "nowhere.dcm")


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless, uid.DeflatedExplicitVRLittleEndian])
def test_a_cut_off_file_is_refused(tmp_path, syntax):
    content = write(tmp_path / "whole.dcm", draw(16, (60, 60)), 16, syntax).read_bytes()
    (tmp_path / "a.dcm").write_bytes(content[: int(len(content) * 0.7)])
    with pytest.raises(ValueError, match=r"a\.dcm` must"):
        read_image(tmp_path / "a.dcm")


def test_damaged_files_are_read_or_refused_with_a_sentence(tmp_path):
    content = write(tmp_path / "whole.dcm", draw(12), 12, WindowCenter=2000, WindowWidth=3000, **IDENTITY).read_bytes()
    random = np.random.default_rng(0)
    messages: list[str] = []
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(132, len(content), 4):
            damaged[place] = random.integers(256)
        (tmp_path / "a.dcm").write_bytes(damaged)
        try:
            pixels = read_image(tmp_path / "a.dcm").pixels
        except ValueError as error:
            messages.append(str(error))
        else:
            assert pixels.min() >= 0 and pixels.max() <= 1
    assert 0 < len(messages) < 300 and all("a.dcm` " in message for message in messages)


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (uid.HTJ2KLossless, "requires a decoder: `pip install pylibjpeg pylibjpeg-openjpeg`"),
        (uid.JPEGLSLossless, "requires a decoder: `pip install pyjpegls`"),
        (
            uid.JPEGLosslessSV1,
            r"requires a decoder: `pip install python-gdcm`, or the extra: `pip install 'instructx2x\[dicom\]'`",
        ),
        (uid.MPEG4HP41, "must be a picture, but its transfer syntax is MPEG-4"),
    ],
)
def test_a_missing_decoder_is_named(tmp_path, syntax, words, monkeypatch):
    from pydicom.pixels.decoders import base

    monkeypatch.setattr(base.JPEGLosslessSV1Decoder, "_available", {})
    monkeypatch.setattr(base.HTJ2KLosslessDecoder, "_available", {})
    monkeypatch.setattr(base.JPEGLSLosslessDecoder, "_available", {})
    made = pydicom.dcmread(write(tmp_path / "a.dcm", draw(8)))
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    made["PixelData"].is_undefined_length = True
    made.save_as(tmp_path / "b.dcm")
    with pytest.raises(ValueError, match=words):
        read_image(tmp_path / "b.dcm")


@pytest.mark.parametrize("syntax", [uid.JPEGLSLossless, uid.JPEG2000Lossless])
def test_gdcm_is_used_only_where_there_is_no_other(syntax):
    from x2x_core.imaging.dicom_decoding import decoder_name

    decoder = pydicom.pixels.get_decoder(syntax)
    assert "gdcm" in decoder.available_plugins and decoder_name(decoder) != "gdcm"
    assert decoder_name(pydicom.pixels.get_decoder(uid.JPEGLosslessSV1)) == "gdcm"
    assert decoder_name(pydicom.pixels.get_decoder(uid.ExplicitVRLittleEndian)) == ""


def test_missing_pydicom_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "a.dcm", draw(8))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(
        ImportError, match=r"Reading DICOM needs pydicom: install the extra with `pip install 'instructx2x\[dicom\]'`"
    ):
        read_image(path)


def test_pydicom_is_imported_when_a_file_is_read_only(tmp_path):
    write_png(tmp_path / "a.png", torch.zeros(1, 4, 4))
    code = (
        "import sys; from x2x_core.imaging.files import read_image; read_image(sys.argv[1]); "
        "print(sorted({'pydicom', 'gdcm'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_tag_that_names_the_patient_is_ever_read(tmp_path, monkeypatch):
    read = []
    original = pydicom.dcmread
    monkeypatch.setattr(pydicom, "dcmread", lambda *a, **k: read.append(original(*a, **k)) or read[-1])
    found = read_dicom(write(tmp_path / "a.dcm", draw(8), WindowCenter=90, WindowWidth=100, **IDENTITY))
    assert not set(IDENTITY) & set(TAGS)
    kept = read[0].to_json() + json.dumps(found.notes)
    assert not [value for value in IDENTITY.values() if value in kept]
