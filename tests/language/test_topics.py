"""Topics: a finding named first, qualities after it, levels of now and earlier."""

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("left apical pneumothorax, get rid of it", "Remove the finding of pneumothorax in the left apical lung zone."),
        ("left effusion, make it huge", "Change the level of left pleural effusion to massive."),
        ("the effusion on the left side of the image, remove it", "Remove the finding of right pleural effusion."),
        ("There is a large right effusion. Make it small.",
         "Change the level of right pleural effusion from large to small."),
        ("edema mild, make it severe", "Change the level of edema from mild to severe."),
        ("that RUL nodule, make it larger", "Increase the level of lung lesion in the right upper lung zone."),
        ("see the opacity in the right base? remove it",
        "Remove the finding of lung opacity in the right basal lung zone."),
        ("Findings: small left effusion, mild edema. Remove both.",
         "Remove the findings of small left pleural effusion and mild edema."),
        ("RLL pneumonia. Please remove.", "Remove the finding of pneumonia in the right lower lung zone."),
        ("for the left effusion: increase it to large", "Change the level of left pleural effusion to large."),
        ("the left nodule, please take it out", "Remove the finding of left lung lesion."),
        ("add an effusion on the left and make it large", "Add the finding of large left pleural effusion."),
        ("moderate right and small left effusions, add both",
         "Add the findings of moderate right pleural effusion and small left pleural effusion."),
    ],
)  # fmt: skip
def test_a_pronoun_stands_for_the_whole_noun_phrase(text, canonical):
    assert read(text) == canonical


def test_it_after_two_findings_is_refused():
    with pytest.raises(ValueError, match="which finding 'it' stands for"):
        read("left effusion and right pneumothorax, remove it")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("i want a left pneumothorax of moderate size", "Add the finding of moderate left pneumothorax."),
        ("add an effusion on the left of small size", "Add the finding of small left pleural effusion."),
        ("add edema of severe degree", "Add the finding of severe edema."),
        ("effusion is now large", "Change the level of pleural effusion to large."),
        ("effusion now moderate, previously small", "Change the level of pleural effusion from small to moderate."),
        ("effusion, previously small, now moderate", "Change the level of pleural effusion from small to moderate."),
        ("previously small effusion is now large", "Change the level of pleural effusion from small to large."),
        ("small effusion has become large", "Change the level of pleural effusion from small to large."),
        ("right effusion, initially mild, now severe",
        "Change the level of right pleural effusion from mild to severe."),
        ("from a small to a moderate left effusion",
        "Change the level of left pleural effusion from small to moderate."),
    ],
)  # fmt: skip
def test_levels_after_a_finding(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("with a left effusion", "Add the finding of left pleural effusion."),
        ("same but with a left effusion", "Add the finding of left pleural effusion."),
        ("there should be a left effusion", "Add the finding of left pleural effusion."),
        ("patient now has a left effusion", "Add the finding of left pleural effusion."),
        ("left effusion needed", "Add the finding of left pleural effusion."),
        ("want: left effusion", "Add the finding of left pleural effusion."),
        ("what if the patient had a left effusion", "Add the finding of left pleural effusion."),
        ("imagine she has a left effusion", "Add the finding of left pleural effusion."),
        ("suppose there was no effusion", "Remove the finding of pleural effusion."),
        ("the effusion needs to go", "Remove the finding of pleural effusion."),
        ("effusion needs removing", "Remove the finding of pleural effusion."),
        ("simulate worsening edema", "Increase the level of edema."),
        ("interval improvement in edema", "Decrease the level of edema."),
        ("same film minus the effusion", "Remove the finding of pleural effusion."),
        ("drop a left effusion into the film", "Add the finding of left pleural effusion."),
        ("drop the left effusion", "Remove the finding of left pleural effusion."),
        ("add a small\nright pleural\neffusion", "Add the finding of small right pleural effusion."),
        ("+consolidation RLL", "Add the finding of consolidation in the right lower lung zone."),
        ("Add a left effusion. And to the right, a nodule.",
         "Add the findings of left pleural effusion and right lung lesion."),
    ],
)  # fmt: skip
def test_wishes_and_names_of_deeds(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "add an effusion or remove the nodule", "add left or right effusion", "add {left|right} effusion",
        "Negative prompt: effusion. Prompt: add edema", "+ left effusion, - right pneumothorax",
        "draw a box around the effusion", "put a drain in the right effusion", "show me the effusion",
        "make the nodule rounder", "increase the contrast of the nodule", "mild on the left, "
        "severe on the right: add edema",
        "add an effusion to the other lung", "add an effusion on the side with the gastric bubble",
        "add effusion! Left!",
        "as I see it, right effusion, remove", "add pneumonia vs edema", "add barely any edema",
    ],
)  # fmt: skip
def test_choices_views_and_things_that_are_no_finding_are_refused(text):
    with pytest.raises(ValueError, match=r"^`prompt` (must|has)"):
        read(text)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("add an opacity obscuring the left hemidiaphragm", "left"), ("add an effusion blunting the right CP angle",
        "right"),
        ("add an opacity silhouetting the right heart border", "right"),
        ("add a left effusion compressing the lung", "left"), ("add a right effusion, blunting the CP angle", "right"),
    ],
)  # fmt: skip
def test_what_a_finding_does_to_its_neighbours_tells_its_side_alone(text, side):
    (clause,) = Instruction.parse(text).clauses
    assert (clause.side, clause.zone) == (side, None)
