"""`x2x audit`: audits of models that read radiographs. `x2x audit IMAGES ...` is `x2x audit classifier IMAGES ...`."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from .app import App
from .audit import audit
from .audit_attribution import attribution
from .audit_grounding import grounding

CLASSIFIER = "classifier"


class _AuditGroup(TyperGroup):
    """Commands of `x2x audit`; without the name of one, the audit of a classifier is meant."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer vendors click
        """Add the name of the command where it is left out."""
        named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if named else [CLASSIFIER, *args])


app = App(
    cls=_AuditGroup,
    no_args_is_help=True,
    help="Audit models that read radiographs: by counterfactual edits of a finding, and by explanations. Without the "
    "name of a command, `classifier` is meant.",
)
app.command(CLASSIFIER)(audit)
app.command("grounding")(grounding)
app.command("attribution")(attribution)
