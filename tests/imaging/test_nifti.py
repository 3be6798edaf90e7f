"""NIfTI files: values, orientation and what is refused; SimpleITK writes some of them."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK

from x2x_core.imaging.files import read_image, to_values

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20  # 3 rows, 4 columns
CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}


def nifti(
    path, values, order="<", version=1, rows=None, spacing=(1, 1, 1), scaling=(0, 0), displayed=(0, 0), dims=None
):
    """Write a NIfTI file whose first axis runs along the columns of `values`; `rows` are those of its affine map."""
    head = bytearray(348 if version == 1 else 540)
    code = 128 if values.ndim == 3 else CODES[values.dtype.str[1:]]
    dims = dims or (values.shape[1], values.shape[0])
    dim = (len(dims), *dims, *[1] * (7 - len(dims)))
    pixdim, srow = (1, *spacing, 0, 0, 0, 0), sum(rows or [(0,) * 4] * 3, ())
    if version == 1:
        fields = [("i", 0, [348]), ("8h", 40, dim), ("2h", 70, [code, 8 * values.itemsize]), ("8f", 76, pixdim)]
        fields += [("f", 108, [352]), ("2f", 112, scaling), ("2f", 124, displayed[::-1])]
        fields += [("h", 254, [int(rows is not None)]), ("12f", 280, srow), ("4s", 344, [b"n+1\0"])]
    else:
        fields = [("i", 0, [540]), ("8s", 4, [b"n+2\0\r\n\x1a\n"]), ("2h", 12, [code, 8 * values.itemsize])]
        fields += [("8q", 16, dim), ("8d", 104, pixdim), ("q", 168, [544]), ("2d", 176, scaling)]
        fields += [("2d", 192, displayed[::-1]), ("i", 348, [int(rows is not None)]), ("12d", 400, srow)]
    for form, place, content in fields:
        struct.pack_into(order + form, head, place, *content)
    content = bytes(head) + bytes(4) + values.astype(values.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def said(found):
    return " ".join(found.notes)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("version", [1, 2])
def test_8_bit_values_are_read_as_they_are(tmp_path, name, order, version):
    found = read_image(nifti(tmp_path / name, GREY, order, version))
    assert (found.kind, found.bit_depth, found.size) == ("NIfTI", 8, (3, 4))
    assert np.array_equal(to_values(found.pixels, 8), GREY)
    assert "does not say where the head is: its first axis was taken to run from left to right" in said(found)


@pytest.mark.parametrize("kind", ["i2", "i4", "f4", "f8", "i1", "u2", "u4", "i8", "u8"])
@pytest.mark.parametrize("order", "<>")
def test_other_values_are_shown_by_their_range(tmp_path, kind, order):
    values = (np.arange(12).reshape(3, 4) * 10).astype(kind)
    found = read_image(nifti(tmp_path / "a.nii", values, order))
    assert np.allclose(found.pixels[0, 0].numpy(), np.arange(12).reshape(3, 4) / 11, atol=0.003)
    assert "Shown by the range of its values, 0 to 110." in said(found)


def test_scaling_and_range_of_display_are_applied(tmp_path):
    values = np.array([[0, 100, 200, 300]], np.int16)
    found = read_image(nifti(tmp_path / "a.nii", values, scaling=(2, -100), displayed=(0, 400)))
    assert found.pixels[0, 0].numpy() == pytest.approx(np.array([[0, 0.25, 0.75, 1]]), abs=1e-4)
    assert "Rescaled by 2, then -100." in said(found) and "range of display of the file, 0 to 400" in said(found)


def test_floats_in_the_unit_range_are_kept_and_nan_is_black(tmp_path):
    values = np.array([[np.nan, 0.25, 0.75, np.inf]], np.float32)
    found = read_image(nifti(tmp_path / "a.nii", values))
    assert found.pixels[0, 0].numpy() == pytest.approx(np.array([[0, 0.25, 0.75, 0]]), abs=1e-4)
    assert "NaN and infinity, 50.0% of the pixels, are black." in said(found)


def test_colours_are_read(tmp_path):
    colour = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)
    assert np.array_equal(to_values(read_image(nifti(tmp_path / "a.nii", colour)).pixels, 8), colour)


# The picture as radiographs lie: the patient's right on its left, the head on top. Axes in RAS+: x to the right.
@pytest.mark.parametrize("dims", [(4, 3), (4, 3, 1), (4, 1, 3), (1, 4, 3), (4, 3, 1, 1)])
@pytest.mark.parametrize("across", [1, -1])
@pytest.mark.parametrize("down", [1, -1])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_orientation_of_a_coronal_picture_is_followed(tmp_path, dims, across, down, transposed):
    laid = GREY[:, ::-1] if across > 0 else GREY  # columns towards the right are stored mirrored
    laid = laid[::-1] if down > 0 else laid
    laid = laid.T if transposed else laid
    lengths = iter((laid.shape[1], laid.shape[0]))
    dims = tuple(next(lengths) if length > 1 else 1 for length in dims)
    first, second = (axis for axis, length in enumerate((*dims, 1)) if length > 1)
    columns = np.zeros((3, 3))
    columns[0 if not transposed else 2, first] = across if not transposed else down
    columns[2 if not transposed else 0, second] = down if not transposed else across
    rows = [(*row, 0.0) for row in columns.tolist()]
    found = read_image(nifti(tmp_path / "a.nii", laid, rows=rows, dims=dims))
    assert np.array_equal(to_values(found.pixels, 8), GREY)
    assert "patient's right on the picture's left and the head on top" in said(found)


def test_a_sagittal_picture_is_noticed_as_lateral(tmp_path):
    rows = [(0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, 0.0), (0.0, -1.0, 0.0, 0.0)]
    found = read_image(nifti(tmp_path / "a.nii", GREY, rows=rows))
    assert "It is a lateral view" in said(found) and np.array_equal(to_values(found.pixels, 8), GREY)


@pytest.mark.parametrize(("spacing", "size"), [((1, 2, 1), (6, 4)), ((2, 1, 1), (3, 8)), ((0, 1, 1), (3, 4))])
def test_pixels_are_made_square(tmp_path, spacing, size):
    found = read_image(nifti(tmp_path / "a.nii", GREY, spacing=spacing))
    assert found.size == size
    assert ("assumed to be square" in said(found)) == (0 in spacing)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32])
@pytest.mark.parametrize("deep", [False, True])
def test_pictures_that_simpleitk_writes_are_read_as_they_were(tmp_path, name, dtype, deep):
    values = (GREY.astype(dtype) * (1 if dtype == np.uint8 else 10))[None] if deep else GREY.astype(dtype)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / name))
    found = read_image(tmp_path / name).pixels[0, 0].numpy()
    expected = values.reshape(3, 4).astype(float)
    expected = expected / 255 if dtype == np.uint8 else expected / expected.max()
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 0, -1, 0, 1, 0), (-1, 0, 0, 0, 0, 1, 0, -1, 0)])
def test_the_orientation_that_simpleitk_writes_is_followed(tmp_path, direction):
    image = SimpleITK.GetImageFromArray(GREY[None])
    image.SetDirection(direction)  # in LPS+: columns towards the left or right, rows towards the feet or the head
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii"))
    towards_left, towards_feet = direction[0] > 0, direction[7] < 0
    expected = GREY if towards_left else GREY[:, ::-1]
    expected = expected if towards_feet else expected[::-1]
    assert np.array_equal(to_values(read_image(tmp_path / "a.nii").pixels, 8), expected)


def refused(path, words):
    with pytest.raises(ValueError, match=words) as error:
        read_image(path)
    assert str(error.value).startswith(f"`{path}` ") and str(error.value).endswith(".")
    assert "\n" not in str(error.value) and ".." not in str(error.value)


def test_what_holds_no_single_picture_is_refused(tmp_path):
    volume = np.zeros((6, 4), np.uint8)
    refused(
        nifti(tmp_path / "a.nii", volume, dims=(4, 3, 2)), "must hold one picture, but holds 4 x 3 x 2 pixels: save"
    )
    refused(nifti(tmp_path / "b.nii", GREY, dims=(4, -3)), "must have axes of at least 1 pixel")
    refused(nifti(tmp_path / "c.nii", GREY, dims=(30000, 30000)), "must have up to")
    refused(nifti(tmp_path / "d.nii", GREY, dims=(4, 9)), "ends too early")
    content = bytearray(nifti(tmp_path / "e.nii", GREY).read_bytes())
    content[344:348] = b"ni1\0"
    (tmp_path / "f.nii").write_bytes(content)
    refused(tmp_path / "f.nii", "with header and values in one file")
    content[344:348] = b"n+1\0"
    content[70:72] = struct.pack("<h", 32)
    (tmp_path / "g.nii").write_bytes(content)
    refused(tmp_path / "g.nii", "but holds NIfTI data type 32")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_damaged_files_are_refused_with_a_sentence(tmp_path, name):
    content = nifti(tmp_path / name, np.random.default_rng(0).integers(0, 999, (40, 40), np.int16)).read_bytes()
    for cut in (0, 1, 3, 100, 347, len(content) // 2, len(content) - 12):
        (tmp_path / name).write_bytes(content[:cut])
        refused(tmp_path / name, "is not a NIfTI file|must be an intact NIfTI file")
    (tmp_path / name).write_bytes(b"a letter" * 100)
    refused(tmp_path / name, "is not a NIfTI file")


def test_randomly_damaged_files_are_read_or_refused_with_a_sentence(tmp_path):
    content = nifti(tmp_path / "whole.nii", GREY.astype(np.int16), scaling=(1, 0)).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "a.nii"
    messages = []
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(4, 344, 3):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            assert np.isfinite(read_image(path).pixels.numpy()).all()
        except ValueError as error:
            messages.append(str(error))
    assert all(message.startswith(f"`{path}` ") for message in messages) and len(messages) < 300
