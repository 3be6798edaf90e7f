"""Drawing of figures with matplotlib: what all figures share."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from x2x_core.common.extras import needs_extra
from x2x_core.imaging.provenance import synthetic_metadata

from .colours import GREY, INK, PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200


def check_drawing() -> None:
    """Check that figures can be drawn, before a long run.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with needs_extra("Drawing figures", "matplotlib", "report"):
        import matplotlib.figure  # noqa: F401


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    check_drawing()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")


def style_axes(axes: Axes, grid: str) -> None:
    """Remove ticks and all but the lower border, and draw a pale grid along "x" or "y"."""
    axes.grid(axis="x" if grid == "x" else "y", color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)


def as_picture(figure: Figure) -> Image.Image:
    """Return a figure as RGB picture at `DOTS_PER_INCH`."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def save_figure(figure: Figure, path: Path, parameters: dict[str, Any]) -> list[Path]:
    """Write a figure as PNG and SVG, both with a notice that they are synthetic.

    Args:
        figure: the figure.
        path: without suffix.
        parameters: how it was made, for the notice.

    Returns:
        The files written.
    """
    from matplotlib import rc_context

    notice = synthetic_metadata(parameters)
    chunks = PngInfo()
    for name, words in notice.items():
        chunks.add_itxt(name, words)
    png, svg = path.with_suffix(".png"), path.with_suffix(".svg")
    as_picture(figure).save(png, pnginfo=chunks, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    with rc_context({"svg.hashsalt": "x2x"}):  # the same figure gives the same bytes
        figure.savefig(svg, metadata={"Date": None, "Description": json.dumps(notice)})
    return [png, svg]
