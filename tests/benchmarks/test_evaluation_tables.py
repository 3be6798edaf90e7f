"""The script that writes the tables of docs/evaluation.md."""

from pathlib import Path

import pytest
from programs import load_program

from x2x_core.evaluation.report.view import View
from x2x_core.evaluation.results import Metric, ResultRow, Results

ROOT = Path(__file__).parents[2]
ABOUT = {
    "ours": "ours",
    "peers_note": "All pairs.",
    "note": "4 steps.",
    "intervals": "by bodies",
    "measures": {"ssim": {"title": "SSIM", "group": "Inside", "better": "higher", "meaning": "likeness"}},
    "seconds_per_edit": {"ours": 0.5},
    "verdict": {"sentences": ["Ours keeps more: yes."]},
    "attributes": {"ours": {"yaw": {"r": 0.9, "shift": 0.25, "worst": 1.5}}},
}


@pytest.fixture
def tables():
    return load_program("benchmarks/evaluation_tables.py")


def test_the_tables_are_written_between_their_marks(tables):
    row = ResultRow("ours", {"ssim": Metric(0.9, 0.8, 0.95, 5)}, {"edema": {"ssim": Metric(0.7, n=2)}})
    view = View(Results(ABOUT, (row,)))
    filled = tables.fill((ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8"), view)
    wanted = (
        "| SSIM ↑ | 0.900 |",
        "| edema | 0.700 |",
        "- Ours keeps more: yes.",
        "| ours | 0.50 |",
        "| yaw | 0.25 (1.5) |",
    )
    for line in wanted:
        assert line in filled.splitlines(), line
    assert tables.fill(filled, view) == filled
    with pytest.raises(ValueError, match="once each"):
        tables.fill("no marks", view)


def test_the_tables_of_an_evaluation_on_a_dataset():
    module = load_program("benchmarks/dataset_tables.py")
    found = {
        "ssim_inside": Metric(0.9, 0.8, 0.95, 5),
        "flip_rate": Metric(0.0, 0.0, 0.0, 5),
        "cmig": Metric(None, note="no age"),
    }
    view = View(
        Results({}, (ResultRow("edited", found, {"edema": found}, {"add": found}), ResultRow("do nothing", found)))
    )
    page = module.fill("Before\n<!-- demo -->\nold\n<!-- /demo -->\nAfter\n", view)
    assert "| SSIM inside | 0.900 (0.800 to 0.950) | 0.900 (0.800 to 0.950) |" in page and "old" not in page
    assert "| edema | 0.0 | 0.900 (0.800 to 0.950) |" in page and "| add |" in page and "CMIG" not in page
    assert module.fill(page, view) == page
    assert "<!-- demo -->" in (ROOT / "docs" / "metrics.md").read_text()
    with pytest.raises(ValueError, match="must hold the marks"):
        module.fill("Before", view)
