"""The processor keeps the stock layer's arithmetic."""

import pytest
import torch
from attention_cases import TOKENS, WIDTH, make_layer, one_group_per_token, random
from diffusers.models.attention_processor import (
    AttnProcessor,
    AttnProcessor2_0,
    SlicedAttnProcessor,
)

from x2x_core.edit.attention.processor import RSEAttnProcessor
from x2x_core.guidance.attention.record import AttentionRecord


@pytest.mark.parametrize("stock", [AttnProcessor(), AttnProcessor2_0(), SlicedAttnProcessor(3)])
def test_idle_it_is_the_processor_that_it_replaced_bit_for_bit(stock):
    layer, states, text = make_layer(), random(2, 12, 24), random(2, TOKENS, WIDTH, seed=1)
    layer.set_processor(stock)
    expected = layer(states, text)
    layer.set_processor(RSEAttnProcessor(stock))
    assert torch.equal(layer(states, text), expected)


@pytest.mark.parametrize("stock", [AttnProcessor2_0(), SlicedAttnProcessor(3)])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"bias": True, "rescale_output_factor": 2.0, "residual_connection": True},
        {"cross_attention_norm": "layer_norm"},
    ],
)
@pytest.mark.parametrize("biased", [False, True])
def test_watching_and_a_full_gate_leave_the_output_bit_for_bit(stock, more, biased):
    layer, states, text = make_layer(**more), random(6, 12, 24), random(6, TOKENS, WIDTH, seed=1)
    bias = random(6, 1, TOKENS, seed=2) if biased else None
    layer.set_processor(stock)
    expected = layer(states, text, attention_mask=bias)
    record = AttentionRecord(one_group_per_token(3), (3, 4), level=0)
    layer.set_processor(RSEAttnProcessor(stock, record, inside=torch.ones(2, 12, 1, dtype=torch.bool)))
    assert torch.equal(layer(states, text, attention_mask=bias), expected)
    assert torch.allclose(record.maps.sum(dim=1), torch.ones(3, 3, 4), atol=1e-5)


def test_scores_that_are_not_scaled_stay_so():
    layer, states, text = make_layer(scale_qk=False), random(2, 12, 24), random(2, TOKENS, WIDTH, seed=1)
    expected = layer(states, text)
    assert isinstance(layer.processor, AttnProcessor)
    record = AttentionRecord(one_group_per_token(), (3, 4), level=0)
    layer.set_processor(RSEAttnProcessor(layer.processor, record))
    assert torch.allclose(layer(states, text), expected, atol=1e-6)
    query, key = (layer.head_to_batch_dim(part) for part in (layer.to_q(states[:1]), layer.to_k(text[:1])))
    assert torch.allclose(record.maps[0].flatten(1).T, layer.get_attention_scores(query, key).mean(dim=0), atol=1e-6)
