"""Gating: what happens inside and outside the mask."""

import pytest
import torch
from attention_cases import CELLS, TOKENS, WIDTH, make_layer, random, run
from diffusers.models.attention_processor import (
    AttnProcessor2_0,
    SlicedAttnProcessor,
)
from tiny_models import seeded

from x2x_core.edit.attention.processor import RSEAttnProcessor
from x2x_core.edit.attention.switching import rse_attention
from x2x_core.guidance.attention.gate import AttentionGate


@pytest.mark.parametrize("sliced", [False, True])
def test_outside_the_gate_a_position_gets_the_null_text(sliced):
    layer, states, text = make_layer(), random(6, 12, 24), random(6, TOKENS, WIDTH, seed=1)
    stock = SlicedAttnProcessor(3) if sliced else AttnProcessor2_0()
    inside = torch.rand(2, 12, 1, generator=seeded()) > 0.5
    layer.set_processor(stock)
    usual, null = layer(states, text), layer(states, torch.cat([text[2:4], text[2:]]))
    layer.set_processor(RSEAttnProcessor(stock, inside=inside))
    found = layer(states, text)
    assert torch.equal(found[2:], usual[2:])
    assert torch.allclose(found[:2], torch.where(inside, usual[:2], null[:2]), atol=1e-6)
    layer.set_processor(RSEAttnProcessor(stock, inside=inside, null_states=text[2:4]))
    assert torch.allclose(layer(states, text), found, atol=1e-6)
    assert torch.allclose(layer(states[:2], text[:2]), found[:2], atol=1e-6)  # the text branch alone


def test_a_full_gate_is_the_stock_unet_bit_for_bit(unet, half):
    expected = run(unet)
    with rse_attention(unet, gate=AttentionGate(torch.ones_like(half))):
        assert torch.equal(run(unet), expected)


def test_through_a_closed_gate_the_text_branch_is_the_image_branch(unet, half):
    latents, text = random(2, 8, *CELLS), random(4, TOKENS, WIDTH, seed=1)
    batch = torch.cat([latents] * 3), torch.cat([text, text[2:]])
    with torch.no_grad(), rse_attention(unet, gate=AttentionGate(torch.zeros_like(half))):
        led, image, uncond = unet(batch[0], 500, encoder_hidden_states=batch[1]).sample.chunk(3)
    with torch.no_grad():
        stock = unet(batch[0], 500, encoder_hidden_states=batch[1]).sample
    assert torch.allclose(led, image, atol=1e-5) and not torch.allclose(stock[:2], image, atol=1e-3)
    assert torch.equal(torch.cat([image, uncond]), stock[2:])


def test_the_gate_of_a_batch_is_that_of_its_items(unet, half):
    latents, text = random(2, 8, *CELLS), random(2, TOKENS, WIDTH, seed=1)
    null = random(2, TOKENS, WIDTH, seed=2)
    with torch.no_grad():
        with rse_attention(unet, gate=AttentionGate(half)):
            together = unet(torch.cat([latents] * 3), 500, encoder_hidden_states=torch.cat([text, null, null])).sample
        for number in range(2):
            with rse_attention(unet, gate=AttentionGate(half[[number]], null[[number]])):
                alone = unet(latents[[number]], 500, encoder_hidden_states=text[[number]]).sample
            assert torch.allclose(together[[number]], alone, atol=1e-5)


def test_whatever_touches_the_mask_is_inside():
    mask = torch.zeros(1, 1, 9, 7, dtype=torch.bool)
    mask[0, 0, 8, 6] = mask[0, 0, 0, 3] = True
    gate = AttentionGate(mask)
    assert torch.equal(gate.inside(0).flatten(), mask.flatten())
    coarse = gate.inside(1).reshape(5, 4)
    assert coarse[4, 3] and coarse[0, 1] and not coarse[2].any()
    assert gate.inside(2).reshape(3, 2)[2, 1] and gate.inside(3).reshape(2, 1).all()
    assert not AttentionGate(mask & False).inside(2).any()


def test_a_gate_is_checked(unet, half):
    with pytest.raises(ValueError, match=r"`mask` must be .* bool"):
        AttentionGate(half.float())
    with pytest.raises(ValueError, match="`mask` must be"):
        AttentionGate(half[0])
    for gate in (AttentionGate(half[:, :, :8]), AttentionGate(half[:1])):
        with pytest.raises(ValueError, match="The gate is for"), rse_attention(unet, gate=gate):
            run(unet)
    with pytest.raises(ValueError, match="The gate is for"), rse_attention(unet, gate=AttentionGate(half)):
        run(unet, batch=2)  # the text branch alone, without the null text
    layer = make_layer()
    layer.set_processor(RSEAttnProcessor(inside=torch.ones(1, 12, 1, dtype=torch.bool)))
    with pytest.raises(ValueError, match="`encoder_hidden_states` must be given"):
        layer(random(1, 12, 24))
