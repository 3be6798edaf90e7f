"""Strict reading: corrected spellings, refused places, levels and verbs, and what is said of words left out."""

import json
import logging
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core import Instruction
from x2x_core.language.spelling import corrected


def read(text, **options):
    return str(Instruction.parse(text, **options))


@pytest.mark.parametrize(
    ("text", "canonical", "said"),
    [
        ("add an effusion on the rihgt", "Add the finding of right pleural effusion.", "'rihgt' was taken for 'right'"),
        ("add modrate edema", "Add the finding of moderate edema.", "'modrate' was taken for 'moderate'"),
        ("remvoe the nodule", "Remove the finding of lung lesion.", "'remvoe' was taken for 'remove'"),
        ("add large efusion", "Add the finding of large pleural effusion.", "'efusion' was taken for 'effusion'"),
        ("add edema wihtout pneumonia", "Add the finding of edema. Remove the finding of pneumonia.", "'wihtout'"),
    ],
)
def test_one_slip_is_corrected_and_said(text, canonical, said, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(text) == canonical
    assert said in caplog.text


@pytest.mark.parametrize(
    "word", ["light", "bright", "lift", "lover", "remote", "never", "ever", "fever", "shall", "dncrease", "confusion"]
)
def test_other_words_and_doubtful_slips_are_not_corrected(word):
    assert corrected(word) == word


@pytest.mark.parametrize(
    "text",
    [
        "add an effusion in the left midle-ish zone",
        "add severeish edema",
        "add opacity in the azygos lobe",
        "add an effusion to the dominant side",
        "add a nodule behind the clavicle",
        "add an effusion on the ipsilateral side",
        "add opacity in the outer third of the right lung",
        "change edema to whopping",
        "change edema from whopping to mild",
    ],
)
def test_a_place_or_level_that_is_not_understood_stops_the_edit(text):
    with pytest.raises(ValueError, match=r"`prompt` has a .*that is not understood"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "flip the left effusion",
        "mirror the effusion",
        "flip the image and add a left effusion",
        "rotate the effusion to the left side",
        "refrain from adding edema",
        "fail to add edema",
        "stop removing the effusion",
        "un-add the effusion",
        "dncrease the edema",
        "remove the effusion unless it is on the left",
        "add an effusion on the right, sorry, left",
        "add edema and zap pneumonia",
    ],
)
def test_a_word_that_could_turn_the_request_round_stops_the_edit(text):
    with pytest.raises(ValueError, match="could turn the request round"):
        read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("move the effusion left", "where pleural effusion is and where it should be"),
        ("increase the effusion to the right", "Increase the level of right pleural effusion"),
        ("add an effusion on neither side", "must name the side"),
        ("add edema to the side opposite the effusion", "must name the side"),
        ("add a pneumothorax with a rim on the right", "must name the side of each finding"),
        ("add a left effusion, it should disappear later", "what to edit after each verb"),
        ("add effusion everywhere but on the left", "must name the findings to edit"),
        ("add what is left of the effusion", "must name the side of the patient"),
        ("add a bilateral effusion, left only", "must name one side"),
        ("add a left effusion right", "must name one side"),
        ("add effusion on both sides, add a left effusion", "must name one side"),
        ("remov/effusin/l:add/Aoth/nJne", "must separate its requests"),
        ("add edema, not mild but severe", "after a negation"),
        ("add an effusion on the right (no, on the left)", "after a negation"),
    ],
)
def test_requests_without_a_clear_side_or_level_are_refused_in_words(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add edema to hide the nodule", "Add the finding of edema."),
        ("rather than adding edema remove the effusion", "Remove the finding of pleural effusion."),
        ("instead of removing edema, add effusion", "Add the finding of pleural effusion."),
        ("neither add nor remove the effusion; add pneumonia", "Add the finding of pneumonia."),
        ("do not under any circumstances add an effusion; add edema", "Add the finding of edema."),
        ("do not add or remove the effusion; add edema", "Add the finding of edema."),
        ("don't remove the effusion, only make it smaller", "Decrease the level of pleural effusion."),
        ("change no edema to mild edema", "Add the finding of mild edema."),
        ("add an effusion in the lung that has no nodule", "Add the finding of pleural effusion."),
        ("add an effusion obscuring the right nodule", "Add the finding of pleural effusion."),
        ("add cardiomegaly, the edema was treated", "Add the finding of cardiomegaly."),
        ("no need for an effusion; add edema", "Add the finding of edema."),
        ("remove every trace of edema", "Remove the finding of edema."),
        ("add edema right now", "Add the finding of edema."),
        ("all right, add edema", "Add the finding of edema."),
        ("remove the effusion that hides the right nodule", "Remove the finding of pleural effusion."),
        ("add edema as a complication of pneumonia", "Add the finding of edema."),
        (
            "add an effusion on the left and one on the right",
            "Add the findings of left pleural effusion and right pleural effusion.",
        ),
    ],
)
def test_purposes_prohibitions_and_adverbs_are_not_followed(text, canonical):
    assert read(text) == canonical


def test_not_strict_leaves_words_out_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        instruction = Instruction.parse("add opacity in the azygos", strict=False)
    assert str(instruction) == "Add the finding of lung opacity." and instruction.unplaced == ("azygos",)
    assert "azygos" in caplog.text


def test_not_strict_gives_words_about_other_pictures_to_the_model():
    instruction = Instruction.parse("remove everything but the dog", free_region="image", strict=False)
    assert str(instruction) == "remove everything but the dog" and instruction.region == "image"


REQUESTS = st.sampled_from(
    [
        "add a left effusion",
        "remove the left effusion",
        "add a small effusion on the left",
        "increase the left effusion",
        "change the left effusion from mild to severe",
        "please remove the effusion on the left side",
    ]
)
APPENDED = st.lists(
    st.sampled_from(
        [
            " and add edema", ", remove the nodule", " without pneumonia", "; keep the heart", " in a patient with CHF",
            " with mediastinal shift to the right", ", right lung clear", " blorb", " and zap the nodule", " ish", "!",
            " ...", " (urgent)", " caused by pneumonia", " on the rght", " right", " not", " no", " never", " flip it",
            " instead of edema", ", sorry", " in the azygos lobe", " to the right", " right away", " as in pneumonia",
            ", the other one is right-sided", " unless it is right", " more on the right", " and nothing on the right",
            " that hides the right nodule", " to hide the nodule", " rihgt", " left", " remove", " add", " and", ",",
            ", undo", " undone", " added", " removed", " when seen", " (right)", " of the right lung", " -> none",
            " to none", " must not be touched", " should stay", ", or the right", " for a nodule", ", right?", " twice",
        ]
    ),
    max_size=4,
).map("".join)  # fmt: skip


def told(text):
    """Return the clauses of a text and whether anything is said of how it was read; (None, True) where it is refused.

    Only an open place, which an edit draws, is said of every reading and counts as nothing.
    """
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger("x2x_core.language.parser")
    logger.addHandler(handler)
    try:
        instruction = Instruction.parse(text)
    except ValueError:
        return None, True
    finally:
        logger.removeHandler(handler)
    explained = instruction.explain()
    return instruction.clauses, bool(lines or explained.assumed or explained.left_alone or explained.left_out)


# What a caller appends asks for something of its own only where it names both a verb or a joint and a side.
BOTH_SIDES = re.compile(r" and(?: \(?right| of the right lung| to the right)")


def check_appended(request, appended):
    """Check that what follows a request does not turn it round without a word."""
    (wanted,) = Instruction.parse(request).clauses
    clauses, said = told(request + appended)
    if clauses is None or said:
        return
    same = [clause for clause in clauses if clause.finding == wanted.finding]
    first = same[0] if same else None
    assert first is not None and first.operation is wanted.operation, clauses
    sides = {wanted.side, "bilateral"} if BOTH_SIDES.search(appended) else {wanted.side}
    assert first.side in sides, clauses
    for other in same[1:]:  # a request of its own, which names a verb and another side
        assert other.operation.value in appended and other.side not in (wanted.side, None), clauses


@settings(max_examples=400, deadline=None)
@given(REQUESTS, APPENDED)
def test_nothing_that_is_appended_turns_a_request_round_without_a_word(request, appended):
    check_appended(request, appended)


@pytest.mark.slow
@settings(max_examples=4000, deadline=None)
@given(REQUESTS, APPENDED)
def test_nothing_that_is_appended_in_ten_times_as_many_ways_turns_it_round(request, appended):
    check_appended(request, appended)


@pytest.mark.parametrize("joint", [" ", ", ", " and ", "; ", ". "])
@pytest.mark.parametrize(
    "opposite", ["not", "no", "never", "undone", "off", "gone", "resolved", "absent", "on the right"]
)
@pytest.mark.parametrize("request_", ["add a left effusion", "remove the left effusion", "increase the left effusion"])
def test_an_appended_word_for_the_opposite_is_refused_or_said(request_, joint, opposite):
    (wanted,) = Instruction.parse(request_).clauses
    clauses, said = told(f"{request_}{joint}{opposite}")
    same = [clause for clause in clauses or () if clause.finding == wanted.finding]
    kept = all(clause.operation is wanted.operation and clause.side == wanted.side for clause in same)
    both = opposite == "on the right" and all(clause.operation is wanted.operation for clause in same)
    assert said or (same and (kept or (both and joint == " and "))), clauses


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_an_empty_reading_is_refused_or_said(text):
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger("x2x_core.language.parser")
    logger.addHandler(handler)
    try:
        clauses = Instruction.parse(text).clauses
    except ValueError:
        return
    finally:
        logger.removeHandler(handler)
    assert clauses or lines


def test_an_explanation_tells_places_corrections_and_reasons():
    text = "put smll fluid at the right base in a patient with edema, a spiculated nodule"
    explanation = Instruction.parse(text).explain()
    first, second = explanation.clauses
    assert (first.operation, first.finding, first.level) == ("add", "pleural effusion", "small")
    assert first.place == "the patient's right, on the left of the picture, basal zone"
    assert second.place == "a side and a zone that the edit draws at random, as none is named"
    assert explanation.corrected == (("smll", "small"),)
    assert [(part.words, part.reason) for part in explanation.left_out] == [
        ("in a patient with edema", "describes the patient and requests nothing"),
        ("spiculated", "not understood"),
    ]
    assert explanation == Instruction.parse(text).explain()
    assert json.loads(json.dumps(explanation.as_dict()))["text"] == text
    assert "Corrected: 'smll' was taken for 'small'." in str(explanation)


def test_free_text_is_explained_by_its_region():
    explanation = Instruction.parse("make it snow").explain()
    assert explanation.clauses == () and explanation.region.startswith("the whole thorax")
