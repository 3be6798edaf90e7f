"""Watching and gating cross-attention: what never changes, what each does, and that all of it can be undone."""

import logging
import shutil

import pytest
import torch
from diffusers.models.attention_processor import (
    Attention,
    AttnProcessor,
    AttnProcessor2_0,
    CustomDiffusionAttnProcessor2_0,
    IPAdapterAttnProcessor2_0,
    SlicedAttnProcessor,
)
from tiny_models import make_unet, seeded
from torch._dynamo.testing import CompileCounter

from x2x_core.guidance import attention
from x2x_core.guidance.attention import (
    AttentionGate,
    AttentionRecord,
    RSEAttnProcessor,
    cross_attention_layers,
    grid_at,
    rse_attention,
    token_shares,
    watched_level,
)

TOKENS, WIDTH, CELLS = 7, 32, (16, 16)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def make_layer(**more):
    torch.manual_seed(0)
    return Attention(24, cross_attention_dim=WIDTH, heads=4, dim_head=6, **more).eval()


def everything(batch=1, tokens=TOKENS):
    """Weights that keep every token apart."""
    return torch.eye(tokens).expand(batch, -1, -1)


def run(unet, batch=6, cells=CELLS, seed=0, text=None):
    """The U-Net on random latents, `batch` items of random text."""
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


# -- the stock layer's maths ------------------------------------------------------------------------------------------


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
    record = AttentionRecord(everything(3), (3, 4), level=0)
    layer.set_processor(RSEAttnProcessor(stock, record, inside=torch.ones(2, 12, 1, dtype=torch.bool)))
    assert torch.equal(layer(states, text, attention_mask=bias), expected)
    assert torch.allclose(record.maps.sum(dim=1), torch.ones(3, 3, 4), atol=1e-5)


def test_scores_that_are_not_scaled_stay_so():
    layer, states, text = make_layer(scale_qk=False), random(2, 12, 24), random(2, TOKENS, WIDTH, seed=1)
    expected = layer(states, text)
    assert isinstance(layer.processor, AttnProcessor)
    record = AttentionRecord(everything(), (3, 4), level=0)
    layer.set_processor(RSEAttnProcessor(layer.processor, record))
    assert torch.allclose(layer(states, text), expected, atol=1e-6)
    query, key = (layer.head_to_batch_dim(part) for part in (layer.to_q(states[:1]), layer.to_k(text[:1])))
    assert torch.allclose(record.maps[0].flatten(1).T, layer.get_attention_scores(query, key).mean(dim=0), atol=1e-6)


# -- watching ---------------------------------------------------------------------------------------------------------


def test_shares_are_the_softmax_averaged_over_heads_whatever_the_slices(monkeypatch):
    query, key = random(2, 4, 12, 6), random(2, 4, TOKENS, 6, seed=1)
    expected = (query @ key.transpose(2, 3) * 0.3).softmax(dim=-1).mean(dim=1).transpose(1, 2)
    found = token_shares(query, key, everything(2), 0.3)
    assert torch.allclose(found, expected, atol=1e-6) and torch.allclose(found.sum(dim=1), torch.ones(2, 12))
    for slices in (1, 3, 8):
        assert torch.allclose(token_shares(query, key, everything(2), 0.3, slice_size=slices), found, atol=1e-6)
    sizes = []
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", 2 * 12 * TOKENS)
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda self, dim: sizes.append(self.numel()) or softmax(self, dim))
    assert torch.allclose(token_shares(query, key, everything(2), 0.3), found, atol=1e-6)
    assert sizes == [2 * 12 * TOKENS] * 4  # 8 heads, two at a time


def test_groups_are_weighted_sums_of_tokens():
    query, key = random(2, 4, 12, 6), random(2, 4, TOKENS, 6, seed=1)
    weights = torch.rand(2, 3, TOKENS, generator=seeded())
    alone = token_shares(query, key, everything(2), 0.3)
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
    record = AttentionRecord(everything(2), cells, level=1)
    with rse_attention(unet, record):
        run(unet, batch=4, cells=cells)
    assert record.maps.shape == (2, TOKENS, *grid_at(1, cells)) == (2, TOKENS, -(-cells[0] // 2), -(-cells[1] // 2))
    assert torch.allclose(record.maps.sum(dim=1), torch.ones_like(record.maps[:, 0]), atol=1e-5)


def test_a_record_is_the_mean_over_layers_draws_and_calls(unet):
    layers = [layer for layer in cross_attention_layers(unet) if layer.level == 1]
    assert len(layers) > 1
    text = random(1, TOKENS, WIDTH, seed=1).expand(8, -1, -1)
    record = AttentionRecord(everything(), CELLS, level=1)
    with rse_attention(unet, record):
        run(unet, batch=8, text=text)  # four draws
        run(unet, batch=4, text=text[:4], seed=3)  # two more
    single = []
    for layer in layers:
        for seed, batch in ((0, 8), (3, 4)):
            alone = AttentionRecord(everything(batch // 2), CELLS, level=1)
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
    record = AttentionRecord(everything(), CELLS, level=1)
    with torch.no_grad(), rse_attention(unet.to(dtype), record):
        unet(random(2, 8, *CELLS).to(dtype), 500, encoder_hidden_states=random(2, TOKENS, WIDTH).to(dtype))
    assert record.maps.dtype == torch.float32
    assert torch.allclose(record.maps.sum(dim=1), torch.ones(1, 8, 8), atol=1e-5)


def test_the_watched_layers_are_those_nearest_the_share(unet):
    layers = cross_attention_layers(unet)
    assert {layer.level for layer in layers} == {1}
    deeper = [type(layers[0])("x", layers[0].module, level) for level in (3, 1, 2)]
    assert [watched_level(deeper, share) for share in (1, 0.5, 0.3, 0.25, 0.1, 0.01)] == [1, 1, 2, 2, 3, 3]
    assert watched_level(deeper, 2**-1.5) == 1  # of two, the finer


# -- gating -----------------------------------------------------------------------------------------------------------


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


# -- on and off -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sliced", [False, True])
def test_the_unet_is_restored_exactly(unet, half, sliced):
    if sliced:
        unet.set_attention_slice("max")
    before, expected = dict(unet.attn_processors), run(unet)
    record = AttentionRecord(everything(3), CELLS, level=1)
    with rse_attention(unet, record, AttentionGate(half)):
        during = unet.attn_processors
        assert all(isinstance(one, RSEAttnProcessor) is ("attn2" in name) for name, one in during.items())
        assert not torch.equal(run(unet), expected)
    after = unet.attn_processors
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in after)
    assert torch.equal(run(unet), expected)


def test_the_unet_is_restored_after_an_error(unet, half):
    before = dict(unet.attn_processors)
    with pytest.raises(RuntimeError, match="broke"), rse_attention(unet, gate=AttentionGate(half)):
        raise RuntimeError("broke")
    with pytest.raises(ValueError, match="batches"), rse_attention(unet, gate=AttentionGate(half)):
        run(unet, batch=5)
    after = unet.attn_processors
    assert all(after[name] is before[name] for name in before)


def test_with_nothing_to_do_nothing_is_touched(unet):
    before = dict(unet.attn_processors)
    with rse_attention(unet):
        assert all(unet.attn_processors[name] is before[name] for name in before)


def test_processors_set_in_the_meantime_stay_and_are_told_of(unet, half, caplog):
    with caplog.at_level(logging.WARNING, "x2x_core"), rse_attention(unet, gate=AttentionGate(half)):
        unet.set_attention_slice(1)
    assert all(isinstance(one, SlicedAttnProcessor) for one in unet.attn_processors.values())
    assert "were changed while" in caplog.text


@pytest.mark.parametrize("slices", [1, 3, "max", "auto"])
def test_sliced_attention_gives_the_same(unet, half, slices):
    record, sliced_record = (AttentionRecord(everything(3), CELLS, level=1) for _ in range(2))
    with rse_attention(unet, record, AttentionGate(half)):
        expected = run(unet)
    unet.set_attention_slice(slices)
    with rse_attention(unet, sliced_record, AttentionGate(half)):
        found = run(unet)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(sliced_record.maps, record.maps, atol=1e-5)


def test_lora_layers_go_on_working(unet, half):
    peft = pytest.importorskip("peft")
    plain = run(unet)
    unet.add_adapter(peft.LoraConfig(r=2, target_modules=["to_q", "to_k", "to_v", "to_out.0"], init_lora_weights=False))
    expected = run(unet)
    assert not torch.allclose(expected, plain, atol=1e-4)
    with rse_attention(unet, gate=AttentionGate(torch.ones_like(half))):
        assert torch.equal(run(unet), expected)
    assert torch.equal(run(unet), expected)


def compiled_and_plain(unet, half, **options):
    """What plain, watched and gated runs give, with records, of a U-Net and of the same one compiled."""
    found = {}
    torch._dynamo.reset()
    for name, model in (("plain", unet), ("compiled", torch.compile(unet, **options))):
        outputs, records = [run(model)], []
        for seed, mask in ((0, half), (5, ~half)):
            records.append(AttentionRecord(everything(3), CELLS, level=1))
            with rse_attention(model, records[-1]):
                outputs += [run(model, seed=seed), run(model, seed=seed + 1)]
            with rse_attention(model, gate=AttentionGate(mask)):
                outputs += [run(model, seed=seed), run(model, seed=seed + 1)]
        found[name] = [*outputs, run(model), *(record.maps for record in records)]
    torch._dynamo.reset()
    assert torch.equal(found["plain"][0], found["plain"][-3]) and not torch.allclose(*found["plain"][1:4:2], atol=1e-3)
    return zip(found["plain"], found["compiled"], strict=True)


def test_compiled_it_gives_the_same_in_one_graph_for_each_use(unet, half):
    """Plain, watching and gating are one graph each, without breaks, which serves every record and mask."""
    graphs = CompileCounter()
    assert all(
        torch.allclose(a, b, atol=1e-5) for a, b in compiled_and_plain(unet, half, backend=graphs, fullgraph=True)
    )
    assert graphs.frame_count == 3


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="the compiler g++ is not installed")
def test_compiled_to_machine_code_it_gives_the_same(unet, half):
    """PyTorch's own compiler, Inductor: its kernels sum in another order, so to 1e-4."""
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in compiled_and_plain(unet, half, fullgraph=True))


# -- errors -----------------------------------------------------------------------------------------------------------


def test_ip_adapters_and_foreign_processors_are_refused(unet, half):
    layer = cross_attention_layers(unet)[0].module
    for processor, said in (
        (IPAdapterAttnProcessor2_0(24, WIDTH, (4,)), "IP-Adapter"),
        (CustomDiffusionAttnProcessor2_0(False, False), "CustomDiffusionAttnProcessor2_0"),
    ):
        layer.set_processor(processor)
        with pytest.raises(ValueError, match=said), rse_attention(unet, gate=AttentionGate(half)):
            pass
        assert layer.processor is processor


def test_errors_say_what_is_wrong(unet, half):
    with pytest.raises(ValueError, match="no|none"):
        cross_attention_layers(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="`mask` must be .* bool"):
        AttentionGate(half.float())
    with pytest.raises(ValueError, match="`mask` must be"):
        AttentionGate(half[0])
    with pytest.raises(ValueError, match="`weights` must be"):
        AttentionRecord(torch.eye(3), CELLS, 1)
    with pytest.raises(ValueError, match="`grid_share` must lie in"):
        watched_level(cross_attention_layers(unet), 0)
    with pytest.raises(RuntimeError, match="No attention was recorded"):
        AttentionRecord(everything(), CELLS, 1).maps
    for record in (
        AttentionRecord(everything(2), CELLS, 1),  # three texts do not go into two
        AttentionRecord(everything(3, tokens=5), CELLS, 1),
        AttentionRecord(everything(3), (8, 8), 1),
    ):
        with pytest.raises(ValueError, match="The record is for"), rse_attention(unet, record):
            run(unet)
    for gate in (AttentionGate(half[:, :, :8]), AttentionGate(half[:1])):
        with pytest.raises(ValueError, match="The gate is for"), rse_attention(unet, gate=gate):
            run(unet)
    with pytest.raises(ValueError, match="The gate is for"), rse_attention(unet, gate=AttentionGate(half)):
        run(unet, batch=2)  # the text branch alone, without the null text
    layer = make_layer()
    layer.set_processor(RSEAttnProcessor(inside=torch.ones(1, 12, 1, dtype=torch.bool)))
    with pytest.raises(ValueError, match="`encoder_hidden_states` must be given"):
        layer(random(1, 12, 24))
