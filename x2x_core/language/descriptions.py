"""Descriptions of the patient: displaced organs, causes, findings that are there already.

"Left effusion with shift of the mediastinum to the right" requests an effusion on the left, and "effusion in a patient
with cardiomegaly" no cardiomegaly. Such words become asides, which request nothing and are reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .clauses import Operation
from .lexicon import ABSENT, Kind, Reason, Token, Verb
from .vocabulary import COURSES

_DISPLACEMENT = frozenset(
    [
        "shifting",
        "shifted",
        "shift",
        "displaced",
        "displacing",
        "displacement",
        "pushing",
        "pushed",
        "deviation",
        "deviated",
        "deviating",
        "rotated",
        "rotation",
        "tilted",
        "pulled",
        "pulling",
        "deflected",
    ]
)
# Openings of a subordinate clause: everything up to the next comma, stop or verb describes.
_SUBORDINATE = tuple(
    phrase.split()
    for phrase in (
        "which", "who", "whose", "because", "while", "whilst", "whereas", "although", "caused by", "due to",
        "secondary to",
        "suspicious for", "suspicious of", "suggestive of", "suggesting", "concerning for", "consistent with",
        "compatible with", "in keeping with", "mistaken for", "mimicking", "resembling", "reminiscent of", "to reveal",
        "to expose", "to uncover", "to unmask", "revealing", "in the setting of", "as seen in", "that could",
        "that has", "that have", "that had",
        "like in", "as if", "as though", "resulting from", "arising from", "related to", "owing to", "representing",
        "worrisome for", "indicating", "indicative of", "in the context of", "superimposed on", "on a background of",
        "because of", "as in", "as with", "as part of", "as a complication", "as a result",
        "superimposed upon", "on the background of", "in view of", "in light of",
        "despite", "in spite of", "confused with", "careful with", "careful about", "beware of", "watch out for",
        "look out for", "mindful of", "paying attention to", "pay attention to",
        "notwithstanding", "regardless of", "irrespective of", "given the", "given his", "given her", "given their",
        "given a", "given an", "given that", "given known", "given existing", "given this", "after", "status post",
        "s / p", "c / w", "ddx", "d / d", "differential", "r / o", "rule out", "history of", "prior to", "before",
        "that can", "that may", "that might", "that is", "that are",
        "that was",
        "that looks", "that came",
    )
)  # fmt: skip
# Openings of what is there already, at the start of a text.
_OPENING_CONTEXTS = tuple(
    phrase.split()
    for phrase in ("in addition to", "on top of", "in the presence", "in presence of", "given", "despite", "besides",
                   "aside from", "apart from")
)  # fmt: skip
_ADJECTIVES = frozenset(["underlying", "overlying", "surrounding"])
# Openings of a place: they describe only if a finding follows.
_RELATIVE_PLACES = tuple(
    phrase.split()
    for phrase in (
        "next to", "adjacent to", "beside", "below", "beneath", "under", "underneath", "above", "behind", "on top of",
        "in front of", "overlying", "underlying", "surrounding", "same side as", "opposite", "opposite to",
        "contralateral to", "ipsilateral to", "close to", "away from", "far from", "distant from", "remote from",
        "in the vicinity of", "in contact with",
    )
)  # fmt: skip
# What a finding that is there comes with: not edited with it.
_ACCOMPANIED = tuple(
    phrase.split() for phrase in ("associated with", "accompanied by", "complicated by", "complicating", "seen with")
)
_CONJUNCTIONS = frozenset(("as", "because", "while", "whilst", "whereas", "although", "though", "since", "even"))
_SHOWING = frozenset(["showing", "demonstrating", "depicting", "displaying"])  # "this film showing emphysema"
# Participles of what a finding does to its neighbours.
_ACTING = frozenset(
    [
        "obscuring", "blunting", "silhouetting", "obliterating", "effacing", "compressing", "abutting", "masking",
        "elevating", "flattening", "narrowing", "encasing", "indenting", "depressing",
    ]
)  # fmt: skip
# What one finding does to another, which is there.
_COVERING_TEXT = """
    mask cover obscure overlap overlie surround accompany mimic imitate resemble match balance complement outline
    silhouette highlight distract explain border abut touch
"""
_COVERING = frozenset(_COVERING_TEXT.split())
_COMPARED = frozenset(["compared", "comparison", "since", "versus", "vs", "relative", "than", "from"])
_EARLIER = frozenset(["prior", "previous", "last", "earlier", "baseline", "yesterday", "before"])
_EARLIER_FILM = _EARLIER | {"to", "with", "the", "film", "exam", "examination", "study", "cxr", "day", "one", "most",
                            "recent"}  # fmt: skip
_PLACING = frozenset(
    ["that", "which", "located", "situated", "lying", "sitting", "seen", "found", "centered", "centred"]
)
_LYING = frozenset(["is", "are", "should", "be", "must be", "would", "will", "must",
                    "lies", "lie", "sits", "sit", "located", "situated", "seen", "found", "appears",
                    "visible", "present", "is present", "centered", "centred"])  # fmt: skip
_FINITE = frozenset(["is", "are", "was", "were", "has", "had", "looks", "shows", "seems", "appears"])
_WHOLE = frozenset(["lung", "lungs", "chest", "image", "film", "radiograph", "x ray", "xray", "picture", "scan",
                    "thorax", "hemithorax", "side"])  # fmt: skip
_OF_WHOLE = (Kind.FILLER, Kind.SIDE, Kind.UNKNOWN)
_PERSON_TEXT = """
    patient patients pt pts man woman person child smoker boy girl lady gentleman male female infant neonate baby adult
    subject he she
"""
_PERSON = frozenset(_PERSON_TEXT.split())
_POSTURES = frozenset(("lying", "rotated", "turned", "positioned", "tilted", "leaning", "facing", "sitting", "standing",
                       "imaged", "supine", "prone", "upright", "placed", "rolled"))  # fmt: skip
_HAS = frozenset(["with", "who", "has", "having", "had", "is", "was", "known", "suffering", "suffers", "diagnosed"])
_ARTICLES = frozenset(("the", "this", "that", "these", "those", "newly", "previously"))
_INTO = frozenset(["to", "in", "of", "for", "from", "on"])
_ENDS = (Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP, Kind.NOT)
_CLAUSE_ENDS = (Kind.STOP, Kind.SOFT_STOP, Kind.VERB, Kind.KEEP)  # "that has no nodule" goes on after "no"


def mark_descriptions(tokens: Sequence[Token]) -> list[Token]:
    """Turn the words of descriptions into asides."""
    tokens = [
        Token(Kind.AND, token.text)
        if token.text in ("while", "whilst", "whereas") and _opens_request(tokens, position) else token
        for position, token in enumerate(tokens)
    ]  # fmt: skip
    marked = list(tokens)
    for position in range(len(tokens)):
        if end := _place_opening_end(tokens, position):
            marked[position:end] = [Token(Kind.FILLER, "")] * (end - position)
    tokens = list(marked)
    for start, end in _descriptions(tokens):
        for position in range(start, end):
            marked[position] = Token(Kind.ASIDE, tokens[position].text, reason=Reason.DESCRIPTION)
    return marked


def _descriptions(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    texts = [token.text for token in tokens]
    for position, token in enumerate(tokens):
        if not position and _opens(texts, 0, _OPENING_CONTEXTS) and "," in texts:
            yield 0, _end(tokens, 1)
        elif not position and token.text == "with" and (end := _opening_end(tokens)):
            yield 0, end
        elif end := _opening_clause_end(tokens, position):
            yield position, end
        elif token.text in _DISPLACEMENT and not _is_request(tokens, position):
            yield _back_to_connective(tokens, position), _end(tokens, position + 1, (Kind.AND,))
        elif (
            _opens(texts, position, _SUBORDINATE)
            and position
            and token.kind is not Kind.AND
            and not _names_request(tokens, position - 1)
        ):
            yield position, _end(tokens, position + 1, ends=_CLAUSE_ENDS)
        elif _opens(texts, position, _ACCOMPANIED) and _is_edited(tokens, position):
            yield position, _end(tokens, position + 1)
        elif token.text in ("as", "for") and _stands_for_finding(tokens, position):
            yield position, _end(tokens, position + 1, (Kind.AND,))
        elif token.text == "as" and _names_relation(tokens, position):
            yield position, _end(tokens, position + 1)
        elif token.text in ("following", "post") and _finding_before(tokens, position):
            yield position, _end(tokens, position + 1, (Kind.AND,))
        elif token.text in ("as", "since", "for") and _says_why(tokens, position):
            yield position, _end(tokens, position + 1)
        elif _is_clause(tokens, position) or _says_purpose(tokens, position) or _acts_on_finding(tokens, position):
            yield position, _end(tokens, position + 2)
        elif token.text in _SHOWING and _finding_before(tokens, position):
            yield position, _end(tokens, position + 1)
        elif token.text in _ACTING and _finding_before(tokens, position):
            yield from _around_sides(tokens, position, _end(tokens, position + 1))
        elif token.text in ("segment", "segments", "subsegment"):
            yield _segment_start(tokens, position), position + 1
        elif token.text in _COMPARED and (end := _comparison_end(tokens, position)):
            yield position, end
        elif _opens(texts, position, _RELATIVE_PLACES):
            end = _end(tokens, position + 1, (Kind.AND,))
            if position and token.text in _ADJECTIVES and tokens[position - 1].kind in (Kind.WITH, Kind.AND):
                continue  # "with underlying atelectasis"
            if any(other.kind is Kind.FINDING for other in tokens[position:end]) and _finding_before(tokens, position):
                yield position, end
        elif _is_participle(tokens, position):
            yield position, position + 1
        elif token.kind in (Kind.TO, Kind.FROM) and _adds_to_finding(tokens, position):
            yield position, _end(tokens, position + 1, (Kind.AND,))
        elif token.text in ("has", "had", "contains") and _opens_part(tokens, position):
            yield _part_start(tokens, position), _end(tokens, position + 1)
        elif token.text == "with" and _is_of_organ(tokens, position):
            yield position, _end(tokens, position + 1)
        elif token.text in _PERSON:
            yield from _of_person(tokens, position)


def _opening_clause_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "although an effusion is present," at the start of a sentence; `None` for anything else."""
    before = tokens[position - 1].kind if position else Kind.STOP
    words = [token.text for token in tokens[position : position + 2]]
    opens = words[:1] and (words[0] in _CONJUNCTIONS or words == ["even", "though"])
    if before not in (Kind.STOP, Kind.SOFT_STOP) or not opens:
        return None
    end = position + 1
    while end < len(tokens) and tokens[end].text != "," and tokens[end].kind not in (Kind.STOP, Kind.SOFT_STOP):
        end += 1
    clause, rest = tokens[position:end], tokens[end:]
    acts = (token for token in clause if isinstance(token.value, Verb) and token.text not in ("clear", "cleared"))
    states = all(isinstance(token.value, Verb) and token.value.present for token in acts)
    finite = any(token.text.split(" ")[0] in _FINITE | {"are", "have", "remains"} for token in clause)
    told = finite or any(isinstance(token.value, Verb) for token in clause)
    requested = any(isinstance(token.value, Verb) for token in rest)
    return end if states and told and requested and rest[0].text == "," else None


def _is_edited(tokens: Sequence[Token], position: int) -> bool:
    """Return True behind a finding that is removed or changed, not added."""
    verb = next((token.value for token in reversed(tokens[:position]) if isinstance(token.value, Verb)), None)
    return _finding_before(tokens, position) and verb is not None and verb.operation is not Operation.ADD


def _segment_start(tokens: Sequence[Token], position: int) -> int:
    """Return where "superior segment" begins in "superior segment of the right lower lobe"."""
    start = position
    following = tokens[position + 1 : _end(tokens, position + 1, (Kind.AND,))]
    zoned = any(token.kind is Kind.ZONE for token in following)
    kinds = (Kind.UNKNOWN, Kind.ZONE) if zoned else (Kind.UNKNOWN,)
    while start and tokens[start - 1].kind in kinds and tokens[start - 1].text:
        start -= 1
    return start


def _place_opening_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "that is" in "the effusion that is on the left": a place and nothing else follows.

    `None` if no such words begin at a position.
    """
    if tokens[position].text not in _PLACING or not position or not _finding_before(tokens, position):
        return None
    if tokens[position - 1].text in _PERSON:  # "with the patient lying on the right"
        return None
    end = position + 1
    while end < len(tokens) and tokens[end].text in _LYING:
        end += 1
    rest = tokens[end : _end(tokens, end, (Kind.AND,))]
    kinds = {token.kind for token in rest}
    places = (Kind.SIDE, Kind.ZONE)
    opens = bool(rest) and (rest[0].kind is Kind.PREPOSITION or rest[0].kind in places)
    if _names_level(tokens, position, rest):
        return end
    only = kinds <= {Kind.PREPOSITION, Kind.FILLER, *places} and bool(kinds & {*places})
    return end if opens and only else None


def _names_level(tokens: Sequence[Token], position: int, rest: Sequence[Token]) -> bool:
    """Return True for "severe" in "add edema which is severe": a level alone, of what is added or removed."""
    verb = next((token.value for token in reversed(tokens[:position]) if isinstance(token.value, Verb)), None)
    levels = [token for token in rest if token.kind is Kind.LEVEL and token.value not in (ABSENT, *COURSES)]
    alone = len(levels) == 1 and all(token.kind is Kind.FILLER for token in rest if token is not levels[0])
    return alone and verb is not None and verb.operation is not Operation.CHANGE and not verb.makes


def _opens_request(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "while" in "while the left should show a nodule": a verb and a finding follow."""
    end = _end(tokens, position + 1, ends=(Kind.STOP, Kind.SOFT_STOP))
    rest = tokens[position + 1 : end]
    verb = next((n for n, token in enumerate(rest) if token.kind is Kind.VERB), None)
    return verb is not None and any(token.kind is Kind.FINDING for token in rest[verb:])


def _around_sides(tokens: Sequence[Token], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the words but not the sides: what obscures the left hemidiaphragm is on the left."""
    yield from ((n, n + 1) for n in range(start, end) if tokens[n].kind is not Kind.SIDE)


def _comparison_end(tokens: Sequence[Token], position: int) -> int | None:
    """Return the end of "compared to the prior film" and "since prior"; `None` if it names no earlier film."""
    end = position + 1
    while end < len(tokens) and (tokens[end].kind is Kind.FILLER or tokens[end].text in _EARLIER_FILM):
        end += 1
    return end if {token.text for token in tokens[position:end]} & _EARLIER else None


def _is_clause(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "that hides" after a finding."""
    following = tokens[position + 1 : position + 2]
    if tokens[position].text != "that" or not following or not _finding_before(tokens, position):
        return False
    verb = following[0].value
    known = isinstance(verb, Verb) and not verb.present
    return known or (following[0].kind is Kind.UNKNOWN and following[0].text.endswith(("s", "ed")))


def _says_purpose(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "to hide" in "add edema to hide the nodule", and for "to mask"."""
    following = tokens[position + 1 : position + 2]
    if tokens[position].kind is not Kind.TO or tokens[position].text == "->" or not following:
        return False
    if following[0].text in _COVERING and _finding_before(tokens, position):
        return any(token.kind is Kind.FINDING for token in tokens[position : _end(tokens, position + 2)])
    if not isinstance(following[0].value, Verb) or following[0].value.present:
        return False
    verb_before = any(isinstance(token.value, Verb) for token in tokens[:position])
    return verb_before and _finding_before(tokens, position)


def _acts_on_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "obscuring" in "effusion obscuring the right nodule"."""
    token, before = tokens[position], tokens[position - 1 : position]
    if token.kind is not Kind.UNKNOWN or not token.text.endswith("ing") or not before:
        return False
    attributes = (Kind.FILLER, Kind.LEVEL, Kind.SIDE, Kind.ZONE)
    following = next((other.kind for other in tokens[position + 1 :] if other.kind not in attributes), None)
    return before[0].kind is Kind.FINDING and following is Kind.FINDING


def _is_participle(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "added" in "remove the added effusion"."""
    before = tokens[position - 1].text if position else ""
    return isinstance(tokens[position].value, Verb) and tokens[position].text.endswith("ed") and before in _ARTICLES


def _adds_to_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "to" in "add an effusion to the left nodule", and "from" in "from pneumonia"."""
    verb = next((token.value for token in reversed(tokens[:position]) if isinstance(token.value, Verb)), None)
    attributes = (Kind.FILLER, Kind.SIDE, Kind.ZONE)
    following = next((token for token in tokens[position + 1 :] if token.kind not in attributes), None)
    adds = verb is not None and verb.operation is Operation.ADD and not verb.makes
    before = position - 1
    if tokens[position].kind is Kind.FROM:  # ", e.g. from heart failure"
        while before > 0 and (tokens[before].kind is Kind.FILLER or tokens[before].text == ","):
            before -= 1
    named = following is not None and following.kind is Kind.FINDING
    return adds and tokens[before].kind is Kind.FINDING and named


def _part_start(tokens: Sequence[Token], position: int) -> int:
    while position and tokens[position - 1].kind not in (*_ENDS, Kind.AND):
        position -= 1
    return position


def _opens_part(tokens: Sequence[Token], position: int) -> bool:
    """Return True for a statement in a list, such as ", left lung has a nodule", after a verb."""
    start = _part_start(tokens, position)
    in_list = start > 0 and tokens[start - 1].kind is Kind.AND
    return in_list and any(isinstance(token.value, Verb) for token in tokens[:start])


def _opening_end(tokens: Sequence[Token]) -> int | None:
    """Return the end of "with cardiomegaly present," at the start of a text, before the first request."""
    comma = next((n for n, token in enumerate(tokens) if token.text == ","), None)
    if comma is None or not any(isinstance(token.value, Verb) for token in tokens[comma:]):
        return None
    acts = [token.value for token in tokens[:comma] if isinstance(token.value, Verb)]
    if any(token.value == ABSENT for token in tokens[:comma]):  # "with the effusion gone, add a nodule"
        return None
    return comma if all(verb.present for verb in acts) else None


def _stands_for_finding(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "for a nodule" and "as a nodule" after a finding, unless a verb exchanges the two."""
    verb = next((token.value for token in reversed(tokens[:position]) if isinstance(token.value, Verb)), None)
    following = [token for token in tokens[position + 1 : position + 4] if token.kind is not Kind.LEVEL]
    named = len(following) > 1 and following[0].text in ("a", "an") and following[1].kind is Kind.FINDING
    return named and verb is not None and not verb.replaces and _finding_before(tokens, position)


def _names_relation(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "as a sequela of" after a finding."""
    words = tokens[position + 1 : position + 4]
    if len(words) < 3 or not _finding_before(tokens, position):
        return False
    return words[0].text in ("a", "an", "the") and words[1].kind is Kind.UNKNOWN and words[2].text == "of"


def _says_why(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "as the left is fine" after a finding: a reason with a verb of its own."""
    rest = [token.text for token in tokens[position + 1 : _end(tokens, position + 1)]]
    opens = rest[:1] and (rest[0] in ("the", "his", "her") or rest[0] in _PERSON)
    return bool(opens) and bool(set(rest) & _FINITE) and _finding_before(tokens, position)


def _is_of_organ(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "with" in "add a nodule in the lung with emphysema"."""
    if not position or tokens[position - 1].text not in _WHOLE or not _finding_before(tokens, position):
        return False
    start = next((n for n in range(position - 1, -1, -1) if tokens[n].kind not in _OF_WHOLE), -1)
    placed = start >= 0 and (tokens[start].kind in (Kind.PREPOSITION, Kind.TO) or tokens[start].text == "of")
    return placed and tokens[start - 1].kind in (Kind.FINDING, Kind.ZONE, Kind.SIDE)


def _of_person(tokens: Sequence[Token], position: int) -> Iterator[tuple[int, int]]:
    """Yield "in a patient with X", and "the patient has X" after a request."""
    follows = tokens[position + 1].text if position + 1 < len(tokens) else ""
    start = position
    while start and position - start < 4 and tokens[start].text not in _INTO:
        start -= 1
    if _names_request(tokens, start):
        return
    if follows in _POSTURES and _finding_before(tokens, position):
        yield position, _end(tokens, position + 2)
        return
    goes_on = position + 1 < len(tokens) and (tokens[position + 1].kind is Kind.SIDE or follows in _HAS - {"with"})
    if position and tokens[position - 1].kind is Kind.FINDING and not goes_on:  # "in this CHF patient"
        yield (start if tokens[start].text in _INTO else position - 1), position + 1
        return
    if follows in _HAS and tokens[start].text in _INTO:
        yield start, _end(tokens, position + 2)
    elif follows in ("has", "had", "is", "was") and any(token.kind is Kind.VERB for token in tokens[:position]):
        yield position, _end(tokens, position + 2)


def _names_request(tokens: Sequence[Token], start: int) -> bool:
    """Return True for "create a version in which the patient has X", where nothing else is requested."""
    texts = [token.text for token in tokens[max(start, 0) : start + 3]]
    if texts[:2] != ["in", "which"]:
        return False
    verb_before = any(isinstance(token.value, Verb) for token in tokens[:start])
    return verb_before and not any(token.kind is Kind.FINDING for token in tokens[:start])


def _is_request(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "shift" as a verb: at the start of a sentence, or after "and"."""
    before = tokens[position - 1].kind if position else Kind.STOP
    return tokens[position].kind is Kind.VERB and before in (
        Kind.STOP,
        Kind.SOFT_STOP,
        Kind.AND,
        Kind.FILLER,
        Kind.KEEP,
    )


def _back_to_connective(tokens: Sequence[Token], position: int) -> int:
    """Return where the noun phrase before a displacement begins, such as "with mediastinal shift"."""
    start = position
    while start and tokens[start - 1].kind in (Kind.UNKNOWN, Kind.FILLER, Kind.ZONE):
        start -= 1
    if start and tokens[start - 1].kind is Kind.WITH:
        return start - 1
    sided = start
    while sided and tokens[sided - 1].kind in (Kind.UNKNOWN, Kind.FILLER, Kind.ZONE, Kind.SIDE):
        sided -= 1
    return sided - 1 if sided and tokens[sided - 1].kind is Kind.WITH else start  # "with right-sided shift"


def _opens(texts: Sequence[str], position: int, phrases: Sequence[Sequence[str]]) -> bool:
    """Return True if one of the phrases begins at a position."""
    if not texts[position]:  # the second meaning of a word such as "RUL"
        return False
    words = " ".join(texts[position : position + 4]).split()
    return any(words[: len(phrase)] == list(phrase) for phrase in phrases)


def _finding_before(tokens: Sequence[Token], position: int) -> bool:
    for token in reversed(tokens[:position]):
        if token.kind in (Kind.STOP, Kind.SOFT_STOP, Kind.VERB):
            return False
        if token.kind is Kind.FINDING:
            return True
    return False


def _is_state(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "clear" in "while the left lung stays clear"."""
    before = tokens[position - 1] if position else None
    states = before is not None and (before.kind is Kind.STATE or before.text in ("is", "are", "was"))
    return states and tokens[position].text in ("clear", "cleared")


def _end(tokens: Sequence[Token], position: int, more: tuple[Kind, ...] = (), ends: tuple[Kind, ...] = _ENDS) -> int:
    """Return the position of the next comma, stop, verb or token of the kinds `more`."""
    while position < len(tokens):
        token = tokens[position]
        if (token.kind in (*ends, *more) or token.text == ",") and not _is_state(tokens, position):
            break
        position += 1
    return position
