"""Figures: every measure and row of a record is drawn, and each pair of an ablation is where it belongs."""

import builtins
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from x2x_core.evaluation.benchmark.ablation import Ablation, PairPictures
from x2x_core.evaluation.benchmark.measures import MEASURES
from x2x_core.evaluation.benchmark.rows import OURS
from x2x_core.evaluation.benchmark.scores import BenchmarkScores
from x2x_core.evaluation.benchmark.summary import summarise
from x2x_core.evaluation.recorded import read_record
from x2x_core.evaluation.report.colours import OURS_COLOUR
from x2x_core.evaluation.report.drawing import as_picture, check_drawing
from x2x_core.evaluation.report.figures import COLUMNS, draw_findings, draw_forest
from x2x_core.evaluation.report.pair_gallery import draw_gallery
from x2x_core.evaluation.report.view import View
from x2x_core.evaluation.results import Results
from x2x_core.imaging.panel import FOOTER

DEMO = Path(__file__).parents[3] / "models" / "demo"
NAMES = ("other", OURS)


def make_ablation(pairs=4):
    draws = torch.Generator().manual_seed(0)
    keys = [measure.key for measure in MEASURES]
    rows = {
        name: [
            dict(zip(keys, torch.rand(len(keys), generator=draws).tolist()), mse_ratio=0.9 - 0.2 * n)
            for n in range(pairs)
        ]
        for name in NAMES
    }
    words = tuple(f"Add the finding of edema number {n}." for n in range(pairs))
    scores = BenchmarkScores(words, tuple(range(pairs)), rows, seed=0)
    picture = torch.zeros(48, 48, dtype=torch.uint8)
    mask = torch.zeros(48, 48, dtype=torch.bool)
    mask[10:30, 10:30] = True
    edits = dict.fromkeys(NAMES, (picture + 100, mask))
    pictures = tuple(PairPictures(picture + 10 * n, picture + 200, edits) for n in range(pairs))
    about = {
        "ours": OURS,
        "references": [],
        "note": "A note.",
        "measures": {measure.key: vars(measure) for measure in MEASURES},
    }
    return Ablation(Results(about, summarise(scores)), scores, pictures)


def texts(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


def test_the_forest_names_every_measure_and_row_and_draws_its_values():
    view = View(make_ablation().results)
    figure = draw_forest(view)
    text = "\n".join(texts(figure))
    assert all(measure.title in text for measure in view.measures()) and len(view.measures()) > 2 * COLUMNS
    assert "other" in text and FOOTER.split()[0] in text
    panel = figure.axes[0]
    ours = [line for line in panel.lines if line.get_color() == OURS_COLOUR]
    value = view.ours().metrics[MEASURES[0].key]
    assert list(ours[0].get_xdata()) == [value.low, value.high] and list(ours[1].get_xdata()) == [value.value]


def test_a_measure_that_a_row_lacks_leaves_its_line_empty_and_one_that_none_has_no_panel():
    ablation = make_ablation()
    rows = {name: [dict(record) for record in records] for name, records in ablation.scores.rows.items()}
    for record in rows["other"]:
        record["pointing"] = None
    scores = replace(ablation.scores, rows=rows)
    view = View(replace(ablation.results, rows=summarise(scores)))
    figure = draw_forest(view)
    panel = figure.axes[[measure.key for measure in view.measures()].index("pointing")]
    assert {line.get_color() for line in panel.lines} == {OURS_COLOUR} and as_picture(figure).width > 1500
    assert "fid" not in [measure.key for measure in view.measures()]  # no network took part


def test_findings_are_drawn_with_one_legend_entry_a_row():
    figure = draw_findings(View(make_ablation().results))
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == [OURS, "other"] and "edema" in texts(figure)


def test_the_recorded_ablation_and_benchmark_are_drawn_and_tabled():
    from x2x_core.evaluation.report.text_table import text_table

    for name, count in (("ablation", 11), ("benchmark", 9)):
        view = View(read_record(DEMO / f"{name}.json.gz"))
        assert len(view.results.rows) == count and view.ours().name == OURS
        assert "Error ratio ↓" in [line[0] for line in text_table(view)]
        assert "no restriction" in texts(draw_forest(view))


def test_the_gallery_shows_the_chosen_pairs_with_every_row():
    figure = draw_gallery(make_ablation())
    text = "\n".join(texts(figure))
    for rank, number in (("Best", 3), ("Median", 2), ("Worst", 0)):
        assert f"{rank} of ours" in text and f"edema number {number}." in text
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert len(shown) == 3 * 4 and np.asarray(shown[0]).max() == 30
    assert shown[2].shape == (96, 96, 3) and len(np.unique(shown[2].reshape(-1, 3), axis=0)) > 1  # the outline
    picture = as_picture(figure)
    assert picture.mode == "RGB" and picture.width > 1500


def test_a_gallery_needs_pictures_and_a_pair_that_changes():
    with pytest.raises(ValueError, match="`ablation` must hold pictures"):
        draw_gallery(replace(make_ablation(), pictures=()))
    ablation = make_ablation(1)
    rows = {name: [{**records[0], "mse_ratio": None}] for name, records in ablation.scores.rows.items()}
    with pytest.raises(ValueError, match="must hold one whose truth changes"):
        draw_gallery(replace(ablation, scores=replace(ablation.scores, rows=rows)))


def test_figures_need_matplotlib(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"instructx2x\[report\]"):
        check_drawing()
