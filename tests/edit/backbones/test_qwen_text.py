"""Qwen-Image-Edit's own text encoder: it reads the instruction and sees the picture."""

import pytest
import torch
from backbone_models import MAKERS
from PIL import Image

from x2x_core.edit.backbones.conditioning import IMAGE, TEXT, PromptInputs
from x2x_core.edit.backbones.registry import backbone_of


@pytest.fixture(scope="module")
def pipe():
    return MAKERS["qwen"]()


def states(pipe, text, colour):
    """Return what the transformer is told of an instruction and a picture."""
    backbone = backbone_of(pipe)
    picture = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    inputs = PromptInputs(wordings=[text], negative=None, copies=1)
    conditioning = backbone.condition(inputs, picture, backbone.encode_image(picture))
    return [conditioning.of(branch).tensors["prompt_embeds"] for branch in (TEXT, IMAGE)]


def test_states_depend_on_the_words_and_on_the_picture(pipe):
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    first, without = states(pipe, "Make it snow.", red)
    again, other = states(pipe, "Make it snow.", red)[0], states(pipe, "Make it rain.", red)[0]
    elsewhere = states(pipe, "Make it snow.", blue)[0]
    assert torch.equal(first, again)
    assert first.shape == other.shape and not torch.allclose(first, other, atol=1e-4)
    assert not torch.allclose(first, elsewhere, atol=1e-4)
    assert first.shape == without.shape and not torch.allclose(first, without, atol=1e-4)


def test_states_are_those_of_diffusers_own_call(pipe):
    picture = Image.new("RGB", (16, 16), "red")
    stock, _ = pipe.encode_prompt(prompt=["Make it snow."], image=picture)
    ours = states(pipe, "Make it snow.", (1.0, 0.0, 0.0))[0]
    assert torch.allclose(ours[:, : stock.shape[1]], stock, atol=1e-4)
