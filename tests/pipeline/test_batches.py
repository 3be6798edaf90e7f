"""Batches of pictures and prompts give what single calls give."""

import pytest
import torch
from edit_cases import PROMPTS, edit, generators
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_radiograph, seeded


def alone(pipe, pictures, prompts, **arguments):
    """The same, one by one, each with its own generator: all maps and pictures."""
    outputs = [
        edit(pipe, picture, prompt, generator=seeded(number), output_type="pt", **arguments)
        for number, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True))
    ]
    return [torch.cat([getattr(one, name) for one in outputs]) for name in ("images", "relevance_map", "pseudomask")]


@pytest.mark.parametrize(("images", "prompts"), [(1, 3), (3, 1), (3, 3)])
def test_a_batch_is_its_single_calls(pipe, images, prompts):
    pictures = [Image.fromarray(make_radiograph(40, 52, seed)) for seed in range(images)]
    words = PROMPTS[:prompts]
    output = edit(pipe, pictures, words if prompts > 1 else words[0], generator=generators(3), output_type="pt")
    singles = alone(pipe, pictures * (3 // images), words * (3 // prompts))
    for found, expected in zip((output.images, output.relevance_map, output.pseudomask), singles):
        assert found.shape == expected.shape and torch.allclose(found, expected, atol=2e-3)
    assert [one.text for one in output.instructions] == words * (3 // prompts)


def test_several_edits_of_each_pair_stand_together(pipe):
    pictures = [Image.fromarray(make_radiograph(40, 52, seed)) for seed in range(2)]
    output = edit(
        pipe, pictures, PROMPTS[:2], num_images_per_prompt=2, generator=generators(4), output_type="pt",
        negative_prompt=["edema", "hernia"],
    )  # fmt: skip
    assert output.guidance_mask.shape == (4, 1, 40, 52) and len(output.instructions) == 2
    negative = ["edema", "edema", "hernia", "hernia"]
    for number in range(4):
        one = edit(
            pipe, pictures[number // 2], PROMPTS[number // 2], generator=seeded(number), output_type="pt",
            negative_prompt=negative[number],
        )  # fmt: skip
        assert torch.allclose(output.images[number], one.images[0], atol=2e-3)


def test_draws_in_several_calls_give_the_same_map(pipe, radiograph, monkeypatch):
    whole = pipe.relevance(radiograph, PROMPT, relevance_samples=5, generator=seeded()).relevance_map
    monkeypatch.setattr("x2x_core.edit.backbones.instruct_pix2pix.RELEVANCE_BATCH", 4)
    parts = pipe.relevance(radiograph, PROMPT, relevance_samples=5, generator=seeded()).relevance_map
    assert torch.allclose(whole, parts, atol=1e-4)


def test_no_call_is_larger_than_allowed_and_levels_share_calls(pipe, radiograph, monkeypatch):
    arguments = {"relevance_samples": 3, "relevance_noise_level": [0.3, 0.6]}
    whole = pipe.relevance(radiograph, PROMPTS, generator=generators(3), **arguments).relevance_map
    monkeypatch.setattr("x2x_core.edit.backbones.instruct_pix2pix.RELEVANCE_BATCH", 12)
    calls, forward = [], pipe.unet.forward
    monkeypatch.setattr(pipe.unet, "forward", lambda *given, **more: calls.append(given) or forward(*given, **more))
    parts = pipe.relevance(radiograph, PROMPTS, generator=generators(3), **arguments).relevance_map
    assert torch.allclose(whole, parts, atol=1e-4)
    assert [len(noisy) for noisy, _ in calls] == [12, 12, 12]
    assert [set(timesteps.tolist()) for _, timesteps in calls] == [{300}, {300, 600}, {600}]


def test_masks_are_given_for_all_for_each_pair_or_for_each_output(pipe, radiograph):
    masks = torch.zeros(4, 1, NATIVE, NATIVE)
    for number in range(4):
        masks[number, :, 8 * number : 8 * number + 8] = 1
    arguments = {"prompt": PROMPTS[:2], "num_images_per_prompt": 2}
    for mask, expected in ((masks[:1], [0, 0, 0, 0]), (masks[:2], [0, 0, 1, 1]), (masks, [0, 1, 2, 3])):
        assert torch.equal(edit(pipe, radiograph, guidance_mask=mask, **arguments).guidance_mask, masks[expected] > 0)
        assert torch.equal(edit(pipe, radiograph, pseudomask=mask, **arguments).pseudomask, masks[expected])
