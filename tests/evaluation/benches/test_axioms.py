"""The axioms, on models whose answers are known and on a tiny one."""

from types import SimpleNamespace

import pytest
import torch
from tiny_models import make_radiograph

from x2x_core.common.errors import InputError
from x2x_core.evaluation.benches.axioms import EVERYWHERE, OURS, empty_prompt, measure_axioms
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.scorers.adapters import ModuleScorer

CALL = {"num_inference_steps": 2}


def pair(text, seed=0):
    image = torch.from_numpy(make_radiograph(64, 64, seed) / 255).float()[None]
    return TruePair(image, image, text, seed)


def scorer():
    """Predicts effusion for all pictures, edema for none."""
    return ModuleScorer(
        lambda x: torch.tensor([[0.9, 0.1]]).expand(len(x), -1), labels=("pleural effusion", "edema"),
        kind="probability", name="constant",
    )  # fmt: skip


@pytest.fixture
def quiet(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_a_twin_that_is_asked_for_nothing_changes_nothing(quiet):
    texts = ("Add the finding of left pleural effusion.", "Remove the finding of left pleural effusion.")
    pairs = [pair(text, seed) for seed, text in enumerate(texts)]
    found = measure_axioms(quiet, pairs, 1, scorer(), {**CALL, "twin": True, "image_guidance_scale": 1.0})
    ours, everywhere = found.rows
    assert [row.name for row in found.rows] == [OURS, EVERYWHERE]
    assert ours.metrics["composition"].value == pytest.approx(0, abs=1e-6)
    assert everywhere.metrics["composition"].value > 0.01  # the autoencoder's error at least
    assert ours.metrics["undo"].n == 2 and ours.metrics["undo"].value >= 0
    assert ours.metrics["effectiveness"].value == 0.5  # effusion is predicted, added or removed


class Drawer:
    """Adds 0.4 inside a box, takes 0.3 away again, and adds 0.1 if it is asked for nothing."""

    def __init__(self, pipe):
        self.tokenizer, self.text_encoder = pipe.tokenizer, pipe.text_encoder

    def __call__(self, image, prompts=None, *, prompt_embeds=None, **call):
        mask = torch.zeros(image.shape, dtype=torch.bool)
        mask[..., 8:24, 8:24] = True
        amount = 0.1 if prompts is None else -0.3 if prompts[0].startswith("Remove") else 0.4
        return SimpleNamespace(images=image + amount * mask, guidance_mask=mask, guidance_map=mask.float())


def test_the_axioms_by_hand(quiet):
    start = TruePair(torch.full((1, 32, 32), 0.3), torch.full((1, 32, 32), 0.3), "Add the finding of edema.", 0)
    found = measure_axioms(Drawer(quiet), [start], 1).cases[0].scores[OURS]
    assert found["composition"] == pytest.approx(0.1, rel=1e-5)
    assert [found[name] for name in ("composition_share", "undo")] == pytest.approx([0.25, 0.25], rel=1e-5)


def test_changes_of_level_are_taken_back_to_where_they_began_or_not_at_all(quiet):
    pairs = [
        pair("Change the level of left pleural effusion from small to large."),
        pair("Change the level of left pleural effusion to large.", 1),
    ]
    found = measure_axioms(quiet, pairs, 1, call=CALL)
    assert found.cases[0].scores[OURS]["undo"] is not None and found.cases[1].scores[OURS]["undo"] is None
    assert found.rows[0].metrics["effectiveness"].value is None
    assert "no scorer" in found.rows[0].metrics["effectiveness"].note


def test_the_empty_prompt_is_what_the_image_s_branch_reads(quiet):
    nothing = empty_prompt(quiet)
    assert nothing.shape == (1, 77, 32)
    tokens = quiet.tokenizer([""], padding="max_length", max_length=77, return_tensors="pt").input_ids
    assert torch.equal(nothing, quiet.text_encoder(tokens)[0])


def test_no_pairs_are_refused(quiet):
    with pytest.raises(InputError, match="at least one pair"):
        measure_axioms(quiet, [], 0)
