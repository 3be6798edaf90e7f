"""The relevance block with Qwen-Image and Qwen-Image-Edit, in workflows of tiny weights."""

import numpy as np
import pytest
import torch
from backbone_models import MAKERS
from diffusers import ClassifierFreeGuidance, QwenImageAutoBlocks, QwenImageEditAutoBlocks
from diffusers.modular_pipelines.modular_pipeline import PipelineState
from PIL import Image
from tiny_models import PROMPT, make_radiograph, seeded
from tiny_qwen import make_qwen_pipeline

from x2x_core import X2XEdit
from x2x_core.common.errors import InputError
from x2x_core.modular import AnatomyGuidanceBlock, QwenImageEditRelevanceBlock, QwenImageRelevanceBlock

SIDE = 32


@pytest.fixture
def radiograph():
    return Image.fromarray(make_radiograph(SIDE, SIDE)).convert("RGB")


def make_workflow(workflow, scale=3.0, **blocks):
    """A workflow of diffusers with tiny weights, and blocks of ours at places by name: (block, place)."""
    parts = make_qwen_pipeline()
    for name, (block, place) in blocks.items():
        workflow.sub_blocks.insert(name, block, place)
    pipe = workflow.init_pipeline()
    names = ("transformer", "vae", "scheduler", "text_encoder", "tokenizer", "processor")
    given = {name: getattr(parts, name) for name in names if name in pipe.pretrained_component_names}
    pipe.update_components(**given, guider=ClassifierFreeGuidance(scale))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def run(pipe, image, **arguments):
    given = {"prompt": PROMPT, "num_inference_steps": 1, "strength": 1.0, "relevance_samples": 1}
    given |= {"height": SIDE, "width": SIDE, "relevance_threshold": 0.3}
    return pipe(image=image, generator=seeded(), **{**given, **arguments})


def check_mask(state, image):
    relevance, mask = state.get("relevance_map"), np.asarray(state.get("mask_image")) > 0
    assert relevance.shape == (1, 1, SIDE, SIDE) and relevance.min() >= 0 and relevance.max() > 0.5
    block, alone = AnatomyGuidanceBlock(), PipelineState()
    alone.set("image", image)
    alone.set("prompt", PROMPT)
    anatomy = np.asarray(block(None, alone)[1].get("mask_image")) > 0
    assert mask.any() and not (mask & ~anatomy).any() and mask.sum() < anatomy.sum()


def test_it_makes_the_mask_in_the_inpainting_workflow_of_qwen_image(radiograph):
    workflow = QwenImageAutoBlocks().get_workflow("inpainting")
    pipe = make_workflow(workflow, anatomy=(AnatomyGuidanceBlock(), 0), relevance=(QwenImageRelevanceBlock(), 2))
    assert list(pipe.blocks.sub_blocks)[:3] == ["anatomy", "text_encoder", "relevance"]
    check_mask(run(pipe, radiograph), radiograph)


def test_it_makes_the_mask_in_the_inpainting_workflow_of_qwen_image_edit(radiograph, monkeypatch):
    place = "diffusers.modular_pipelines.qwenimage.encoders.calculate_dimensions"
    monkeypatch.setattr(place, lambda area, ratio: (SIDE, SIDE, None))  # else a megapixel
    workflow = QwenImageEditAutoBlocks().get_workflow("image_conditioned_inpainting")
    before = [name for name in workflow.sub_blocks if name.startswith("text_encoder")]
    pipe = make_workflow(
        workflow, anatomy=(AnatomyGuidanceBlock(), 0), relevance=(QwenImageEditRelevanceBlock(), 1 + len(before))
    )
    assert list(pipe.blocks.sub_blocks)[: len(before) + 2] == ["anatomy", *before, "relevance"]
    check_mask(run(pipe, radiograph), radiograph)


def test_a_guider_without_a_second_prediction_is_refused_in_a_sentence(radiograph):
    workflow = QwenImageAutoBlocks().get_workflow("inpainting")
    pipe = make_workflow(workflow, scale=1.0, relevance=(QwenImageRelevanceBlock(), 1))
    with pytest.raises(InputError, match=r"`negative_prompt_embeds` must be in the state, .* other than 1"):
        run(pipe, radiograph, mask_image=Image.new("L", (SIDE, SIDE), 255))


def test_the_map_is_that_of_x2x_edit():
    pipe = MAKERS["qwen"]()
    small = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    photo = Image.fromarray(small).resize((16, 16), Image.Resampling.BICUBIC)
    state = PipelineState()
    for name, text in (("prompt_embeds", "Make it snow."), ("negative_prompt_embeds", " ")):
        states, mask = pipe.encode_prompt(prompt=[text], image=photo)
        state.set(name, states)
        state.set(f"{name}_mask", mask)
    for name, value in {"image": photo, "generator": seeded(), "relevance_samples": 1}.items():
        state.set(name, value)
    found = QwenImageEditRelevanceBlock()(pipe, state)[1].get("relevance_map")
    noise = torch.randn(1, 4, 8, 8, generator=seeded())
    edit = X2XEdit(pipe)
    ours = edit.relevance(photo, "Make it snow.", relevance_noise=noise, relevance_noise_level=0.8)
    assert torch.allclose(found, ours.relevance_map, atol=1e-3)
