"""`x2x evaluate`: measure how well a model edits."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from .app import App
from .evaluate_ablation import ablation
from .evaluate_benchmark import benchmark
from .evaluate_dataset import evaluate_dataset
from .evaluate_films import films
from .evaluate_forms import check_and_translate
from .evaluate_reading import reading
from .evaluate_simulated import simulated


class _EvaluateGroup(TyperGroup):
    """Commands of `x2x evaluate`, which also accept the forms of version 0.1."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer vendors click
        """Translate an old form of the command before it is parsed."""
        return super().parse_args(ctx, check_and_translate(args, self.commands))


app = App(
    cls=_EvaluateGroup,
    no_args_is_help=True,
    help="Measure how well a model edits: on a dataset, on simulated or drawn pairs with exact truth, or by readers.",
)
app.command("dataset")(evaluate_dataset)
app.command("simulated")(simulated)
app.command("benchmark")(benchmark)
app.command("ablation")(ablation)
app.command("films")(films)
app.command("reading")(reading)
