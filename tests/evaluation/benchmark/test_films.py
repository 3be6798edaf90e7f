"""The benchmark on films with a tiny model: its rows and measures, its intervals, and going on after a stop."""

import json

import pytest
import torch
from film_cases import write_films
from tiny_models import make_pipeline, make_scheduler

from x2x_core.common.errors import InputError
from x2x_core.evaluation.benchmark.editing import edit_row, undo_edits
from x2x_core.evaluation.benchmark.film_settings import NOTICE, FilmSettings, most_pairs, survey_folder
from x2x_core.evaluation.benchmark.pairs import EditedPair, TruePair, true_region
from x2x_core.evaluation.benchmark.plan import read_body
from x2x_core.evaluation.benchmark.rows import OURS, OURS_GIVEN, UNRESTRICTED, Row
from x2x_core.evaluation.benchmark.run import run_benchmark
from x2x_core.evaluation.benchmark.storage import picture_path, scores_path
from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.evaluation.report.text_table import finding_table
from x2x_core.evaluation.report.view import View
from x2x_core.evaluation.results import TARGET, Metric
from x2x_core.imaging.files import read_image
from x2x_core.simulation.findings import levels_of

ADD, REMOVE = "Add the finding of moderate edema.", "Remove the finding of moderate edema."


@pytest.fixture(scope="module")
def load(shared_components):
    return lambda: make_pipeline(**{**shared_components, "scheduler": make_scheduler()})


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = write_films(tmp_path_factory.mktemp("films"), ["a.png", "b.png", "c.png"])
    (folder / "labels.csv").write_text("file,patient,findings\na.png,1,Edema\nb.png,2,\nc.png,1,\n")
    labels = str(folder / "labels.csv")
    call = {"num_inference_steps": 1, "mask_threshold": 0.2}
    return FilmSettings(count=10, peers_count=0, seed=3, size=64, films=str(folder), labels=labels, call=call)


@pytest.fixture(scope="module")
def run(settings, load, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    return out, run_benchmark(out, settings, load)


def test_ours_is_measured_with_and_without_the_true_region(run):
    out, results = run
    assert [row.name for row in results.rows][1:-1] == [OURS, OURS_GIVEN, "ours, decoding laid over"]
    for one in read_body(out, 0, 3):
        mask = read_image(picture_path(out, OURS_GIVEN, "mask", one.file)).pixels[0] > 0.5
        assert torch.equal(mask, true_region(one.pair.after - one.pair.before))
    assert set(results.about["largest_change_outside_mask"].values()) == {0.0}


def test_shares_have_wilson_s_intervals_in_every_group(run):
    row = next(row for row in run[1].rows if row.name == OURS)
    groups = [row.metrics, *row.per_finding.values(), *row.per_operation.values()]
    for metrics in groups:
        for key in ("closer", "direction", "in_region"):
            metric = metrics[key]
            assert metric == wilson(round(metric.value * metric.n), metric.n)
    target = next(row for row in run[1].rows if row.name == TARGET)
    assert target.metrics["closer"].value == 1 and target.metrics["closer"].low < 1


def test_undo_is_measured_for_additions_of_ours_alone(run):
    out, results = run
    rows = {row.name: row.metrics["undo"] for row in results.rows}
    additions = sum(one.pair.instruction.startswith("Add") for body in (0, 1) for one in read_body(out, body, 3))
    assert rows[OURS].n == additions > 0 and rows[OURS].value > 0
    assert all(metric.value is None for name, metric in rows.items() if name != OURS)


def test_a_series_has_all_levels_and_one_seed(run):
    series = [one for one in read_body(run[0], 0, 3) if one.triple == 0]
    assert len({one.seed for one in series}) == 1 and run[1].about["triple_size"] == "all levels"
    texts = [one.pair.instruction for one in series]
    assert all(level in text for level, text in zip(levels_of("pleural effusion"), texts, strict=True))


def test_the_record_says_what_it_is_and_names_no_film(run):
    out, results = run
    assert results.about["synthetic"] and results.about["notice"] == NOTICE and "verdict" not in results.about
    assert set(results.about["median_seconds"]) == {OURS, OURS_GIVEN, "ours, decoding laid over"}
    assert not any(b"b.png" in path.read_bytes() for path in out.rglob("*.json*"))
    table = finding_table(View(results), next(row for row in results.rows if row.name == OURS))
    assert table[0][:2] == (OURS, "Closer to truth (%) ↑") and table[-1][0] == "all" and "to" in table[-1][1]


def test_a_run_that_was_stopped_continues_to_the_same_numbers(run, settings, load):
    out, results = run
    before = scores_path(out, OURS, 0).read_text()
    scores_path(out, OURS, 0).unlink()
    again = run_benchmark(out, settings, load)
    assert [row.metrics for row in again.rows] == [row.metrics for row in results.rows]
    timed = ("seconds", "waited")
    first, second = (
        [{key: value for key, value in score.items() if key not in timed} for score in json.loads(text)]
        for text in (before, scores_path(out, OURS, 0).read_text())
    )
    assert first == second


def test_other_films_and_too_many_pairs_are_refused(run, settings, tmp_path):
    survey = survey_folder(settings.films, settings.labels, tmp_path, 1, None)
    assert most_pairs(survey) == 15
    with pytest.raises(InputError, match="must be an empty folder or hold this very run on these films"):
        survey_folder(settings.films, None, run[0], 1, None)
    with pytest.raises(InputError, match="`count` must be a multiple of 5, the pairs of one film, got 7"):
        FilmSettings(count=7)


# -- undo, by hand ----------------------------------------------------------------------------------------------------


class Removes:
    """A pipeline whose second edit takes away three quarters of what was added."""

    def __init__(self):
        self.prompts, self.seeds = [], []

    def __call__(self, images, prompts, *, generator, output_type, **call):
        self.prompts += prompts
        self.seeds += [one.initial_seed() for one in generator]
        maps = torch.ones(len(prompts), 1, 8, 8)
        edited = torch.where(images > 0.5, 0.5 + (images - 0.5) / 4, images)
        return type("Output", (), {"images": edited, "guidance_mask": maps.bool(), "guidance_map": maps})


def test_an_addition_is_taken_back_with_its_own_words_and_seed():
    before = torch.full((1, 8, 8), 0.5)
    edited = before.clone()
    edited[:, 2:4] += 0.4
    pairs = [TruePair(before, before, REMOVE), TruePair(before, before, ADD)]
    edits = [EditedPair(edited, torch.ones(1, 8, 8).bool(), torch.ones(1, 8, 8))] * 2
    fake = Removes()
    left = undo_edits(fake, Row(OURS, "", undo=True), pairs, [4, 5], edits)
    assert left == [None, pytest.approx(0.25)]
    assert fake.prompts == [REMOVE] and fake.seeds == [5]


def test_without_additions_nothing_is_edited():
    before = torch.full((1, 8, 8), 0.5)
    edit = EditedPair(before, torch.ones(1, 8, 8).bool(), torch.ones(1, 8, 8))
    assert undo_edits(None, Row(OURS, "", undo=True), [TruePair(before, before, REMOVE)], [0], [edit]) == [None]


def test_the_true_region_is_what_the_pipeline_gets():
    before = torch.zeros(1, 50, 50)
    after = before.clone()
    after[:, 20:30, 20:30] = 0.5
    given = {}

    def pipeline(images, prompts, *, guidance_mask, **call):
        given["mask"] = guidance_mask
        maps = torch.zeros(1, 1, 50, 50)
        return type("Output", (), {"images": images, "guidance_mask": guidance_mask, "guidance_map": maps})

    (edit,) = edit_row(pipeline, Row(OURS_GIVEN, "", given_truth=True), [TruePair(before, after, ADD)], [0])
    rows = given["mask"][0, 0].any(1).nonzero().flatten()
    assert (int(rows[0]), int(rows[-1])) == (18, 31) and torch.equal(edit.mask, given["mask"][0])


def test_the_unrestricted_row_is_left_out_with_no_pairs_for_the_peers(settings):
    peer = Row(UNRESTRICTED, "")
    assert not settings.includes(peer, 0) and settings.includes(Row(OURS, "", is_peer=False), 0)
    assert wilson(0, 0) == Metric(None, note="nothing was counted")
