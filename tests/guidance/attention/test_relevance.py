"""From attention to a relevance map: which tokens count, clauses, sizes, and how both sources are joined."""

import pytest
import torch
from tiny_models import make_tokenizer, make_unet, seeded

from x2x_core import Instruction
from x2x_core.edit.attention.layers import attention_levels
from x2x_core.edit.attention.switching import rse_attention
from x2x_core.guidance.attention.relevance import (
    attention_record,
    join_relevance,
    relevance_from_attention,
    token_weights,
)
from x2x_core.guidance.attention.tokens import ClauseTokens, PromptTokens, find_tokens

ONE = PromptTokens((ClauseTokens((4, 5), side=(3,)),), content=(1, 2, 3, 4, 5), length=8)
TWO = PromptTokens((ClauseTokens((2,)), ClauseTokens((4, 5), level=(3,))), content=(1, 2, 3, 4, 5), length=8)


def test_prompt_weights_leave_out_the_start_token_and_the_words_of_other_clauses():
    weights = token_weights([ONE, TWO])
    assert weights.shape == (2, 2, 8)
    assert weights[0, 0].tolist() == [0, 1, 1, 1, 1, 1, 1, 1] and not weights[0, 1].any()
    assert weights[1].tolist() == [[0, 1, 1, 0, 0, 0, 1, 1], [0, 1, 0, 1, 1, 1, 1, 1]]


def test_word_weights_are_those_of_finding_place_and_level():
    weights = token_weights([ONE, TWO], "words")
    assert weights[0, 0].tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert weights[1].tolist() == [[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 0, 0]]
    with pytest.raises(ValueError, match="`tokens` must be one of prompt, words, got 'verbs'"):
        token_weights([ONE], "verbs")


def spot(*cells):
    """An attention map with a high value at some cells, uneven elsewhere."""
    found = torch.linspace(0.1, 0.3, 24).reshape(4, 6)
    for row, column in cells:
        found[row, column] = 0.8
    return found


def test_the_map_is_highest_where_attention_is():
    found, flat = relevance_from_attention(spot((1, 4))[None, None], (8, 12))
    assert found.shape == (1, 1, 8, 12) and found.min() == 0 and found.max() == 1 and not flat.any()
    peak = found[0, 0] == 1
    assert peak[2:4, 8:10].all() and not peak[:, :6].any()


def test_every_clause_counts_as_much_whatever_its_attention():
    faint = spot((3, 0)) / 100
    maps = torch.stack([spot((0, 5)), faint, torch.zeros(4, 6)])[None]
    found, _ = relevance_from_attention(maps, (4, 6))
    assert found[0, 0, 0, 5] == found[0, 0, 3, 0] == 1


def test_padding_does_not_count():
    maps = spot((1, 1))
    maps[:, 4:] = 50.0
    valid = torch.ones(4, 6, dtype=torch.bool)
    valid[:, 4:] = False
    found, _ = relevance_from_attention(maps[None, None], (4, 6), valid)
    cut, _ = relevance_from_attention(maps[None, None, :, :4], (4, 4))
    assert torch.allclose(found[..., :4], cut)


def test_a_batch_is_its_items():
    maps = torch.rand(3, 2, 4, 6, generator=seeded())
    together, _ = relevance_from_attention(maps, (8, 12))
    assert torch.allclose(together, torch.cat([relevance_from_attention(one[None], (8, 12))[0] for one in maps]))


def test_even_attention_is_flat():
    found, flat = relevance_from_attention(torch.full((1, 1, 4, 4), 0.3), (8, 8))
    assert flat.all() and not found.any()


def test_joined_relevance_is_high_where_both_maps_are():
    noise, attention = torch.rand(2, 2, 1, 8, 8, generator=seeded())
    joined, flat = join_relevance(noise, attention)
    assert not flat.any() and torch.equal(joined.flatten(1).amax(dim=1), torch.ones(2))
    product = noise * attention
    assert torch.equal(joined.flatten(1).argsort(), product.flatten(1).argsort())
    for one in (noise, attention):
        assert not join_relevance(one, one * 0)[0].any() and join_relevance(one, one * 0)[1].all()
    scaled = noise / noise.amax(dim=(2, 3), keepdim=True)
    assert torch.allclose(join_relevance(scaled, scaled)[0], scaled)  # what both say stays as it is


def test_joined_relevance_is_normalised_over_the_valid_cells():
    noise = torch.rand(1, 1, 4, 4, generator=seeded()) / 2
    noise[..., 3] = 1
    valid = torch.ones(4, 4, dtype=torch.bool)
    valid[:, 3] = False
    joined, _ = join_relevance(noise, noise, valid)
    assert joined[0, 0, valid].max() == 1 and joined.max() == 1


@pytest.mark.parametrize("cells", [(16, 16), (10, 14)])
def test_a_record_watches_a_unet_for_the_texts(cells):
    unet, text = make_unet(), "Add the finding of left edema."
    prompts = [find_tokens(make_tokenizer(), text, Instruction.parse(text))]
    record = attention_record(attention_levels(unet), prompts, cells, torch.device("cpu"), copies=2, tokens="words")
    with torch.no_grad(), rse_attention(unet, record):
        unet(torch.randn(4, 8, *cells, generator=seeded()), 10, torch.randn(4, 77, 32, generator=seeded()))
    assert record.maps.shape == (2, 1, cells[0] // 2, cells[1] // 2)
    assert (record.maps > 0).all() and (record.maps < 1).all()
    found, flat = relevance_from_attention(record.maps, cells)
    assert found.shape == (2, 1, *cells) and not flat.any()
