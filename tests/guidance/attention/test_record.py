"""Recording: attention shares by token group, averaged over heads, layers and draws."""

import pytest
import torch
from attention_cases import CELLS, TOKENS, WIDTH, one_group_per_token, random, run
from diffusers.models.attention_processor import (
    Attention,
)
from tiny_models import seeded

from x2x_core.edit.attention.layers import cross_attention_layers
from x2x_core.edit.attention.processor import RSEAttnProcessor
from x2x_core.edit.attention.switching import rse_attention
from x2x_core.guidance.attention import record as recording
from x2x_core.guidance.attention.grids import grid_at
from x2x_core.guidance.attention.record import AttentionRecord, token_shares


def test_shares_are_the_softmax_averaged_over_heads_whatever_the_slices(monkeypatch):
    query, key = random(2, 4, 12, 6), random(2, 4, TOKENS, 6, seed=1)
    expected = (query @ key.transpose(2, 3) * 0.3).softmax(dim=-1).mean(dim=1).transpose(1, 2)
    found = token_shares(query, key, one_group_per_token(2), 0.3)
    assert torch.allclose(found, expected, atol=1e-6) and torch.allclose(found.sum(dim=1), torch.ones(2, 12))
    for slices in (1, 3, 8):
        assert torch.allclose(
            token_shares(query, key, one_group_per_token(2), 0.3, slice_size=slices), found, atol=1e-6
        )
    sizes = []
    monkeypatch.setattr(recording, "SCORES_AT_ONCE", 2 * 12 * TOKENS)
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda self, dim: sizes.append(self.numel()) or softmax(self, dim))
    assert torch.allclose(token_shares(query, key, one_group_per_token(2), 0.3), found, atol=1e-6)
    assert sizes == [2 * 12 * TOKENS] * 4  # 8 heads, two at a time


def test_groups_are_weighted_sums_of_tokens():
    query, key = random(2, 4, 12, 6), random(2, 4, TOKENS, 6, seed=1)
    weights = torch.rand(2, 3, TOKENS, generator=seeded())
    alone = token_shares(query, key, one_group_per_token(2), 0.3)
    assert torch.allclose(token_shares(query, key, weights, 0.3), weights @ alone, atol=1e-6)


def test_a_position_that_asks_for_a_word_is_found():
    """A hand-made layer: two positions of six look at the third of four tokens, the others at the first."""
    layer = Attention(4, cross_attention_dim=4, heads=1, dim_head=4)
    for part in (layer.to_q, layer.to_k, layer.to_v):
        part.weight.data = torch.eye(4) * 5
    tokens = torch.eye(4)[None].repeat(2, 1, 1)
    states = tokens[:, [0, 0, 2, 0, 2, 0]]
    record = AttentionRecord(torch.tensor([[[0, 0, 1.0, 0]]]), (2, 3), level=0)
    layer.set_processor(RSEAttnProcessor(record=record))
    layer(states, tokens)
    assert torch.allclose(record.maps[0, 0], torch.tensor([[0, 0, 1.0], [0, 1.0, 0]]), atol=1e-2)


@pytest.mark.parametrize("cells", [(16, 16), (12, 20), (9, 7)])
def test_a_record_sums_to_one_over_tokens_at_any_size(unet, cells):
    record = AttentionRecord(one_group_per_token(2), cells, level=1)
    with rse_attention(unet, record):
        run(unet, batch=4, cells=cells)
    assert record.maps.shape == (2, TOKENS, *grid_at(1, cells)) == (2, TOKENS, -(-cells[0] // 2), -(-cells[1] // 2))
    assert torch.allclose(record.maps.sum(dim=1), torch.ones_like(record.maps[:, 0]), atol=1e-5)


def test_a_record_is_the_mean_over_layers_draws_and_calls(unet):
    layers = [layer for layer in cross_attention_layers(unet) if layer.level == 1]
    assert len(layers) > 1
    text = random(1, TOKENS, WIDTH, seed=1).expand(8, -1, -1)
    record = AttentionRecord(one_group_per_token(), CELLS, level=1)
    with rse_attention(unet, record):
        run(unet, batch=8, text=text)  # four draws
        run(unet, batch=4, text=text[:4], seed=3)  # two more
    single = []
    for layer in layers:
        for seed, batch in ((0, 8), (3, 4)):
            alone = AttentionRecord(one_group_per_token(batch // 2), CELLS, level=1)
            before = layer.module.processor
            layer.module.set_processor(RSEAttnProcessor(before, alone))
            run(unet, batch=batch, text=text[:batch], seed=seed)
            layer.module.set_processor(before)
            single += list(alone.maps)
    assert len(single) == 6 * len(layers)
    assert torch.allclose(record.maps[0], torch.stack(single).mean(dim=0), atol=1e-5)


def test_a_batch_is_recorded_as_its_items_alone(unet):
    latents, text = random(2, 8, *CELLS), random(2, TOKENS, WIDTH, seed=1)
    weights = torch.rand(2, 3, TOKENS, generator=seeded())
    together = AttentionRecord(weights, CELLS, level=1)
    with torch.no_grad(), rse_attention(unet, together):
        unet(torch.cat([latents] * 2), 500, encoder_hidden_states=torch.cat([text, text * 0]))
    for number in range(2):
        alone = AttentionRecord(weights[[number]], CELLS, level=1)
        with torch.no_grad(), rse_attention(unet, alone):
            unet(latents[[number] * 2], 500, encoder_hidden_states=torch.stack([text[number], text[number] * 0]))
        assert torch.allclose(together.maps[number], alone.maps[0], atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_recorded_in_full(unet, dtype):
    record = AttentionRecord(one_group_per_token(), CELLS, level=1)
    with torch.no_grad(), rse_attention(unet.to(dtype), record):
        unet(random(2, 8, *CELLS).to(dtype), 500, encoder_hidden_states=random(2, TOKENS, WIDTH).to(dtype))
    assert record.maps.dtype == torch.float32
    assert torch.allclose(record.maps.sum(dim=1), torch.ones(1, 8, 8), atol=1e-5)


def test_a_record_is_checked(unet):
    with pytest.raises(ValueError, match="`weights` must be"):
        AttentionRecord(torch.eye(3), CELLS, 1)
    with pytest.raises(RuntimeError, match="No attention was recorded"):
        _ = AttentionRecord(one_group_per_token(), CELLS, 1).maps
    for record in (
        AttentionRecord(one_group_per_token(2), CELLS, 1),  # three texts do not go into two
        AttentionRecord(one_group_per_token(3, tokens=5), CELLS, 1),
        AttentionRecord(one_group_per_token(3), (8, 8), 1),
    ):
        with pytest.raises(ValueError, match="The record is for"), rse_attention(unet, record):
            run(unet)
