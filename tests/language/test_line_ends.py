"""Line breaks inside a sentence: a request means the same wherever its line is wrapped."""

import pytest

from x2x_core import Instruction

_SENTENCES = (
    "Add consolidation in the right lower lobe",
    "add a small left pleural effusion",
    "remove the pneumothorax on the left",
    "change the effusion on the left from small to large",
    "add effusion on the right and edema",
    "increase the left effusion and remove the edema",
    "add edema but do not add effusion",
    "add pneumonia to the left upper zone of moderate degree",
    "add effusion on the left side of the image",
)
_WRAPPED = [
    (sentence, " ".join(words[:place]) + "\n" + " ".join(words[place:]))
    for sentence in _SENTENCES
    for words in [sentence.split()]
    for place in range(1, len(words))
]


def clauses_of(text):
    return set(Instruction.parse(text).clauses)


@pytest.mark.parametrize(("sentence", "wrapped"), _WRAPPED)
def test_a_wrapped_sentence_reads_as_on_one_line(sentence, wrapped):
    assert clauses_of(wrapped) == clauses_of(sentence)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "Add consolidation\nin the right\nlower lobe",
            "Add the finding of consolidation in the right lower lung zone.",
        ),
        ("Increase the effusion\nfrom small\nto large", "Change the level of pleural effusion from small to large."),
        ("add pneumothorax\nleft", "Add the finding of left pneumothorax."),
        ("Add a pleural\neffusion\non the left", "Add the finding of left pleural effusion."),
    ],
)
def test_a_line_with_a_place_or_a_level_alone_goes_on(text, canonical):
    assert str(Instruction.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("add edema\non the right an effusion", [None, "right"]),
        ("add effusion\nleft: nodule", [None, "left"]),
        ("add effusion\nremove left nodule", [None, "left"]),
        ("Add:\nleft effusion\nright pneumothorax", ["left", "right"]),
    ],
)
def test_a_line_with_a_request_of_its_own_does_not_go_on(text, sides):
    assert [clause.side for clause in Instruction.parse(text).clauses] == sides


@pytest.mark.parametrize("text", ["add effusion\nLeft:\nadd nodule", "add left effusion\nright"])
def test_a_line_that_could_be_a_heading_or_a_second_side_is_refused(text):
    with pytest.raises(ValueError, match="belongs to no request"):
        Instruction.parse(text)
