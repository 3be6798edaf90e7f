"""Random layers, texts and U-Net runs for the tests of attention, and the fixtures that they share."""

import pytest
import torch
from diffusers.models.attention_processor import Attention
from tiny_models import make_unet, seeded

TOKENS, WIDTH, CELLS = 7, 32, (16, 16)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def make_layer(**more):
    torch.manual_seed(0)
    return Attention(24, cross_attention_dim=WIDTH, heads=4, dim_head=6, **more).eval()


def one_group_per_token(batch=1, tokens=TOKENS):
    """Weights that keep every token apart."""
    return torch.eye(tokens).expand(batch, -1, -1)


def run(unet, batch=6, cells=CELLS, seed=0, text=None):
    """The U-Net's output on random latents, `batch` items of random text."""
    text = random(batch, TOKENS, WIDTH, seed=seed + 1) if text is None else text
    with torch.no_grad():
        return unet(random(batch, 8, *cells, seed=seed), 500, encoder_hidden_states=text).sample


@pytest.fixture
def unet():
    return make_unet()


@pytest.fixture
def half():
    """A mask for two images: the left half of one, a corner of the other."""
    mask = torch.zeros(2, 1, *CELLS, dtype=torch.bool)
    mask[0, :, :, :8] = True
    mask[1, :, :4, 12:] = True
    return mask
