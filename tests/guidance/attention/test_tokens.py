"""Tokens of a prompt by their meaning: the user's wording, pieces of words, several clauses, truncated prompts."""

import logging

import pytest
from tiny_models import make_tokenizer
from transformers import CLIPTokenizer

from x2x_core import Instruction
from x2x_core.common.bundled import bundled_path
from x2x_core.guidance.attention.tokens import find_tokens
from x2x_core.language.tokens import read, read_places


@pytest.fixture(scope="module")
def letters():
    """A tokenizer of single letters: every word is in many pieces."""
    return make_tokenizer()


@pytest.fixture(scope="module")
def pieces():
    """The demo checkpoint's tokenizer: whole words and pieces."""
    return CLIPTokenizer.from_pretrained(bundled_path("demo") / "tokenizer")


def said(tokenizer, text, numbers):
    """The characters of tokens, run together."""
    encoded = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    return "".join(text[start:end] for start, end in (encoded[number] for number in numbers))


def named(tokenizer, text, encoded=None):
    """Words of each clause: finding, side, zone, level."""
    encoded = text if encoded is None else encoded
    found = find_tokens(tokenizer, encoded, Instruction.parse(text))
    return [
        tuple(said(tokenizer, encoded, getattr(one, name)) for name in ("finding", "side", "zone", "level"))
        for one in found.clauses
    ]


@pytest.mark.parametrize("tokenizer", ["letters", "pieces"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Add the finding of edema.", [("edema", "", "", "")]),
        (
            "Add the finding of moderate pleural effusion in the left lower lung zone.",
            [("pleuraleffusion", "left", "lower", "moderate")],
        ),
        ("put some FLUID at the Right base", [("FLUID", "Right", "base", "")]),
        ("Get rid of the enlarged heart!", [("enlargedheart", "", "", "")]),
        ("Add small left-sided ptx", [("ptx", "left", "", "small")]),
        ("Add opacity to the RUL", [("opacity", "RUL", "RUL", "")]),
        ("Add edema to both lungs", [("edema", "both", "", "")]),
        ("Add edema to the left and right lungs", [("edema", "leftright", "", "")]),
        ("Change the level of left effusion from small to large.", [("effusion", "left", "", "smalllarge")]),
        ("Add mild to moderate edema", [("edema", "", "", "mildmoderate")]),
        ("Add mild-to-moderate edema", [("edema", "", "", "mildtomoderate")]),
        (
            "Add small left and large right effusion",
            [("effusion", "left", "", "small"), ("effusion", "right", "", "large")],
        ),
        (
            "Add left consolidation in the upper zone. Remove the left effusion.",
            [("consolidation", "left", "upper", ""), ("effusion", "left", "", "")],
        ),
        (
            "Add the findings of edema, cardiomegaly and large right pleural effusion.",
            [("edema", "", "", ""), ("cardiomegaly", "", "", ""), ("pleuraleffusion", "right", "", "large")],
        ),
    ],
)
def test_words_are_found_as_the_user_wrote_them(request, tokenizer, text, expected):
    assert named(request.getfixturevalue(tokenizer), text) == expected


def test_the_same_words_in_two_clauses_are_each_their_own(pieces):
    text = "Add the finding of large left effusion. Remove the finding of left edema. Remove right effusion."
    first, second, third = find_tokens(pieces, text, Instruction.parse(text)).clauses
    assert max(first.side) < min(second.side) and max(first.finding) < min(second.finding) < min(third.finding)
    assert said(pieces, text, third.side) == "right" and not set(first.finding) & set(third.finding)


def test_the_canonical_words_are_found_for_what_the_user_wrote(pieces):
    text = "put a bit of fluid at the RIGHT base"
    assert named(pieces, text, str(Instruction.parse(text)))[0][:2] == ("pleuraleffusion", "right")


def test_marks_and_padding_are_no_content(letters):
    text = "Add edema, please!"
    found = find_tokens(letters, text, Instruction.parse(text))
    assert found.length == letters.model_max_length and said(letters, text, found.content) == "Addedemaplease"
    assert 0 not in found.content and max(found.content) < len(text)


def test_what_is_cut_off_is_told_and_all_words_stand_for_it(letters, caplog):
    text = "Add the finding of edema. " + "Remove " + "the very " * 8 + "pneumothorax"
    with caplog.at_level(logging.WARNING, "x2x_core"):
        found = find_tokens(letters, text, Instruction.parse(text))
    assert said(letters, text, found.clauses[0].finding) == "edema"
    assert found.clauses[1].finding == found.content
    assert "The words for pneumothorax are not among the 77 tokens" in caplog.text and "edema are" not in caplog.text


def test_free_text_is_told_and_all_of_its_words_stand_for_it(pieces, caplog):
    with caplog.at_level(logging.WARNING, "x2x_core.guidance.attention.tokens"):
        found = find_tokens(pieces, "make it snowy", Instruction.parse("make it snowy"))
    assert [one.finding for one in found.clauses] == [found.content] and len(found.content) >= 3
    assert "names no known finding" in caplog.text


def test_tokenizers_that_cannot_tell_and_texts_without_words_are_refused(pieces):
    class Slow:
        is_fast = False

    with pytest.raises(
        ValueError, match=r"`tokenizer` must return the character offsets of its tokens, but Slow does not"
    ):
        find_tokens(Slow(), "Add edema", Instruction.parse("Add edema"))
    with pytest.raises(ValueError, match="`prompt` must have a token"):
        find_tokens(pieces, "...", Instruction.parse("Add edema"))


@pytest.mark.parametrize(
    "text",
    ["Add mild-to-moderate left-sided effusion/edema; İ don’t know", "blunting of the left costophrenic angle"],
)
def test_places_of_words_are_where_they_stand(text):
    placed = read_places(text)
    assert [token for token, _ in placed] == read(text)
    for token, (start, end) in placed:
        written = text[start:end].replace("-", " ").replace("’", "'")
        assert token.text.lower() in written.lower() or token.text == ""
