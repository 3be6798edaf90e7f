"""Several seeds of one edit: each is the edit of a stated seed, and the best is the one that the verifier prefers."""

import json

import numpy as np
import pytest
import torch
from edit_cases import BARE
from PIL import Image
from tiny_models import PROMPT, make_radiograph

from x2x_core.candidates import Verdict, Verifier, edit_candidates
from x2x_core.candidates.scores import CandidateScores
from x2x_core.common.errors import InputError

STEPS = {"num_inference_steps": 2}


class Preferring:
    """A verifier with known verdicts, one for each candidate in order."""

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def verify(self, before, after, mask, instruction, change):
        return self.verdicts.pop(0)


def verdict(effect, *reasons):
    return Verdict(CandidateScores(effect, None, None, 0.0, None, None), reasons)


def test_each_candidate_is_the_edit_of_its_seed(pipe, radiograph):
    found = edit_candidates(pipe, radiograph, PROMPT, num_candidates=3, seed=7, **STEPS)
    assert [candidate.seed for candidate in found.all] == [7, 8, 9]
    for candidate in found.all:
        alone = pipe(radiograph, PROMPT, generator=candidate.seed, **STEPS)
        assert np.array_equal(np.asarray(alone.images[0]), np.asarray(found.output.images[candidate.number]))
        assert alone.changes[0] == candidate.change


def test_candidates_whose_place_is_drawn_are_judged_by_their_own_place(pipe, radiograph):
    found = edit_candidates(pipe, radiograph, "Add the finding of consolidation.", num_candidates=4, **STEPS)
    drawn = [str(instruction) for instruction in found.output.instructions]
    assert len(drawn) == 4 and len(set(drawn)) > 1
    alone = pipe(radiograph, "Add the finding of consolidation.", generator=2, **STEPS)
    assert str(alone.instructions[0]) == drawn[2]


def test_the_best_has_the_fewest_reasons_then_the_highest_total_then_the_lowest_seed(pipe, radiograph):
    def ranks(*verdicts):
        judge = Preferring(*verdicts)
        found = edit_candidates(pipe, radiograph, PROMPT, num_candidates=len(verdicts), verifier=judge, **STEPS)
        assert found.image is found.output.images[found.best.number]
        return [candidate.number for candidate in found.ranked], [candidate.number for candidate in found.failed]

    assert ranks(verdict(0.9, "wrong"), verdict(0.1), verdict(0.2)) == ([2, 1, 0], [0])
    assert ranks(verdict(0.5), verdict(0.5)) == ([0, 1], [])
    assert ranks(verdict(0.5, "a", "b"), verdict(0.1, "a")) == ([1, 0], [0, 1])


def test_failures_are_kept_with_their_reasons(pipe, radiograph):
    judge = Preferring(verdict(0.1, "It is wrong."), verdict(0.3))
    found = edit_candidates(pipe, radiograph, PROMPT, num_candidates=2, verifier=judge, **STEPS)
    record = json.loads(json.dumps([candidate.as_dict() for candidate in found.all]))
    assert record[0]["reasons"] == ["It is wrong."] and record[0]["passed"] is False and record[1]["passed"] is True
    assert record[1]["scores"]["total"] == pytest.approx(0.3) and record[0]["change"]["sentence"]


def test_prepared_pictures_and_other_forms_give_the_same(pipe, radiograph):
    plain = edit_candidates(pipe, radiograph, PROMPT, num_candidates=2, **STEPS)
    prepared = edit_candidates(pipe, pipe.prepare(radiograph), PROMPT, num_candidates=2, **STEPS)
    array = edit_candidates(pipe, np.asarray(radiograph), PROMPT, num_candidates=2, output_type="np", **STEPS)
    for other in (prepared, array):
        assert [own.verdict.scores.seam for own in other.all] == [own.verdict.scores.seam for own in plain.all]
        assert other.best.seed == plain.best.seed


def test_an_edit_that_changes_nothing_fails(pipe, radiograph):
    found = edit_candidates(pipe, radiograph, PROMPT, num_candidates=2, edit_strength=0.0, **STEPS)
    assert len(found.failed) == 2 and found.best.verdict.reasons == ("No pixel changed visibly.",)


def test_a_change_on_the_wrong_side_fails_whatever_the_prompt_says(pipe):
    picture = Image.fromarray(make_radiograph(60, 90))
    mask = torch.zeros(1, 1, 60, 90)
    mask[..., 5:15, 10:25] = 1  # the patient's right
    found = edit_candidates(
        pipe, picture, "Add the finding of left pleural effusion.", num_candidates=1, guidance_mask=mask, **STEPS
    )
    assert any("on the patient's right, the instruction names the left" in said for said in found.best.verdict.reasons)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_candidates": 0}, "`num_candidates` must be a whole number of at least 1, got 0"),
        ({"num_candidates": True}, "`num_candidates` must be a whole number"),
        ({"seed": 1.5}, "`seed` must be a whole number, got 1.5"),
        ({"generator": 3}, "`generator` must be left out"),
        ({"num_images_per_prompt": 2}, "`num_images_per_prompt` must be left out"),
        ({"output_type": "latent"}, "`output_type` must not be latent"),
    ],
)
def test_arguments_that_contradict_candidates_are_refused(pipe, radiograph, arguments, said):
    with pytest.raises(InputError, match=said):
        edit_candidates(pipe, radiograph, PROMPT, **{**STEPS, **BARE, **arguments})


def test_several_pictures_or_prompts_are_refused(pipe, radiograph):
    with pytest.raises(InputError, match="`prompt` must be one instruction, got list"):
        edit_candidates(pipe, radiograph, [PROMPT], **STEPS)
    with pytest.raises(InputError, match="one picture"):
        edit_candidates(pipe, [radiograph, radiograph], PROMPT, num_candidates=2, **STEPS)


def test_a_verifier_needs_both_features_and_reference():
    with pytest.raises(InputError, match="`features` and `reference` must be given together"):
        Verifier(reference=torch.zeros(4, 2))
