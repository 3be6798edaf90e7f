"""Settings of a call: they change the edit, and recommendations and defaults apply."""

import torch
from edit_cases import BARE, edit, same
from tiny_models import (
    PROMPT,
    make_pipeline,
    make_scheduler,
    seeded,
)

from x2x_core import InstructX2XPipeline


def test_settings_change_the_edit(pipe, radiograph):
    base = edit(pipe, radiograph).images
    for changed in (
        {"guidance_scale": 2.0},
        {"image_guidance_scale": 3.0},
        {"num_inference_steps": 3},
        {"composition": "decoded"},
        {"mask_rule": "adaptive", "limit_area": False},
        {"relevance_noise_level": [0.3, 0.8]},
        {"edit_strength": 0.5},
        {"negative_prompt": "edema"},
        {"generator": seeded(1)},
        {"prompt": PROMPT.replace("right", "left")},
    ):
        assert not same(edit(pipe, radiograph, **changed).images, base), changed


def test_recommended_settings_are_used_unless_the_call_overrides_them(pipe, shared_components, radiograph):
    advised = make_pipeline(
        **{**shared_components, "scheduler": make_scheduler()},
        recommended={
            "num_inference_steps": 3,
            "guidance_scale": 2.0,
            "image_guidance_scale": 1.1,
            "mask_threshold": 0.3,
            "relevance_noise_level": [0.4, 0.6],
            "relevance_samples": 2,
            **BARE,
        },
    )
    spelt_out = {"num_inference_steps": 3, "guidance_scale": 2.0, "image_guidance_scale": 1.1}
    spelt_out |= {"mask_threshold": 0.3, "relevance_noise_level": (0.4, 0.6), "relevance_samples": 2, **BARE}
    found = advised(radiograph, PROMPT, generator=seeded())
    assert same(found.images, edit(pipe, radiograph, **spelt_out).images)
    usual = {"num_inference_steps": 2, "guidance_scale": 7.5, "image_guidance_scale": 1.5}
    usual |= {"mask_threshold": 0.1, "relevance_noise_level": 0.8, "relevance_samples": 2}
    usual |= dict.fromkeys(("remove_islands", "close_holes", "limit_area"), True)
    assert same(edit(advised, radiograph, **usual).images, edit(pipe, radiograph).images)


def test_the_defaults_are_the_documented_ones(pipe, radiograph):
    output = pipe(radiograph, PROMPT, generator=seeded())
    spelt_out = {"num_inference_steps": 10, "guidance_scale": 7.5, "image_guidance_scale": 1.5, "mask_threshold": 0.1}
    spelt_out |= {"relevance_noise_level": 0.8, "relevance_samples": 2, "composition": "difference", "soft_edge": 0.05}
    spelt_out |= {"mask_rule": "threshold", "remove_islands": True, "close_holes": True, "limit_area": True}
    spelt_out |= {"edit_strength": 1.0, "solver": "DPM++ 2M", "unconditional_interval": 2}
    assert same(output.images, edit(pipe, radiograph, **spelt_out).images)


def test_a_checkpoint_can_ask_for_the_canonical_words(shared_components, radiograph):
    def edited(prompt, canonical):
        pipe = make_pipeline(**{**shared_components, "scheduler": make_scheduler()}, canonical_prompts=canonical)
        generator = torch.Generator().manual_seed(0)
        return pipe(radiograph, prompt, num_inference_steps=2, generator=generator, output_type="pt").images

    canonical, other = "Add the finding of left pleural effusion.", "put some fluid on the left"
    assert torch.equal(edited(canonical, True), edited(other, True))
    assert not torch.equal(edited(canonical, False), edited(other, False))


def test_an_untrained_finding_gives_a_warning(shared_components, radiograph, caplog):
    def warnings(prompt, trained):
        caplog.clear()
        pipe = make_pipeline(**{**shared_components, "scheduler": make_scheduler()}, trained_findings=trained)
        with caplog.at_level("WARNING", logger="x2x_core"):
            pipe.guidance(radiograph, prompt, generator=torch.Generator().manual_seed(0))
        return [record.getMessage() for record in caplog.records if "not trained on" in record.getMessage()]

    (said,) = warnings("Add the findings of hernia and edema.", "edema, pneumothorax")
    assert "not trained on hernia:" in said and "edema, pneumothorax" in said
    assert not warnings("Add the finding of edema.", "edema")
    assert not warnings("Add the finding of hernia.", None)


def test_a_checkpoint_is_asked_for_the_levels_that_it_knows(shared_components, radiograph, caplog):
    def edited(prompt, levels, canonical=True):
        caplog.clear()
        parts = {**shared_components, "scheduler": make_scheduler()}
        pipe = make_pipeline(**parts, canonical_prompts=canonical, trained_levels=levels)
        with caplog.at_level("WARNING", logger="x2x_core"):
            images = pipe(
                radiograph, prompt, num_inference_steps=2, generator=torch.Generator().manual_seed(0), output_type="pt"
            ).images
        return images, [record.getMessage() for record in caplog.records if "nearest level" in record.getMessage()]

    large, severe = "Add the finding of large edema.", "Add the finding of severe edema."
    known = {"edema": ["severe", "mild", "moderate"]}
    asked, said = edited(large, known)
    same, nothing = edited(severe, known)
    assert torch.equal(asked, same) and not nothing
    assert said == ["This model was not trained on large edema; it is asked for the nearest level, severe."]
    for levels, canonical in ((None, True), ({"hernia": ["mild"]}, True), (known, False)):
        images, said = edited(large, levels, canonical)
        assert not torch.equal(images, same) and not said


def test_what_a_checkpoint_was_trained_on_is_saved_with_it(shared_components, tmp_path):
    pipe = make_pipeline(
        **{**shared_components, "scheduler": make_scheduler()},
        trained_findings="edema",
        trained_levels={"edema": ["severe", "mild"]},
    )
    pipe.save_pretrained(tmp_path)
    config = InstructX2XPipeline.from_pretrained(tmp_path).config
    assert config.trained_findings == "edema" and config.trained_levels == {"edema": ["mild", "severe"]}
