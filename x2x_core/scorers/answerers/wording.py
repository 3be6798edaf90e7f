"""Reading of yes and no in a model's words."""

from __future__ import annotations

import re

_WORD = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_FIRST = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?\n]+")


def says_yes(text: str) -> bool | None:
    """Return True if a text answers yes, False if it answers no, ``None`` if it answers neither.

    The first word decides if it is "yes" or "no"; else the last sentence with one of the two words and not the other,
    so that a conclusion outweighs what was considered before it. "There is no effusion" answers no.
    """
    if first := _FIRST.match(text):
        return first.group(1).lower() == "yes"
    for sentence in reversed(_SENTENCE.split(text)):
        words = {word.lower() for word in _WORD.findall(sentence)}
        if len(words) == 1:
            return words == {"yes"}
    return None
