"""A small CLIP tokenizer whose tokens are the words of the instruction language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from transformers import CLIPTokenizer

from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES

_WORD_END = "</w>"
_GRAMMAR = "add remove change increase decrease the level of finding findings from to in on at and lung lungs zone lobe"


def vocabulary_texts() -> list[str]:
    """Return texts that contain every word of the instruction language in the tokenizer's alphabet.

    Spellings with other letters ("œdema") are left out; canonical prompts, which models are trained on, avoid them.
    """
    names = [name for finding in FINDINGS.values() for name in (finding.name, *finding.synonyms) if name.isascii()]
    return [*names, *LEVELS, *SIDES, *ZONES, *_GRAMMAR.split()] * 2


def make_tokenizer(texts: Iterable[str], length: int = 40) -> CLIPTokenizer:
    """Make a CLIP tokenizer with one token for each word of `texts`; other words are split into pieces.

    Args:
        texts: the words to cover.
        length: tokens of a prompt, start and end tokens included.
    """
    words = sorted({word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower())})
    letters = sorted("abcdefghijklmnopqrstuvwxyz0123456789.,;:-'()")
    merges = _learn_merges(words)
    tokens = [*letters, *(letter + _WORD_END for letter in letters), *("".join(pair) for pair in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    pairs: Any = merges  # transformers' annotation allows texts alone, its code takes pairs
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=length)


def _learn_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Learn byte-pair merges (Sennrich et al., ACL 2016) until every word is one token.

    Ties are broken by alphabetical order, so the vocabulary is reproducible; the trainer of the tokenizers library
    breaks them at random.
    """
    pieces = [[*word[:-1], word[-1] + _WORD_END] for word in words]
    merges: list[tuple[str, str]] = []
    while any(len(parts) > 1 for parts in pieces):
        pairs = Counter(pair for parts in pieces for pair in pairwise(parts))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces = [_merge(parts, best) for parts in pieces]
    return merges


def _merge(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return merged
