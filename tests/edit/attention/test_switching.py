"""Installing the processors and restoring the U-Net; LoRA, slicing and compilation keep working."""

import logging
import shutil

import pytest
import torch
from attention_cases import CELLS, WIDTH, one_group_per_token, run
from diffusers.models.attention_processor import (
    CustomDiffusionAttnProcessor2_0,
    IPAdapterAttnProcessor2_0,
    SlicedAttnProcessor,
)
from torch._dynamo.testing import CompileCounter

from x2x_core.edit.attention.layers import cross_attention_layers
from x2x_core.edit.attention.processor import RSEAttnProcessor
from x2x_core.edit.attention.switching import rse_attention
from x2x_core.guidance.attention.gate import AttentionGate
from x2x_core.guidance.attention.record import AttentionRecord


@pytest.mark.parametrize("sliced", [False, True])
def test_the_unet_is_restored_exactly(unet, half, sliced):
    if sliced:
        unet.set_attention_slice("max")
    before, expected = dict(unet.attn_processors), run(unet)
    record = AttentionRecord(one_group_per_token(3), CELLS, level=1)
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
    record, sliced_record = (AttentionRecord(one_group_per_token(3), CELLS, level=1) for _ in range(2))
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
    """Outputs and records of plain, watched and gated runs, of a U-Net and of the same one compiled."""
    found = {}
    torch._dynamo.reset()
    for name, model in (("plain", unet), ("compiled", torch.compile(unet, **options))):
        outputs, records = [run(model)], []
        for seed, mask in ((0, half), (5, ~half)):
            records.append(AttentionRecord(one_group_per_token(3), CELLS, level=1))
            with rse_attention(model, records[-1]):
                outputs += [run(model, seed=seed), run(model, seed=seed + 1)]
            with rse_attention(model, gate=AttentionGate(mask)):
                outputs += [run(model, seed=seed), run(model, seed=seed + 1)]
        found[name] = [*outputs, run(model), *(record.maps for record in records)]
    torch._dynamo.reset()
    assert torch.equal(found["plain"][0], found["plain"][-3]) and not torch.allclose(*found["plain"][1:4:2], atol=1e-3)
    return zip(found["plain"], found["compiled"], strict=True)


@pytest.mark.slow
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
