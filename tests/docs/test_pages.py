"""The documentation works as shown: Python is run, commands are parsed, those in `console` blocks are run."""

from functools import cache

import pytest
import typer
from doc_pages import all_blocks, blocks, pages

from x2x_core.cli import app, main

QUICK = {"README.md", "docs/tutorials/first-edit.md"}
PYTHON_PAGES = [page for page in pages() if any(block.language == "python" for block in blocks(page))]
RUN_PAGES = sorted({block.page for block in all_blocks() if block.language in ("python", "console")})
COMMANDS = [(block.place, arguments) for block in all_blocks() for arguments in block.commands]


def speeds(names):
    """Pages as test parameters: those that take more than a few seconds are for `make test-docs`."""
    return [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in names]


@cache
def command_line():
    return typer.main.get_command(app)


def parse_command(arguments):
    """Parse arguments of `x2x` without running anything; an option that does not exist raises an error."""
    command, rest = command_line(), list(arguments)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    return command.make_context("x2x", rest)


def test_there_are_pages_with_code():
    assert len(PYTHON_PAGES) > 5 and len(COMMANDS) > 30 and set(RUN_PAGES) >= QUICK


@pytest.mark.parametrize(("place", "arguments"), COMMANDS, ids=[place for place, _ in COMMANDS])
def test_every_command_exists(place, arguments):
    try:
        parse_command(arguments)
    except Exception as error:
        pytest.fail(f"{place}: x2x {' '.join(arguments)}: {error}")


@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_python_blocks_of_a_page_compile(page):
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, block.place, "exec")


@pytest.mark.parametrize("page", speeds(RUN_PAGES))
def test_a_page_runs_from_top_to_bottom(page, workplace, archive):
    """The blocks of a page share their names, as for a reader who pastes one after the other."""
    names = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, block.page, "exec"), names)
        elif block.language == "console":
            for arguments in block.commands:
                with pytest.raises(SystemExit) as left:
                    main(arguments)
                assert left.value.code == 0, f"{block.place}: x2x {' '.join(arguments)}"
