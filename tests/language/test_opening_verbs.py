"""Verbs by their position: rarer verbs that open a request, participles after "be", places that are filled or freed."""

import pytest

from x2x_core import Instruction
from x2x_core.language.clauses import Operation


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    ("verb", "operation"),
    [
        ("conjure", "add"), ("infuse", "add"), ("craft", "add"), ("recreate", "add"), ("materialise", "add"),
        ("extract", "remove"), ("annihilate", "remove"), ("vaporize", "remove"), ("repair", "remove"),
        ("magnify", "change"), ("thicken", "change"), ("trim", "change"), ("dilute", "change"),
    ],
)  # fmt: skip
def test_a_rarer_verb_is_one_where_it_opens_a_request(verb, operation):
    (clause,) = Instruction.parse(f"please {verb} a left effusion").clauses
    assert (clause.operation, clause.side) == (Operation(operation), "left")
    assert Instruction.parse(f"add edema, {verb} the nodule", strict=False).clauses[0].finding == "edema"


@pytest.mark.parametrize("text", ["add a thin effusion", "add edema and thin effusion", "add a narrow pneumothorax"])
def test_the_same_word_elsewhere_is_no_verb(text):
    assert {clause.operation for clause in Instruction.parse(text, strict=False).clauses} == {Operation.ADD}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("toss in a left nodule", "Add the finding of left lung lesion."),
        ("toss the left nodule", "Remove the finding of left lung lesion."),
        ("fill the left base with fluid", "Add the finding of pleural effusion in the left basal lung zone."),
        ("free the chest of edema", "Remove the finding of edema."),
        ("rid the lungs of pneumonia", "Remove the finding of pneumonia."),
        ("the effusion should be extracted", "Remove the finding of pleural effusion."),
        ("could the effusion be taken out?", "Remove the finding of pleural effusion."),
        ("edema must be magnified", "Increase the level of edema."),
        ("blow up the nodule", "Increase the level of lung lesion."),
        ("de-escalate the edema", "Decrease the level of edema."),
    ],
)
def test_verbs_with_their_objects_and_participles_are_read(text, canonical):
    assert read(text) == canonical


def test_an_addition_of_something_that_is_there_is_not_read():
    assert Instruction.parse("conjure the effusion").clauses == ()
