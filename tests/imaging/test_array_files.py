"""NumPy files as radiographs, and PGM, PPM and JPEG 2000 files."""

import io

import numpy as np
import pytest
from PIL import Image

from x2x_core.imaging.files import read_image, to_values

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
DEEP = GREY.astype(np.uint16) * 257


def save(path, values):
    np.save(path, values)
    return path


@pytest.mark.parametrize("shape", [(6, 8), (1, 6, 8), (6, 8, 1), (1, 6, 8, 1)])
def test_arrays_of_8_bits_are_read_in_every_shape(tmp_path, shape):
    found = read_image(save(tmp_path / "a.npy", GREY.reshape(shape)))
    assert (found.kind, found.bit_depth, found.mode) == ("NumPy", 8, "uint8")
    assert np.array_equal(to_values(found.pixels, 8), GREY)


@pytest.mark.parametrize("dtype", [np.uint16, ">u2", np.int32, np.int64, np.uint32])
def test_integer_arrays_of_more_than_8_bits_are_read(tmp_path, dtype):
    found = read_image(save(tmp_path / "a.npy", DEEP.astype(dtype)))
    assert found.bit_depth == 16 and np.array_equal(to_values(found.pixels, 16), DEEP)


@pytest.mark.parametrize("bits", range(8, 16))
def test_integers_of_fewer_bits_are_scaled_by_them(tmp_path, bits):
    values = np.linspace(0, 2**bits - 1, 48).round().astype(np.int16).reshape(6, 8)
    found = read_image(save(tmp_path / "a.npy", values))
    assert found.pixels.max() == 1 and f"use {bits} of 16 bits" in found.notes[0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_read_in_both_ranges(tmp_path, dtype):
    unit = (GREY / 255).astype(dtype)
    found = read_image(save(tmp_path / "a.npy", unit))
    assert np.allclose(found.pixels[0, 0].numpy(), GREY / 255, atol=2e-3) and found.notes == ()
    found = read_image(save(tmp_path / "b.npy", unit * 2 - 1))
    assert np.allclose(found.pixels[0, 0].numpy(), GREY / 255, atol=2e-3) and "[-1, 1]" in found.notes[0]


def test_arrays_of_colours_and_of_booleans_are_read(tmp_path):
    colour = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)
    assert np.array_equal(to_values(read_image(save(tmp_path / "a.npy", colour)).pixels, 8), colour)
    same = np.repeat(GREY[..., None], 3, axis=2)
    assert np.array_equal(to_values(read_image(save(tmp_path / "b.npy", same)).pixels, 8), GREY)
    assert to_values(read_image(save(tmp_path / "c.npy", GREY > 100)).pixels, 8).max() == 255


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 6, 8), np.uint8), r"must hold one picture of numbers, .* but holds uint8 of shape \(3, 6, 8\)"),
        (np.zeros((0, 8), np.uint8), "must"),
        (np.zeros(8, np.uint8), "must hold one picture"),
        (np.zeros((6, 8), complex), "must hold one picture of numbers"),
        (np.full((6, 8), -5), "must hold integers from 0 to 65535"),
        (np.full((6, 8), 70000), "must hold integers from 0 to 65535"),
        (GREY.astype(float), r"in floating point must lie in \[0, 1\]"),
        (np.full((6, 8), np.nan), "must hold finite numbers"),
        (np.array([["a"]]), "must hold one picture of numbers"),
    ],
)
def test_arrays_that_are_no_radiograph_are_refused_with_a_sentence(tmp_path, values, words):
    path = save(tmp_path / "a.npy", values)
    with pytest.raises(ValueError, match=rf"a\.npy` {words}") as error:
        read_image(path)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, None], object), allow_pickle=True)
    with pytest.raises(ValueError, match="must be an intact NumPy array of numbers"):
        read_image(tmp_path / "a.npy")


def test_damaged_arrays_are_refused_with_a_sentence(tmp_path):
    content = save(tmp_path / "a.npy", DEEP).read_bytes()
    for cut in (0, 3, 8, 40, 127, len(content) - 1):
        (tmp_path / "a.npy").write_bytes(content[:cut])
        with pytest.raises(ValueError, match=r"a\.npy` must be an intact NumPy array") as error:
            read_image(tmp_path / "a.npy")
        assert "\n" not in str(error.value)


# -- PGM and PPM -------------------------------------------------------------------------------------------------------


def netpbm(path, values, white, comment=b""):
    kind = b"P6" if values.ndim == 3 else b"P5"
    size = b"%d %d" % (values.shape[1], values.shape[0])
    data = values.astype(np.uint8 if white < 256 else ">u2").tobytes()
    path.write_bytes(kind + b"\n" + comment + size + b"\n%d\n" % white + data)
    return path


@pytest.mark.parametrize("white", [100, 255, 1023, 4095, 16383, 65535])
@pytest.mark.parametrize("comment", [b"", b"# made by hand 3 4 5\n"])
def test_pgm_is_scaled_by_the_white_that_it_declares(tmp_path, white, comment):
    values = np.linspace(0, white, 48).round().reshape(6, 8)
    values[0, 0] = 0.3 * white // 1
    found = read_image(netpbm(tmp_path / "a.pgm", values, white, comment))
    assert np.allclose(found.pixels[0, 0].numpy(), values / white, atol=0.003 if white < 256 else 2e-5)
    assert found.notes == () and found.bit_depth == (8 if white < 256 else 16)


def test_dark_pgm_that_declares_its_white_stays_dark(tmp_path):
    found = read_image(netpbm(tmp_path / "a.pgm", np.full((4, 4), 400), 4095))
    assert found.pixels.max() == pytest.approx(400 / 4095, abs=1e-4) and found.notes == ()


def test_pgm_of_12_bits_that_declares_16_is_scaled_by_what_it_shows(tmp_path):
    found = read_image(netpbm(tmp_path / "a.pgm", DEEP // 16, 65535))
    assert found.pixels.max() == pytest.approx((DEEP // 16).max() / 4095) and "12 of 16 bits" in found.notes[0]


@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_ppm_is_read_at_its_depth(tmp_path, white):
    colour = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2).astype(float)
    colour = (colour / colour.max() * white).round()
    found = read_image(netpbm(tmp_path / "a.ppm", colour, white))
    assert np.allclose(found.pixels[0].numpy(), colour.transpose(2, 0, 1) / white, atol=0.003 if white < 256 else 2e-5)
    assert found.bit_depth == (8 if white < 256 else 16)


@pytest.mark.parametrize("white", [255, 65535])
def test_cut_off_pgm_is_refused_with_a_sentence(tmp_path, white):
    content = netpbm(tmp_path / "a.pgm", GREY, white).read_bytes()
    (tmp_path / "a.pgm").write_bytes(content[:-5])
    with pytest.raises(ValueError, match=r"a\.pgm` must be an intact picture") as error:
        read_image(tmp_path / "a.pgm")
    assert "\n" not in str(error.value)


# -- JPEG 2000 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
def test_jpeg_2000_is_read_at_8_and_16_bits(tmp_path, suffix):
    Image.fromarray(GREY).save(tmp_path / f"a.{suffix}", irreversible=False)
    found = read_image(tmp_path / f"a.{suffix}")
    assert found.bit_depth == 8 and np.array_equal(to_values(found.pixels, 8), GREY)
    Image.fromarray(DEEP).save(tmp_path / f"b.{suffix}", irreversible=False)
    found = read_image(tmp_path / f"b.{suffix}")
    assert found.bit_depth == 16 and np.array_equal(to_values(found.pixels, 16), DEEP)


def test_jpeg_2000_of_12_bits_is_scaled_by_its_depth(tmp_path):
    utils = pytest.importorskip("openjpeg.utils")
    values = np.kron(DEEP // 16, np.ones((16, 16), np.uint16))  # the encoder asks for 32 pixels and more
    (tmp_path / "a.j2k").write_bytes(utils.encode_array(values, bits_stored=12))
    found = read_image(tmp_path / "a.j2k")
    assert np.allclose(found.pixels[0, 0].numpy(), values / 4095, atol=1e-6)
    assert found.white == 4095 and found.notes == ()


def test_jpeg_2000_in_colour_is_read(tmp_path):
    colour = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)
    Image.fromarray(colour).save(tmp_path / "a.jp2", irreversible=False)
    assert np.array_equal(to_values(read_image(tmp_path / "a.jp2").pixels, 8), colour)


def test_cut_off_jpeg_2000_is_refused_with_a_sentence(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(buffer, "JPEG2000")
    for cut in (30, 100, 200):
        (tmp_path / "a.jp2").write_bytes(buffer.getvalue()[:cut])
        with pytest.raises(ValueError, match=r"a\.jp2` (must be an intact picture|is not a )") as error:
            read_image(tmp_path / "a.jp2")
        assert "\n" not in str(error.value)
