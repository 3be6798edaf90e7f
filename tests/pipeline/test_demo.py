"""The checkpoint that ships, on the sample that ships: it does what it is told, there, and nowhere else."""

import pytest
import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image
from x2x_core.imaging.geometry import resize


@pytest.fixture(scope="module")
def demo():
    pipe = InstructX2XPipeline.from_pretrained("demo")
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_effusion_whitens_the_base_of_its_side_and_nothing_else(demo, side):
    before = read_image(bundled_path("sample")).pixels
    words = f"Add the finding of moderate {side} pleural effusion."
    result = demo(before, words, generator=torch.Generator().manual_seed(0), output_type="pt")
    change = result.images - before
    assert not change[~result.guidance_mask].any()
    gain = change.clamp_min(0).square()[0, 0]
    height, width = gain.shape
    on_side = gain[:, width // 2 :] if side == "left" else gain[:, : width // 2]
    assert on_side.sum() > 0.8 * gain.sum()
    assert gain[height // 2 :].sum() > 0.6 * gain.sum()
    assert change.sum() > 0


def test_its_recommendations_are_used(demo):
    steps = []

    def count(pipe, step, timestep, tensors):
        steps.append(step)
        return {}

    demo(read_image(bundled_path("sample")).pixels, "Add edema.", generator=torch.Generator().manual_seed(0),
         output_type="pt", callback_on_step_end=count)  # fmt: skip
    assert len(steps) == demo.config.recommended["num_inference_steps"]


@pytest.mark.parametrize(
    ("finding", "levels"),
    [
        ("right pleural effusion", ("small", "moderate", "large")),
        ("left pleural effusion", ("small", "moderate", "large")),
        ("edema", ("mild", "moderate", "severe")),
        ("cardiomegaly", ("mild", "moderate", "severe")),
    ],
)
def test_a_higher_level_changes_more(demo, finding, levels):
    before = resize(read_image(bundled_path("sample")).pixels, (256, 256))
    added = []
    for level in levels:
        generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
        words = [f"Add the finding of {level} {finding}."] * 4
        result = demo(before, words, generator=generators, output_type="pt")
        added.append((result.images - before).flatten(1).sum(dim=1))
    assert all((one > 0).all() for one in added)
    assert added[0].mean() < added[1].mean() < added[2].mean() and (added[0] < added[2]).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_larger_pneumothorax_darkens_more_of_its_side(demo, side):
    before = resize(read_image(bundled_path("sample")).pixels, (256, 256))
    darker = []
    for level in ("small", "moderate", "large"):
        generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
        words = [f"Add the finding of {level} {side} pneumothorax."] * 4
        change = demo(before, words, generator=generators, output_type="pt").images - before
        darker.append(-change.clamp_max(0))
    halves = {"left": slice(128, None), "right": slice(None, 128)}
    on_side = [one[..., halves[side]].flatten(1).sum(dim=1) for one in darker]
    assert all((part > 0.95 * one.flatten(1).sum(dim=1)).all() for part, one in zip(on_side, darker))
    assert on_side[0].mean() < on_side[1].mean() < on_side[2].mean() and (on_side[0] < on_side[2]).all()


def test_half_the_strength_is_half_the_change(demo):
    before = read_image(bundled_path("sample")).pixels
    whole, half = (
        demo(before, "Add the finding of severe edema.", generator=torch.Generator().manual_seed(0), output_type="pt",
             edit_strength=strength).images - before
        for strength in (1.0, 0.5)
    )  # fmt: skip
    inside = (before + whole > 0.01) & (before + whole < 0.99)  # where the full edit is not held to [0, 1]
    assert whole.abs().max() > 0.05 and torch.allclose(half[inside], whole[inside] / 2, atol=1e-5)


def test_without_text_guidance_the_twins_are_one(demo):
    before = read_image(bundled_path("sample")).pixels
    result = demo(before, "Add the finding of left pneumothorax.", generator=torch.Generator().manual_seed(0),
                  output_type="pt", guidance_scale=0.0)  # fmt: skip
    assert result.guidance_mask.any() and (result.images - before).abs().max() < 1e-4


def test_its_pseudomask_follows_the_lungs_of_the_sample(demo):
    before = read_image(bundled_path("sample")).pixels
    found = demo.guidance(before, "Add the finding of right pneumonia.", generator=torch.Generator().manual_seed(0))
    assert found.alignments[0].fitted
    right = found.pseudomask[0, 0, :, : before.shape[-1] // 2].sum()
    assert right > 0.9 * found.pseudomask.sum()
