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


# Edits are compared seed by seed; the time of these tests is that of decoding them.
SEEDS = pytest.mark.parametrize(
    "seeds", [range(2), pytest.param(range(2, 6), marks=pytest.mark.slow)], ids=["two seeds", "four others"]
)


def levels_of(demo, finding, levels, seeds):
    """Return what adding each level changes in the sample, with each seed: `(B, 1, 256, 256)` for each level."""
    before = resize(read_image(bundled_path("sample")).pixels, (256, 256))
    changes = []
    for level in levels:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        words = [f"Add the finding of {level} {finding}."] * len(seeds)
        changes.append(demo(before, words, generator=generators, output_type="pt").images - before)
    return changes


@SEEDS
@pytest.mark.parametrize(
    ("finding", "levels"),
    [
        ("right pleural effusion", ("small", "moderate", "large")),
        ("left pleural effusion", ("small", "moderate", "large")),
        ("edema", ("mild", "moderate", "severe")),
        ("cardiomegaly", ("mild", "moderate", "severe")),
    ],
)
def test_a_higher_level_changes_more(demo, finding, levels, seeds):
    added = [change.flatten(1).sum(dim=1) for change in levels_of(demo, finding, levels, seeds)]
    assert all((one > 0).all() for one in added)
    assert added[0].mean() < added[1].mean() < added[2].mean() and (added[0] < added[2]).all()


@SEEDS
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_larger_pneumothorax_darkens_more_of_its_side(demo, side, seeds):
    changes = levels_of(demo, f"{side} pneumothorax", ("small", "moderate", "large"), seeds)
    darker = [-change.clamp_max(0) for change in changes]
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
