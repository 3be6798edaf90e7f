"""`x2x`: the command line. Each command is a file in `x2x_core.commands`; heavy imports wait until one runs."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from x2x_core import __version__
from x2x_core.commands import audit, convert, dataset, edit, evaluate, explain, info, masks, report, simulate, train
from x2x_core.common.errors import InputError

app = typer.Typer(
    name="x2x",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Edit chest radiographs from text instructions, changing only the region the instruction refers to. "
    "All output is synthetic and for research, not for diagnosis.",
)
app.command("edit")(edit.edit)
app.command("explain")(explain.explain)
app.add_typer(masks.app, name="masks")
app.add_typer(dataset.app, name="dataset")
app.command("simulate")(simulate.simulate)
app.command("train")(train.train)
app.command("convert")(convert.convert)
app.add_typer(evaluate.app, name="evaluate")
app.command("audit")(audit.audit)
app.command("report")(report.report)
app.command("info")(info.info)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"x2x {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 for success, 2 for input errors (printed as one line), 130 if interrupted.

    Any other exception is a fault of this package and keeps its traceback.
    """
    _log_as_plain_lines()
    try:
        app(arguments, standalone_mode=True)
    except KeyboardInterrupt:
        _print_line("Interrupted.")
        sys.exit(130)
    except InputError as error:
        _print_line(" ".join(str(error).split()))
        sys.exit(2)


def _print_line(text: str) -> None:
    typer.secho(f"x2x: {text}", err=True)


class _PlainLines(logging.Handler):
    """Print warnings of this package as plain lines on standard error, equal ones in a row once."""

    _last = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message != self._last:
            _print_line(message)
        self._last = message


def _log_as_plain_lines() -> None:
    logger = logging.getLogger("x2x_core")
    if not any(isinstance(handler, _PlainLines) for handler in logger.handlers):
        logger.addHandler(_PlainLines(logging.WARNING))
        logger.propagate = False


if __name__ == "__main__":
    main()
