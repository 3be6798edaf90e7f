"""Encoding windows with the normalisation of the whole picture."""

import pytest
import torch
from diffusers import AutoencoderKL
from tiny_models import make_vae

from x2x_core.common.bundled import bundled_path
from x2x_core.edit.backbones import window_encoder
from x2x_core.edit.backbones.window_encoder import encode_windows
from x2x_core.edit.windows import Windows
from x2x_core.imaging.files import read_image
from x2x_core.imaging.geometry import resize

CELL = 8
WINDOW = Windows(((12, 4),), (8, 8), (48, 48))


@pytest.fixture(scope="module")
def vae():
    return AutoencoderKL.from_pretrained(bundled_path("demo"), subfolder="vae").eval()


@pytest.fixture(scope="module")
def picture():
    return resize(read_image(bundled_path("sample")).pixels.mean(1, keepdim=True), (384, 384)).expand(-1, 3, -1, -1)


def encoder(vae):
    def encode(pixels):
        with torch.no_grad():
            return vae.encode(2 * pixels - 1).latent_dist.mode()

    return encode


def own_statistics(encode, picture):
    seen = WINDOW.grown(2)
    return seen.paste(encode(seen.scaled(CELL).cut(picture)))


def distance(latents, whole):
    """Root mean square of the difference in the window, standard deviations of the picture's latents."""
    return float((WINDOW.cut(latents) - WINDOW.cut(whole)).square().mean().sqrt() / whole.std())


def test_a_window_has_nearly_the_latents_of_the_whole_picture(vae, picture):
    encode = encoder(vae)
    whole, window = encode(picture), encode_windows(vae, encode, picture, WINDOW)
    assert (window == 0).any() and not torch.equal(window, whole)
    assert distance(window, whole) < 0.06
    assert distance(window, whole) < distance(own_statistics(encode, picture), whole) / 3


def test_with_the_statistics_of_the_whole_and_a_wide_margin_it_has_just_these(vae, picture, monkeypatch):
    monkeypatch.setattr(window_encoder, "_STATISTICS_SIDE", 384)
    monkeypatch.setattr(window_encoder, "_LARGEST_SHARE", 2)
    monkeypatch.setattr(window_encoder, "_MARGIN", 6)
    encode = encoder(vae)
    assert distance(encode_windows(vae, encode, picture, WINDOW), encode(picture)) < 1e-3


def test_each_picture_has_its_own_statistics_and_window(vae, picture):
    encode = encoder(vae)
    pictures = torch.cat([picture, 0.3 * picture.flip(-1) + 0.4])
    windows = Windows(((12, 4), (2, 20)), (8, 8), (48, 48))
    both = encode_windows(vae, encode, pictures, windows)
    for number in range(2):
        alone = Windows(windows.corners[number : number + 1], windows.size, windows.whole)
        assert torch.allclose(both[[number]], encode_windows(vae, encode, pictures[[number]], alone), atol=1e-4)


def test_nothing_is_left_on_the_encoder(vae, picture):
    encode = encoder(vae)
    before = encode(picture)
    encode_windows(vae, encode, picture, WINDOW)
    assert torch.equal(encode(picture), before)

    def fail(pixels):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        encode_windows(vae, fail, picture, WINDOW)
    assert torch.equal(encode(picture), before)


def test_the_whole_is_encoded_where_a_window_would_cost_as_much_or_can_t_be(vae, picture, monkeypatch):
    encode = encoder(vae)
    whole = encode(picture)
    wide = Windows(((0, 4),), (48, 30), (48, 48))
    assert torch.equal(encode_windows(vae, encode, picture, wide), whole)
    other = torch.nn.Identity()  # another kind of autoencoder
    assert torch.equal(encode_windows(other, encode, picture, WINDOW), whole)
    monkeypatch.setattr(window_encoder, "_hooked", _no_hooks)  # as a compiled encoder
    assert torch.equal(encode_windows(vae, encode, picture, WINDOW), whole)


class _no_hooks:  # noqa: N801
    def __init__(self, norms, hook):
        pass

    def __enter__(self):
        pass

    def __exit__(self, *error):
        pass


def test_attention_is_normalised_too(picture):
    vae = make_vae()  # random, with attention in its coarsest layer
    encode, windows = encoder(vae), Windows(((24, 24),), (16, 16), (96, 96))
    window, whole = encode_windows(vae, encode, picture, windows), encode(picture)
    assert not torch.equal(window, whole)
    assert float((windows.cut(window) - windows.cut(whole)).square().mean().sqrt()) < 0.3 * float(whole.std())
