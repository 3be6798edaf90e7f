"""Organs named by what is wrong with them: to expand "the collapsed lung" makes the collapse less, not more.

A verb that enlarges or raises acts on the organ ("raise the low lung volumes", "widen the blunted angle"), one that
worsens acts on the finding ("worsen the collapsed lung"). What an enlargement does to the finding is read where it is
plain, and refused where it is not ("enlarge the opacified lung", "make the collapsed lung smaller").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from x2x_core.common.errors import InputError

from .clauses import Operation
from .lexicon import Kind, Token, Verb
from .vocabulary import COURSES

_ORGANS_TEXT = """
    lung lungs lobe lobes volume volumes angle angles sulcus sulci recess rib ribs aorta spine vessel vessels
    vasculature bone bones diaphragm hemidiaphragm trachea clavicle parenchyma segment base bases
"""
_ORGANS = frozenset(_ORGANS_TEXT.split())
_JOINTS = frozenset(("of", "in", "around", "at", "within"))  # of names such as "collapse of the lung"
_SHRUNKEN = frozenset(("collapsed", "atelectatic", "low", "reduced", "decreased", "blunted", "small"))
_ENLARGED_TEXT = """
    enlarged large big dilated widened huge oversized hyperinflated hyperexpanded overinflated overexpanded
    hyperaerated elevated raised prominent increased emphysematous tension
"""
_ENLARGED = frozenset(_ENLARGED_TEXT.split())  # what is enlarged more is worse
_EXPANDING = frozenset(("expand", "inflate", "raise", "widen", "open", "open up", "reopen", "re expand", "broaden"))
_WORSENING_TEXT = """
    worsen worsens worse worsening worsened aggravate exacerbate intensify deteriorate progress progresses progressive
    progressing escalate exaggerate
"""
_WORSENING = frozenset(_WORSENING_TEXT.split())
_BETTERING = frozenset(("improve", "improves", "better", "improving", "improved", "alleviate", "relieve", "ease",
                        "mitigate", "ameliorate", "resolving", "milder", "attenuate", "lessen", "regress"))  # fmt: skip
_DEGREES = frozenset(("level", "levels", "degree", "severity", "extent", "amount"))
_ENDS = (Kind.STOP, Kind.SOFT_STOP, Kind.KEEP, Kind.NOT)
_REMOVE, _DECREASE = Verb(Operation.REMOVE), Verb(Operation.CHANGE, "decreasing")


def read_affected_organs(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with enlargements of affected organs as changes of the finding.

    Raises:
        InputError: a change of an affected organ that could be either of the finding.
    """
    read = list(tokens)
    for position, token in enumerate(tokens):
        if not _is_affected(token) or (verb := _verb(tokens, position)) is None:
            continue
        act = tokens[verb].value
        assert isinstance(act, Verb)
        level = next((n for n in range(position, _end(tokens, position)) if tokens[n].value in COURSES), None)
        degree = any(other.text in _DEGREES for other in tokens[min(verb, position) : max(verb, position)])
        changed = (act.course is not None) or (level is not None and (act.makes or act.operation is Operation.CHANGE))
        if not changed or degree:
            continue
        word = tokens[verb].text if act.course else tokens[level or verb].text
        course = act.course or (tokens[level].value if level is not None else None)
        _change(read, verb, position, word, course, by_verb=act.course is not None)
    return read


def _change(read: list[Token], verb: int, position: int, word: str, course: object, *, by_verb: bool) -> None:
    """Replace the verb by what it does to the finding."""
    finding = read[position].text.split()
    shrunken = bool(_SHRUNKEN & set(finding))
    if word in _WORSENING | _BETTERING or (course == "decreasing" and not shrunken) or course == "acute":
        return
    if by_verb and course == "increasing" and shrunken and word in _EXPANDING:
        read[verb] = Token(Kind.VERB, word, _REMOVE)
        if verb and read[verb - 1].text == "re":
            read[verb - 1] = replace(read[verb - 1], kind=Kind.FILLER)
        return
    if by_verb and course == "increasing" and shrunken and finding[-1].startswith("volume"):
        read[verb] = Token(Kind.VERB, word, _DECREASE)
        return
    raise InputError(
        f"`prompt` must say what to do with the finding, but {word!r} of a {' '.join(finding)} could make it more or "
        "less. Write for example: Remove the finding of atelectasis. Or: Worsen atelectasis."
    )


def _is_affected(token: Token) -> bool:
    """Return True for "collapsed lung", but not for "collapse of the lung" and "hyperinflated lung"."""
    words = token.text.split()
    if token.kind is not Kind.FINDING or len(words) < 2 or words[-1] not in _ORGANS:
        return False
    return not set(words) & (_JOINTS | _ENLARGED)


def _verb(tokens: Sequence[Token], position: int) -> int | None:
    """Return the verb of a finding: the last one before it in its sentence, or else the first one behind it."""
    for place in range(position - 1, -1, -1):
        if tokens[place].kind in _ENDS:
            break
        if isinstance(tokens[place].value, Verb):
            return place
    end = next((n for n in range(position, len(tokens)) if tokens[n].kind in _ENDS), len(tokens))
    return next((n for n in range(position, end) if isinstance(tokens[n].value, Verb)), None)


def _end(tokens: Sequence[Token], position: int) -> int:
    ends = (*_ENDS, Kind.AND)
    return next((n for n in range(position + 1, len(tokens)) if tokens[n].kind in ends), len(tokens))
