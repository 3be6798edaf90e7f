"""The grey-scale chain against values worked by hand, and against pydicom's where it is right."""

import numpy as np
import pytest
from dicom_cases import dataset, table
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.pixels import apply_windowing

from x2x_core.imaging.dicom_display import display, full_range, window
from x2x_core.imaging.dicom_stored import stored_values
from x2x_core.imaging.dicom_tables import look_up

DEEP = np.array([[0, 1000, 2000, 4000]], np.uint16)


def shown(values, bits=12, **tags):
    made = dataset(values, bits, **tags)
    made._read_little, made._read_implicit = True, False  # as if it had been read from a file
    return display(values.astype(np.int32), made)


def test_without_a_window_the_range_of_the_values_is_shown():
    found = shown(DEEP)
    assert found.values.tolist() == [[0, 0.25, 0.5, 1]]
    assert found.facts == ("No window: the range of its values, 0 to 4000.",) and found.warnings == ()


def test_8_bit_values_without_a_window_are_shown_as_they_are():
    found = shown(np.array([[51, 204]], np.uint8), 8)
    assert found.values.tolist() == [[0.2, 0.8]] and "8-bit values as they are" in found.facts[0]


def test_rescaled_8_bit_values_are_shown_by_their_range():
    found = shown(np.array([[51, 204]], np.uint8), 8, RescaleSlope=2, RescaleIntercept=0)
    assert found.values.tolist() == [[0, 1]] and found.facts[0] == "Rescaled by 2, then +0."


def test_a_linear_window_is_that_of_the_standard():
    # PS3.3 C.11.2.1.2: centre 2048, width 4096: 0 is black, 4095 is white, in between x / 4095
    found = shown(np.array([[0, 1, 2048, 4094, 4095]], np.uint16), WindowCenter=2048, WindowWidth=4096)
    assert found.values[0] == pytest.approx([0, 1 / 4095, 2048 / 4095, 4094 / 4095, 1], abs=1e-12)
    # centre 0, width 100: from -50 (black) over -0.5 (half) to 49 (white)
    assert window(np.array([-60, -50, -49, 48, 49, 60]), 0, 100) == pytest.approx([0, 0, 1 / 99, 98 / 99, 1, 1])
    assert window(np.array([4, 5, 6]), 5.5, 1).tolist() == [0, 0, 1]


def test_exact_and_sigmoid_windows():
    assert window(np.array([-60, -50, 0, 25, 50]), 0, 100, "LINEAR_EXACT").tolist() == [0, 0, 0.5, 0.75, 1]
    sigmoid = window(np.array([0, 50, -1e6]), 0, 100, "SIGMOID")
    assert sigmoid[0] == 0.5 and sigmoid[1] == pytest.approx(1 / (1 + np.exp(-2))) and 0 <= sigmoid[2] < 1e-300


@settings(max_examples=60, deadline=None)
@given(
    center=st.floats(-500, 5000), width=st.floats(1, 6000), seed=st.integers(0, 99),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)  # fmt: skip
def test_windows_agree_with_pydicom(center, width, seed, function):
    values = np.random.default_rng(seed).integers(0, 4096, (4, 5)).astype(np.uint16)
    made = dataset(values, 12, WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    center, width = float(made.WindowCenter), float(made.WindowWidth)
    ours = window(values, center, width, function)
    assert ours == pytest.approx(np.clip(apply_windowing(values, made) / 4095, 0, 1), abs=1e-9)
    assert (np.diff(ours.ravel()[np.argsort(values.ravel())]) >= 0).all()  # never turns the order of greys round


def test_the_first_of_several_windows_is_used_and_named():
    found = shown(DEEP, WindowCenter=[2000.5, 9], WindowWidth=[4001, 9])
    assert found.values.tolist() == [[0, 0.25, 0.5, 1]]
    assert found.facts == ("Shown by its window, centre 2000.5, width 4001, the first of 2.",)


def test_the_window_applies_to_rescaled_values():
    found = shown(DEEP, RescaleSlope=0.5, RescaleIntercept=-1000, WindowCenter=0.5, WindowWidth=2001)
    assert found.values.tolist() == [[0, 0.25, 0.5, 1]]
    assert found.facts[0] == "Rescaled by 0.5, then -1000."


def test_a_negative_slope_turns_the_greys_round():
    assert shown(DEEP, RescaleSlope=-1, RescaleIntercept=4000).values.tolist() == [[1, 0.75, 0.5, 0]]


def test_monochrome1_is_inverted_after_the_window():
    tags = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    found = shown(DEEP, WindowCenter=1000.5, WindowWidth=2001, **tags)
    assert found.values.tolist() == [[1, 0.5, 0, 0]] and "inverted" in found.facts[-1] and not found.warnings


@pytest.mark.parametrize(("kind", "shape"), [("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")])
def test_a_contradicting_shape_is_warned_of(kind, shape):
    found = shown(DEEP, PhotometricInterpretation=kind, PresentationLUTShape=shape)
    assert found.values[0, 0] == (kind == "MONOCHROME1")
    assert f"{kind} and {shape}, which contradict each other" in found.warnings[0]


@pytest.mark.parametrize("kind", ["US", "OW"])
def test_a_table_of_interest_goes_before_a_window(kind):
    steps = table([0, 100, 1000, 1023], first=1000, bits=10, kind=kind)
    found = shown(
        np.array([[0, 1000, 1001, 1002, 1003, 4000]], np.uint16), VOILUTSequence=[steps], WindowCenter=1, WindowWidth=9
    )
    assert found.values[0] == pytest.approx(np.array([0, 0, 100, 1000, 1023, 1023]) / 1023)
    assert found.facts == ("Shown by its table of interest.",)


def test_an_8_bit_table_of_many_entries_is_read_whole():
    # pydicom 3.0 counts such entries in 8 bits and so shows the wrong ones
    entries = np.arange(4096) // 16
    packed = table([], bits=8)
    packed.LUTDescriptor = [4096, 0, 8]
    packed.add_new("LUTData", "OW", entries.astype(np.uint8).tobytes())
    for one in (packed, table(entries, bits=8)):
        found = shown(np.array([[0, 1000, 4095]], np.uint16), VOILUTSequence=[one])
        assert found.values[0] == pytest.approx(np.array([0, 62, 255]) / 255)


def test_entries_deeper_than_the_table_says_keep_their_order():
    found = shown(np.array([[0, 1, 2]], np.uint16), VOILUTSequence=[table([0, 2047, 4095], bits=8)])
    assert found.values[0] == pytest.approx([0, 2047 / 4095, 1])


def test_tables_begin_below_zero():
    values = np.array([[-2, -1, 0, 7]], np.int16)
    assert shown(values, 16, VOILUTSequence=[table([0, 500, 65535], first=-2)]).values[0] * 65535 == pytest.approx(
        [0, 500, 65535, 65535]
    )
    unsigned = table([0, 500, 65535])
    unsigned.LUTDescriptor = [3, 2**16 - 2, 16]  # -2, written where signs can't be
    assert shown(values, 16, VOILUTSequence=[unsigned]).values[0] * 65535 == pytest.approx([0, 500, 65535, 65535])


def test_a_modality_table_goes_before_the_window():
    steps = table([10, 20, 40], bits=8)
    found = shown(np.array([[0, 1, 2, 9]], np.uint16), ModalityLUTSequence=[steps], WindowCenter=25.5, WindowWidth=31)
    assert found.values[0] == pytest.approx([0, 10 / 30, 1, 1]) and found.facts[0] == "Modality table applied."


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"RescaleSlope": 0}, "a slope that is a number and not 0"),
        (
            {"VOILUTFunction": "CUBIC", "WindowCenter": 1, "WindowWidth": 2},
            "LINEAR, LINEAR_EXACT or SIGMOID, got another",
        ),
    ],
)
def test_rescale_and_window_tags_that_cannot_be_applied_are_refused(tags, words):
    with pytest.raises(ValueError, match=words):
        shown(DEEP, **tags)


def test_a_broken_table_is_refused():
    short = table([1, 2, 3])
    short.LUTDescriptor = [9, 0, 16]
    with pytest.raises(ValueError, match="must hold 9 entries of 1 to 16 bits, got 3 of 16"):
        look_up(DEEP, short, dataset(DEEP))
    del short.LUTData
    with pytest.raises(ValueError, match="must have LUTDescriptor and LUTData"):
        look_up(DEEP, short, dataset(DEEP))


@pytest.mark.parametrize("width", [0, -3])
def test_a_window_of_no_width_is_warned_of(width):
    found = shown(DEEP, WindowCenter=1000, WindowWidth=width)
    assert found.values.tolist() == [[0, 0.25, 0.5, 1]] and "is invalid" in found.warnings[0]


def test_an_empty_window_is_none():
    assert shown(DEEP, WindowCenter="", WindowWidth="").values.tolist() == [[0, 0.25, 0.5, 1]]


def test_a_window_beside_all_values_is_warned_of():
    found = shown(DEEP, WindowCenter=9000, WindowWidth=10)
    assert not found.values.any() and "in one grey" in found.warnings[0]


def test_a_window_that_leaves_black_and_white_alone_is_warned_of():
    found = shown(DEEP, WindowCenter=1500, WindowWidth=1)
    assert found.values.tolist() == [[0, 0, 1, 1]] and "black or white" in found.warnings[0]
    assert shown(DEEP, WindowCenter=1500, WindowWidth=2000).warnings == ()
    two = np.array([[0, 4000, 4000]], np.uint16)
    assert shown(two, WindowCenter=1500, WindowWidth=1).warnings == (), "nothing is lost of two values"
    padded = np.array([[4000, 0, 1000, 2000]], np.uint16)
    assert "black or white" in shown(padded, WindowCenter=500, WindowWidth=1, PixelPaddingValue=4000).warnings[0]


def test_padding_is_black_and_does_not_count_in_the_range():
    values = np.array([[60000, 0, 1000, 4000]], np.uint16)
    found = shown(values, 16, PixelPaddingValue=60000)
    assert found.values.tolist() == [[0, 0, 0.25, 1]] and "Padding, 25.0% of the pixels, is black." in found.facts
    inverted = shown(values, 16, PixelPaddingValue=60000, PhotometricInterpretation="MONOCHROME1")
    assert inverted.values.tolist() == [[0, 1, 0.75, 0]]
    spread = shown(values, 16, PixelPaddingValue=3000, PixelPaddingRangeLimit=60000)
    assert spread.values.tolist() == [[0, 0, 1, 0]]


def test_one_value_everywhere_is_black_with_a_warning():
    found = shown(np.full((2, 2), 7, np.uint16))
    assert not found.values.any() and "in one grey" in found.warnings[0]
    everything = np.ones((1, 2), bool)
    assert full_range(DEEP[:, :2], everything)[0].tolist() == [[0, 0]]


def test_unused_bits_are_left_out_and_signs_kept():
    raw = np.array([[0xF123, 0x8FFF, 0x0001]], np.uint16)
    assert stored_values(raw, 12, 11, False).tolist() == [[0x123, 0xFFF, 1]]
    assert stored_values(raw.astype(np.int16), 12, 11, True).tolist() == [[0x123, -1, 1]]
    assert stored_values(raw, 12, 15, False).tolist() == [[0xF12, 0x8FF, 0]]
    assert stored_values(np.array([[-32768, 32767]], np.int16), 16, 15, True).tolist() == [[-32768, 32767]]
