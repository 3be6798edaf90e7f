"""DICOM files that say things wrongly, each a kind of fault: read as what they mean, with a note, or refused."""

import math
import warnings

import numpy as np
import pytest
from dicom_cases import dataset, table, write
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.imaging.dicom_numbers import numbers
from x2x_core.imaging.dicom_view import view_warnings
from x2x_core.imaging.files import read_image

SAMPLE = read_image(bundled_path("sample")).pixels[0, 0, ::4, ::4].numpy()
DEEP = np.round(SAMPLE * 4095).astype(np.uint16)  # the sample in 12 bits
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
SIDE = np.array([[0, 1000], [2000, 4000]], np.uint16)


@pytest.fixture(autouse=True)
def _quiet_pydicom():
    """Ignore pydicom's warnings about values that are wrong on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def assert_as_sample(found, tolerance=1e-3):
    assert found.pixels.shape[1:] == (1, *SAMPLE.shape)
    assert np.abs(found.pixels[0, 0].numpy() - SAMPLE).max() < tolerance


def read_or_sentence(path):
    """Return the radiograph, or the message of its refusal."""
    try:
        return read_image(path)
    except InputError as error:
        return str(error)


def said(found):
    return " ".join(found.notes)


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("declared", "used"), [(16, 12), (16, 10), (12, 10), (16, 15), (14, 8)])
@pytest.mark.parametrize("kind", ["US", "OW"])
def test_a_table_that_declares_more_bits_than_it_uses_is_scaled_by_its_greatest_entry(tmp_path, declared, used, kind):
    entries = np.linspace(0, 2**used - 1, 4096).round().astype(int)
    steps = table(entries, bits=declared, kind=kind)
    found = read_image(write(tmp_path / "a.dcm", DEEP, 12, VOILUTSequence=[steps]))
    assert_as_sample(found, 0.003)
    assert f"scaled by its greatest entry, {2**used - 1}, which uses fewer bits than the {declared}" in said(found)


def test_a_table_that_uses_its_bits_is_scaled_by_them(tmp_path):
    steps = table(np.arange(4096) * 10, bits=16)
    found = read_image(write(tmp_path / "a.dcm", DEEP, 12, VOILUTSequence=[steps]))
    assert found.pixels.max() == pytest.approx(DEEP.max() * 10 / 65535, abs=1e-4) and "greatest" not in said(found)


def test_a_table_of_zeros_is_black(tmp_path):
    found = read_image(write(tmp_path / "a.dcm", DEEP, 12, VOILUTSequence=[table([0] * 4096)]))
    assert not found.pixels.any() and "in one grey" in said(found)


# -- bits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_left_aligned_values_are_shifted(tmp_path, syntax, bits):
    values = (np.round(SAMPLE * (2**bits - 1)).astype(np.uint16)) << (16 - bits)
    window = {"WindowCenter": 2 ** (bits - 1), "WindowWidth": 2**bits}
    assert_as_sample(read_image(write(tmp_path / "a.dcm", values, bits, syntax, HighBit=15, **window)), 2**-bits)


def test_left_aligned_values_are_shifted_with_overlays_beneath(tmp_path):
    overlaid = (DEEP << 4) | 1
    assert_as_sample(read_image(write(tmp_path / "a.dcm", overlaid, 12, HighBit=15, **WINDOW)))


def test_left_aligned_signed_values_keep_their_sign(tmp_path):
    signed = ((DEEP.astype(np.int16) - 2048) << 4).astype(np.int16)
    found = read_image(write(tmp_path / "a.dcm", signed, 12, HighBit=15, WindowCenter=0, WindowWidth=4096))
    assert_as_sample(found)


@pytest.mark.parametrize("high_bit", [15, 13, 16, 255, 5, 0])
def test_a_high_bit_that_the_values_contradict_is_ignored(tmp_path, high_bit):
    found = read_image(write(tmp_path / "a.dcm", DEEP | 1, 12, HighBit=high_bit, **WINDOW))
    assert_as_sample(found)
    assert "HighBit does not fit its pixels of 12 bits in 16" in said(found)


@pytest.mark.parametrize("high_bit", [8, 11, 15])
def test_a_high_bit_beyond_the_container_is_ignored(tmp_path, high_bit):
    values = np.round(SAMPLE * 255).astype(np.uint8)
    found = read_image(write(tmp_path / "a.dcm", values, 8, HighBit=high_bit))
    assert_as_sample(found, 0.002)
    assert "HighBit" in said(found)


# -- geometry ----------------------------------------------------------------------------------------------------------

SPACINGS = ["PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"]


@pytest.mark.parametrize("name", SPACINGS)
def test_a_single_spacing_means_square_pixels(tmp_path, name):
    found = read_image(write(tmp_path / "a.dcm", SIDE, 12, **{name: 2}))
    assert found.size == (2, 2) and "shape of its pixels" not in said(found)


@pytest.mark.parametrize("name", SPACINGS)
@pytest.mark.parametrize("text", ["2\\1", "0.2\\0.1", " 0,2 \\ 0,1 ", "2e-1\\1e-1"])
def test_a_spacing_written_as_text_is_read(tmp_path, name, text):
    made = dataset(SIDE, 12)
    made.add_new(name, "UT", text)
    found = read_image(write(tmp_path / "a.dcm", SIDE, 12, **{name: made[name]}))
    assert found.size == (4, 2) and "2 times as high as wide" in said(found)


@pytest.mark.parametrize("text", ["wide", "0.2\\wide", "nan\\1", "1\\2\\3", "-1\\1", "inf\\1", "1,430\\0,143"])
def test_a_spacing_that_is_no_pair_of_numbers_is_noted(tmp_path, text):
    made = dataset(SIDE, 12)
    made.add_new("PixelSpacing", "UT", text)
    found = read_image(write(tmp_path / "a.dcm", SIDE, 12, PixelSpacing=made["PixelSpacing"]))
    assert found.size == (2, 2) and "not given by two positive numbers: assumed to be square" in said(found)


def test_a_second_geometry_tag_helps_where_the_first_is_broken(tmp_path):
    made = dataset(SIDE, 12)
    made.add_new("PixelSpacing", "UT", "wide")
    tags = {"PixelSpacing": made["PixelSpacing"], "ImagerPixelSpacing": [0.2, 0.1]}
    assert read_image(write(tmp_path / "a.dcm", SIDE, 12, **tags)).size == (4, 2)


# -- padding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("dtype", "bits", "kind", "value", "pixel"),
    [
        (np.int16, 16, "US", 32768, -32768),
        (np.int16, 16, "US", 65535, -1),
        (np.int16, 12, "US", 63488, -2048),
        (np.int16, 12, "US", 2048, -2048),
        (np.uint16, 16, "SS", -1, 65535),
        (np.uint16, 16, "SS", -32768, 32768),
        (np.uint16, 16, "US", 65535, 65535),
        (np.int16, 16, "SS", -32768, -32768),
    ],
)
def test_padding_in_the_wrong_representation_is_padding(tmp_path, syntax, dtype, bits, kind, value, pixel):
    values = np.array([[pixel, pixel, 100, 200, 300]], dtype)
    made = dataset(values, bits)
    made.add_new("PixelPaddingValue", kind, value)
    found = read_image(write(tmp_path / "a.dcm", values, bits, syntax, PixelPaddingValue=made["PixelPaddingValue"]))
    assert found.pixels[0, 0].numpy() == pytest.approx(np.array([[0, 0, 0, 0.5, 1]]), abs=1e-4)
    assert "Padding, 40.0% of the pixels" in said(found)


def test_a_range_of_padding_in_the_wrong_representation_is_padding(tmp_path):
    values = np.array([[-32768, -32000, 100, 300]], np.int16)
    made = dataset(values)
    made.add_new("PixelPaddingValue", "US", 32768)
    made.add_new("PixelPaddingRangeLimit", "US", 34000)
    tags = {name: made[name] for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")}
    found = read_image(write(tmp_path / "a.dcm", values, **tags))
    assert found.pixels[0, 0].numpy() == pytest.approx(np.array([[0, 0, 0, 1]]), abs=1e-4)


def test_a_padding_value_out_of_range_is_ignored(tmp_path):
    found = read_image(write(tmp_path / "a.dcm", np.array([[0, 4095]], np.uint16), 12, PixelPaddingValue=65535))
    assert found.pixels[0, 0].tolist() == [[0, 1]] and "Padding" not in said(found)


# -- windows -----------------------------------------------------------------------------------------------------------


def shown_by(tmp_path, center, width, kind="UT"):
    made = dataset(DEEP, 12)
    made.add_new("WindowCenter", kind, center)
    made.add_new("WindowWidth", kind, width)
    tags = {name: made[name] for name in ("WindowCenter", "WindowWidth")}
    return read_image(write(tmp_path / "a.dcm", DEEP, 12, **tags))


@pytest.mark.parametrize(
    ("center", "width"),
    [("NaN", "4096"), ("2048", "NaN"), ("inf", "4096"), ("2048", "-inf"), ("wide", "4096"), ("2,048", "4096")],
)
def test_a_window_that_is_no_number_gives_the_range_of_the_values(tmp_path, center, width):
    found = shown_by(tmp_path, center, width)
    low, high = int(DEEP.min()), int(DEEP.max())
    assert found.pixels[0, 0].numpy() == pytest.approx((DEEP.astype(float) - low) / (high - low), abs=1e-4)
    assert "Its window is not a number: shown by the range" in said(found)


@pytest.mark.parametrize("text", ["2048,5", "2048.5", " 2048,50 ", "+2048,5", "20485e-1", "2048,5\\99", "0,20485E4"])
def test_windows_with_decimal_commas_are_read(tmp_path, text):
    found = shown_by(tmp_path, text, "4096,0\\1")
    assert "centre 2048.5, width 4096" in said(found)
    assert_as_sample(found)


def test_the_first_valid_window_is_used(tmp_path):
    found = shown_by(tmp_path, "NaN\\5\\2048", "1\\0\\4096")
    assert_as_sample(found)
    assert "centre 2048, width 4096, number 3 of 3: those before it are invalid" in said(found)


@pytest.mark.parametrize("content", [b"2048,5", b"NaN", b"\xff\xfe", b"12..5", b"--", b"1e999", b"(2048)"])
@pytest.mark.parametrize("name", ["WindowCenter", "PixelSpacing", "RescaleSlope", "PixelAspectRatio", "NumberOfFrames"])
def test_no_value_of_a_tag_raises_more_than_a_sentence(tmp_path, name, content):
    placeholder = b"0" * len(content)
    tags = {name: "0" * len(content)} if name != "PixelAspectRatio" else {name: ["0" * len(content)]}
    whole = write(tmp_path / "whole.dcm", DEEP, 12, **{**WINDOW, **tags}).read_bytes()
    group = Tag(name)
    mark = group.group.to_bytes(2, "little") + group.element.to_bytes(2, "little")
    place = whole.index(mark, 132) + 8
    assert whole[place : place + len(content)].startswith(placeholder[:1])
    (tmp_path / "a.dcm").write_bytes(whole[:place] + content + whole[place + len(content) :])
    result = read_or_sentence(tmp_path / "a.dcm")
    if isinstance(result, str):
        assert "\n" not in result and "a.dcm` " in result
    else:
        assert np.isfinite(result.pixels.numpy()).all()


def test_rescaling_with_decimal_commas_is_read_and_without_numbers_refused(tmp_path):
    made = dataset(DEEP, 12)
    made.add_new("RescaleSlope", "UT", "0,5")
    found = read_image(write(tmp_path / "a.dcm", DEEP, 12, RescaleSlope=made["RescaleSlope"], RescaleIntercept=0))
    assert "Rescaled by 0.5, then +0." in said(found)
    made.add_new("RescaleIntercept", "UT", "none")
    with pytest.raises(InputError, match="must have an intercept that is a number"):
        read_image(write(tmp_path / "a.dcm", DEEP, 12, RescaleIntercept=made["RescaleIntercept"]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1\\2", [1, 2]),
        ("1,5", [1.5]),
        ("0,125", [0.125]),
        ("1024,125", [1024.125]),
        ("-,5", [-0.5]),
        ("", []),
        (" \\3", [3]),
    ],
)
def test_numbers_are_read_from_text(value, expected):
    made = dataset(SIDE)
    made.add_new("PixelSpacing", "UT", value)
    assert numbers(made, "PixelSpacing") == expected


@pytest.mark.parametrize("value", ["1,024", "-12,500", "1.024,5", "1,024.5", "1,2,3", "0.2,0.1", "two", "0x10", "2 mm"])
def test_text_that_can_be_read_in_two_ways_is_no_number(value):
    made = dataset(SIDE)
    made.add_new("PixelSpacing", "UT", value)
    assert all(map(math.isnan, numbers(made, "PixelSpacing")))


# -- views -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view",
    [
        "LT LAT", "RT LAT", "XTABLE LATERAL", "X-TABLE LAT", "CHEST LAT", "LATERAL L", "LAT", "Lateral", "L LAT",
        "LEFT LATERAL", "LAT_L", "LAT-RT", "LATERAL (LEFT)", "ERECT LAT", "LTLAT", "LAT CHEST", "Latéral", "laterale",
        "PROFIL", "perfil", "seitlich", "XTABLE", "LL", "RL", "CHEST LATERAL 2", "PA+LAT", "LAT.", "CROSSTABLE", "LLAT",
    ],
)  # fmt: skip
def test_lateral_views_are_noticed_in_every_wording(view):
    assert view_warnings(dataset(SIDE, ViewPosition=view))[0].startswith("It is a lateral view")


@pytest.mark.parametrize("part", ["CHEST LAT", "CHEST LATERAL", "LAT CHEST"])
def test_lateral_views_are_noticed_in_the_body_part(part):
    assert "It is a lateral view" in view_warnings(dataset(SIDE, ViewPosition=None, BodyPartExamined=part))[0]


@pytest.mark.parametrize(
    "view",
    [
        "LLD", "RLD", "L DECUB", "LEFT LATERAL DECUBITUS", "LAT DECUB", "DECUBITUS", "RT LAT DECUB", "LAO", "RAO CHEST",
        "OBL", "RT OBLIQUE", "OBLIQUE L", "LPO", "oblique", "AXIAL",
    ],
)  # fmt: skip
def test_oblique_and_decubitus_views_are_noticed_in_every_wording(view):
    assert "It is an oblique or decubitus view" in view_warnings(dataset(SIDE, ViewPosition=view))[0]


@pytest.mark.parametrize(
    "view",
    ["PA", "AP", "AP SUPINE", "PA ERECT", "PORT AP", "BILATERAL", "CHEST PA", "AP TABLE", "L", "R", "LATEST", "PLAIN"],
)
def test_frontal_views_raise_no_doubt(view):
    assert view_warnings(dataset(SIDE, ViewPosition=view)) == []


def test_several_views_and_orientation_as_text_are_read(tmp_path):
    assert "lateral" in view_warnings(dataset(SIDE, ViewPosition=["PA", "LAT"]))[0]
    made = dataset(SIDE, 12)
    made.add_new("PatientOrientation", "UT", "R\\F")
    found = read_image(write(tmp_path / "a.dcm", SIDE, 12, PatientOrientation=made["PatientOrientation"]))
    assert "left and right were swapped" in said(found)
