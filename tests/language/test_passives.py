"""Prohibitions behind their finding."""

import pytest

from x2x_core import Instruction


@pytest.mark.parametrize(
    "text",
    [
        "add edema, the effusion must not be changed",
        "the effusion must not be removed; add edema",
        "effusion should not be added, add edema",
        "add edema, effusion shouldn't be removed",
        "the left effusion is not to be touched; add edema",
    ],
)
def test_what_must_not_be_edited_is_left_alone(text):
    instruction = Instruction.parse(text)
    assert str(instruction) == "Add the finding of edema."
    assert [name.removeprefix("left ") for name in instruction.left_alone] == ["pleural effusion"]


@pytest.mark.parametrize("text", ["the effusion must not be removed", "edema should never be added"])
def test_a_prohibition_alone_is_refused(text):
    with pytest.raises(ValueError, match="only says what to leave alone"):
        Instruction.parse(text)
