"""Scores against exact ground truth: cases worked by hand."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from x2x_core.evaluation.benchmark import plan
from x2x_core.evaluation.benchmark.editing import edit_pairs
from x2x_core.evaluation.benchmark.pair_score import score_pair
from x2x_core.evaluation.benchmark.pairs import EditedPair, TruePair, true_region
from x2x_core.evaluation.benchmark.plan import plan_pairs, read_pairs, simulate_pairs
from x2x_core.evaluation.benchmark.simulated import SimulatedScores, evaluate_pairs
from x2x_core.imaging.changed import changed_region

ROOT = Path(__file__).parents[3]
WORDS = "Add the finding of left pleural effusion."


def make_pair(words=WORDS):
    before = torch.full((1, 50, 50), 0.4)
    after = before.clone()
    after[:, 30:40, 30:40] += 0.2
    return TruePair(before, after, words)


EVERYWHERE = torch.ones(1, 50, 50, dtype=torch.bool)


def score(pair, edited, mask=EVERYWHERE, guidance_map=None):
    return score_pair(pair, EditedPair(edited, mask, mask.float() if guidance_map is None else guidance_map))


def test_the_changed_region_is_where_the_truth_changes():
    pair = make_pair()
    change = pair.after - pair.before
    assert torch.equal(changed_region(change), change > 0.1)
    assert not changed_region(torch.full((1, 8, 8), 0.005)).any()


def test_the_true_region_is_the_change_grown_a_little():
    pair = make_pair()
    region = true_region(pair.after - pair.before)
    assert region.sum() == 14 * 14 and region[0, 28, 28] and not region[0, 27, 27]
    assert not true_region(torch.zeros(1, 8, 8)).any()


def test_the_truth_passes_every_question():
    pair = make_pair()
    found = score(pair, pair.after)
    assert found.in_region and found.direction and found.closer
    assert found.energy_in_region == pytest.approx(1) and found.error_ratio == 0
    assert (found.finding, found.operation) == ("pleural effusion", "add")


def test_an_edit_that_changes_nothing_fails_every_question():
    pair = make_pair()
    found = score(pair, pair.before)
    assert not (found.in_region or found.direction or found.closer)
    assert found.error_ratio == pytest.approx(1)


def test_the_opposite_change_has_the_wrong_direction():
    pair = make_pair()
    found = score(pair, 2 * pair.before - pair.after)
    assert found.in_region and not found.direction and not found.closer
    assert found.error_ratio == pytest.approx(4)


def test_a_change_elsewhere_is_out_of_region():
    pair = make_pair()
    edited = pair.before.clone()
    edited[:, 5:15, 5:15] += 0.2
    found = score(pair, edited)
    assert not found.in_region and not found.direction and not found.closer


def test_half_of_the_energy_is_enough():
    pair = make_pair()
    edited = pair.after.clone()
    edited[:, :9, :11] += 0.2  # 99 pixels against 100
    assert score(pair, edited).energy_in_region == pytest.approx(100 / 199, rel=1e-3)


def test_a_change_outside_the_mask_is_seen():
    pair = make_pair()
    mask = torch.zeros_like(EVERYWHERE)
    mask[:, :35] = True
    assert score(pair, pair.after, mask).changed_outside_mask == pytest.approx(0.2)


def test_the_map_is_scored_against_the_changed_region():
    pair = make_pair()
    exact = changed_region(pair.after - pair.before).float()
    found = score(pair, pair.before, guidance_map=exact)
    assert (found.average_precision, found.energy_inside, found.pointing, found.best_iou) == (1, 1, 1, 1)
    blind = score(pair, pair.before)
    assert blind.average_precision == pytest.approx(100 / 2500) == blind.energy_inside == blind.pointing


def test_a_map_has_no_score_where_the_truth_changes_nothing():
    before = make_pair().before
    found = score(TruePair(before, before, WORDS), before)
    assert found.average_precision is found.energy_inside is found.pointing is found.best_iou is None
    assert found.error_ratio == 0 and not (found.in_region or found.direction or found.closer)


def test_an_instruction_without_a_finding_is_refused():
    with pytest.raises(ValueError, match=r"must name a known finding, got 'Do something\.'"):
        score(make_pair("Do something."), make_pair().after)


class Oracle:
    """Returns the truth for the first prompts and the input for the rest."""

    def __init__(self, right):
        self.right, self.done, self.seeds = right, 0, []

    def __call__(self, images, prompts, *, generator, output_type, **call):
        self.seeds += [one.initial_seed() for one in generator]
        edited = images.clone()
        for n in range(len(prompts)):
            if self.done + n < self.right:
                edited[n] = make_pair().after
        self.done += len(prompts)
        mask = torch.ones(len(images), 1, 50, 50, dtype=torch.bool)
        return SimpleNamespace(images=edited, guidance_mask=mask, guidance_map=mask.float())


def test_a_report_counts_and_groups():
    pairs = [make_pair() for _ in range(4)] + [make_pair("Remove the finding of edema.") for _ in range(4)]
    oracle, seen = Oracle(6), []
    report = evaluate_pairs(
        oracle, pairs, count=8, seed=5, batch_size=3, progress=lambda done, total: seen.append(done), guidance_scale=2.0
    )
    record = json.loads(json.dumps(report.as_dict()))
    assert record["overall"]["count"] == 8 and record["overall"]["closer"] == pytest.approx(0.75)
    assert record["by_finding"]["edema"]["in_region"] == pytest.approx(0.5)
    assert record["by_operation"]["add"]["direction"] == 1
    assert record["settings"]["guidance_scale"] == 2.0
    assert oracle.seeds == list(range(5, 13)) and seen == [3, 6, 8]
    assert record["overall"]["mean_average_precision"] == pytest.approx(100 / 2500)
    table = report.table()
    assert len({len(row) for row in table}) == 1 and table[1][:3] == ("all", "8", "75.0 %")


def test_the_recorded_run_is_read_with_its_table(tmp_path):
    scores = SimulatedScores.read_json(ROOT / "models" / "demo" / "evaluation.json.gz")
    assert len(scores.scores) == 200 and scores.settings["seed"] == 90_000
    assert scores.table()[1][:6] == ("all", "200", "95.0 %", "98.5 %", "41.0 %", "1.29")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="is not the record of an evaluation on simulated pairs"):
        SimulatedScores.read_json(tmp_path / "other.json")


def test_the_last_batch_may_be_smaller_than_the_others_and_pairs_fewer_than_expected():
    report = evaluate_pairs(Oracle(9), [make_pair() for _ in range(4)], count=9, batch_size=3)
    assert report.settings["count"] == len(report.scores) == 4
    with pytest.raises(ValueError, match="`pairs` must hold at least one pair"):
        evaluate_pairs(Oracle(0), [], count=0)


def test_a_grey_edit_given_back_in_colour_is_not_changed_by_rounding():
    draws = torch.Generator().manual_seed(0)
    pair = TruePair(torch.rand(1, 50, 50, generator=draws), make_pair().after, WORDS)

    def in_colour(images, prompts, **call):
        mask = torch.zeros(1, 1, 50, 50, dtype=torch.bool)
        return SimpleNamespace(images=images.expand(-1, 3, -1, -1), guidance_mask=mask, guidance_map=mask.float())

    (edit,) = edit_pairs(in_colour, [pair], 0)
    assert torch.equal(edit.image, pair.before)


def test_pairs_are_simulated_for_evaluation(monkeypatch):
    from x2x_core.simulation import dataset
    from x2x_core.simulation.phantom import phantom_ct

    segment = plan.segment_thorax
    monkeypatch.setattr(plan, "segment_thorax", lambda volume: segment(volume, (8.0, 8.0, 8.0)))
    monkeypatch.setattr(dataset, "phantom_ct", lambda: phantom_ct((8.0, 8.0, 8.0)))
    (pair,) = simulate_pairs("phantom", 1, seed=1, size=32)
    assert pair.before.shape == (1, 32, 32) and not torch.equal(pair.before, pair.after)
    assert pair.instruction.endswith(".") and pair.body == 0


def test_pairs_are_read_from_a_dataset(tmp_path):
    import cv2
    import numpy as np

    rows = ["split,instruction,past_dicom_id,current_dicom_id"]
    for name in ("past", "current"):
        (tmp_path / name).mkdir()
    for number in range(3):
        rows.append(f"val,{WORDS},{number},{number}")
        cv2.imwrite(str(tmp_path / "past" / f"{number}.png"), np.full((32, 32), 51 * number, np.uint8))
        cv2.imwrite(str(tmp_path / "current" / f"{number}.png"), np.full((32, 32), 102, np.uint8))
    (tmp_path / "instructions.csv").write_text("\n".join(rows) + "\n")
    pairs = list(read_pairs(tmp_path, 2, size=16))
    assert [pair.before.shape for pair in pairs] == [(1, 16, 16)] * 2
    assert pairs[1].before.mean() == pytest.approx(0.2) and pairs[1].after.mean() == pytest.approx(0.4)
    assert pairs[0].instruction == WORDS
    assert [planned.body for planned in plan_pairs(pairs, 7)] == ["000000", "000001"]  # each a patient of its own
    (tmp_path / "attributes.jsonl").touch()  # as in a simulated dataset, whose files name their bodies
    rows = (tmp_path / "instructions.csv").read_text().replace(",0,0", ",0,4-0").replace(",1,1", ",1,4-1")
    (tmp_path / "instructions.csv").write_text(rows)
    for number in range(2):
        (tmp_path / "current" / f"{number}.png").rename(tmp_path / "current" / f"4-{number}.png")
    assert [planned.body for planned in plan_pairs(read_pairs(tmp_path, 2, size=16), 7)] == ["4", "4"]
    assert [planned.seed for planned in plan_pairs(pairs, 7)] == [7, 8]
