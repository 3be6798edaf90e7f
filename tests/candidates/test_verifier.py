"""Verdicts on drawn changes, with a classifier whose predictions are known."""

import pytest
import torch

from x2x_core.anatomy.change import describe_change
from x2x_core.candidates.verifier import Limits, Verifier
from x2x_core.common.errors import InputError
from x2x_core.language.instruction import Instruction
from x2x_core.scorers.adapters import ModuleScorer

SIZE = 64
LABELS = ("pleural effusion", "edema", "pneumothorax")
ADD = "Add the finding of left pleural effusion."
LEFT_BASE = (slice(None), slice(45, 60), slice(40, 55))


def reading(before, after):
    """A classifier that gives the first scores to pictures with no pixel above 0.6, the second to others."""

    def scores(images):
        changed = (images.flatten(1).amax(1) > 0.6)[:, None]
        return torch.where(changed, torch.tensor(after), torch.tensor(before))

    return ModuleScorer(scores, labels=LABELS[: len(before)], kind="probability", name="known")


def drawn(place=LEFT_BASE, fade=False):
    before = torch.full((1, SIZE, SIZE), 0.5)
    after, mask = before.clone(), torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    mask[place] = True
    after[place] = 0.8
    if fade:
        _, rows, columns = place
        after = before.clone()
        after[:, rows.start + 3 : rows.stop - 3, columns.start + 3 : columns.stop - 3] = 0.8
    return before, after, mask


def verify(text=ADD, scorer=None, place=LEFT_BASE, fade=True, **more):
    before, after, mask = drawn(place, fade)
    change = describe_change(before, after)
    return Verifier(findings=scorer, **more).verify(before, after, mask, Instruction.parse(text), change)


def test_a_good_edit_passes_with_its_scores():
    verdict = verify(scorer=reading([0.1, 0.2, 0.3], [0.9, 0.3, 0.3]))
    assert verdict.passed and verdict.scores.flipped is True
    assert verdict.scores.effect == pytest.approx(0.8) and verdict.scores.collateral == pytest.approx(0.1)
    assert verdict.scores.outside == 0 and verdict.scores.seam == 0 and verdict.scores.realism is None
    assert verdict.scores.total == pytest.approx(0.7)


def test_without_a_classifier_pixels_alone_decide():
    verdict = verify()
    assert verdict.passed and verdict.scores.effect is verdict.scores.flipped is verdict.scores.collateral is None


@pytest.mark.parametrize(
    ("text", "before", "after", "said"),
    [
        (ADD, [0.1, 0.2], [0.3, 0.2], "Pleural effusion is not predicted after the edit (0.30)."),
        ("Remove the finding of left effusion.", [0.9, 0.2], [0.7, 0.2], "still predicted after the edit (0.70)"),
        (
            "Change the level of left pleural effusion from small to large.", [0.6, 0.2], [0.6, 0.2],
            "The score of pleural effusion does not rise (from 0.60 to 0.60).",
        ),
        (
            "Change the level of left pleural effusion from large to small.", [0.6, 0.2], [0.7, 0.2],
            "does not fall (from 0.60 to 0.70)",
        ),
        (ADD, [0.1, 0.1], [0.9, 0.8], "The score of edema, which is not named, goes from 0.10 to 0.80."),
    ],
)  # fmt: skip
def test_predictions_that_do_not_follow_are_reasons(text, before, after, said):
    verdict = verify(text, reading(before, after))
    assert not verdict.passed and [said in reason for reason in verdict.reasons] == [True]


def test_the_weakest_clause_decides_the_effect():
    text = "Add the findings of left pleural effusion and edema."
    verdict = verify(text, reading([0.1, 0.4, 0.2], [0.9, 0.6, 0.2]))
    assert verdict.scores.effect == pytest.approx(0.2) and verdict.scores.flipped is True
    assert verify(text, reading([0.1, 0.4, 0.2], [0.9, 0.45, 0.2])).scores.flipped is False


def test_a_change_in_another_place_is_a_reason():
    right_top = (slice(None), slice(4, 16), slice(8, 22))
    reasons = verify("Add the finding of left lower zone consolidation.", place=right_top).reasons
    assert reasons == (
        "The change lies on the patient's right, the instruction names the left.",
        "Hardly any of the change lies in the lower zone, which the instruction names.",
    )
    assert verify("Add the finding of edema.", place=right_top).passed
    both = (slice(None), slice(45, 60), slice(10, 55))
    assert verify(place=both).reasons == ("The change lies on both sides, the instruction names the left.",)


def test_a_step_at_the_border_is_a_reason():
    verdict = verify(fade=False)
    assert verdict.scores.seam == 1 and verdict.reasons == (
        "The change ends in a step at the border of its mask (seam 1.00).",
    )
    assert verify(fade=False, limits=Limits(seam=1.0)).passed


def test_change_outside_the_mask_is_a_reason():
    before, after, mask = drawn(fade=True)
    after[:, 2:20, 40:60] = 0.8
    verdict = Verifier().verify(before, after, mask, Instruction.parse(ADD), describe_change(before, after))
    assert verdict.scores.outside > 0.5 and any("outside the mask" in reason for reason in verdict.reasons)


class Brightness:
    """Features: mean and spread of grey."""

    name = "brightness"

    def features(self, images):
        return torch.stack([images.mean((1, 2, 3)), images.std((1, 2, 3))], 1)


def test_an_edit_far_from_real_images_is_a_reason():
    real = Brightness().features(0.5 + 0.02 * torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(1)))
    near = verify(features=Brightness(), reference=torch.cat([real, torch.tensor([[0.505, 0.04], [0.51, 0.05]])]))
    assert 0 < near.scores.realism <= 1
    far = verify(features=Brightness(), reference=real, limits=Limits(realism=0.99))
    assert far.scores.realism < 0.99 and "further from real images" in far.reasons[-1]


def test_a_classifier_must_give_probabilities():
    values = ModuleScorer(lambda images: images.mean((2, 3)), labels=("age",), kind="value", name="age")
    with pytest.raises(InputError, match="`findings` must give probabilities"):
        Verifier(findings=values)
