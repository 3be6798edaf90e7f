"""Function words, exceptions and remarks that could change what a request means."""

import pytest

from x2x_core import Instruction


def read(text):
    return str(Instruction.parse(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("put the nodule where I see it", "'where' is not understood"),
        ("add an effusion when there is none", "'when' is not understood"),
        ("add an effusion until it reaches the hilum", "'until' is not understood"),
        ("add an effusion twice the size of the right one", "'twice' is not understood"),
        ("add an effusion on the left part of the carina", "that is not understood"),
        ("add a pneumothorax at the cricoid", "that is not understood"),
        ("add opacity in the paramediastinal region", "that is not understood"),
        ("I want nothing left but the effusion", "must name the findings"),
        ("delete all the nodules but the right apical one", "must name the findings"),
        ("get rid of every opacity save the right basal one", "must name the findings"),
        ("clean the lungs, minus the granuloma", "with an exception"),
        ("add a nodule in the right place", "can mean 'correct'"),
        ("add the nodule to the left, right?", "can mean 'correct'"),
        ("increase the left effusion, or the right", "left or right"),
        ("add an effusion, undo", "'undo'"),
        ("effusion gone, pneumothorax new", "what to do with each finding"),
        ("add a mild edema and a severe one on the left", "side of each edema"),
        ("on the left, add an effusion bilaterally", "before the verb"),
        ("left effusion, add to the right", "one side of each finding"),
        ("effusion R: increase, L: decrease", "one side of each finding"),
        ("remove the left effusion added on the right", "must separate its requests"),
        ("add a left effusion remove right", "must separate its requests"),
        ("left -> add effusion, right -> add nodule", "after an arrow"),
        ("reduce the left effusion to trace on the right", "remove or move it"),
        ("increase the left effusion to none", "remove or move it"),
        ("change the effusion from mild to severe -> none", "one new level"),
        ("add large left efusion and mild edema", "Write 'effusion' if that is meant"),
    ],
)
def test_what_could_change_the_meaning_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("add an effusion (pt has pneumonia)", "Add the finding of pleural effusion."),
        ("add edema (known cardiomegaly)", "Add the finding of edema."),
        ("add an effusion on the right as the left is fine", "Add the finding of right pleural effusion."),
        ("add a nodule in the lung with emphysema", "Add the finding of lung lesion."),
        ("in this smoker with emphysema insert a RUL mass",
         "Add the finding of lung lesion in the right upper lung zone."),
        ("add a left pneumothorax, nothing else on the right", "Add the finding of left pneumothorax."),
        ("add consolidation on the left - right side normal", "Add the finding of left consolidation."),
        ("add edema as opposed to pneumonia", "Add the finding of edema."),
        ("remove left stent and effusion", "Remove the finding of pleural effusion."),
        ("add bilateral effusions, the left being larger", "Add the finding of bilateral pleural effusion."),
    ],
)  # fmt: skip
def test_remarks_reasons_and_other_things_request_nothing(text, canonical):
    assert read(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("from no to moderate effusion", "Add the finding of moderate pleural effusion."),
        ("add a mod-lg right effusion", "Add the finding of moderate to large right pleural effusion."),
        ("left effusion present. Please remove.", "Remove the finding of left pleural effusion."),
        ("remove right and add left effusion",
         "Remove the finding of right pleural effusion. Add the finding of left pleural effusion."),
        ("get the nodule out of the right lung", "Remove the finding of right lung lesion."),
        ("slightly more opacity on the right", "Increase the level of right lung opacity."),
        ("add opacitys", "Add the finding of lung opacity."),
        ("increase the efussion", "Increase the level of pleural effusion."),
    ],
)  # fmt: skip
def test_short_forms_are_read(text, canonical):
    assert read(text) == canonical


def test_a_side_of_the_picture_is_said_in_the_explanation():
    explanation = Instruction.parse("add an effusion on the left side of the image").explain()
    assert explanation.assumed == ("left of the picture is the patient's right, where the edit is made.",)


def test_a_finding_that_is_absent_in_a_list_is_said_to_be_removed():
    explanation = Instruction.parse("add consolidation, effusion-free").explain()
    assert [clause.operation for clause in explanation.clauses] == ["add", "remove"]
    assert "said to be absent" in explanation.assumed[0]
