"""Figure of an ablation's best, median and worst pairs, for print."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import torch
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.evaluation.benchmark.ablation import Ablation
from x2x_core.evaluation.benchmark.rows import OURS
from x2x_core.evaluation.cases import RANKING
from x2x_core.imaging.overlay import mask_contour
from x2x_core.imaging.panel import FOOTER

from .colours import GREY, INK, OURS_COLOUR
from .drawing import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


def draw_gallery(ablation: Ablation) -> Figure:
    """Draw before, truth, and each row's edit with its mask's outline, for the best, median and worst pair of ours.

    Without a row of ours the first row ranks the pairs.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: the ablation kept no pictures, or the truth changes in no pair.
    """
    if not ablation.pictures:
        raise InputError("`ablation` must hold pictures: run it with `keep_pictures=True`.")
    chosen = ablation.chosen_pairs()
    columns = len(ablation.pictures[0].edits) + 2
    figure = new_figure(1.9 * columns + 0.3, len(chosen) * 2.75 + 0.4)
    lines = figure.subfigures(len(chosen), 1, squeeze=False)[:, 0]
    ranked = ablation.ranked_row
    for (index, rank), line in zip(chosen.items(), lines):
        _draw_pair(line, ablation, index)
        title = f"{rank.capitalize()} of {ranked} (error ratio {_ratio(ablation, ranked, index)})"
        instruction = ablation.scores.instructions[index]
        line.suptitle(f"{title}: {instruction}", x=0.005, ha="left", fontsize=10, fontweight="bold", color=INK)
    figure.supxlabel(f"Outline: where the image may change. {FOOTER}", fontsize=8, color=GREY)
    return figure


def _draw_pair(line: SubFigure, ablation: Ablation, index: int) -> None:
    pair = ablation.pictures[index]
    shown = {"before": Image.fromarray(pair.before.numpy()), "truth": Image.fromarray(pair.after.numpy())}
    shown |= {name: mask_contour(_enlarged(picture), mask) for name, (picture, mask) in pair.edits.items()}
    axes_of_line = line.subplots(1, len(shown), squeeze=False)[0]
    for axes, (name, picture) in zip(axes_of_line, shown.items()):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
        title = name
        if name in pair.edits:
            title = f"{textwrap.fill(name, 16)}\nerror ratio {_ratio(ablation, name, index)}"
        axes.set_title(title, fontsize=8, color=OURS_COLOUR if name == OURS else INK, pad=3)
        axes.axis("off")


def _ratio(ablation: Ablation, row: str, index: int) -> str:
    value = float(ablation.scores.values(row, RANKING)[index])
    return "-" if math.isnan(value) else f"{value:.2f}"


def _enlarged(picture: torch.Tensor) -> Image.Image:
    """Return a picture at twice the size, so that outlines are fine."""
    image = Image.fromarray(picture.numpy())
    return image.resize((2 * image.width, 2 * image.height), Image.Resampling.LANCZOS)
