"""Verb phrases: each verb of a text with the tokens that belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from x2x_core.common.errors import InputError

from .clauses import Operation
from .lexicon import Kind, Token, Verb
from .phrases import SEPARATORS

_OPENINGS = (Kind.PREPOSITION, Kind.FROM, Kind.TO)  # of a place: "on the left", "from the left lung"
_SILENT = (Kind.FILLER, Kind.LEVEL)
_IN_PLACE_OF = ("instead of", "in place of", "in lieu of")  # after "remove", what stays
_GOING_ON = ("and", "also", "plus", "as well as", "along with", "together with", "then", "but")  # open a sentence
_COURSES = ("increasing", "decreasing")
_CLEARS = ("clear", "clear out", "clear up", "clean up")
_CONTENT = (Kind.FINDING, Kind.LEVEL, Kind.SIDE, Kind.ZONE)


@dataclass
class VerbPhrase:
    """A verb, if there is one, and the tokens that belong to it."""

    verb: Verb | None = None
    keep: bool = False  # names findings to leave alone
    negated: bool = False  # opened by "no" or "without"
    instead: bool = False  # opened by "instead of"
    forbidden: Operation | None = None  # of a prohibition with a verb, such as "do not remove"
    inherits: bool = False  # has the verb of the sentence before
    alone: bool = False  # the only phrase of the text
    heads: bool = False  # stands before the first verb of its sentence
    place: tuple[Token, ...] = ()  # place said before the verb, for findings without their own
    shares: bool = False  # the place was said before another verb
    word: str = ""  # the verb, as it is written
    tokens: list[Token] = field(default_factory=list)

    def names(self, *kinds: Kind) -> bool:
        """Return True if any token is of one of these kinds."""
        return any(token.kind in kinds for token in self.tokens)

    @property
    def bare(self) -> bool:
        """True if there is nothing but function words."""
        return not self.names(*_CONTENT, *SEPARATORS, Kind.UNKNOWN)


def verb_phrases(tokens: Iterable[Token]) -> Iterator[VerbPhrase]:
    """Yield the verb phrases of a text. A sentence without a verb after a soft stop inherits the verb before it."""
    verb = None
    sentences = list(_sentences(tokens))
    for sentence, continues in sentences:
        phrases = _join_shared_finding(_join_places(_join_ellipsis(_join_passive(_cut_at_verbs(sentence)))))
        phrases[0].alone = len(sentences) == len(phrases) == 1
        phrases[0].heads = phrases[0].verb is None and len(phrases) > 1
        goes_on = continues or (sentence[0].kind is Kind.AND and sentence[0].text in _GOING_ON)
        if goes_on and phrases[0].verb is None and not phrases[0].keep:
            phrases[0].verb = verb
            phrases[0].inherits = True
        verb = phrases[-1].verb
        yield from phrases


def _sentences(tokens: Iterable[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Yield the tokens between stops, each time with True if the stop before them was a soft one."""
    sentence: list[Token] = []
    continues = False
    for token in (*tokens, Token(Kind.STOP, "")):
        if token.kind not in (Kind.STOP, Kind.SOFT_STOP):
            sentence.append(token)
        elif sentence:
            yield sentence, continues
            sentence, continues = [], token.kind is Kind.SOFT_STOP


def _cut_at_verbs(sentence: list[Token]) -> list[VerbPhrase]:
    phrases = [VerbPhrase()]
    for position, token in enumerate(sentence):
        last = phrases[-1]
        if _resumes(sentence, position, last):  # "no effusion but edema"
            phrases.append(VerbPhrase(_verb_before_negation(phrases)))
        elif _ends_exchange(sentence, position, phrases):  # "instead of edema, effusion"
            phrases.append(VerbPhrase(Verb(Operation.ADD)))
        elif token.kind is Kind.KEEP or (token.text in _IN_PLACE_OF and last.verb == Verb(Operation.REMOVE)):
            phrases.append(VerbPhrase(keep=True, word=token.text))
        elif token.text in _IN_PLACE_OF and isinstance(token.value, Verb):
            phrases.append(VerbPhrase(token.value, instead=True))
        elif token.kind is Kind.NOT:
            phrases.append(VerbPhrase(Verb(Operation.REMOVE), negated=True))
        elif not isinstance(token.value, Verb):
            last.tokens.append(token)
        elif (last.bare and (last.keep or last.negated or last.instead)) or _is_prohibited(sentence, position, last):
            phrases[-1] = VerbPhrase(keep=True, forbidden=token.value.operation)  # "do not remove", "without changing"
        else:
            phrases.append(VerbPhrase(token.value, word=token.text))
    return phrases


def _is_prohibited(sentence: list[Token], position: int, last: VerbPhrase) -> bool:
    """Return True for the second verb of "neither add nor remove", and for one after "not under any circumstances"."""
    if not last.keep or last.names(*_CONTENT):
        return False
    if position > 1 and sentence[position - 1].kind is Kind.AND and isinstance(sentence[position - 2].value, Verb):
        return True
    return last.forbidden is None and not last.names(*SEPARATORS) and last.names(Kind.UNKNOWN)


def _resumes(sentence: list[Token], position: int, last: VerbPhrase) -> bool:
    """Return True where a negation ends: at "but", and at ", and" after one finding."""
    token, following = sentence[position], sentence[position + 1 :]
    opens = bool(following) and following[0].kind not in (Kind.KEEP, Kind.NOT, Kind.VERB)
    findings = sum(other.kind is Kind.FINDING for other in last.tokens)
    after_comma = position > 0 and sentence[position - 1].text == ","
    anew = bool(following) and following[0].text == "there"  # "no nodule, and there is an effusion"
    only = token.text == "," and bool(following) and following[0].text in ("just", "only")
    if only and (last.negated or last.keep) and last.names(Kind.FINDING, Kind.UNKNOWN):
        return True  # "no lines, just effusions"
    ends = token.text == "but" or anew or (token.text == "and" and after_comma and findings == 1)
    return (last.negated or last.keep) and findings > 0 and token.kind is Kind.AND and ends and opens


def _ends_exchange(sentence: list[Token], position: int, phrases: list[VerbPhrase]) -> bool:
    """Return True for the comma of "instead of edema, effusion": no other verb says what is to be there."""
    last, token = phrases[-1], sentence[position]
    others = any(phrase.verb or phrase.names(Kind.FINDING) for phrase in phrases[:-1])
    verbs = any(isinstance(other.value, Verb) or other.kind in (Kind.KEEP, Kind.NOT) for other in sentence[position:])
    return last.instead and token.text == "," and last.names(Kind.FINDING) and not (others or verbs)


def _verb_before_negation(phrases: list[VerbPhrase]) -> Verb | None:
    return next((phrase.verb for phrase in reversed(phrases) if not (phrase.keep or phrase.negated)), None)


def _join_passive(phrases: list[VerbPhrase]) -> list[VerbPhrase]:
    """Join a verb that follows its finding ("the effusion should be removed") with the phrase of that finding."""
    joined = [phrases[0]]
    for phrase in phrases[1:]:
        last = joined[-1]
        makes = last.verb is not None and last.verb.makes and not any(token.value in _COURSES for token in last.tokens)
        open_ended = not last.keep and (last.verb is None or makes) and last.names(Kind.FINDING)
        if phrase.verb and phrase.verb.present and phrase.bare and _ends_with_arrow(last):  # "set it to present"
            joined[-1] = VerbPhrase(phrase.verb, tokens=last.tokens[:-1])
        elif open_ended and phrase.verb and not phrase.negated and (
            _is_passive(last, phrase) or not phrase.names(Kind.FINDING, Kind.UNKNOWN)
        ):  # fmt: skip
            _check_one_side(last, phrase)
            joined[-1] = VerbPhrase(phrase.verb, word=phrase.word, tokens=last.tokens + phrase.tokens)
        else:
            joined.append(phrase)
    return joined


def _check_one_side(last: VerbPhrase, phrase: VerbPhrase) -> None:
    """Refuse "left effusion, add to the right".

    Raises:
        InputError: a finding with a side, and behind its verb another side.
    """
    before, after = ({token.value for token in p.tokens if token.kind is Kind.SIDE} for p in (last, phrase))
    if before and after - before and not _is_passive(last, phrase):
        raise InputError(
            f"`prompt` must name one side of each finding, got {' and '.join(sorted(map(str, before | after)))} around "
            f"{phrase.word!r}. Write for example: Add the finding of left pleural effusion."
        )


def _is_passive(last: VerbPhrase, phrase: VerbPhrase) -> bool:
    """Return True for "a left effusion should be added, on the right a small one"."""
    passive = bool(last.tokens) and last.tokens[-1].text == "be" and last.verb is None
    return passive and bool(phrase.tokens) and phrase.tokens[0].kind is Kind.AND


def _join_ellipsis(phrases: list[VerbPhrase]) -> list[VerbPhrase]:
    """Give the finding before to a verb with a place alone: "increase edema on the left and decrease on the right"."""
    finding: Token | None = None
    for number, phrase in enumerate(phrases):
        named = [token for token in phrase.tokens if token.kind is Kind.FINDING]
        place_alone = phrase.names(Kind.SIDE, Kind.ZONE) and not phrase.names(Kind.FINDING, Kind.UNKNOWN, Kind.ASIDE)
        both = [token.text for token in phrase.tokens if token.kind is not Kind.FILLER] == ["both"]
        clears = phrase.word in _CLEARS  # "clear the right lung" is no request about the finding before
        if named:
            finding = named[-1]
        elif finding and (phrase.verb or phrase.keep) and place_alone and not (phrase.negated or both or clears):
            _check_separated(phrases, number)
            phrase.tokens.insert(0, Token(Kind.FINDING, "", finding.value))
    return phrases


def _check_separated(phrases: Sequence[VerbPhrase], number: int) -> None:
    """Refuse "add a left effusion remove right", where nothing separates the requests.

    Raises:
        InputError: a verb with a place alone directly behind another request.
    """
    before = phrases[number - 1] if number else None
    last = next((token for token in reversed(before.tokens) if token.kind is not Kind.FILLER), None) if before else None
    if phrases[number].keep or last is None or last.kind in (*SEPARATORS, *_OPENINGS):
        return
    raise InputError(
        f"`prompt` must separate its requests, got {phrases[number].word!r} without a finding behind another request. "
        "Write a sentence for each, for example: Add the finding of left pleural effusion. Remove the finding of edema."
    )


def _join_shared_finding(phrases: list[VerbPhrase]) -> list[VerbPhrase]:
    """Give the finding after it to a side alone: "remove right and add left effusion"."""
    for phrase, following in pairwise(phrases):
        findings = [token for token in following.tokens if token.kind is Kind.FINDING]
        kinds = [token.kind for token in phrase.tokens if token.kind is not Kind.FILLER]
        sided = kinds in ([Kind.SIDE], [Kind.SIDE, Kind.AND]) and following.names(Kind.SIDE)
        plain = all(p.verb and not (p.keep or p.negated or p.verb.makes) for p in (phrase, following))
        if sided and plain and len(findings) == 1 and (Kind.AND in kinds or phrase.verb != following.verb):
            phrase.tokens.insert(0, Token(Kind.FINDING, "", findings[0].value))
    return phrases


def _ends_with_arrow(phrase: VerbPhrase) -> bool:
    return bool(phrase.tokens) and phrase.tokens[-1].kind is Kind.TO and phrase.names(Kind.FINDING)


def _join_places(phrases: list[VerbPhrase]) -> list[VerbPhrase]:
    """Give places that stand before a verb ("on the left, add ...") to the phrase of that verb."""
    heading: tuple[Token, ...] = ()  # place that opens the sentence
    for number, phrase in enumerate(phrases[1:], 1):
        before = phrases[number - 1]
        if phrase.verb is None or phrase.keep or not phrase.names(Kind.FINDING):
            continue
        if before.verb is None and not before.keep:
            start = 0
        elif before.names(Kind.FINDING):
            start = _last_piece(before.tokens)
            if _hangs_between(before.tokens[start:]) and not before.place:
                words = " ".join(token.text for token in before.tokens[start + 1 :] if token.text)
                raise InputError(
                    f"`prompt` must name the place of each finding beside it, got {words!r} between two requests. "
                    "Write for example: Add the finding of left pleural effusion."
                )
        else:
            start = len(before.tokens)
        place = before.tokens[start:]
        if _is_place(place, at_start=start == 0 or bool(before.place)):
            phrase.place = tuple(place)
            before.tokens = before.tokens[:start]
            phrase.tokens = _close_places(phrase.tokens)
            heading = phrase.place if start == 0 else heading
        elif heading and not phrase.names(Kind.SIDE):
            phrase.place, phrase.shares = heading, True  # "on the left: remove the effusion, add a nodule"
    return phrases


def _hangs_between(piece: list[Token]) -> bool:
    """Return True for ", RLL" in "add an opacity, RLL remove edema", which could belong to either."""
    kinds = [token.kind for token in piece if token.kind is not Kind.FILLER]
    comma = bool(piece) and piece[0].text == ","
    return comma and len(kinds) > 1 and all(kind in (Kind.SIDE, Kind.ZONE) for kind in kinds[1:])


def _close_places(tokens: list[Token]) -> list[Token]:
    """Drop the comma of "and in the left lung, an effusion" in a sentence whose places stand before their findings."""
    closed: list[Token] = []
    start = 0  # of the last part
    for position, token in enumerate(tokens):
        part = closed[start:]
        follows = next((other.kind for other in tokens[position + 1 :] if other.kind not in _SILENT), None)
        if token.text == "," and _is_place(part, at_start=False) and follows is Kind.FINDING:
            continue
        if token.kind in SEPARATORS:
            start = len(closed) + 1
        closed.append(token)
    return closed


def _last_piece(tokens: list[Token]) -> int:
    """Return where the last part of a list begins, its separator included."""
    places = [
        position for position, token in enumerate(tokens) if token.kind is Kind.AND and position + 1 < len(tokens)
    ]
    return places[-1] if places else len(tokens)


def _is_place(tokens: list[Token], at_start: bool) -> bool:
    kinds = [token.kind for token in tokens if token.kind not in (Kind.FILLER, Kind.AND)]
    named = any(kind in (Kind.SIDE, Kind.ZONE) for kind in kinds)
    silent = all(kind in (Kind.SIDE, Kind.ZONE, Kind.PREPOSITION) for kind in kinds[1:])
    silent = bool(kinds) and silent and kinds[0] in (Kind.SIDE, Kind.ZONE, *_OPENINGS)
    return named and silent and (at_start or kinds[0] in _OPENINGS)
