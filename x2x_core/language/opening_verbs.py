"""Verbs by their position: rarer words that are a request where they open one, and participles after "be".

"Trim" and "cut" can be nouns, "thin" an adjective, so that they are verbs only where a sentence or a part of a list
begins and a noun phrase with a finding follows. "Toss in a nodule" adds, "toss the nodule" removes it: such verbs go by
their article. Of "fill the left base with fluid" and "free the chest of fluid" the finding is the last noun.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from .clauses import Operation
from .lexicon import Kind, Token, Verb, lexicon

_ADD, _REMOVE = Verb(Operation.ADD), Verb(Operation.REMOVE)
_INCREASE, _DECREASE = Verb(Operation.CHANGE, "increasing"), Verb(Operation.CHANGE, "decreasing")
_TEXTS = {
    _ADD: """
        conjure manifest provoke cause trigger invent forge craft compose construct design sculpt infuse instill instil
        deposit install seed sow graft stamp affix annex integrate merge blend fuse mix weave interpose interject
        position situate slot slip pop lob fling slap smack plop plonk load stuff pack supply provide grant bestow
        contribute exhibit visualize visualise picture envision envisage emulate mimic imitate reproduce replicate
        recreate reinstate reintroduce readd acquire fake counterfeit mock effect engender spawn evoke elicit establish
        initiate smear dab daub brush spray doodle transplant interpolate splice summon materialize materialise
        emplace pencil etch manufacture concoct originate restore distribute overlap
    """,
    _REMOVE: """
        cancel abolish annihilate demolish kill slay exterminate extinguish quash quell quench crush squash scrape scour
        purify sanitize sanitise decontaminate sterilize sterilise peel chop snip clip crop resect amputate extract
        pluck withdraw haul evict eject expel oust banish exile dispel disperse dissipate melt evaporate vaporize
        vaporise suck siphon tap void discharge flush rinse wash launder junk trash scrap bin jettison shed negate
        nullify neutralize neutralise repair mend normalize normalise blot zap nuke nix axe clean cleanse remit
        invalidate unload ablate abate deactivate vacate
    """,
    _INCREASE: """
        upsize strengthen magnify widen broaden inflate swell multiply compound thicken densify maximize maximise
        upscale enhance reinforce fatten bolster advance upregulate upstage
    """,
    _DECREASE: """
        curtail trim curb temper dilute thin narrow contract compress deflate dwindle taper dim fade palliate assuage
        shave downscale deescalate downstage depress minify
    """,
}
_BY_ARTICLE = frozenset(("toss", "chuck", "throw", "dump", "sling"))  # "toss a nodule in", "toss the nodule"
_FILLED = frozenset(
    ("fill", "flood", "populate", "furnish", "provide", "supply", "equip", "endow", "load", "burden", "afflict",
     "infect", "decorate", "augment", "supplement", "enrich", "saturate", "stuff", "pack", "present")
)  # fmt: skip
_EMPTIED = frozenset(("rid", "free", "cleanse", "empty", "relieve", "purge", "strip", "clean", "clear", "wash"))
_INDEFINITE = frozenset(("a", "an", "some", "another"))
_DEFINITE = frozenset(("the", "this", "that", "these", "those", "any", "all", "every", "his", "her", "their", "its"))
_POLITE_TEXT = """
    please kindly can could would you we i let's let us to now so just pls plz okay ok hi hello should must will also
"""
_POLITE = frozenset(_POLITE_TEXT.split()) | {"could you please", "can you please", "would you"}
_OPENS = (Kind.STOP, Kind.SOFT_STOP, Kind.AND)
_NOUN_PHRASE = (Kind.FILLER, Kind.LEVEL, Kind.SIDE, Kind.ZONE, Kind.UNKNOWN)
_ADJECTIVES = frozenset(("thin", "dim", "narrow", "clean", "fake", "mock", "void", "free", "empty", "clear"))
_APPEARING = frozenset(("appear", "emerge", "arise", "occur", "materialize", "materialise", "develop", "form"))
_PARTICLES = frozenset(("in", "on", "out", "off", "up", "down", "away", "back", "over"))
_IRREGULAR = {
    "hidden": "hide", "lost": "lose", "shrunk": "shrink", "grown": "grow", "drawn": "draw", "shown": "show",
    "made": "make", "given": "give", "built": "build", "put": "put", "taken": "take",
    "thrown": "throw", "blown": "blow", "cut": "cut", "slain": "slay", "sown": "sow", "shed": "shed",
    "stuck": "stick", "brought": "bring",
}  # fmt: skip


def read_opening_verbs(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with words that are verbs by their position as verbs."""
    read = list(tokens)
    for position in range(len(read)):
        if read[position].kind in (Kind.UNKNOWN, Kind.VERB):
            _read_of_place(read, position)
        if read[position].kind is Kind.UNKNOWN and (verb := _opening(read, position) or _passive(read, position)):
            particle = [token.text for token in read[position + 1 : position + 2] if token.text in _PARTICLES]
            read[position] = Token(Kind.VERB, " ".join([read[position].text, *particle]), verb)
            if particle:  # "taken out"
                read[position + 1] = Token(Kind.FILLER, "")
        elif read[position].text in _APPEARING and _is_let_appear(read, position):
            read[position] = Token(Kind.VERB, read[position].text, _ADD)
    return read


def _is_let_appear(tokens: Sequence[Token], position: int) -> bool:
    """Return True for "appear" in "let a left effusion appear"."""
    start = position
    while start and tokens[start - 1].kind in (*_NOUN_PHRASE, Kind.FINDING, Kind.PREPOSITION):
        start -= 1
    words = tokens[start:position]
    return any(token.text == "let" for token in words) and any(token.kind is Kind.FINDING for token in words)


def _read_of_place(tokens: list[Token], position: int) -> None:
    """Read "fill the left base with fluid" as an addition, "free the chest of fluid" as a removal."""
    word = tokens[position].text
    if word not in _FILLED | _EMPTIED or not _is_opening(tokens, position):
        return
    joint = position + 1
    while joint < len(tokens) and tokens[joint].kind in (Kind.FILLER, Kind.SIDE, Kind.ZONE) and (
        tokens[joint].text != "of" or word not in _EMPTIED
    ):  # fmt: skip
        joint += 1
    if joint >= len(tokens) or joint == position + 1 or not _finding_follows(tokens, joint + 1):
        return
    if word in _FILLED and tokens[joint].kind is Kind.WITH:
        tokens[position] = Token(Kind.VERB, word, _ADD)
    elif word in _EMPTIED and (tokens[joint].text == "of" or tokens[joint].kind is Kind.FROM):
        tokens[position] = Token(Kind.VERB, word, _REMOVE)
    else:
        return
    tokens[joint] = Token(Kind.FILLER, tokens[joint].text)


def _opening(tokens: Sequence[Token], position: int) -> Verb | None:
    word = tokens[position].text
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is None or not _is_opening(tokens, position) or not _finding_follows(tokens, position + 1):
        return None
    if word in _BY_ARTICLE:
        return _ADD if following.text in _INDEFINITE else _REMOVE if following.text in _DEFINITE else None
    verb = opening_verbs().get(word)
    article = following.text in _INDEFINITE | _DEFINITE
    listed = position > 0 and tokens[position - 1].kind is Kind.AND
    if verb is None or ((listed or word in _ADJECTIVES) and not article):
        return None
    return None if verb == _ADD and following.text in _DEFINITE else verb


def _is_opening(tokens: Sequence[Token], position: int) -> bool:
    """Return True after the start of a sentence or of a part of a list, and after "could you please"."""
    before = position - 1
    while before >= 0 and tokens[before].text in _POLITE | {"re"}:  # "re-inflate"
        before -= 1
    return before < 0 or tokens[before].kind in _OPENS


def _finding_follows(tokens: Sequence[Token], position: int) -> bool:
    return next((token.kind for token in tokens[position:] if token.kind not in _NOUN_PHRASE), None) is Kind.FINDING


def _passive(tokens: Sequence[Token], position: int) -> Verb | None:
    """Return the verb of "extracted" in "the effusion should be extracted"."""
    before = tokens[position - 1].text if position else ""
    if not (before == "be" or before.endswith(" be") or before in ("get", "gets")):
        return None
    following = tokens[position + 1] if position + 1 < len(tokens) else Token(Kind.STOP, "")
    if verb := _participles().get(f"{tokens[position].text} {following.text}"):
        return verb
    ends = following.kind in (*_OPENS, Kind.PREPOSITION, Kind.FROM, Kind.WITH, Kind.TO) or following.text in _POLITE
    return _participles().get(tokens[position].text) if ends else None


@lru_cache(maxsize=1)
def opening_verbs() -> dict[str, Verb]:
    """Map the rarer words that are verbs where they open a request to their meanings."""
    return {word: verb for verb, text in _TEXTS.items() for word in text.split()}


@lru_cache(maxsize=1)
def _participles() -> dict[str, Verb]:
    """Map the past participles of all verbs to them."""
    verbs = opening_verbs() | {
        phrase[0]: value
        for phrase, ((_, value), *_) in lexicon().items()
        if len(phrase) == 1 and isinstance(value, Verb)
    }
    phrasal = {
        phrase: value
        for phrase, ((_, value), *_) in lexicon().items()
        if len(phrase) == 2 and isinstance(value, Verb) and phrase[1] in _PARTICLES
    }
    irregular = {word: form for form, word in _IRREGULAR.items()}
    participles = {form: verb for word, verb in verbs.items() for form in _past(word)}
    participles |= {f"{form} {second}": verb for (word, second), verb in phrasal.items() for form in _past(word)}
    participles |= {
        f"{irregular[word]} {second}": verb for (word, second), verb in phrasal.items() if word in irregular
    }
    return participles | {form: verbs[word] for form, word in _IRREGULAR.items() if word in verbs}


def _past(word: str) -> Iterator[str]:
    if word.endswith("e"):
        yield word + "d"
    elif word.endswith("y") and word[-2] not in "aeiou":
        yield word[:-1] + "ied"
    else:
        yield word + "ed"
        yield word + word[-1] + "ed"
