"""Alignment of an instruction's clauses with the tokens of its prompt.

The text encoder splits words into pieces and adds start, end and padding tokens; the instruction was parsed from words.
Both know their character offsets, which are used to match them.
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

_SENTENCE = 100  # extra distance, in words, to a word in another sentence
_STOPS = (Kind.STOP, Kind.SOFT_STOP)


@dataclass(frozen=True)
class ClauseTokens:
    """Positions of a clause's tokens in the encoded prompt; empty for what it does not say or what was truncated."""

    finding: tuple[int, ...] = ()
    side: tuple[int, ...] = ()
    zone: tuple[int, ...] = ()
    level: tuple[int, ...] = ()

    @property
    def named(self) -> set[int]:
        """All positions."""
        return {*self.finding, *self.side, *self.zone, *self.level}


@dataclass(frozen=True)
class PromptTokens:
    """The tokens of one prompt.

    Args:
        clauses: one for each clause of the instruction; for free text a single one, whose finding is the whole text.
        content: positions of all tokens that contain letters, without special tokens and padding.
        length: number of tokens, as encoded.
    """

    clauses: tuple[ClauseTokens, ...]
    content: tuple[int, ...]
    length: int


def find_tokens(tokenizer: Any, text: str, instruction: Instruction) -> PromptTokens:
    """Find the tokens of each clause of an instruction.

    A clause whose finding is not among the tokens (truncated at the tokenizer's length), and free text, is represented
    by all tokens of the text, with a warning.

    Args:
        tokenizer: of the pipeline; it must return offsets, as transformers' CLIP tokenizer does.
        text: as encoded: the user's words, or the instruction's canonical ones.
        instruction: parsed from the text.

    Raises:
        InputError: the tokenizer returns no offsets, or the text has no token.
    """
    encoded = _encode(tokenizer, text)
    offsets = [tuple(span) for span in encoded["offset_mapping"]]
    content = tuple(number for number, (start, end) in enumerate(offsets) if any(map(str.isalnum, text[start:end])))
    if not content:
        raise InputError(f"`prompt` must have a token for its words, but the tokenizer finds none in {text!r}.")
    words = read_places(text)
    used: set[int] = set()
    clauses = []
    for clause in instruction.clauses:
        spans = _spans_of(clause, words, used)
        tokens = {name: _tokens_in(offsets, content, some) for name, some in spans.items()}
        if not tokens["finding"]:
            logger.warning(
                "The words for %s are not among the %d tokens that the text encoder reads of %r: attention to all of "
                "them is used. Shorten the prompt.",
                clause.finding, len(offsets), text,
            )  # fmt: skip
            tokens["finding"] = content
        clauses.append(ClauseTokens(**tokens))
    if not clauses:
        logger.warning("%r names no known finding: attention to all of its words is used.", text)
        clauses.append(ClauseTokens(finding=content))
    return PromptTokens(tuple(clauses), content, len(offsets))


def _encode(tokenizer: Any, text: str) -> Any:
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(
            f"`tokenizer` must return the character offsets of its tokens, but {type(tokenizer).__name__} does not. "
            "Use transformers' CLIPTokenizer, or leave `relevance_source` out."
        )
    limit = tokenizer.model_max_length
    return tokenizer(text, padding="max_length", truncation=True, max_length=limit, return_offsets_mapping=True)


def _tokens_in(offsets: Sequence[Span], content: Collection[int], spans: Collection[Span]) -> tuple[int, ...]:
    """Return the tokens that share a character with one of the spans."""
    return tuple(
        number
        for number in content
        if any(offsets[number][0] < end and start < offsets[number][1] for start, end in spans)
    )


def _spans_of(clause: Clause, words: Sequence[tuple[Token, Span]], used: set[int]) -> dict[str, list[Span]]:
    """Return the character spans of a clause's finding, side, zone and level.

    Of several candidates, those nearest to each other are chosen: the finding's name with the closest words for the
    rest. Ties are broken in favour of a name not used by an earlier clause; the chosen one is added to `used`.
    """
    candidates = {
        "side": [_matching(words, Kind.SIDE, {side}) for side in _sides(clause.side, words)],
        "zone": [_matching(words, Kind.ZONE, {clause.zone})],
        "level": [_matching(words, Kind.LEVEL, {step, level}) for level, step in _level_steps(clause)],
    }
    candidates = {name: [numbers for numbers in groups if numbers] for name, groups in candidates.items()}
    names = _matching(words, Kind.FINDING, {clause.finding})
    if not names:
        return {"finding": [], **{name: [] for name in candidates}}

    def cost(finding: int) -> tuple[int, bool]:
        groups = [numbers for some in candidates.values() for numbers in some]
        return sum(min(_distance(words, finding, n) for n in numbers) for numbers in groups), finding in used

    finding = min(names, key=cost)
    used.add(finding)
    return {
        "finding": [words[finding][1]],
        **{
            name: [words[min(numbers, key=lambda n: _distance(words, finding, n))][1] for numbers in groups]
            for name, groups in candidates.items()
        },
    }


def _matching(words: Sequence[tuple[Token, Span]], kind: Kind, values: set[str | None]) -> list[int]:
    """Return the indices of the words of one kind and meaning."""
    return [number for number, (token, _) in enumerate(words) if token.kind is kind and token.value in values]


def _sides(side: str | None, words: Sequence[tuple[Token, Span]]) -> tuple[str | None, ...]:
    """Return the side words to look for: both sides are one word, or two ("left and right")."""
    if side != "bilateral" or _matching(words, Kind.SIDE, {side}):
        return (side,)
    return "left", "right"


def _level_steps(clause: Clause) -> list[tuple[str, str]]:
    """Return each level with each of its words: "mild to moderate" is two, unless it is one token."""
    levels = [level for level in (clause.level_from, clause.level) if level]
    return [(level, step) for level in levels for step in level.split(" to ")]


def _distance(words: Sequence[tuple[Token, Span]], first: int, second: int) -> int:
    between = words[min(first, second) : max(first, second)]
    return len(between) + _SENTENCE * sum(token.kind in _STOPS for token, _ in between)
