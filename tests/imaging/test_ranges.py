"""Range of floating-point pictures: overshoot never changes the reading, [-1, 1] is recognised, the rest is refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_models import make_radiograph, seeded

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.imaging.files import read_image
from x2x_core.imaging.inputs import read_images

FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", "torch bicubic", "torch antialias"]


def resampled(image, size, name):
    """Resample `(H, W)` float32 in [0, 1] without clipping."""
    if name.startswith("torch"):
        tensor = torch.from_numpy(image)[None, None]
        antialias = name.endswith("antialias")
        return F.interpolate(tensor, size, mode="bicubic", antialias=antialias)[0, 0].numpy()
    picture = Image.fromarray(image).resize(size[::-1], Image.Resampling[name.upper()])
    return np.asarray(picture)


def reading(image):
    """Return the range that a picture is read in, or "refused"."""
    try:
        return "[-1, 1]" if read_images(image).signed else "[0, 1]"
    except InputError:
        return "refused"


SAMPLE = read_image(bundled_path("sample")).pixels[0, 0].numpy()


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("size", [(64, 64), (200, 333), (512, 512)])
def test_the_sample_resampled_by_any_filter_keeps_its_grey(name, size):
    grey = float(read_images(resampled(SAMPLE, size, name)).pixels.mean())
    assert grey == pytest.approx(float(SAMPLE.mean()), abs=0.005)


def ordinary(seed, height, width, noise, low, high):
    """A radiograph with noise whose grey levels reach from `low` to `high`."""
    image = resampled(SAMPLE, (height, width), "bilinear")
    image = image + noise * torch.randn(height, width, generator=seeded(seed)).numpy()
    image = (image - image.min()) / max(float(np.ptp(image)), 1e-3)
    return (low + (high - low) * image).astype(np.float32)


contents = st.builds(
    ordinary,
    seed=st.integers(0, 999),
    height=st.integers(16, 64),
    width=st.integers(16, 64),
    noise=st.floats(0, 0.3),
    low=st.floats(0, 0.1),
    high=st.floats(0.7, 1),
)
sizes = st.tuples(st.integers(16, 128), st.integers(16, 128))


@settings(max_examples=150, deadline=None)
@given(image=contents, size=sizes, name=st.sampled_from(FILTERS))
def test_a_resampled_picture_keeps_its_grey(image, size, name):
    changed = resampled(image, size, name)
    grey = float(read_images(changed).pixels.mean())
    assert grey == pytest.approx(float(changed.clip(0, 1).mean()), abs=1e-4)
    assert grey == pytest.approx(float(image.mean()), abs=0.08)  # nearest neighbour skips pixels


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(16, 48), target=sizes, name=st.sampled_from(FILTERS))
@example(seed=0, size=40, target=(40, 16), name="torch bicubic")
def test_black_and_white_noise_is_never_taken_for_the_signed_range(seed, size, target, name):
    noise = (torch.rand(size, size, generator=seeded(seed)) < 0.5).float().numpy()
    changed = resampled(noise, target, name)
    assert reading(changed) in ("[0, 1]", "refused")


@settings(max_examples=100, deadline=None)
@given(image=contents, size=sizes, name=st.sampled_from(FILTERS))
def test_the_signed_range_is_recognised_before_and_after_resampling(image, size, name):
    image = image - image.min()  # with black in it: from -1 on
    assert torch.allclose(read_images(image * 2 - 1).pixels[0, 0], torch.from_numpy(image), atol=1e-6)
    changed = resampled(image * 2 - 1, size, name)
    assert float(read_images(changed).pixels.mean()) == pytest.approx(float(((changed + 1) / 2).clip(0, 1).mean()))


@settings(max_examples=100, deadline=None)
@given(image=contents, value=st.floats(-1, 2), row=st.integers(0, 15), column=st.integers(0, 15))
def test_one_stray_value_never_changes_the_reading(image, value, row, column):
    stray = image.copy()
    stray[row, column] = value
    assert reading(stray) in ("[0, 1]", "refused")


def test_overshoot_is_clipped_for_editing_said_and_returned_untouched(caplog):
    image = make_radiograph(16, 16).astype(np.float32) / 255
    image[0, :2] = -0.01, 1.02
    batch = read_images(image)
    assert "between -0.01 and 1.02: read as [0, 1], and clipped to it" in caplog.text
    assert batch.pixels[0, 0, 0, :2].tolist() == [0, 1] and not batch.signed
    untouched = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    assert (batch.give_back(batch.pixels, untouched, [0], "np")[0, ..., 0] == image).all()


def test_rounding_is_clipped_silently(caplog):
    image = make_radiograph(16, 16).astype(np.float32) / 255
    image[0, :2] = -0.0005, 1.0005
    assert not read_images(image).signed and not caplog.records


def test_one_picture_with_overshoot_leaves_the_others_of_a_list_as_they_are():
    image = make_radiograph(16, 16).astype(np.float32) / 255
    overshot = image.copy()
    overshot[3, 4] = -0.2
    batch = read_images([image, overshot, image])
    assert torch.equal(batch.pixels[0, 0], torch.from_numpy(image)) and not batch.signed


def test_a_bright_picture_in_the_signed_range_that_looks_like_overshoot_is_clipped_and_said(caplog):
    image = ordinary(1, 16, 16, 0.1, 0.45, 1)
    batch = read_images(image * 2 - 1)
    assert not batch.signed and "between -0.1 and 1: read as [0, 1], and clipped to it" in caplog.text


def test_pictures_of_two_ranges_are_refused():
    image = ordinary(0, 16, 16, 0.1, 0, 1)
    with pytest.raises(ValueError, match=r"`image` must hold pictures of one range, got some in \[0, 1\] and some"):
        read_images([image, image * 2 - 1])


def test_a_bright_picture_takes_the_range_of_the_others_in_its_batch():
    image = ordinary(0, 16, 16, 0.1, 0, 1)
    bright = np.full((16, 16), 0.8, np.float32)
    bright[0, :], bright[1, :4] = 0.3, 0.2  # 8 % of it dark
    with pytest.raises(ValueError, match=r"unmistakably, in \[-1, 1\]"):
        read_images(bright * 2 - 1)
    batch = read_images([image * 2 - 1, bright * 2 - 1])
    assert torch.allclose(batch.pixels[1, 0], torch.from_numpy(bright), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda image: image * 255, "divide it by its largest possible value"),
        (lambda image: (image - image.mean()) / image.std() * 2, "divide it by its largest possible value"),
        (lambda image: image - 3, r"scale it to \[0, 1\]"),
        (lambda image: image * 0.15 - 0.1, r"scale it to \[0, 1\]"),
    ],
)
def test_other_ranges_are_refused_with_the_remedy(change, remedy):
    image = ordinary(0, 32, 32, 0.1, 0, 1)
    with pytest.raises(ValueError, match=rf"`image` in floating point must lie in \[0, 1\] .*: {remedy}\."):
        read_images(change(image))


@pytest.mark.parametrize("lowest", [-0.3, -0.45])
def test_a_picture_whose_contrast_was_stretched_below_zero_is_in_neither_range(lowest):
    picture = torch.linspace(lowest, 1, 4096, dtype=torch.float32).reshape(1, 1, 64, 64)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\] \(or, unmistakably, in \[-1, 1\]\).*scale it"):
        read_images(picture)


def test_a_single_value_of_minus_three_tenths_is_clipped_and_said(caplog):
    picture = torch.linspace(0, 1, 4096, dtype=torch.float32).reshape(1, 1, 64, 64)
    picture[0, 0, 3, 3] = -0.3
    batch = read_images(picture)
    assert not batch.signed and float(batch.pixels.min()) == 0 and "-0.3" in caplog.text
