"""Figures of an ablation: everything is in them, and each pair is where it belongs."""

import builtins
from dataclasses import replace

import numpy as np
import pytest
import torch

from x2x_core.evaluation.benchmark.ablation import OURS, AblationReport, PairEdits
from x2x_core.evaluation.benchmark.ablation_measures import MEASURES, REFERENCE_KEYS
from x2x_core.evaluation.benchmark.ablation_rows import Row
from x2x_core.evaluation.report.comparison_figures import (
    OURS_COLOUR,
    as_picture,
    check_drawing,
    choose_pairs,
    draw_ablation,
    draw_gallery,
)
from x2x_core.imaging.panel import FOOTER

ROWS = (Row("other", "another way"), Row(OURS, "the default"))


def make_report(pairs=4):
    draws = torch.Generator().manual_seed(0)
    keys = [one.key for one in MEASURES]
    scores = {
        row.name: tuple(
            dict(zip(keys, torch.rand(len(keys), generator=draws).tolist()), mse_ratio=0.9 - 0.2 * n)
            for n in range(pairs)
        )
        for row in ROWS
    }
    unedited = tuple(dict.fromkeys(REFERENCE_KEYS, 0.5) for _ in range(pairs))
    picture = torch.zeros(48, 48, dtype=torch.uint8)
    mask = torch.zeros(48, 48, dtype=torch.bool)
    mask[10:30, 10:30] = True
    edits = {row.name: (picture + 100, mask) for row in ROWS}
    words = tuple(f"Add the finding of edema number {n}." for n in range(pairs))
    pictures = tuple(PairEdits(text, picture + 10 * n, picture + 200, edits) for n, text in enumerate(words))
    return AblationReport(ROWS, words, scores, unedited, "A note.", {"seed": 0}, pictures)


def texts(figure):
    from matplotlib.text import Text

    return [found.get_text() for found in figure.findobj(Text)]


def test_the_dot_plot_names_every_measure_and_row_and_draws_its_values():
    report = make_report()
    figure = draw_ablation(report)
    said = "\n".join(texts(figure))
    assert all(one.title in said for one in MEASURES) and "other" in said and FOOTER.split()[0] in said
    panel = figure.axes[0]
    ours = [line for line in panel.lines if line.get_color() == OURS_COLOUR]
    value = report.estimates()[OURS][MEASURES[0].key]
    assert list(ours[0].get_xdata()) == [value.low, value.high] and list(ours[1].get_xdata()) == [value.value]


def test_a_measure_that_is_undefined_everywhere_leaves_its_panel_empty():
    report = make_report()
    empty = {name: tuple({**one, "pointing": None} for one in rows) for name, rows in report.scores.items()}
    figure = draw_ablation(replace(report, scores=empty))
    place = [one.key for one in MEASURES].index("pointing")
    assert not figure.axes[place].lines and as_picture(figure).width > 1500


def test_best_median_and_worst_are_chosen_once_each():
    assert choose_pairs([0.5, 0.1, None, 0.9, 0.7]) == {"Best": 1, "Median": 4, "Worst": 3}
    assert choose_pairs([0.5]) == {"Best": 0}
    assert choose_pairs([0.5, 0.2]) == {"Best": 1, "Median": 0}
    with pytest.raises(ValueError, match="must hold one whose truth changes"):
        choose_pairs([None])


def test_the_gallery_shows_the_chosen_pairs_with_every_row():
    report = make_report()
    figure = draw_gallery(report)
    said = "\n".join(texts(figure))
    for rank, number in (("Best", 3), ("Median", 1), ("Worst", 0)):
        assert f"{rank} of ours" in said and f"edema number {number}." in said
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert len(shown) == 3 * 4 and np.asarray(shown[0]).max() == 30
    assert shown[2].shape == (96, 96, 3) and len(np.unique(shown[2].reshape(-1, 3), axis=0)) > 1  # the outline
    picture = as_picture(figure)
    assert picture.mode == "RGB" and picture.width > 1500


def test_a_gallery_needs_pictures_and_figures_need_matplotlib(monkeypatch):
    with pytest.raises(ValueError, match="`report` must hold pictures"):
        draw_gallery(replace(make_report(), pictures=()))
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"instructx2x\[report\]"):
        check_drawing()
