"""Pictures whose encoding is restricted to the window of a caller's mask."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from edit_cases import PROMPTS, edit, generators, same
from PIL import Image
from tiny_models import CELL, NATIVE, make_radiograph, seeded

ENCODER = "x2x_core.edit.backbones.window_encoder"
SMALL = (slice(24, 32), slice(20, 28))


def mask_of(part=SMALL, size=(NATIVE, NATIVE)):
    mask = torch.zeros(1, 1, *size)
    mask[(..., *part)] = 1
    return mask


@pytest.fixture
def areas(pipe, monkeypatch):
    """The size of each picture that is encoded; statistics are taken from pictures of 16 pixels."""
    monkeypatch.setattr(f"{ENCODER}._STATISTICS_SIDE", 16)
    seen, encode = [], pipe.vae.encode

    def counted(pixels, **keywords):
        seen.append(tuple(pixels.shape[-2:]))
        return encode(pixels, **keywords)

    monkeypatch.setattr(pipe.vae, "encode", counted)
    return seen


def encode_windows_alone(vae, encode, pixels, windows):
    return windows.paste(encode(windows.scaled(CELL).cut(pixels)))


def encode_whole(vae, encode, pixels, windows):
    return encode(pixels)


@pytest.fixture
def encoded_by(monkeypatch):
    """Return a function that sets how windows are encoded."""
    return lambda function: monkeypatch.setattr("x2x_core.edit.backbones.instruct_pix2pix.encode_windows", function)


@pytest.fixture
def pointwise(pipe, monkeypatch):
    """An autoencoder that looks at each cell alone, so that a window's latents are known: the whole picture's."""

    def encode(pixels):
        cells = torch.nn.functional.avg_pool2d(pixels, CELL)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: torch.cat([cells, cells[:, :1] ** 2], dim=1)))

    monkeypatch.setattr(pipe.vae, "encode", encode)
    return pipe


def test_only_the_window_and_a_small_picture_are_encoded(pipe, radiograph, areas):
    edit(pipe, radiograph, guidance_mask=mask_of(), mask_context=0)
    small, window = areas
    assert small == (16, 16) and window == (32, 32)  # a quarter of the canvas, and two cells on each side
    areas.clear()
    edit(pipe, radiograph, guidance_mask=mask_of((slice(0, NATIVE), slice(0, 8))), mask_context=0)
    assert areas == [(NATIVE, NATIVE)]  # it would cost more than half as much


def test_all_is_encoded_where_all_is_seen(pipe, radiograph, areas, monkeypatch):
    call = {"guidance_mask": mask_of(), "mask_context": 0}
    edit(pipe, radiograph, guidance_mask=mask_of())  # no window
    edit(pipe, radiograph, mask_context=0, align=False)  # the mask is found on the whole picture
    edit(pipe, radiograph, **call, output_type="latent")
    monkeypatch.setattr(pipe, "run_safety_checker", lambda image, device, dtype: (image, None))
    pipe.safety_checker = object()
    edit(pipe, radiograph, **call)
    assert areas == [(NATIVE, NATIVE)] * 4


@pytest.mark.parametrize("arguments", [{}, {"composition": "decoded"}, {"twin": True}, {"padding_mask_crop": 4}])
def test_the_edit_is_that_of_the_whole_where_the_window_s_latents_are(pointwise, radiograph, encoded_by, arguments):
    call = {"guidance_mask": mask_of(), "mask_context": 4, **arguments}
    encoded_by(encode_windows_alone)
    window = edit(pointwise, radiograph, **call)
    encoded_by(encode_whole)
    assert same(window.images, edit(pointwise, radiograph, **call).images)


def test_each_output_of_a_batch_has_the_window_of_its_own_mask(pointwise, encoded_by):
    images = [Image.fromarray(make_radiograph(seed=seed)) for seed in range(3)]
    places = [SMALL, (slice(0, 8), slice(56, 64)), (slice(50, 60), slice(4, 12))]
    call = {"guidance_mask": torch.cat([mask_of(place) for place in places]), "mask_context": 4}
    for given in (images, images[0]):  # one picture, too, is encoded in three windows
        encoded_by(encode_windows_alone)
        windows = edit(pointwise, given, PROMPTS, generator=generators(3), **call)
        encoded_by(encode_whole)
        whole = edit(pointwise, given, PROMPTS, generator=generators(3), **call)
        assert same(windows.images, whole.images)


def test_outside_the_mask_nothing_changes_and_a_seed_has_one_result(pipe):
    image = Image.fromarray(make_radiograph(150, 120))
    mask = mask_of((slice(60, 80), slice(10, 30)), (150, 120))
    first, second = (edit(pipe, image, guidance_mask=mask, mask_context=4, generator=seeded(1)) for _ in range(2))
    before, after, inside = np.asarray(image), np.asarray(first.images[0]), mask[0, 0].bool().numpy()
    assert same(first.images, second.images)
    assert (before == after)[~inside].all() and (before != after)[inside].any()


@pytest.mark.parametrize("option", ["use_tiling", "use_slicing"])
def test_an_autoencoder_that_encodes_in_parts_encodes_the_whole(pipe, radiograph, areas, monkeypatch, option):
    monkeypatch.setattr(pipe.vae, option, True)
    edit(pipe, radiograph, guidance_mask=mask_of(), mask_context=0)
    assert areas == [(NATIVE, NATIVE)]


def test_prepared_pictures_keep_their_encoding(pipe, radiograph, areas):
    prepared = pipe.prepare(radiograph, align=False)
    edit(pipe, prepared, guidance_mask=mask_of(), mask_context=0)
    assert areas == [(NATIVE, NATIVE)]


def test_edits_of_a_prepared_crop_encode_each_window_once(pipe, encoded_by):
    encoded = []

    def counted(vae, encode, pixels, windows):
        encoded.append(windows)
        return encode_windows_alone(vae, encode, pixels, windows)

    encoded_by(counted)
    image = Image.fromarray(make_radiograph(150, 120))
    call = {"padding_mask_crop": 20, "mask_context": 0}
    prepared = pipe.prepare(image, align=False)
    masks = [mask_of((slice(60, 70), slice(left, left + 10)), (150, 120)) for left in (20, 60)]
    for mask in (masks[0], masks[1], masks[0]):
        made = edit(pipe, prepared, guidance_mask=mask, **call)
    assert len(encoded) == 2
    assert same(made.images, edit(pipe, image, guidance_mask=masks[0], **call).images)
