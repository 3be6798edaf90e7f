"""The branches that each step predicts, and predictions that are reused."""

import pytest
import torch

from x2x_core.edit.backbones.conditioning import IMAGE, NEITHER, TEXT
from x2x_core.edit.guiding import GuidanceSteps, Guide
from x2x_core.guidance.cfg import guided_by_two, guided_noise

ALL = (TEXT, IMAGE, NEITHER)


def plan(steps, scale=1.5, count=6, branches=ALL):
    """The number of branches of each step, each predicted as 1, 2, 3."""
    guide, numbers = Guide(steps, branches), []
    for step in range(count):
        wanted = guide.branches(step, count, scale)
        numbers.append(len(wanted))
        if not guide.ended(step, count):
            completed = guide.complete(tuple(torch.full((1,), float(1 + n)) for n in range(len(wanted))))
            assert len(completed) == len(branches)
    return numbers


def test_by_default_each_step_predicts_all_branches():
    assert plan(GuidanceSteps()) == [3] * 6 and plan(GuidanceSteps(cancelling=True), scale=1) == [3] * 6
    assert plan(GuidanceSteps(), branches=(TEXT, IMAGE)) == [2] * 6


def test_the_unconditional_branch_is_predicted_at_intervals():
    assert plan(GuidanceSteps(unconditional_interval=2)) == [3, 2] * 3
    assert plan(GuidanceSteps(unconditional_interval=4)) == [3, 2, 2, 2, 3, 2]
    assert plan(GuidanceSteps(unconditional_interval=2), branches=(IMAGE, NEITHER)) == [2, 1] * 3
    assert plan(GuidanceSteps(unconditional_interval=2), branches=(TEXT, IMAGE)) == [2] * 6


@pytest.mark.parametrize("interval", [1, 2])
def test_where_it_cancels_it_is_left_out(interval):
    assert plan(GuidanceSteps(unconditional_interval=interval), scale=1) == [2] * 6
    text, image, neither = torch.randn(3, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    completed = Guide(GuidanceSteps(), ALL).complete((text, image))
    assert torch.equal(guided_noise(*completed, 1.7, 1.0), guided_by_two(text, image, 1.7))
    assert torch.allclose(guided_noise(text, image, neither, 1.7, 1.0), guided_by_two(text, image, 1.7), atol=1e-6)


def test_late_steps_follow_the_first_branch_alone():
    assert plan(GuidanceSteps(end=0.5)) == [3, 3, 3, 1, 1, 1]
    assert plan(GuidanceSteps(end=0.0)) == [1] * 6
    assert plan(GuidanceSteps(end=0.5, unconditional_interval=2)) == [3, 2, 3, 1, 1, 1]


def test_a_missing_prediction_is_the_image_s_less_their_last_difference():
    guide = Guide(GuidanceSteps(unconditional_interval=2), ALL)
    text, image, neither = (torch.tensor([value]) for value in (5.0, 3.0, 1.0))
    assert guide.complete((text, image, neither)) == (text, image, neither)
    later = guide.complete((text, torch.tensor([10.0])))
    assert later[2].item() == 8.0
    cancelling = Guide(GuidanceSteps(unconditional_interval=2), ALL).complete((text, image))
    assert cancelling[2] is image
