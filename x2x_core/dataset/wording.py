"""Instructions from difference rows and the other rows of their pair."""

from __future__ import annotations

from dataclasses import dataclass

from x2x_core.common.errors import InputError
from x2x_core.language.instruction import Instruction

from .difference import instruction_from_difference
from .enrichment import enrich, without_details
from .questions import DIFFERENCE, Question
from .rejections import Reason, RowRejectedError


@dataclass(frozen=True)
class PairQuestions:
    """All rows about a pair: those of its main study with this reference, and those about its reference study."""

    main: list[Question]
    reference: list[Question]

    @property
    def differences(self) -> list[Question]:
        """The difference rows."""
        return [row for row in self.main if row.question_type == DIFFERENCE]


def instruct(row: Question, questions: PairQuestions, schema: str) -> Instruction:
    """Convert a difference row into its instruction.

    Args:
        row: the difference row.
        questions: all rows about its pair, which state levels and places for the schema "v2".
        schema: "v1" or "v2".

    Raises:
        RowRejectedError: nothing has changed, or the answer cannot be read.
    """
    try:
        instruction = instruction_from_difference(row.answer, row.question)
        if instruction is None:
            raise RowRejectedError(Reason.NOTHING_CHANGED)
        if schema == "v2":
            instruction = enrich(instruction, _details(questions.main), _details(questions.reference))
        else:
            instruction = without_details(instruction)
        _check_round_trip(instruction.write(schema), schema)
    except RowRejectedError:
        raise
    except ValueError as error:
        raise RowRejectedError(Reason.UNREADABLE_ANSWER, str(error)) from error
    except Exception as error:  # a fault of the rules on one row must not stop all others
        raise RowRejectedError(Reason.UNREADABLE_ANSWER, f"{type(error).__name__} in the rules: {error}") from error
    return instruction


def _details(rows: list[Question]) -> list[dict[str, str]]:
    """Select the rows about one image, in the form that `enrich` reads."""
    return [
        {"question_type": row.question_type, "question": row.question, "answer": row.answer}
        for row in rows
        if row.question_type != DIFFERENCE
    ]


def _check_round_trip(text: str, schema: str) -> None:
    """Check that a written instruction is parsed to the same instruction.

    Raises:
        InputError: it is not.
    """
    if Instruction.parse(text).write(schema) != text:
        raise InputError(f"the instruction {text!r} is not parsed to the same instruction")
