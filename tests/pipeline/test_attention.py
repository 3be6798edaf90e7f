"""Relevance from attention and attention gating in the pipeline: what changes, what does not, what is refused."""

import logging

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_pipeline, make_radiograph, make_scheduler, make_unet, seeded


def edit(pipe, image, prompt=PROMPT, **arguments):
    return pipe(image, prompt, **{"num_inference_steps": 2, "generator": seeded(), **arguments})


def same(first, second):
    return all(np.array_equal(np.asarray(one), np.asarray(other)) for one, other in zip(first, second, strict=True))


@pytest.fixture
def half():
    mask = np.zeros((NATIVE, NATIVE), np.float32)
    mask[:, :24] = 1
    return mask


@pytest.fixture
def counted(pipe, monkeypatch):
    """The numbers of items of the U-Net's calls."""
    calls, forward = [], pipe.unet.forward

    def count(sample, *arguments, **more):
        calls.append(len(sample))
        return forward(sample, *arguments, **more)

    monkeypatch.setattr(pipe.unet, "forward", count)
    return calls


# -- relevance --------------------------------------------------------------------------------------------------------


def test_each_source_has_its_map_from_the_same_unet_calls(pipe, radiograph, counted):
    maps = {}
    for source in ("noise", "attention", "both"):
        maps[source] = pipe.relevance(
            radiograph, PROMPT, relevance_source=source, relevance_samples=3, generator=seeded()
        ).latent_relevance_map
        assert maps[source].min() == 0 and maps[source].max() == 1
    assert counted == [6, 6, 6]
    usual = pipe.relevance(radiograph, PROMPT, relevance_samples=3, generator=seeded()).latent_relevance_map
    assert torch.equal(maps["noise"], usual) and not torch.equal(maps["attention"], usual)
    mean = (maps["noise"] * maps["attention"]).sqrt()
    assert torch.allclose(maps["both"], mean / mean.max(), atol=1e-6)


@pytest.mark.parametrize("source", ["attention", "both"])
def test_looking_first_gives_the_map_of_the_full_call(pipe, radiograph, source):
    full = edit(pipe, radiograph, relevance_source=source)
    seen = pipe.guidance(radiograph, PROMPT, relevance_source=source, generator=seeded())
    assert torch.equal(full.relevance_map, seen.relevance_map) and torch.equal(full.guidance_mask, seen.guidance_mask)
    assert same(full.images, edit(pipe, radiograph, guidance_mask=seen.guidance_mask).images)
    assert torch.equal(full.relevance_map, pipe.relevance(
        radiograph, PROMPT, relevance_source=source, generator=seeded()
    ).relevance_map)  # fmt: skip


def test_a_batch_gives_the_attention_of_its_items(pipe):
    images = [Image.fromarray(make_radiograph(50, 70, seed=seed)) for seed in (0, 1)]
    prompts = ["Add the finding of left edema and large right effusion.", PROMPT]
    together = pipe.relevance(
        images, prompts, relevance_source="attention", num_images_per_prompt=2, generator=[seeded(n) for n in range(4)]
    ).latent_relevance_map
    assert len(together) == 4
    for number in range(4):
        alone = pipe.relevance(
            images[number // 2], prompts[number // 2], relevance_source="attention", generator=seeded(number)
        )
        assert torch.allclose(together[number], alone.latent_relevance_map[0], atol=2e-3)


def test_the_words_that_were_encoded_are_looked_for(shared_components, radiograph, caplog):
    canonical = make_pipeline(**{**shared_components, "scheduler": make_scheduler()}, canonical_prompts=True)
    ways = [PROMPT, "add, if you would be so kind, a moderate fluid collection, please, on the right side, thank you."]
    with caplog.at_level(logging.WARNING, "x2x_core.guidance.attention.tokens"):
        one, other = (
            canonical.relevance(radiograph, way, relevance_source="attention", generator=seeded()) for way in ways
        )
    assert torch.equal(one.relevance_map, other.relevance_map)
    assert not [record for record in caplog.records if record.name == "x2x_core.guidance.attention.tokens"]


# -- gating -----------------------------------------------------------------------------------------------------------


def test_gating_changes_nothing_where_everything_may_change(pipe, radiograph):
    whole = np.ones((NATIVE, NATIVE), np.float32)
    every = {"unconditional_interval": 1}  # as with the gate
    usual, gated = (
        edit(pipe, radiograph, guidance_mask=whole, attention_gating=on, **every).images for on in (False, True)
    )
    assert same(usual, gated)
    colour = torch.rand(3, NATIVE, NATIVE, generator=seeded())
    usual, gated = (edit(pipe, colour, "make it snowy", attention_gating=on).images for on in (False, True))
    assert same(usual, gated)


@pytest.mark.parametrize("scales", [{}, {"guidance_scale": 1.0, "image_guidance_scale": 1.0}])
def test_gating_changes_the_edit_inside_the_mask_only(pipe, radiograph, half, scales):
    before = np.asarray(radiograph)
    usual, gated = (
        np.asarray(edit(pipe, radiograph, guidance_mask=half, attention_gating=on, **scales).images[0])
        for on in (False, True)
    )
    assert (usual != gated).any() and (gated[half == 0] == before[half == 0]).all()


def test_gating_leaves_the_instruction_no_say_outside_the_mask(pipe, radiograph, half, monkeypatch):
    """Distance of text and image branch, far from the mask and inside it."""
    apart = {}
    forward = pipe.unet.forward

    def spy(sample, *arguments, **more):
        answer = forward(sample, *arguments, **more)
        if len(sample) == 3:
            apart.setdefault(gating, (answer[0][0] - answer[0][1]).abs().mean(dim=0))
        return answer

    monkeypatch.setattr(pipe.unet, "forward", spy)
    for gating in (False, True):
        edit(pipe, radiograph, guidance_mask=half, attention_gating=gating)
    ratio = apart[True] / apart[False]
    assert ratio[:, 11:].median() < 0.6 * ratio[:, :4].median()


def test_the_processors_are_back_after_an_edit_and_after_an_error(pipe, radiograph):
    before = dict(pipe.unet.attn_processors)

    def broken(*_):
        raise RuntimeError("broke")

    edit(pipe, radiograph, relevance_source="both", attention_gating=True)
    with pytest.raises(RuntimeError, match="broke"):
        edit(pipe, radiograph, attention_gating=True, callback_on_step_end=broken)
    after = pipe.unet.attn_processors
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)


def test_a_callback_that_changes_the_null_text_is_followed_by_the_gate(pipe, radiograph, half):
    """Once the null text is the instruction, the gate makes no difference any more."""

    def start_anew(pipe, step, timestep, tensors):
        if step:
            return {}
        embeds = tensors["prompt_embeds"].clone()
        embeds[1] = embeds[0]
        return {"prompt_embeds": embeds, "latents": torch.randn(tensors["latents"].shape, generator=seeded(1))}

    told = {"callback_on_step_end": start_anew, "callback_on_step_end_tensor_inputs": ["prompt_embeds", "latents"]}
    usual, gated = (
        edit(
            pipe,
            radiograph,
            guidance_mask=half,
            attention_gating=on,
            unconditional_interval=1,
            output_type="latent",
            **told,
        ).images
        for on in (False, True)
    )
    assert torch.allclose(usual, gated, atol=1e-4)
    alone = edit(pipe, radiograph, guidance_mask=half, attention_gating=True, output_type="latent").images
    assert not torch.allclose(gated, alone, atol=1e-2)


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"relevance_source": "words"}, "`relevance_source` must be one of noise, attention, both, got 'words'"),
        ({"attention_gating": 1}, "`attention_gating` must be True or False, got 1"),
        ({"relevance_source": "both", "reference": True}, "`relevance_source` must be left out with `reference=True`"),
        ({"attention_gating": True, "reference": True}, "`attention_gating` must be left out with `reference=True`"),
    ],
)
def test_settings_that_cannot_be_are_refused(pipe, radiograph, arguments, said):
    with pytest.raises(ValueError, match=said):
        edit(pipe, radiograph, **arguments)


def test_the_defaults_may_be_spelt_out_in_reference_mode(pipe, radiograph):
    usual = edit(pipe, radiograph, reference=True)
    spelt_out = edit(pipe, radiograph, reference=True, relevance_source="noise", attention_gating=False)
    assert same(spelt_out.images, usual.images)


def test_embeddings_have_no_words_to_look_for(pipe, radiograph):
    embeds = torch.zeros(1, 77, 32)
    for look in (pipe.relevance, pipe.guidance, pipe):
        with pytest.raises(ValueError, match=r'`relevance_source="both"` needs the words .* Give `prompt`'):
            look(radiograph, prompt_embeds=embeds, relevance_source="both")
    edit(pipe, radiograph, None, prompt_embeds=embeds, attention_gating=True)


def test_ip_adapters_are_refused(shared_components, radiograph):
    pipe = make_pipeline(**{**shared_components, "unet": make_unet(), "scheduler": make_scheduler()})
    layer = next(module for name, module in pipe.unet.named_modules() if name.endswith("attn2"))
    layer.set_processor(IPAdapterAttnProcessor2_0(32, 32, (4,)))
    for arguments in ({"relevance_source": "attention"}, {"attention_gating": True}):
        with pytest.raises(ValueError, match="IP-Adapter"):
            edit(pipe, radiograph, **arguments)
