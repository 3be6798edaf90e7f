"""Prompts that are longer than what a text encoder reads."""

from types import SimpleNamespace

import pytest

from x2x_core import Instruction
from x2x_core.edit.prompt_length import check_lengths


class Words:
    """Tokenizer of whole words between two marks."""

    model_max_length = 16

    def __call__(self, text, truncation, verbose):
        return SimpleNamespace(input_ids=["<", *text.split(), ">"])

    def decode(self, ids):
        return " ".join(ids)


def check(text):
    instruction = Instruction.parse(text)
    check_lengths(Words(), [text], [instruction])


def test_a_prompt_that_fits_to_the_last_token_is_read():
    check("Add the finding of edema. Remove the finding of left pleural effusion.")  # 12 words
    check("Add the finding of mild edema. Remove the finding of small left pleural effusion.")  # 14


def test_the_clauses_that_would_be_cut_are_named():
    text = "Add the finding of edema. Remove the finding of left pleural effusion. Remove the finding of cardiomegaly."
    with pytest.raises(ValueError, match=r"at most 16 tokens.*got 19: remove cardiomegaly would be cut"):
        check(text)


def test_the_end_of_other_texts_is_quoted():
    text = "make it look " + "very " * 11 + "odd indeed"
    with pytest.raises(ValueError, match=r"'very odd indeed' would be cut|'odd indeed' would be cut"):
        check_lengths(Words(), [text], [Instruction.parse(text)])


def test_without_a_tokenizer_nothing_is_checked():
    check_lengths(None, ["add edema"], [Instruction.parse("add edema")])
