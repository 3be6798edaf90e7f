"""The benchmark on a tiny model: its rows, going on after a stop, its statistics by hand, and its verdict."""

import json
import math

import pytest
import torch
from tiny_models import make_pipeline, make_scheduler

from x2x_core.evaluation.benchmark import run as benchmark
from x2x_core.evaluation.benchmark.diffedit import diffedit_mask
from x2x_core.evaluation.benchmark.editing import edit_row
from x2x_core.evaluation.benchmark.measures import MEASURES, score_pairs, with_levels
from x2x_core.evaluation.benchmark.pairs import EditedPair, TruePair
from x2x_core.evaluation.benchmark.plan import PlannedPair, read_body
from x2x_core.evaluation.benchmark.readings import Readers, true_values
from x2x_core.evaluation.benchmark.rows import (
    DIFFEDIT,
    OURS,
    OURS_DECODED,
    RADEDIT,
    TARGET_ROW,
    UNEDITED_ROW,
    UNRESTRICTED,
)
from x2x_core.evaluation.benchmark.run import BenchmarkContext, gather_scores, run_benchmark
from x2x_core.evaluation.benchmark.settings import BenchmarkSettings
from x2x_core.evaluation.benchmark.storage import picture_path, scores_path
from x2x_core.evaluation.benchmark.summary import summarise
from x2x_core.evaluation.cases import choose_cases
from x2x_core.evaluation.metrics.attribute_shift import attribute_shifts
from x2x_core.evaluation.metrics.level_order import level_order
from x2x_core.evaluation.results import TARGET, UNEDITED, Results
from x2x_core.simulation import dataset
from x2x_core.simulation.phantom import phantom_ct

SIDE = 64


class Reader:
    """Reads two attributes: the picture's mean, and its left half's."""

    name, labels, kind = "means", ("level", "contrast"), "value"

    def __call__(self, images):
        return torch.stack([images.mean((1, 2, 3)), images[..., : images.shape[-1] // 2].mean((1, 2, 3))], dim=1)

    features = __call__


@pytest.fixture(scope="module")
def load(shared_components):
    def make():
        return make_pipeline(**{**shared_components, "scheduler": make_scheduler()})

    return make


SETTINGS = BenchmarkSettings(count=10, peers_count=5, seed=3, size=SIDE, call={"num_inference_steps": 2})


@pytest.fixture(scope="module")
def run(tmp_path_factory, load, coarse_thorax):
    patch = pytest.MonkeyPatch()
    patch.setattr(dataset, "phantom_ct", lambda: phantom_ct((8.0, 8.0, 8.0)))
    patch.setattr(dataset, "segment_thorax", lambda volume: coarse_thorax)
    out = tmp_path_factory.mktemp("benchmark") / "run"
    results = run_benchmark(out, SETTINGS, load, BenchmarkContext(readers=Readers(Reader(), Reader(), "means")))
    yield out, results
    patch.undo()


# -- the run ----------------------------------------------------------------------------------------------------------


def test_all_rows_and_measures_are_there(run):
    results = run[1]
    names = [row.name for row in results.rows]
    assert names[0] == UNEDITED and names[-1] == TARGET and len(names) == 10
    assert {
        UNRESTRICTED,
        DIFFEDIT,
        RADEDIT,
        "relevance only",
        "pseudomask only",
        "published RSE",
        OURS,
        OURS_DECODED,
    } < set(names)
    for row in results.rows:
        assert list(row.metrics) == [measure.key for measure in MEASURES]
        assert set(row.per_operation) == {"add", "change", "remove"}


def test_the_references_score_as_they_must(run):
    rows = {row.name: row.metrics for row in run[1].rows}
    same, target = rows[UNEDITED], rows[TARGET]
    assert (
        same["mse_ratio"].value == 1 and same["direction"].value == same["amount"].value == same["monotone"].value == 0
    )
    assert target["mse_ratio"].value == 0 and target["direction"].value == target["monotone"].value == 1
    assert target["amount"].value == pytest.approx(1) and target["attribute_shift"].value == 0
    assert target["fid"].value == pytest.approx(0, abs=1e-9)
    assert same["fid"].value > 0 and same["average_precision"].value is None


def test_outside_its_mask_no_row_changes_anything(run):
    assert set(run[1].about["largest_change_outside_mask"].values()) == {0.0}


def test_peers_may_have_fewer_pairs_and_the_report_says_so(run):
    rows = {row.name: row.metrics for row in run[1].rows}
    assert rows[UNRESTRICTED]["ssim"].n == 5 and rows[OURS]["ssim"].n == rows[UNEDITED]["ssim"].n == 10
    assert "first 5 of 10" in run[1].about["peers_note"]


def test_the_record_reads_back_and_coverage_is_recorded(run):
    out, results = run
    assert Results.read_json(out / "evaluation.json").as_dict() == json.loads(json.dumps(results.as_dict()))
    assert (out / "evaluation.csv").read_text().count("\n") > 100
    assert results.about["coverage"]["operation"]["add"] >= 3 and results.about["not_covered"]


def test_every_picture_of_a_case_is_there(run):
    out, results = run
    assert {case.scores["rank"] for case in results.cases} == {"best", "median", "worst"}
    for case in results.cases:
        assert all((out / place).is_file() for place in case.files.values())


def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(run, load):
    out, results = run
    before = json.loads(scores_path(out, OURS, 1).read_text())
    for name in (OURS, DIFFEDIT, RADEDIT):
        scores_path(out, name, 0).unlink()
    kept = scores_path(out, OURS, 1).stat().st_mtime_ns
    again = run_benchmark(out, SETTINGS, load, BenchmarkContext(readers=Readers(Reader(), Reader(), "means")))
    assert [row.metrics for row in again.rows] == [row.metrics for row in results.rows]
    assert (
        scores_path(out, OURS, 1).stat().st_mtime_ns == kept
        and json.loads(scores_path(out, OURS, 1).read_text()) == before
    )


def test_another_run_in_the_same_folder_is_refused(run, load):
    with pytest.raises(ValueError, match="was made with another count"):
        run_benchmark(run[0], BenchmarkSettings(count=15, peers_count=5, seed=3, size=SIDE, call=SETTINGS.call), load)
    with pytest.raises(ValueError, match="holds other files"):
        run_benchmark(run[0] / "pairs", SETTINGS, load)


def test_the_pairs_of_a_triple_are_edited_with_one_seed(run):
    pairs = read_body(run[0], 0, 3)
    assert [one.seed for one in pairs] == [3, 3, 3, 6, 7] and [one.triple for one in pairs] == [0, 0, 0, None, None]


def test_without_readers_their_measures_are_undefined(run):
    rows = (UNEDITED_ROW, *SETTINGS.rows(make_pipeline()), TARGET_ROW)
    metrics = summarise(gather_scores(run[0], SETTINGS, rows, None))[0].metrics
    assert metrics["fid"].value is None and "not installed" in metrics["fid"].note
    assert metrics["attribute_shift"].value is None and metrics["structure"].value == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"count": 7}, "`count` must be a multiple of 5, the pairs of one simulated body, got 7"),
        ({"peers_count": 0}, "`peers_count` must be a multiple of 5"),
        ({"count": 10, "peers_count": 15}, "`peers_count` must be at most `count`, 10, got 15"),
    ],
)
def test_wrong_numbers_of_pairs_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        BenchmarkSettings(**settings)


# -- scores by hand ---------------------------------------------------------------------------------------------------


def test_amount_and_dose_are_shares_of_the_true_change():
    before = torch.full((1, 50, 50), 0.4)
    pairs, edits = [], []
    for level in (0.1, 0.2, 0.4):
        after = before.clone()
        after[:, 30:40, 30:40] += level
        pairs.append(PlannedPair("x", TruePair(before, after, "Add the finding of edema."), 0, 4))
        half = before + (after - before) / 2
        edits.append(EditedPair(half, torch.ones(1, 50, 50).bool(), torch.ones(1, 50, 50)))
    scores = score_pairs(pairs, edits)
    assert [score["amount"] for score in scores] == pytest.approx([0.5] * 3)
    assert [score["dose"] for score in scores] == pytest.approx([0.125, 0.25, 0.5])
    found = with_levels(scores, [4, 4, 4])
    assert [one["monotone"] for one in found] == [None, None, 1.0]


@pytest.mark.parametrize(
    ("doses", "monotone", "ordered"),
    [((0.1, 0.2, 0.3), 1, 1), ((0.2, 0.1, 0.3), 0, 2 / 3), ((0.3, 0.2, 0.1), 0, 0), ((0.0, 0.0, 0.0), 0, 0)],
)
def test_levels_are_obeyed_when_each_is_more_than_the_one_before(doses, monotone, ordered):
    assert level_order(doses) == {"monotone": monotone, "ordered": pytest.approx(ordered)}


def test_the_references_are_the_image_and_the_truth():
    pair = TruePair(torch.zeros(1, 4, 4), torch.ones(1, 4, 4), "Add the finding of edema.")
    (same,), (target,) = (edit_row(None, row, [pair], [0]) for row in (UNEDITED_ROW, TARGET_ROW))
    assert torch.equal(same.image, pair.before) and torch.equal(target.image, pair.after)
    assert not same.mask.any() and same.mask.dtype == torch.bool and not target.guidance_map.any()


def test_diffedits_mask_is_where_the_difference_is_over_one_and_a_half_of_its_mean():
    difference = torch.tensor([1.0, 1, 1, 5]).view(1, 1, 2, 2)  # mean 2, clipped at 6, half of that 3
    assert diffedit_mask(difference).flatten().tolist() == [False, False, False, True]
    assert not diffedit_mask(torch.zeros(2, 1, 4, 4)).any()


# -- attributes --------------------------------------------------------------------------------------------------------


def test_shifts_are_in_the_attributes_own_spread():
    truth = torch.tensor([[0.0, 10.0], [2.0, 30.0]]).double()  # standard deviations 1 and 10
    shifts = attribute_shifts(torch.tensor([[1.0, 5.0]]).double(), torch.tensor([[0.5, 25.0]]).double(), truth)
    assert shifts.tolist() == [[0.5, 2.0]]


def test_an_attribute_that_is_not_drawn_is_refused():
    record = {"geometry": {"yaw": 1.0}, "film": {"noise": 0.1}}
    assert true_values([record], ["noise", "yaw"]).tolist() == [[0.1, 1.0]]
    with pytest.raises(ValueError, match="attributes that the simulator draws, got age"):
        true_values([record], ["age"])


# -- cases -------------------------------------------------------------------------------------------------------------


def test_the_verdict_of_one_shared_body_is_not_drawn(run):
    verdict = run[1].about["verdict"]
    assert len(verdict["sentences"]) == 3 and all("no verdict, since only 1" in one for one in verdict["sentences"])
    claims = {(one["row"], one["measure"]): one for one in verdict["claims"]}
    ours = claims[OURS, "change_outside"]
    rows = {row.name: row.metrics["change_outside"].value for row in run[1].rows}
    assert ours["other"] == UNRESTRICTED and ours["difference"]["n"] == 5 and ours["answer"] == "can't be read"
    assert rows[OURS] < rows[UNRESTRICTED]


def test_cases_are_the_best_the_middle_and_the_worst():
    assert choose_cases([0.5, 0.1, math.nan, 0.9, 0.3, 0.7], 1) == {1: "best", 0: "median", 3: "worst"}
    assert choose_cases([0.5], 2) == {0: "best"}


def test_pictures_of_the_references_are_the_pairs_own(tmp_path):
    assert picture_path(tmp_path, UNEDITED, "edited", "a.png") == tmp_path / "pairs/past/a.png"
    assert picture_path(tmp_path, TARGET, "edited", "a.png") == tmp_path / "pairs/current/a.png"
    assert benchmark.KIND == "simulated benchmark"
