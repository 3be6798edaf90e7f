"""Organs named by what is wrong with them: an enlargement of the organ never increases the finding."""

import itertools

import pytest

from x2x_core import Instruction
from x2x_core.language.clauses import Operation

_VERBS = ("expand", "re-expand", "inflate", "widen", "raise", "enlarge", "increase", "grow", "boost", "extend",
          "deepen", "broaden", "swell")  # fmt: skip
_ORGANS = (
    "collapsed right lung", "collapsed lung on the right", "collapsed left lower lobe", "atelectatic lobe",
    "low lung volumes", "reduced lung volume", "blunted costophrenic angle", "tortuous aorta", "curved spine",
    "broken rib", "congested vessels", "opacified lung", "consolidated lung",
)  # fmt: skip


@pytest.mark.parametrize(("verb", "organ"), list(itertools.product(_VERBS, _ORGANS)))
def test_an_enlargement_of_an_affected_organ_is_no_increase_of_the_finding(verb, organ):
    try:
        clauses = Instruction.parse(f"{verb} the {organ}").clauses
    except ValueError:
        return
    assert all(clause.operation is Operation.REMOVE or clause.level == "decreasing" for clause in clauses)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("expand the collapsed right lung", "Remove the finding of right pneumothorax."),
        ("inflate the collapsed left lower lobe", "Remove the finding of atelectasis in the left lower lung zone."),
        ("increase the low lung volumes", "Decrease the level of atelectasis."),
        ("worsen the collapsed right lung", "Increase the level of right pneumothorax."),
        ("expand the enlarged heart", "Increase the level of cardiomegaly."),
    ],
)
def test_a_plain_change_of_an_affected_organ_is_read(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize("size", ["larger", "bigger", "smaller"])
def test_a_change_of_size_that_could_be_either_is_refused(size):
    with pytest.raises(ValueError, match="more or less"):
        Instruction.parse(f"make the low lung volumes {size}")
