"""Radiograph files as squares."""

import cv2
import numpy as np
import pytest
from PIL import Image

from x2x_core.dataset.squares import halve, read_square


def gradient(height, width):
    return np.add.outer(np.linspace(20, 120, height), np.linspace(0, 100, width)).round().astype(np.uint8)


@pytest.mark.parametrize("ending", ["jpg", "png"])
@pytest.mark.parametrize(("height", "width"), [(120, 90), (90, 120), (100, 100), (31, 40)])
def test_the_whole_image_is_centred_on_black(tmp_path, ending, height, width):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(gradient(height, width)).save(path, quality=98) if ending == "jpg" else cv2.imwrite(
        str(path), gradient(height, width)
    )
    square = read_square(path, 60)
    long = max(height, width)
    rows, columns = round(60 * height / long), round(60 * width / long)
    assert square.pixels.shape == (60, 60) and square.pixels.dtype == np.uint8
    assert square.valid.sum() == rows * columns and square.valid[30, 30]
    assert (square.pixels[~square.valid] == 0).all()
    inside = square.pixels[square.valid].reshape(rows, columns).astype(float)
    expected = cv2.resize(
        gradient(height, width), (columns, rows), interpolation=cv2.INTER_AREA if long > 60 else cv2.INTER_LINEAR
    )
    assert abs(inside - expected).mean() < 1


def test_a_large_jpeg_read_small_is_the_image_reduced(tmp_path):
    values = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (1200, 1000)).astype(np.uint8), (0, 0), 12)
    values = cv2.normalize(values, None, 0, 255, cv2.NORM_MINMAX)
    Image.fromarray(values).save(tmp_path / "a.jpg", quality=95)
    square = read_square(tmp_path / "a.jpg", 150)
    expected = cv2.resize(values, (125, 150), interpolation=cv2.INTER_AREA)
    assert abs(square.pixels[square.valid].reshape(150, 125).astype(int) - expected).mean() < 1.5


def test_colour_depth_and_orientation_are_read_as_everywhere(tmp_path):
    values = gradient(40, 30)
    Image.fromarray(np.repeat(values[..., None], 3, 2)).save(tmp_path / "rgb.png")
    cv2.imwrite(str(tmp_path / "deep.png"), values.astype(np.uint16) * 257)
    plain = read_square(tmp_path / "rgb.png", 40)
    assert (read_square(tmp_path / "deep.png", 40).pixels == plain.pixels).all()
    picture = Image.fromarray(values)
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=98)
    assert read_square(tmp_path / "turned.jpg", 40).valid.sum(1).max() == 40


def test_unreadable_files_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_square(tmp_path / "none.jpg", 32)
    whole = tmp_path / "a.jpg"
    Image.fromarray(gradient(200, 200)).save(whole)
    (tmp_path / "half.jpg").write_bytes(whole.read_bytes()[:900])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    for name in ("half", "text", "empty"):
        with pytest.raises(ValueError, match=f"{name}.jpg"):
            read_square(tmp_path / f"{name}.jpg", 32)


def test_halving_averages_four_pixels():
    assert halve(np.array([[0, 4, 8, 8], [8, 8, 8, 8]], np.uint8)).tolist() == [[5, 8]]
