"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

FILE_WIDTH = 200  # characters to a line of a table that goes to a file


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], bold: Collection[int] = ()) -> None:
    """Print a table without borders; its first column does not wrap.

    Args:
        headings: of the columns.
        rows: cells of each row.
        bold: indices of rows in bold type.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column(headings[0], no_wrap=True), *headings[1:], box=SIMPLE_HEAD)
    for index, row in enumerate(rows):
        table.add_row(*row, style="bold" if index in bold else None)
    console = Console()
    (console if console.is_terminal else Console(width=FILE_WIDTH)).print(table)
