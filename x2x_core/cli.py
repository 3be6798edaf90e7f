"""`x2x`: the command line. Each command is a file in `x2x_core.commands`; heavy imports wait until one runs."""

from __future__ import annotations

import logging
import sys

import typer

from x2x_core.commands import audit, convert, dataset, edit, evaluate, info, masks, report, simulate, train
from x2x_core.common.errors import InputError

app = typer.Typer(
    name="x2x",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Edit chest radiographs by instructions, only where the instruction is about, and see why. "
    "Everything it writes is synthetic and for research, not for diagnosis.",
)
app.command("edit")(edit.edit)
app.add_typer(masks.app, name="masks")
app.add_typer(dataset.app, name="dataset")
app.command("simulate")(simulate.simulate)
app.command("train")(train.train)
app.command("convert")(convert.convert)
app.command("evaluate")(evaluate.evaluate)
app.command("audit")(audit.audit)
app.command("report")(report.report)
app.command("info")(info.info)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process: 0 done, 2 wrong input (one line says what), 130 interrupted."""
    _speak_plainly()
    try:
        app(arguments, standalone_mode=True)
    except KeyboardInterrupt:
        _say("Interrupted.")
        sys.exit(130)
    except InputError as error:
        _say(" ".join(str(error).split()))
        sys.exit(2)


def _say(text: str) -> None:
    typer.secho(f"x2x: {text}", err=True)


class _PlainLines(logging.Handler):
    """Warnings of this package as plain lines on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage())


def _speak_plainly() -> None:
    logger = logging.getLogger("x2x_core")
    if not any(isinstance(handler, _PlainLines) for handler in logger.handlers):
        logger.addHandler(_PlainLines(logging.WARNING))
        logger.propagate = False


if __name__ == "__main__":
    main()
