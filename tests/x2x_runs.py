"""Runs of the command line in the tests' own process."""

from __future__ import annotations

import pytest

from x2x_core.cli import main


def run(capsys, *arguments):
    """Run `x2x`; return exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err
