"""Blocks for Modular Diffusers, inside unmodified inpainting workflows of tiny weights."""

import json

import numpy as np
import pytest
import torch
from backbone_models import make_instruct_pix2pix_xl
from diffusers import (
    ClassifierFreeGuidance,
    ModularPipelineBlocks,
    QwenImageAutoBlocks,
    StableDiffusionXLAutoBlocks,
)
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from tiny_models import PROMPT, make_radiograph, seeded
from tiny_qwen import make_qwen_pipeline

from x2x_core import RegionGuidance
from x2x_core.common.errors import InputError
from x2x_core.modular import (
    AnatomyGuidanceBlock,
    CompositionBlock,
    QwenImageEditRelevanceBlock,
    QwenImageRelevanceBlock,
    RelevanceBlock,
    save_block,
)

CELL = 4


def make_workflow(channels=4, **blocks):
    """diffusers' own inpainting workflow, with blocks of ours at places by name: (block, place)."""
    parts = make_instruct_pix2pix_xl()
    workflow = StableDiffusionXLAutoBlocks().get_workflow("inpainting")
    for name, (block, place) in blocks.items():
        workflow.sub_blocks.insert(name, block, len(workflow.sub_blocks) if place is None else place)
    pipe = workflow.init_pipeline()
    unet = make_instruct_pix2pix_xl().unet
    unet = type(unet).from_config({**unet.config, "in_channels": channels}).eval()
    binary = {"do_normalize": False, "do_binarize": True, "do_convert_grayscale": True}
    pipe.update_components(
        unet=unet,
        vae=parts.vae,
        scheduler=parts.scheduler,
        text_encoder=parts.text_encoder,
        text_encoder_2=parts.text_encoder_2,
        tokenizer=parts.tokenizer,
        tokenizer_2=parts.tokenizer_2,
        guider=ClassifierFreeGuidance(3.0),
        image_processor=VaeImageProcessor(vae_scale_factor=CELL),
        mask_processor=VaeImageProcessor(vae_scale_factor=CELL, **binary),
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make_qwen_workflow(**blocks):
    """Qwen-Image's inpainting workflow, with blocks of ours."""
    parts = make_qwen_pipeline()
    workflow = QwenImageAutoBlocks().get_workflow("inpainting")
    for name, (block, place) in blocks.items():
        workflow.sub_blocks.insert(name, block, len(workflow.sub_blocks) if place is None else place)
    pipe = workflow.init_pipeline()
    pipe.update_components(
        transformer=parts.transformer,
        vae=parts.vae,
        scheduler=parts.scheduler,
        text_encoder=parts.text_encoder,
        tokenizer=parts.tokenizer,
        guider=ClassifierFreeGuidance(3.0),
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def run(pipe, image, **arguments):
    given = {"prompt": PROMPT, "negative_prompt": "blurred", "num_inference_steps": 2, "strength": 1.0}
    given |= {"height": 64, "width": 64}
    return pipe(image=image, generator=seeded(), **{**given, **arguments})


@pytest.fixture
def radiograph():
    return Image.fromarray(make_radiograph(64, 64)).convert("RGB")


@pytest.mark.parametrize("make", [make_workflow, make_qwen_workflow])
def test_anatomy_and_composition_run_in_an_unmodified_workflow(radiograph, make):
    pipe = make(anatomy=(AnatomyGuidanceBlock(), 0), composition=(CompositionBlock(), None))
    state = run(pipe, radiograph)
    mask = np.asarray(state.get("mask_image")) > 0
    assert mask.any() and not mask.all() and state.get("guidance_map").shape == (1, 1, 64, 64)
    before, after = np.asarray(radiograph), np.asarray(state.get("images")[0])
    assert (before == after)[~mask].all() and (before != after)[mask].any()


def test_the_mask_keeps_to_the_finding_and_spares_what_must_stay(radiograph):
    block = AnatomyGuidanceBlock()
    keep = np.zeros((64, 64), bool)
    keep[30:, :20] = True
    states = [
        _call(block, image=radiograph, prompt=prompt, keep_mask=kept)
        for prompt, kept in ((PROMPT, None), (PROMPT, keep), ("Add the finding of left pneumothorax.", None))
    ]
    right, spared, left = (np.asarray(state.get("mask_image")) > 0 for state in states)
    assert right[:, :32].sum() > right[:, 32:].sum() and left[:, 32:].sum() > left[:, :32].sum()
    assert (right & keep).any() and not (spared & keep).any()
    with pytest.raises(InputError, match="`image` must be a picture"):
        _call(block, image=torch.full((1, 4, 8, 8), -2.0), prompt=PROMPT)


@pytest.mark.parametrize("channels", [4, 9])
def test_relevance_makes_the_mask_within_the_one_given(radiograph, channels):
    pipe = make_workflow(channels, anatomy=(AnatomyGuidanceBlock(), 0), relevance=(RelevanceBlock(), 2))
    assert list(pipe.blocks.sub_blocks)[:3] == ["anatomy", "text_encoder", "relevance"]
    state = run(pipe, radiograph, relevance_threshold=0.3)
    relevance = state.get("relevance_map")
    assert relevance.shape == (1, 1, 64, 64) and relevance.min() >= 0 and relevance.max() > 0.5
    anatomy = np.asarray(_call(AnatomyGuidanceBlock(), image=radiograph, prompt=PROMPT).get("mask_image")) > 0
    mask = np.asarray(state.get("mask_image")) > 0
    assert mask.any() and not (mask & ~anatomy).any() and mask.sum() < anatomy.sum()


def test_relevance_needs_no_guidance(radiograph):
    pipe = make_workflow(relevance=(RelevanceBlock(), 1))
    pipe.update_components(guider=ClassifierFreeGuidance(1.0))
    state = run(pipe, radiograph, mask_image=Image.new("L", (64, 64), 255))
    assert state.get("relevance_map").max() > 0.5 and (np.asarray(state.get("mask_image")) > 0).any()
    pipe.register_to_config(force_zeros_for_empty_prompt=False)
    with pytest.raises(InputError, match="`negative_prompt_embeds` must be in the state"):
        run(pipe, radiograph, mask_image=Image.new("L", (64, 64), 255))


def test_without_an_autoencoder_the_result_itself_is_inserted(radiograph):
    mask = Image.fromarray(np.uint8(255 * (np.arange(64) < 20)) * np.ones((64, 1), np.uint8))
    given = {"image": radiograph, "images": Image.new("RGB", (64, 64), "red"), "mask_image": mask, "soft_edge": 0.0}
    after = np.asarray(_call(CompositionBlock(), **given).get("images")[0])
    assert (after[:, :20] == [255, 0, 0]).all() and (after[:, 20:] == np.asarray(radiograph)[:, 20:]).all()


def test_copies_of_several_pictures_are_composed_with_their_own_original(radiograph):
    others = [radiograph, Image.new("RGB", (64, 64), "blue")]
    mask = Image.fromarray(np.uint8(255 * (np.arange(64) < 20)) * np.ones((64, 1), np.uint8))
    colours = [Image.new("RGB", (64, 64), name) for name in ("red", "lime", "white", "black")]
    given = {"image": others, "images": colours, "mask_image": mask, "soft_edge": 0.0}
    after = [np.asarray(picture) for picture in _call(CompositionBlock(), **given).get("images")]
    for number, picture in enumerate(after):
        assert (picture[:, :20] == np.asarray(colours[number])[:, :20]).all()
        assert (picture[:, 20:] == np.asarray(others[number // 2].convert("RGB"))[:, 20:]).all()


def test_a_block_with_an_atlas_of_its_own_is_not_saved_without_it(tmp_path):
    with pytest.raises(ValueError, match=r"must have the bundled atlas to be saved, got one with 'mine\.safetensors'"):
        save_block(AnatomyGuidanceBlock("mine.safetensors"), tmp_path / "block")


@pytest.mark.parametrize("make", [make_workflow, make_qwen_workflow])
def test_the_region_guider_runs_in_the_workflow(radiograph, make):
    pipe = make()

    def edited(guider):
        pipe.update_components(guider=guider)
        state = run(pipe, radiograph, mask_image=Image.new("L", (64, 64), 255))
        return np.asarray(state.get("images")[0]).astype(int)

    plain = edited(ClassifierFreeGuidance(60.0))
    assert np.abs(plain - edited(RegionGuidance(60.0))).max() <= 1
    nowhere = edited(RegionGuidance(60.0, mask=torch.zeros(1, 1, 16, 16)))
    assert np.abs(plain - nowhere).max() > 3


def test_a_guider_with_a_scale_of_the_image_is_refused_in_a_sentence(radiograph):
    pipe = make_workflow()
    pipe.update_components(guider=RegionGuidance(3.0, image_guidance_scale=1.5))
    with pytest.raises(InputError, match="`image_guidance_scale` must be None here"):
        run(pipe, radiograph, mask_image=Image.new("L", (64, 64), 255))


BLOCKS = (AnatomyGuidanceBlock, RelevanceBlock, QwenImageRelevanceBlock, QwenImageEditRelevanceBlock, CompositionBlock)


@pytest.mark.parametrize("block", [kind() for kind in BLOCKS])
def test_blocks_are_saved_as_folders_that_diffusers_reads(block, tmp_path, monkeypatch):
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "cache"))
    save_block(block, tmp_path / "block")
    config = json.loads((tmp_path / "block" / "modular_config.json").read_text())
    assert type(block).__name__ in config["auto_map"]["ModularPipelineBlocks"]
    loaded = ModularPipelineBlocks.from_pretrained(str(tmp_path / "block"), trust_remote_code=True)
    assert type(loaded).__name__ == type(block).__name__
    assert loaded.input_names == block.input_names and loaded.output_names == block.output_names


def _call(block, **inputs):
    from diffusers.modular_pipelines.modular_pipeline import PipelineState

    state = PipelineState()
    for name, value in inputs.items():
        state.set(name, value)
    return block(None, state)[1]
