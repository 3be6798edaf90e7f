"""`x2x`: the command line. Each command is a file in `x2x_core.commands`; heavy imports wait until one runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from x2x_core import __version__
from x2x_core.commands import (
    archive,
    audit_group,
    batch,
    bench,
    convert,
    dataset,
    edit,
    evaluate,
    explain,
    info,
    masks,
    report,
    serve,
    sign,
    simulate,
    study,
    train,
    verify,
)
from x2x_core.commands.app import App, print_line
from x2x_core.common import postponed
from x2x_core.common.collector import rare_collection
from x2x_core.common.errors import InputError

app = App(
    name="x2x",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Edit chest radiographs from text instructions, changing only the region the instruction refers to. "
    "All output is synthetic and for research, not for diagnosis.",
)
app.command("edit")(edit.edit)
app.command("batch")(batch.batch)
app.command("explain")(explain.explain)
app.command("verify")(verify.verify)
app.command("sign")(sign.sign)
app.add_typer(masks.app, name="masks")
app.add_typer(dataset.app, name="dataset")
app.command("simulate")(simulate.simulate)
app.command("train")(train.train)
app.command("convert")(convert.convert)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(bench.app, name="bench")
app.add_typer(audit_group.app, name="audit")
app.add_typer(study.app, name="study")
app.command("report")(report.report)
app.command("serve")(serve.serve)
app.add_typer(archive.dicomweb, name="dicomweb")
app.add_typer(archive.dimse, name="dimse")
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

    Any other exception is a fault of this package and keeps its traceback. The process is this program's own, so
    packages that an edit does not use are postponed in it; importing `x2x_core` elsewhere changes nothing.
    """
    postponed.install()
    try:
        with rare_collection():
            app(arguments, standalone_mode=True)
    except KeyboardInterrupt:
        print_line("Interrupted.")
        sys.exit(130)
    except InputError as error:
        print_line(" ".join(str(error).split()))
        sys.exit(2)


if __name__ == "__main__":
    main()
