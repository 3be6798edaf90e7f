"""`x2x explain`: explain how an instruction is read, without a model or an image."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .options import Strict


def explain(
    prompt: Annotated[str, typer.Argument(help='The instruction, for example "put some fluid at the right base".')],
    strict: Strict = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain how an instruction is read: its clauses, their place on the picture, and what is left out.

    Exits with 2 if an edit would refuse the instruction.

    Example: x2x explain "add a small effusion on the left"
    """
    from x2x_core import Instruction

    explanation = Instruction.parse(prompt, strict=strict).explain()
    typer.echo(json.dumps(explanation.as_dict(), indent=1, ensure_ascii=False) if as_json else str(explanation))
