"""From a difference row to its instruction."""

from __future__ import annotations

from x2x_core.common.errors import InputError
from x2x_core.language.instruction import Instruction

from .difference import instruction_from_difference
from .enrichment import enrich, without_details
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
    try:
        found = instruction_from_difference(row.answer, row.question)
        if found is None:
            raise Rejected(Reason.NOTHING_CHANGED)
        found = enrich(found, _details(of_pair), _details(of_reference)) if schema == "v2" else without_details(found)
        _check_written(found.write(schema), schema)
    except Rejected:
        raise
    except ValueError as error:
        raise Rejected(Reason.UNREADABLE_ANSWER, str(error)) from error
    except Exception as error:  # one row that nobody thought of must not stop all the others
        raise Rejected(Reason.UNREADABLE_ANSWER, f"{type(error).__name__} in the rules: {error}") from error
    return found


def _details(rows: list[Question]) -> list[dict[str, str]]:
    """The rows that tell of one image, as the rules read them."""
    return [
        {"question_type": row.question_type, "question": row.question, "answer": row.answer}
        for row in rows
        if row.question_type != DIFFERENCE
    ]


def _check_written(text: str, schema: str) -> None:
    """What is written must be read as what was meant.

    Raises:
        InputError: it is not.
    """
    if Instruction.parse(text).write(schema) != text:
        raise InputError(f"the instruction {text!r} is not read back as it is meant")
