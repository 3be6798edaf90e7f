"""The run on pairs with exact truth: a right explanation outscores noise, runs continue, reasons are counted."""

import pytest
import torch
from attribution_cases import SIDE, WeightedSum, scorer_of, weights_in
from grounding_cases import LESION, DrawingPipeline

from x2x_core.common.errors import InputError
from x2x_core.evaluation.attribution.run import AttributionSettings, run_attribution
from x2x_core.evaluation.attribution.summary import RECORD, summarise_attribution
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.report.write import write_report

SETTINGS = AttributionSettings("weighted sum", methods=("edit", "integrated gradients", "random"))


def pair(number, instruction="Add the finding of severe edema."):
    before = 0.3 + 0.005 * torch.randn(1, SIDE, SIDE, generator=torch.Generator().manual_seed(number))
    after = before.clone()
    after[(..., *LESION)] += 0.5
    return TruePair(before.clamp(0, 1), after.clamp(0, 1), instruction, number // 2)


def pairs():
    more = ["Remove the finding of edema.", "Add the finding of pneumonia."]
    return [*(pair(number) for number in range(6)), *(pair(9, text) for text in more),
            TruePair(pair(3).before, pair(3).before, "Add the finding of edema.", 9)]  # fmt: skip


@pytest.fixture
def scorer():
    return scorer_of(WeightedSum(weights_in(LESION), 8.0))


def test_an_edit_is_measured_beside_gradients_and_noise(tmp_path, scorer):
    records = run_attribution(DrawingPipeline(), scorer, pairs(), SETTINGS, tmp_path / "out")
    reasons = ["does not add one finding", "pneumonia is not a label", "the classifier does not see it"]
    assert [record.get("skipped") for record in records] == [None] * 6 + reasons
    (tmp_path / "out" / "records" / "000002.json").unlink()
    assert run_attribution(DrawingPipeline(), scorer, pairs(), SETTINGS, tmp_path / "out") == records
    results = summarise_attribution(records, SETTINGS)
    edit, gradients, noise = (row.metrics for row in results.rows)
    for found in (edit, gradients):
        assert found["average_precision"].value > 0.95 and found["pointing"].value == 1 and found["pointing"].n == 6
        assert found["deletion"].value < noise["deletion"].value
        assert found["insertion"].value > noise["insertion"].value
    assert noise["average_precision"].value < 0.2 and results.rows[0].per_finding["edema"] == edit
    assert "The edit takes the probability below 0.5 in 6 of 6 images." in results.about["notes"]
    results.write_json(tmp_path / "out" / RECORD)
    page = write_report(tmp_path / "out", figures=False)[0].read_text()
    assert "Explanations of weighted sum" in page and page.count("data:image/jpeg") == 6 * 4


def test_a_run_without_anything_to_explain_says_so(tmp_path, scorer):
    records = run_attribution(DrawingPipeline(), scorer, pairs()[-2:], SETTINGS, tmp_path / "out")
    with pytest.raises(InputError, match="at least one that adds a finding which the classifier sees"):
        summarise_attribution(records, SETTINGS)
    with pytest.raises(InputError, match="holds another"):
        run_attribution(DrawingPipeline(), scorer, [], AttributionSettings("other"), tmp_path / "out")
    with pytest.raises(InputError, match="`methods` must be some of"):
        AttributionSettings("x", methods=())
