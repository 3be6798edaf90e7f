"""Which tokens of a prompt name its findings, their places and their levels.

The text encoder cuts words into pieces and sets marks around them; the instruction was read from words. Both know the
characters that they stand for, and by those they are brought together.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.tokens import Kind, Span, Token, read_places

logger = logging.getLogger(__name__)

_SENTENCE = 100  # how much farther a word seems that stands in another sentence, in words
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


@dataclass(frozen=True)
class ClauseTokens:
    """Positions of tokens in the encoded prompt; empty where a clause does not say it, or the words were cut off."""

    finding: tuple[int, ...] = ()
    side: tuple[int, ...] = ()
    zone: tuple[int, ...] = ()
    level: tuple[int, ...] = ()

    @property
    def named(self) -> set[int]:
        """All of them."""
        return {*self.finding, *self.side, *self.zone, *self.level}


@dataclass(frozen=True)
class PromptTokens:
    """Where the words of one prompt are among its tokens.

    Args:
        clauses: one for each clause of the instruction; for free text one, whose finding is all of the text.
        content: positions of all tokens that stand for letters, without marks and padding.
        length: number of tokens that the text encoder gets.
    """

    clauses: tuple[ClauseTokens, ...]
    content: tuple[int, ...]
    length: int


def find_tokens(tokenizer: Any, text: str, instruction: Instruction) -> PromptTokens:
    """Find what an instruction speaks of among the tokens of its prompt.

    Args:
        tokenizer: the pipeline's; it must be able to give offsets, as transformers' CLIP tokenizer does.
        text: what the text encoder gets: the user's words, or the instruction's canonical ones.
        instruction: as understood.

    A clause whose finding is not among the tokens (cut off at the tokenizer's length), and free text, is represented
    by all tokens of the text, with a warning.

    Raises:
        InputError: the tokenizer gives no offsets, or the text has no token.
    """
    encoded = _encode(tokenizer, text)
    offsets = [tuple(span) for span in encoded["offset_mapping"]]
    content = tuple(number for number, (start, end) in enumerate(offsets) if any(map(str.isalnum, text[start:end])))
    if not content:
        raise InputError(f"`prompt` must have a token for its words, but the tokenizer finds none in {text!r}.")
    words = read_places(text)
    taken: set[int] = set()
    found = []
    for clause in instruction.clauses:
        spans = _spans_of(clause, words, taken)
        tokens = {name: _tokens_in(offsets, content, some) for name, some in spans.items()}
        if not tokens["finding"]:
            logger.warning(
                "The words for %s are not among the %d tokens that the text encoder gets of %r: attention to all of "
                "them is taken. Shorten the prompt.",
                clause.finding, len(offsets), text,
            )  # fmt: skip
            tokens["finding"] = content
        found.append(ClauseTokens(**tokens))
    if not found:
        logger.warning("%r names no known finding: attention to all of its words is taken.", text)
        found.append(ClauseTokens(finding=content))
    return PromptTokens(tuple(found), content, len(offsets))


def _encode(tokenizer: Any, text: str) -> Any:
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(
            f"`tokenizer` must be able to say which characters its tokens stand for, but {type(tokenizer).__name__} "
            "can't. Use transformers' CLIPTokenizer, or leave `relevance_source` out."
        )
    limit = tokenizer.model_max_length
    return tokenizer(text, padding="max_length", truncation=True, max_length=limit, return_offsets_mapping=True)


def _tokens_in(offsets: Sequence[Span], content: Collection[int], spans: Collection[Span]) -> tuple[int, ...]:
    """The tokens that share a character with one of the spans."""
    return tuple(
        number
        for number in content
        if any(offsets[number][0] < end and start < offsets[number][1] for start, end in spans)
    )


def _spans_of(clause: Clause, words: Sequence[tuple[Token, Span]], taken: set[int]) -> dict[str, list[Span]]:
    """The characters that say a clause's finding, side, zone and level.

    Of several words that say the same, those count that stand together best: the finding's name with the nearest words
    for the rest. Of equals, a name that no clause before has taken; `taken` gains the one that is chosen.
    """
    wanted = {
        "side": [_that_say(words, Kind.SIDE, {side}) for side in _sides(clause.side, words)],
        "zone": [_that_say(words, Kind.ZONE, {clause.zone})],
        "level": [_that_say(words, Kind.LEVEL, {step, level}) for level, step in _level_steps(clause)],
    }
    wanted = {name: [numbers for numbers in groups if numbers] for name, groups in wanted.items()}
    names = _that_say(words, Kind.FINDING, {clause.finding})
    if not names:
        return {"finding": [], **{name: [] for name in wanted}}

    def cost(finding: int) -> tuple[int, bool]:
        groups = [numbers for some in wanted.values() for numbers in some]
        return sum(min(_distance(words, finding, n) for n in numbers) for numbers in groups), finding in taken

    finding = min(names, key=cost)
    taken.add(finding)
    return {
        "finding": [words[finding][1]],
        **{
            name: [words[min(numbers, key=lambda n: _distance(words, finding, n))][1] for numbers in groups]
            for name, groups in wanted.items()
        },
    }


def _that_say(words: Sequence[tuple[Token, Span]], kind: Kind, values: set[str | None]) -> list[int]:
    """Numbers of the words of one kind and meaning."""
    return [number for number, (token, _) in enumerate(words) if token.kind is kind and token.value in values]


def _sides(side: str | None, words: Sequence[tuple[Token, Span]]) -> tuple[str | None, ...]:
    """The words to look for: both sides are one word, or two ("left and right")."""
    if side != "bilateral" or _that_say(words, Kind.SIDE, {side}):
        return (side,)
    return "left", "right"


def _level_steps(clause: Clause) -> list[tuple[str, str]]:
    """Each level with each of its words: "mild to moderate" is two, unless it is written as one."""
    levels = [level for level in (clause.level_from, clause.level) if level]
    return [(level, step) for level in levels for step in level.split(" to ")]


def _distance(words: Sequence[tuple[Token, Span]], first: int, second: int) -> int:
    between = words[min(first, second) : max(first, second)]
    return len(between) + _SENTENCE * sum(token.kind in _STOPS for token, _ in between)
