"""Verbs in "-ing" behind another request: a request of their own, or none."""

import itertools

import pytest

from x2x_core import Instruction
from x2x_core.language.clauses import Operation

_JOINTS = (" whilst ", " while ", ", ", " and ", ", thereby ", " by ", " then ", " as well as ", " plus ", "; ")
_VERBS = {
    Operation.ADD: "introducing inserting placing drawing generating putting producing implanting",
    Operation.REMOVE: "clearing draining healing curing dropping wiping discarding evacuating",
    Operation.CHANGE: "enlarging reducing expanding lessening aggravating relieving",
}
_ROWS = [(joint, word, operation) for joint in _JOINTS for operation, words in _VERBS.items() for word in words.split()]


@pytest.mark.parametrize(("joint", "word", "operation"), _ROWS)
def test_a_known_gerund_is_a_verb_of_its_own(joint, word, operation):
    for first in ("remove", "add"):
        clauses = Instruction.parse(f"{first} edema{joint}{word} pneumonia").clauses
        read = {clause.finding: clause.operation for clause in clauses}
        assert read == {"edema": Operation(first), "pneumonia": operation}


@pytest.mark.parametrize(
    ("joint", "word"), list(itertools.product(_JOINTS, ["unmasking", "blorping", "simulating", "causing"]))
)
def test_an_unknown_gerund_inherits_no_verb(joint, word):
    explained = Instruction.parse(f"remove edema{joint}{word} pneumonia")
    assert explained.findings == ("edema",)
    assert any("pneumonia" in part.words for part in explained.explain().left_out)


@pytest.mark.parametrize("word", ["layering", "spreading", "increasing"])
def test_an_adjective_in_ing_is_no_verb(word):
    assert Instruction.parse(f"remove edema and {word} consolidation").findings == ("edema", "consolidation")
