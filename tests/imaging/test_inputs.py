"""Pictures in every form: read to the same numbers, given back as they came."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tiny_models import make_radiograph, seeded

from x2x_core.imaging.inputs import is_image_latents, read_images

GREY = make_radiograph(12, 9)
DEEP = GREY.astype(np.uint16) * 257 + 3
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)


def picture(mode):
    grey = Image.fromarray(GREY)
    if mode.startswith("I;16") or mode == "I":
        deep = Image.fromarray(DEEP)
        return deep if mode == "I;16" else Image.fromarray(DEEP.astype(np.int32))
    if mode == "F":
        return Image.fromarray(GREY.astype(np.float32) / 255)
    colour = Image.fromarray(COLOUR)
    made = (grey if mode in ("L", "LA", "1") else colour).convert(mode)
    if mode in ("LA", "RGBA"):
        made.putalpha(Image.fromarray(GREY[::-1].copy()))
    return made


def half_changed(batch, output_type):
    """The upper half turned to mid grey, the lower left alone."""
    mask = torch.zeros(len(batch), 1, *batch.size, dtype=torch.bool)
    mask[..., :6, :] = True
    edited = torch.full_like(batch.pixels, 0.5)
    return batch.give_back(edited, mask, range(len(batch)), output_type)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "I", "F", "LA", "RGBA"])
def test_a_picture_comes_back_in_its_mode_with_the_rest_untouched(mode):
    original = picture(mode)
    (found,) = half_changed(read_images(original), "pil")
    assert found.mode == mode and found.size == original.size
    before, after = np.asarray(original), np.asarray(found)
    assert before.dtype == after.dtype and (before[6:] == after[6:]).all()
    assert (before[:6] != after[:6]).any()
    if mode in ("LA", "RGBA"):
        assert (before[..., -1] == after[..., -1]).all()


@pytest.mark.parametrize(("mode", "returned"), [("1", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("YCbCr", "RGB")])
def test_other_modes_come_back_as_grey_or_colour(mode, returned):
    (found,) = half_changed(read_images(picture(mode)), "pil")
    assert found.mode == returned
    assert (np.asarray(found)[6:] == np.asarray(picture(mode).convert(returned))[6:]).all()


ARRAYS = {
    "uint8": GREY,
    "uint16": DEEP,
    "float32": GREY.astype(np.float32) / 255,
    "float64": GREY.astype(np.float64) / 255,
    "float16": (GREY.astype(np.float32) / 255).astype(np.float16),
    "signed": (GREY - GREY.min()).astype(np.float32) / 127.5 - 1,
    "colour": COLOUR,
    "batch": np.stack([COLOUR, COLOUR[::-1]]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_in_its_dtype_and_range(name):
    array = ARRAYS[name]
    full = array[None, ..., None] if array.ndim == 2 else array[None] if array.ndim == 3 else array
    found = half_changed(read_images(array), "np")
    assert found.shape == full.shape and found.dtype == array.dtype
    assert (found[:, 6:] == full[:, 6:]).all()
    middle = {"signed": 0.0}.get(name, 128 if array.dtype == np.uint8 else 32768 if array.dtype == np.uint16 else 0.5)
    assert (found[:, :6] == middle).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8])
def test_a_tensor_comes_back_in_its_dtype(dtype):
    tensor = torch.rand(2, 3, 12, 9, generator=seeded())
    tensor = (tensor * 255).to(dtype) if dtype == torch.uint8 else tensor.to(dtype)
    found = half_changed(read_images(tensor), "pt")
    assert found.dtype == dtype and torch.equal(found[..., 6:, :], tensor[..., 6:, :])


def test_pictures_as_numbers_are_floating_point_in_zero_to_one():
    for mode, top, values in (("L", 255, GREY), ("I;16", 65535, DEEP)):
        found = half_changed(read_images(picture(mode)), "np")
        assert found.shape == (1, 12, 9, 1) and found.dtype == np.float32
        assert (found[0, 6:, :, 0] == values[6:].astype(np.float32) / np.float32(top)).all()
        assert (np.round(found[0, 6:, :, 0].astype(np.float64) * top) == values[6:]).all()


def test_deep_grey_arrays_become_deep_pictures_and_everything_else_8_bit(caplog):
    (deep,) = half_changed(read_images(DEEP), "pil")
    assert deep.mode == "I;16" and (np.asarray(deep)[6:] == DEEP[6:]).all()
    (grey,) = half_changed(read_images(ARRAYS["float32"]), "pil")
    assert grey.mode == "L" and (np.asarray(grey)[6:] == GREY[6:]).all()
    (colour,) = half_changed(read_images(COLOUR.astype(np.uint16) * 257), "pil")
    assert colour.mode == "RGB" and (np.asarray(colour)[6:] == COLOUR[6:]).all()
    assert "no 16-bit colour" in caplog.text


@pytest.mark.parametrize("form", ["picture", "array", "tensor", "colour"])
def test_every_form_shows_the_same_pixels(form):
    tensor = torch.from_numpy(GREY)
    image = {"picture": picture("L"), "array": GREY, "tensor": tensor[None], "colour": np.stack([GREY] * 3, -1)}[form]
    assert torch.equal(read_images(image).pixels[:, :1], torch.from_numpy(GREY.astype(np.float32) / 255)[None, None])


def test_a_list_of_images_is_read_as_a_batch():
    batch = read_images([picture("RGB"), picture("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    assert len(batch) == 2 and not torch.equal(batch.values[0], batch.values[1])
    assert len(read_images([ARRAYS["batch"], COLOUR])) == 3
    assert len(read_images((torch.zeros(3, 4, 4), torch.ones(1, 3, 4, 4)))) == 2


@given(values=st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_sixteen_bits_survive_the_way_to_pixels_and_back(values):
    batch = read_images(np.array([values], np.uint16))
    everywhere = torch.ones(1, 1, *batch.size, dtype=torch.bool)
    assert batch.give_back(batch.pixels, everywhere, [0], "np")[0, 0, :, 0].tolist() == values


def test_colour_is_made_of_grey_for_the_published_code():
    colour = read_images(picture("L")).in_colour()
    assert colour.values.shape[1] == 3 and colour.mode == "RGB"
    assert read_images(picture("LA")).in_colour().mode == "RGBA"
    assert read_images(COLOUR).in_colour().values.shape[1] == 3


def test_image_latents_have_four_channels_and_values_outside_zero_to_one(caplog):
    caplog.set_level("INFO")
    latents = torch.randn(2, 4, 8, 8, generator=seeded())
    assert is_image_latents(latents) and "read as image latents" in caplog.text
    assert not is_image_latents(latents[:, :3]) and not is_image_latents(latents.numpy())
    assert is_image_latents(torch.rand(1, 16, 8, 8), latent_channels=16)
    assert not any(is_image_latents(latents[:, :count], latent_channels=count) for count in (1, 3))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_four_channels_of_a_picture_are_colour_and_alpha(dtype, caplog):
    caplog.set_level("INFO")
    values = torch.rand(2, 4, 12, 9, generator=seeded())
    values = (values * 255).to(dtype) if dtype == torch.uint8 else values
    assert not is_image_latents(values) and "read as pictures with alpha" in caplog.text
    batch = read_images(values)
    assert "alpha channel is dropped" in caplog.text
    found = half_changed(batch, "pt")
    assert found.shape == (2, 3, 12, 9) and torch.equal(found[..., 6:, :], values[:, :3, 6:, :])
    array = np.ascontiguousarray(values.numpy().transpose(0, 2, 3, 1))
    assert torch.equal(read_images(array).pixels, batch.pixels)


@pytest.mark.parametrize(("name", "mode", "depth"), [("L", "L", 8), ("RGB", "RGB", 8), ("I;16", "I;16", 16)])
@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_read_like_the_picture_in_its_file(name, mode, depth, kind, tmp_path):
    picture(name).save(tmp_path / "radiograph.png")
    batch = read_images(kind(tmp_path / "radiograph.png"))
    assert torch.equal(batch.pixels, read_images(picture(name)).pixels)
    (found,) = half_changed(batch, "pil")
    assert found.mode == mode and (np.asarray(found)[6:] == np.asarray(picture(name))[6:]).all()
    assert len(read_images([kind(tmp_path / "radiograph.png")] * 2)) == 2


def test_a_prompt_in_place_of_the_image_is_answered_with_where_it_belongs():
    with pytest.raises(FileNotFoundError, match=r"no file 'Add edema\.'\. If it is the prompt, call pipe"):
        read_images("Add edema.")
    with pytest.raises(ValueError, match="there is no file"):
        read_images("Add edema and " * 1000)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([], "at least one picture"),
        (7, "the path of a file or a list of them, got int"),
        ("radiograph.png", "there is no file 'radiograph.png'. If it is the prompt, call pipe"),
        (np.zeros((4, 4), np.int64), "uint8, uint16 or floating point, got int64"),
        (np.zeros((4, 4, 2)), r"C of 1 or 3, got \(4, 4, 2\)"),
        (np.zeros((0, 4)), r"got \(0, 4\)"),
        (torch.zeros(4, 4, 3), r"C of 1 or 3 \(or image latents\), got \(4, 4, 3\)"),
        (torch.zeros(3, 4, 4, dtype=torch.int32), "got torch.int32"),
        (np.full((4, 4), 255.0), "divide it by its largest"),
        (np.full((4, 4), np.nan), "finite numbers"),
        (Image.fromarray(np.full((4, 4), -5, np.int32)), "16-bit values, 0 to 65535, got -5"),
        (Image.new("L", (0, 0)), "empty picture"),
        ([Image.new("L", (4, 4)), Image.new("L", (4, 5))], "of one size and kind, got L 4x4x1, L 5x4x1"),
        ([Image.new("L", (4, 4)), Image.new("RGB", (4, 4))], "of one size and kind"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(ValueError, match=f"`image` .*{message}"):
        read_images(image)
