"""Picture files: every depth and mode, exact round trips, and what is refused."""

import logging

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from x2x_core.imaging.files import read_image, read_text_chunks, to_values, write_png


def draw(shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(path, values, mode=None):
    Image.fromarray(values).convert(mode).save(path) if mode else Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp"])
def test_8_bit_grey_is_read_exactly(tmp_path, suffix):
    values = draw((5, 7))
    radiograph = read_image(save(tmp_path / f"a.{suffix}", values))
    assert (radiograph.bit_depth, radiograph.size) == (8, (5, 7))
    assert radiograph.pixels.shape == (1, 1, 5, 7) and radiograph.pixels.dtype == torch.float32
    assert np.array_equal(to_values(radiograph.pixels, 8), values)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bit_grey_is_read_exactly(tmp_path, suffix):
    values = draw((5, 7), np.uint16)
    radiograph = read_image(save(tmp_path / f"a.{suffix}", values))
    assert radiograph.bit_depth == 16
    assert np.array_equal(to_values(radiograph.pixels, 16), values)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_is_read_exactly_at_both_depths(tmp_path, suffix, dtype):
    values = draw((4, 6, 3), dtype)
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), values[..., ::-1])
    radiograph = read_image(tmp_path / f"a.{suffix}")
    assert radiograph.pixels.shape == (1, 3, 4, 6)
    assert np.array_equal(to_values(radiograph.pixels, radiograph.bit_depth), values)


def test_jpeg_is_read(tmp_path):
    radiograph = read_image(save(tmp_path / "a.jpg", np.full((16, 16), 128, np.uint8)))
    assert radiograph.mode == "L" and (radiograph.pixels - 128 / 255).abs().max() < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_with_equal_channels_is_grey(tmp_path, dtype):
    values = draw((4, 6), dtype)
    cv2.imwrite(str(tmp_path / "a.png"), np.repeat(values[..., None], 3, axis=2))
    radiograph = read_image(tmp_path / "a.png")
    assert radiograph.pixels.shape == (1, 1, 4, 6)
    assert np.array_equal(to_values(radiograph.pixels, radiograph.bit_depth), values)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_laid_over_black(tmp_path, mode):
    picture = Image.fromarray(np.full((4, 4), 200, np.uint8)).convert(mode)
    picture.putalpha(Image.fromarray(np.array([[255, 0, 255, 128]] * 4, np.uint8)))
    picture.save(tmp_path / "a.png")
    values = to_values(read_image(tmp_path / "a.png").pixels, 8)
    assert values[0, :3].tolist() == [200, 0, 200] and abs(int(values[0, 3]) - 100) <= 1


def test_16_bit_alpha_is_laid_over_black(tmp_path):
    values = np.full((2, 2, 4), 40000, np.uint16)
    values[..., 3] = [[65535, 0], [65535, 65535]]
    cv2.imwrite(str(tmp_path / "a.png"), values)
    radiograph = read_image(tmp_path / "a.png")
    assert radiograph.bit_depth == 16
    assert to_values(radiograph.pixels, 16).tolist() == [[40000, 0], [40000, 40000]]


@pytest.mark.parametrize("mode", ["P", "1"])
def test_palettes_and_bitmaps_are_8_bit(tmp_path, mode):
    values = np.where(draw((8, 8)) > 127, 255, 0).astype(np.uint8)
    radiograph = read_image(save(tmp_path / "a.png", values, mode))
    assert radiograph.bit_depth == 8 and radiograph.mode == mode
    assert np.array_equal(to_values(radiograph.pixels, 8), values)


def test_the_cameras_orientation_is_applied(tmp_path):
    picture = Image.fromarray(draw((4, 6)))
    exif = picture.getexif()
    exif[274] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").size == (6, 4)


def test_of_several_pages_the_first_is_read_with_a_warning(tmp_path, caplog):
    pages = [Image.fromarray(draw((3, 3), seed=seed)) for seed in (1, 2)]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    with caplog.at_level(logging.WARNING):
        radiograph = read_image(tmp_path / "a.tiff")
    assert "holds 2 pictures" in caplog.text
    assert np.array_equal(to_values(radiograph.pixels, 8), np.asarray(pages[0]))


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("a letter")
    with pytest.raises(ValueError, match=r"a\.png` is not a PNG, JPEG, TIFF or DICOM picture"):
        read_image(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_cut_off_picture_is_refused(tmp_path, dtype, channels):
    cv2.imwrite(str(tmp_path / "whole.png"), draw((40, 40, channels), dtype))
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"a\.png` must be an intact"):
        read_image(tmp_path / "a.png")


def test_floating_point_and_32_bit_files_are_refused(tmp_path):
    for name, values in (("f.tiff", np.ones((3, 3), np.float32)), ("i.tiff", np.full((3, 3), 2**20, np.int32))):
        with pytest.raises(ValueError, match=f"{name}` must have 8 or 16-bit values"):
            read_image(save(tmp_path / name, values))


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
    depth=st.sampled_from([8, 16]),
    seed=st.integers(0, 99),
)
def test_reading_and_writing_gives_the_same_values(tmp_path_factory, height, width, channels, depth, seed):
    folder = tmp_path_factory.mktemp("round")
    values = draw((channels, height, width), np.uint8 if depth == 8 else np.uint16, seed)
    pixels = torch.from_numpy(values.astype(np.float32) / np.float32(2**depth - 1))
    write_png(folder / "a.png", pixels, depth)
    once = read_image(folder / "a.png")
    write_png(folder / "b.png", once.pixels, once.bit_depth)
    assert once.bit_depth == depth
    assert np.array_equal(once.pixels[0].expand(channels, -1, -1).numpy(), pixels.numpy())
    assert torch.equal(read_image(folder / "b.png").pixels, once.pixels)


@pytest.mark.parametrize("depth", [8, 16])
def test_every_value_of_a_depth_survives_float(depth):
    values = np.arange(2**depth, dtype=np.uint16)[None]
    pixels = torch.from_numpy(values.astype(np.float32) / np.float32(2**depth - 1))
    assert np.array_equal(to_values(pixels, depth), values)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", [8, 16])
def test_text_travels_with_every_kind_of_png(tmp_path, channels, depth):
    metadata = {"Synthetic": "true", "Parameters": '{"prompt": "épanchement"}', "Comment": "plain"}
    write_png(
        tmp_path / "a.png", torch.rand(channels, 4, 4, generator=torch.Generator().manual_seed(0)), depth, metadata
    )
    assert read_text_chunks(tmp_path / "a.png") == metadata


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, torch.full((1, 1, 5, 5), 0.3), 16, {"Synthetic": "true"})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("pixels", "depth", "metadata", "words"),
    [
        (torch.ones(1, 4, 4), 12, {}, "`bit_depth` must be 8 or 16, got 12"),
        (torch.ones(2, 4, 4), 8, {}, "`pixels` must be one grey or colour image"),
        (torch.ones(2, 1, 4, 4), 8, {}, "`pixels` must be one"),
        (torch.full((1, 4, 4), torch.nan), 8, {}, "`pixels` must be finite"),
        (torch.ones(1, 4, 4), 8, {"": "x"}, "`metadata` must have keywords"),
        (torch.ones(1, 4, 4), 8, {"a": "x\0"}, "`metadata` must hold text without NUL"),
    ],
)
def test_what_a_png_cant_hold_is_refused(tmp_path, pixels, depth, metadata, words):
    with pytest.raises(ValueError, match=words):
        write_png(tmp_path / "a.png", pixels, depth, metadata)
    assert not (tmp_path / "a.png").exists()


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_png(tmp_path / "nowhere" / "a.png", torch.ones(1, 4, 4))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        read_text_chunks(tmp_path / "nowhere.png")


def test_text_of_what_is_no_png_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.jpg` is not a PNG file"):
        read_text_chunks(save(tmp_path / "a.jpg", draw((4, 4))))
