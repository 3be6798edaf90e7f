"""From a difference row to its instruction."""

from __future__ import annotations

from x2x_core.instructions import Instruction

from .questions import DIFFERENCE, Question
from .rejections import Reason, Rejected


def instruct(row: Question, of_pair: list[Question], of_reference: list[Question], schema: str) -> Instruction:
    """The instruction that a difference row gives.

    Args:
        row: the difference row.
        of_pair: all rows of its pair; those about the main study say where and how strong its findings are.
        of_reference: all rows about the reference study.
        schema: "v1" or "v2" (levels and places from the other rows).

    Raises:
        Rejected: nothing has changed, or the answer can't be read.
    """
    from x2x_core.dataset import instruction_from_difference

    try:
        found = instruction_from_difference(row.answer, row.question)
        if found is None:
            raise Rejected(Reason.NOTHING_CHANGED)
        written = found.write(schema)
        _check_written(written, schema)
    except Rejected:
        raise
    except ValueError as error:
        raise Rejected(Reason.UNREADABLE_ANSWER, str(error)) from error
    return found


def _check_written(text: str, schema: str) -> None:
    """What is written must be read as what was meant.

    Raises:
        ValueError: it is not.
    """
    if Instruction.parse(text).write(schema) != text:
        raise ValueError(f"the instruction {text!r} is not read back as it is meant")
