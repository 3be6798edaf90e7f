"""Parser of the instruction language.

A text is cut into sentences at full stops, semicolons and line ends, and a sentence into verb phrases
(`x2x_core.language.sentences`). A verb phrase is a list cut at commas and "and"; each part names a finding, its level
and its place, or only a level or a place of a neighbouring finding, as in "small left and large right effusion"
(`x2x_core.language.phrases`). Each finding in each place becomes a clause (`x2x_core.language.readings`). Words that
are neither known nor function words are reported as unplaced. A word one edit from a known one is taken for it
(`x2x_core.language.spelling`); places, levels and verbs that are not understood are refused
(`x2x_core.language.strictness`). Texts in other languages are read by their tables, wholly or not at all
(`x2x_core.language.other_languages`).

Ambiguous wordings are read as follows:

- "No X" and "without X" remove X. "Don't add X", "not X", "keep X" and "except X" leave X alone; a text that only
  leaves findings alone, or that edits what it leaves alone, is refused.
- "From none to mild" adds, "from mild to none" removes. "Replace X with Y" removes X and adds Y.
- A verb also applies to the next sentence after a semicolon or a line end if that has no verb: a list needs one verb.
- "From mild to moderate to severe" starts at "mild to moderate", unless the other range is the more usual one ("from
  small to moderate to large"). Hyphens remove the ambiguity.
- A side of the picture ("left side of the image") is turned into the patient's, with a warning
  (`x2x_core.language.picture_sides`). A side said of something else ("shift to the right") is nobody's.
- Requests about everything ("remove all but X") are refused. Findings that describe the patient ("in a patient with
  X"), states ("X unchanged") and comparisons ("left more than right") request nothing.
- A part of a list that an unknown verb opens ("and treat the effusion") is not followed, and the level and side of an
  unknown noun ("left pacemaker") go to no other finding. Both are reported.
- A place before the first verb of a sentence holds for its other requests too, which is said
  (`x2x_core.language.assumptions`); for findings that are usually in both lungs it is refused.
- Every finding, side, zone and level of a request is in one of its clauses or reported
  (`x2x_core.language.conservation`).
- A finding or a place that no request claims is refused, except in a statement beside a request ("the film shows X. Add
  Y."), which describes the patient.
- "One" and "it" stand for the finding named before.
- A finding without a verb ("large effusion"), a verb without a known finding ("add a pacemaker") and any other text are
  free text: passed on as a prompt, with a warning, and with the whole thorax (or image) as region.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from x2x_core.common.errors import InputError

from .absences import mark_absences
from .affected_organs import read_affected_organs
from .amounts import mark_amounts
from .assumptions import assumptions, removed_absences
from .clauses import Clause, Operation
from .comparatives import mark_comparisons
from .correlatives import join_correlatives
from .descriptions import mark_descriptions
from .exceptions import check_no_reversal, check_no_universal
from .explanation import LeftOut
from .framing import unframe
from .gerunds import read_gerunds
from .lexicon import Kind, Reason, Token
from .line_ends import join_wrapped_lines
from .opening_verbs import read_opening_verbs
from .organs import read_organs
from .other_languages import ENGLISH, check_no_other_language, read_other_language
from .passives import turn_passives
from .phrasal_verbs import join_particles
from .picture_sides import said_of_picture
from .qualities import mark_qualities
from .readings import read_phrase
from .references import resolve_references
from .remaining import mark_remaining
from .scope import share_sides
from .sentences import VerbPhrase, verb_phrases
from .spelling import Correction
from .states import mark_states
from .strictness.function_words import check_function_words, check_spelling
from .strictness.likeness import check_no_likeness
from .strictness.places import check_no_rest_in_place, check_open_sides, check_places, check_sides
from .strictness.remarks import check_instead, check_no_remark, check_no_statement
from .strictness.requests import (
    check_choices,
    check_headings,
    check_made,
    check_nothing_unclaimed,
    check_objects,
    check_parts,
    check_verbs,
)
from .strictness.turning import (
    check_no_late_participle,
    check_no_numbered_segment,
    check_no_past,
    check_no_turning,
)
from .subjects import split_subjects
from .tokens import corrections, read
from .topics import join_topics, read_all
from .unknown_words import mark_unknown_verbs
from .vocabulary import phrases

logger = logging.getLogger(__name__)

_CHOICE = re.compile(r"\{[^{}]*\|[^{}]*\}")  # a wildcard such as "{left|right}"
_PERHAPS = re.compile(r"\+ ?/ ?[-−–]|±|\bplus[ /-]minus\b|\bwith ?(?:or|and|/|&) ?without\b", re.IGNORECASE)
_PLUS = re.compile(r"(?:^|[,;\n])\s*\(?\+\)?\s*\w")  # a sign that stands for "add"
_MINUS = re.compile(r"(?:^|[,;\s])\(?[-−–]\)?\s*\w+")
_SIGN = re.compile(r"[^\W\d][ ]?(?:\++|[ ][-−–])\s*(?:$|[,;.\n])")  # behind a word: present or absent
_GLUED = re.compile(r"(?<=[\w,;] )[-−–+][^\W\d]\w*")  # "-edema" behind a word
LONGEST = 4000  # characters of an instruction; no text encoder reads as many
EXAMPLE = "Write for example: Add the finding of moderate left pleural effusion."


@dataclass(frozen=True)
class Parsed:
    """Result of parsing a text."""

    clauses: tuple[Clause, ...]  # empty for free text
    left_out: tuple[LeftOut, ...]  # words that request nothing
    region: str  # "findings", or the region of free text
    corrected: tuple[Correction, ...] = ()  # misspelt words
    assumed: tuple[str, ...] = ()  # sentences about readings of what the text leaves open
    left_alone: tuple[str, ...] = ()  # findings that the text says to leave alone
    language: str = ENGLISH  # code of the language that the text was read in


def parse(text: str, *, free_region: str = "thorax", strict: bool = True) -> Parsed:
    """Parse an instruction; the module docstring documents the rules.

    Args:
        text: the user's words, in any case.
        free_region: region of free text: "thorax" or "image".
        strict: refuse words that could be a side, a zone, a level or a verb that turns the request round, but are not
            understood; otherwise they are left out with a warning.

    Raises:
        InputError: not a text, empty text, a contradiction between edited and untouched findings, a change without a
            target level, only findings to leave alone, or words that `strict` refuses.
    """
    _check_arguments(text, free_region)
    translated = read_other_language(text)
    if translated:
        return Parsed(translated.clauses, (), "findings", language=translated.language)
    if strict:
        check_no_other_language(text)
    tokens = _understand(text, strict)
    clauses: list[Clause] = []
    untouched: list[tuple[Clause, Operation | None]] = []
    unplaced: list[tuple[VerbPhrase, list[Token]]] = []
    verbs = list(verb_phrases(tokens))
    if strict:
        check_verbs(verbs)
        check_headings(verbs)
        check_instead(verbs)
        check_function_words(verbs)
    for phrase in verbs:
        if strict:
            check_made(phrase)
            check_places(phrase)
            check_parts(phrase)
            check_objects(phrase)
        read_clauses, unknown = read_phrase(phrase)
        if strict:
            check_open_sides(phrase, read_clauses)
        if phrase.keep:
            check_sides(read_clauses)
            untouched += [(clause, phrase.forbidden) for clause in read_clauses]
        else:
            clauses += read_clauses
        unplaced.append((phrase, unknown))
    check_sides(clauses)
    _check_untouched(untouched, clauses, verbs)
    misspelt = corrections(text)
    if strict:
        check_spelling(tokens, misspelt)
    _report_corrections(misspelt)
    if not clauses:
        if strict and any(phrase.keep for phrase in verbs) and any(token.kind is Kind.FINDING for token in tokens):
            raise InputError(f"`prompt` must say what to edit, but {_nothing_requested(verbs)}. {EXAMPLE}")
        return _free_text(text, tokens, free_region, misspelt)
    if strict:
        check_nothing_unclaimed(unplaced)
    left_out = tuple(
        LeftOut(token.text, _reason(token, phrase)) for phrase, unknown in unplaced for token in unknown if token.text
    )
    assumed = (*_sides_of_picture(tokens), *assumptions(verbs))
    for sentence in assumed:
        logger.warning("%s", sentence)
    if left_out:
        words = " ".join(part.words for part in left_out)
        logger.warning("Not understood in %r: %s. The rest is followed.%s", text, words, _spelling_hint(tokens))
    assumed += removed_absences(verbs)
    kept = tuple(dict.fromkeys(clause.item() for clause, _ in untouched))
    return Parsed(tuple(clauses), left_out, "findings", misspelt, assumed, kept)


def _reason(token: Token, phrase: VerbPhrase) -> Reason:
    """Return why a word is left out: a finding that no verb is said of describes the patient."""
    described = phrase.verb is None and phrase.names(Kind.FINDING) and token.reason is Reason.NOT_USED
    return Reason.DESCRIPTION if described else token.reason


def _nothing_requested(verbs: Iterable[VerbPhrase]) -> str:
    named = next((t.text for p in verbs if not p.keep for t in p.tokens if t.kind is Kind.FINDING and t.text), None)
    return f"{named!r} stands without a verb" if named else "it only says what to leave alone"


def _understand(text: str, strict: bool) -> list[Token]:
    """Return the tokens of a text, with everything that requests nothing turned into asides."""
    tokens = read_all(read_organs(read(text)))
    if strict or any(token.kind is Kind.FINDING for token in tokens):
        check_no_universal(tokens)
        check_no_reversal(tokens)
    if strict:
        check_no_numbered_segment(tokens)
    for mark in (
        join_wrapped_lines,
        join_correlatives,
        mark_remaining,
        read_opening_verbs,
        read_gerunds,
        unframe,
        join_particles,
        read_affected_organs,
        split_subjects,
        turn_passives,
        mark_absences,
        mark_amounts,
        mark_qualities,
        join_topics,
        share_sides,
        resolve_references,
        mark_descriptions,
        mark_comparisons,
        mark_states,
    ):
        tokens = mark(tokens)
    if strict:
        check_no_likeness(tokens)
        check_no_rest_in_place(tokens)
        check_no_turning(tokens)
        check_no_late_participle(tokens)
        check_no_past(tokens)
        check_choices(tokens)
        check_no_statement(tokens)
        check_no_remark(tokens)
    return mark_unknown_verbs(tokens)


def _report_corrections(misspelt: Iterable[Correction]) -> None:
    for correction in misspelt:
        logger.warning("%r was taken for %r.", correction.word, correction.taken)


def _sides_of_picture(tokens: Iterable[Token]) -> tuple[str, ...]:
    return tuple(
        f"{token.text} of the picture is the patient's {token.value}, where the edit is made."
        for token in dict.fromkeys(token for token in tokens if said_of_picture(token))
    )


def _check_arguments(text: str, free_region: str) -> None:
    if not isinstance(text, str):
        raise InputError(f"`prompt` must be text, got {type(text).__name__}.")
    if len(text) > LONGEST:
        raise InputError(f"`prompt` must have at most {LONGEST} characters, got {len(text)}. Say only what to edit.")
    if free_region not in ("thorax", "image"):
        raise InputError(f"`free_region` must be thorax or image, got {free_region!r}.")
    if _PLUS.search(text) and (sign := _MINUS.search(text)):
        raise InputError(f"`prompt` must say add and remove in words, got {sign.group().strip()!r}.")
    if sign := _SIGN.search(text) or _GLUED.search(text):
        raise InputError(f"`prompt` must say add and remove in words, got {sign.group().strip()!r}.")
    if doubt := _PERHAPS.search(text):
        raise InputError(f"`prompt` must not leave open what to edit, got {doubt.group()!r}. Write only what to edit.")
    if choice := _CHOICE.search(text):
        raise InputError(f"`prompt` must not leave a choice open, got {choice.group()!r}. Write one of them.")
    if not any(letter.isalnum() for letter in text):
        raise InputError(f"`prompt` must say what to edit, but it is empty. {EXAMPLE}")


def _check_untouched(
    untouched: list[tuple[Clause, Operation | None]], clauses: list[Clause], verbs: Iterable[VerbPhrase]
) -> None:
    for clause in clauses:
        if any(clause.overlaps(other) and not _allows(forbidden, clause) for other, forbidden in untouched):
            raise InputError(
                f"`prompt` must not contradict itself, but it would {clause.operation.value} {clause.finding} and "
                "leave it alone. Keep one of the two, or name the sides."
            )
    if untouched and not clauses:
        raise InputError(f"`prompt` must say what to edit, but {_nothing_requested(verbs)}. {EXAMPLE}")


def _allows(forbidden: Operation | None, clause: Clause) -> bool:
    """Return True for "do not remove the effusion, only make it smaller"."""
    return forbidden is Operation.REMOVE and clause.operation is Operation.CHANGE


def _free_text(text: str, tokens: list[Token], region: str, misspelt: tuple[Correction, ...]) -> Parsed:
    words = (token.text for token in tokens if token.text[:1].isalnum())
    logger.warning(
        "%r names no known finding with an operation, so the whole %s may be edited. %s%s",
        text, region, EXAMPLE, _spelling_hint(tokens),
    )  # fmt: skip
    left_out = tuple(LeftOut(word, "is free text, given to the model as it is") for word in words)
    return Parsed((), left_out, region, misspelt)


def _spelling_hint(tokens: Iterable[Token]) -> str:
    """Suggest the words of findings that misspelled words resemble."""
    known = sorted({word for phrase in phrases() for word in phrase if len(word) > 4})
    unknown = {token.text for token in tokens if token.kind is Kind.UNKNOWN and len(token.text) > 4} - {*known}
    ordered = dict.fromkeys(token.text for token in tokens if token.text in unknown)
    guesses = {word: get_close_matches(word, known, 1, 0.8) for word in ordered}
    return "".join(f" Did you mean {near[0]!r} instead of {word!r}?" for word, near in guesses.items() if near)
