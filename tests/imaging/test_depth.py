"""Depth of 16-bit pictures and arrays that hold 9 to 15 bits, and files whose white is 0."""

import logging
import struct
import zlib

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.depth import FULL, depth_note, white_level
from x2x_core.imaging.files import encode_png, read_image, to_values, write_png
from x2x_core.imaging.inputs import read_images
from x2x_core.imaging.picture_headers import png_depth

SAMPLE = read_image(bundled_path("sample")).pixels[0, 0, ::4, ::4].numpy()
BITS = range(8, 17)


def deep(bits, image=SAMPLE):
    return np.round(image * (2**bits - 1)).astype(np.uint16)


def tags(**named):
    directory = ImageFileDirectory_v2()
    for name, value in named.items():
        directory[{"photometric": 262}[name]] = value
    return directory


def assert_as_sample(pixels, bits=8):
    assert np.abs(pixels.reshape(SAMPLE.shape).numpy() - SAMPLE).max() <= 2**-bits


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_files_of_fewer_bits_in_16_are_scaled_by_their_depth_and_say_so(tmp_path, bits, suffix, caplog):
    Image.fromarray(deep(bits)).save(tmp_path / f"a.{suffix}")
    found = read_image(tmp_path / f"a.{suffix}")
    assert_as_sample(found.pixels, bits)
    assert found.bit_depth == 16 and found.white == 2**bits - 1
    if bits < 16:
        assert found.notes == (f"Its values use {bits} of 16 bits: {2**bits - 1} is shown as white.",)
        assert found.notes[0] in caplog.text
    else:
        assert found.notes == () and not caplog.records


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_colour_of_fewer_bits_in_16_is_scaled_by_its_depth(tmp_path, suffix):
    colour = np.stack([deep(12), deep(12)[::-1], deep(12)[:, ::-1]], axis=2)
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), colour[..., ::-1])
    found = read_image(tmp_path / f"a.{suffix}")
    assert np.allclose(found.pixels[0].numpy(), colour.transpose(2, 0, 1) / 4095, atol=1e-6)
    assert "use 12 of 16 bits" in found.notes[0]


@pytest.mark.parametrize("bits", BITS)
def test_files_by_path_come_back_in_their_own_numbers(tmp_path, bits):
    Image.fromarray(deep(bits)).save(tmp_path / "a.png")
    batch = read_images(tmp_path / "a.png")
    assert_as_sample(batch.pixels, bits)
    untouched = torch.zeros(1, 1, *SAMPLE.shape, dtype=torch.bool)
    (returned,) = batch.give_back(batch.pixels, untouched, [0], "pil")
    assert returned.mode == "I;16" and np.array_equal(np.asarray(returned), deep(bits))


FORMS = {
    "array": lambda values: values,
    "batch": lambda values: np.stack([values, values])[..., None],
    "tensor": lambda values: torch.from_numpy(values.astype(np.int32)).to(torch.uint16),
    "picture": Image.fromarray,
    "32-bit picture": lambda values: Image.fromarray(values.astype(np.int32)),
}


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("form", FORMS)
def test_arrays_of_fewer_bits_in_16_are_scaled_by_their_depth_and_come_back_in_their_numbers(form, bits, caplog):
    batch = read_images(FORMS[form](deep(bits)))
    assert_as_sample(batch.pixels[0], bits)
    assert (f"use {bits} of 16 bits: {2**bits - 1} is shown as white" in caplog.text) == (bits < 16)
    upper = torch.zeros(len(batch), 1, *SAMPLE.shape, dtype=torch.bool)
    upper[..., :9, :] = True
    kind = "pil" if "picture" in form else "pt" if form == "tensor" else "np"
    returned = batch.give_back(torch.ones_like(batch.pixels), upper, range(len(batch)), kind)[0]
    numbers = np.asarray(returned.to(torch.int32) if kind == "pt" else returned).reshape(SAMPLE.shape)
    assert (numbers[:9] == 2**bits - 1).all()  # white in the caller's own numbers
    assert np.array_equal(numbers[9:], deep(bits)[9:])


def test_lists_of_arrays_share_the_greatest_depth():
    batch = read_images([deep(12), deep(12) // 4])
    assert batch.largest == 4095 and np.allclose(batch.pixels[1, 0].numpy(), (deep(12) // 4) / 4095)


def test_a_few_brighter_pixels_are_warned_of(tmp_path, caplog):
    labelled = np.repeat(np.repeat(deep(12), 4, axis=0), 4, axis=1)
    labelled[:3, :3] = FULL
    Image.fromarray(labelled).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").white == FULL
    assert "except for a few brighter pixels: it looks dark" in caplog.text
    caplog.clear()
    read_images(labelled)
    assert "`image` holds values of at most 12 of its 16 bits, except" in caplog.text


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("greatest", [0.01, 0.3, 1.0])
def test_what_is_written_here_keeps_its_greys_however_dark(tmp_path, channels, greatest, caplog):
    pixels = torch.from_numpy(np.round(SAMPLE * greatest * FULL).astype(np.float32) / FULL)[None].repeat(channels, 1, 1)
    pixels[0, 0, 0] = 0
    write_png(tmp_path / "a.png", pixels, 16)
    found = read_image(tmp_path / "a.png")
    assert torch.equal(found.pixels[0], pixels[: found.pixels.shape[1]]) and not caplog.records
    assert png_depth(tmp_path / "a.png")[2] == 16


def test_8_bit_files_declare_nothing():
    assert b"sBIT" not in encode_png(np.zeros((3, 3), np.uint8)) and b"sBIT" in encode_png(np.zeros((3, 3), np.uint16))


@pytest.mark.parametrize(
    ("declared", "values", "white"), [(12, deep(12), 4095), (12, deep(16), FULL), (14, deep(12), 2**14 - 1)]
)
def test_the_significant_bits_that_a_png_declares_are_its_depth(tmp_path, declared, values, white):
    content = encode_png(values)
    chunk = b"sBIT" + bytes([16])
    other = b"sBIT" + bytes([declared])
    replaced = content.replace(
        chunk + struct.pack(">I", zlib.crc32(chunk)), other + struct.pack(">I", zlib.crc32(other))
    )
    assert replaced != content
    (tmp_path / "a.png").write_bytes(replaced)
    assert read_image(tmp_path / "a.png").white == white


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_tiff_with_white_as_zero_is_turned_at_every_depth(tmp_path, bits):
    values = (2**bits - 1) - deep(bits)
    values[0, 0] = 2**bits - 1
    stored = (255 - values).astype(np.uint8) if bits == 8 else values  # Pillow inverts 8 bits when it writes them
    Image.fromarray(stored).save(tmp_path / "a.tif", tiffinfo=tags(photometric=0))
    with Image.open(tmp_path / "a.tif") as picture:
        assert picture.tag_v2[262] == 0
    pixels = read_image(tmp_path / "a.tif").pixels.clone()
    assert pixels[0, 0, 0, 0] == 0
    pixels[0, 0, 0, 0] = float(SAMPLE[0, 0])
    assert_as_sample(pixels, min(bits, 7))


def test_tiff_with_white_as_zero_at_the_top_of_16_bits_is_scaled_too(tmp_path):
    Image.fromarray(FULL - deep(12)).save(tmp_path / "a.tif", tiffinfo=tags(photometric=0))
    found = read_image(tmp_path / "a.tif")
    assert_as_sample(found.pixels, 12)
    assert found.white == 4095


def test_bits_in_black_and_white_files_are_turned(tmp_path):
    values = np.where(SAMPLE > 0.5, 255, 0).astype(np.uint8)
    Image.fromarray(values).convert("1").save(tmp_path / "a.tif", tiffinfo=tags(photometric=0))
    with Image.open(tmp_path / "a.tif") as picture:
        shown = np.asarray(picture.convert("L"))
    assert np.array_equal(to_values(read_image(tmp_path / "a.tif").pixels, 8), shown)


@pytest.mark.parametrize(
    ("greatest", "white"),
    [
        (0, FULL),
        (1, 255),
        (255, 255),
        (256, 511),
        (511, 511),
        (4095, 4095),
        (4096, 8191),
        (32767, 32767),
        (32768, FULL),
    ],
)
def test_white_is_the_greatest_number_of_the_bits_that_are_used(greatest, white):
    assert white_level(greatest) == white
    assert (depth_note(white) is None) == (white == FULL)


def test_black_pictures_stay_black(tmp_path, caplog):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "a.png")
    with caplog.at_level(logging.WARNING):
        assert not read_image(tmp_path / "a.png").pixels.any() and not caplog.records
