"""Lexicon of the instruction language: the meaning of every known word and phrase except the names of findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from functools import lru_cache

from .clauses import Operation
from .vocabulary import LEVEL_NAMES, SIDE_NAMES, ZONE_NAMES

ABSENT = "none"  # level of a finding that is not there


class Kind(Enum):
    """Role of a token in a sentence."""

    VERB = auto()  # value: `Verb`
    KEEP = auto()  # the rest of the phrase is left alone; before a verb, a prohibition
    NOT = auto()  # the rest of the phrase is absent; before a verb, a prohibition
    STATE = auto()  # says that something stays as it is, such as "unchanged"
    FINDING = auto()  # value: canonical name
    LEVEL = auto()  # value: canonical level, or `ABSENT`
    SIDE = auto()  # value: canonical side, the patient's
    ZONE = auto()  # value: canonical zone
    ORGAN = auto()  # value: the finding that its enlargement is
    FROM = auto()
    TO = auto()
    WITH = auto()  # "and", or "to" after a verb such as "replace"
    AND = auto()
    PREPOSITION = auto()
    SOFT_STOP = auto()  # ends a sentence whose verb may apply to the next
    STOP = auto()
    FILLER = auto()
    ASIDE = auto()  # part of a description that requests nothing; reported
    UNKNOWN = auto()


@dataclass(frozen=True)
class Verb:
    """Meaning of a verb."""

    operation: Operation
    course: str | None = None  # level of a change without a target
    replaces: bool = False  # "replace X with Y"
    inverse: bool = False  # "substitute X for Y": replaces Y with X
    makes: bool = False  # "make": adds, or changes if a level follows the finding
    present: bool = False  # "X is present"
    moves: bool = False  # "move", which needs two places


class Reason(StrEnum):
    """Reason for which words were left out."""

    UNKNOWN = "not understood"
    DESCRIPTION = "describes the patient and requests nothing"
    COMPARISON = "compares and requests nothing"
    STATE = "describes what stays as it is"
    AMOUNT = "is an amount, which levels do not have"
    PURPOSE = "says what the edit is for"
    UNKNOWN_VERB = "follows a verb that is not known"
    UNKNOWN_NOUN = "belongs to a word that is not known"
    OTHER_PLACE = "is not the place of a finding that names its own"
    NOT_USED = "has no finding that it could belong to"


@dataclass(frozen=True)
class Token:
    """A word, or several that form one phrase; if they have two meanings, the second token has no text."""

    kind: Kind
    text: str
    value: Verb | str | None = None
    reason: Reason = Reason.NOT_USED  # if it is left out

    @property
    def name(self) -> str:
        """The canonical name of a finding, level, side or zone."""
        assert isinstance(self.value, str)
        return self.value


_VERBS = {
    Verb(Operation.ADD): "add, see it with, look at it with, be great to have, be nice to have, "
    "be good to have, be lovely to have, "
    "make sure there is, make sure that there is, make sure there are, "
    "ensure there is, ensure that there is, "
    "look like he has, look like she has, look like they have, look like the patient has, "
    "look like this patient has, look like there is, look like there are, look as if there is, look as if he has, "
    "look as though there is, look as though he has, look like with, look with, be like with, appear with, "
    "add, adds, added, adding, insert, inserted, put, simulate, show, introduce, include, "
    "create, "
    "give, generate, induce, draw, place, paint, synthesize, synthesise, superimpose, imagine, look like it has, "
    "has an additional, has additional, bring in, build, depict, form, hallucinate, impose, inject, inpaint, model, "
    "overlay, plant, produce, develop, develops, pretend there is, let there be, the patient have, mimic an, "
    "drop in, slip in, pop in, throw in, blend in, fade in, sneak in, put back, "
    "bring back, add back, bring about, bring on, render, display, sketch, sprinkle, scatter, stick, apply, attach, "
    "toss in, chuck in, lob in, fling in, "
    "conjure up, whip up, cook up, summon up, call up, tack on, bring forth, dial in, dream up, make up, think up, "
    "append, incorporate, fabricate, embed, implant, demonstrate, portray, illustrate, draw in, paint in, mix in, "
    "work in, sprinkle in, stick in, slap on, throw on, put on, now has, now have, now shows, now show, should have, "
    "there should be, there must be, there has to be, there needs to be, there ought to be, "
    "should appear, must appear, has to appear, needs to appear, shall appear, "
    "should now have, "
    "should get a, should get an, must get a, must get an, should receive, should contain, must have, "
    "will have, would have, needed, is needed, wanted, desired, "
    "requested, required, development of, interval appearance of, addition of, introduction of, insertion of, "
    "onset of, "
    "recurrence of, reappearance of, adding of, positive for, pos for",
    Verb(Operation.ADD, makes=True): "make, makes, making, i want, we want, i need, we need, i would like, "
    "could we have, can we have, can i have, could i have, i'd like, we'd like, we would like, i would love, "
    "i'd love, let me see, let us see, let's see, need, want, wants, needs, looking for, requesting, wanting",
    Verb(Operation.ADD, present=True): "present, is present, positive, is positive, = 1",
    Verb(Operation.REMOVE): "remove, removes, removed, removing, delete, deleted, erase, erased, clear, cleared, "
    "resolve, eliminate, drop, cure, drain, get rid of, take away, take out, disappear, vanish, go away, free of, "
    "negative for, neg for, instead of, in place of, in lieu of, is missing, no longer has, no longer have, "
    "no longer show, no longer shows, no longer visible, no longer be visible, no longer be there, no longer there, "
    "no longer be present, no longer present, no longer be seen, no evidence of, no sign of, "
    "no signs of, absence of, absorb, clean up, cut out, discard, dissolve, do away with, eradicate, heal, hide, "
    "lose, "
    "omit, subtract, correct, fix, suppress, treat, turn off, undo, wipe out, take off, = 0, resolution of, rm, "
    "knock out, blot out, cross out, screen out, weed out, root out, mop up, tidy up, sweep away, sweep out, "
    "whisk away, kill off, photoshop out, switch off, shut off, cut off, get shot of, see off, pull off, be rid of, "
    "get out, "
    "toss out, chuck out, "
    "put away, clear away, clear out, clear up, cut away, wipe away, wipe off, wash out, wash away, melt away, "
    "strip out, strip away, throw out, throw away, edit out, paint out, airbrush out, fade out, filter out, "
    "must go, has to go, should go, can go, may go, could go, is to go, are to go,  must go away, "
    "has to go away, should go away, goes away, be gone, del, strip, "
    "purge, scrub, expunge, excise, evacuate, aspirate, suck out, ditch, obliterate, destroy, reabsorb, "
    "resorb, conceal, pull out, dispose of, rectify, remedy, clean out, rub out, take back out, needs to go, "
    "need to go, have to go, got to go, gotta go, ought to go, removal of, clearing of, clearance of, "
    "disappearance of, elimination of, deletion of, drainage of, evacuation of, getting rid of, gets rid of, "
    "erasing, deleting, wipe, eliminating, drained, healed, cured, resolves, clears, vanishes, disappears, "
    "eliminated, "
    "rid, cleanse, is cured, complete resolution of, complete removal of, complete clearing of, get it rid of",
    Verb(Operation.CHANGE): "change, changed, changing, alter, set, turn, convert, transform, modify, "
    "adjust, limit, dial, take, bring, push, nudge, drive, edit, update, tweak, regrade, resize, rescale, evolve",
    Verb(Operation.CHANGE, moves=True): "move, shift",
    Verb(Operation.CHANGE, replaces=True): "replace, exchange, swap, switch",
    Verb(Operation.CHANGE, replaces=True, inverse=True): "substitute",
    Verb(Operation.CHANGE, "increasing"): "increase, increases, worsen, worsens, raise, inc, enlarge, aggravate, "
    "exacerbate, intensify, amplify, expand, grow, augment, boost, bump up, double, exaggerate, extend, heighten, "
    "progress, scale up, increase of, increase in, incr, turn up, crank up, dial up, ramp up, step up, play up, "
    "blow up, bulk up, build up, jack up, hike up, "
    "bring up, goes up, go up, upgrade, triple, quadruple, escalate, deteriorate, accentuate, deepen, beef up, "
    "pump up, "
    "push up, worsening of, worsening in, progression of, progression in, enlargement of, growth of, "
    "deterioration of, deterioration in, exacerbation of, expansion of, get worse, gets worse, progresses, enlarges, "
    "grows, expands, "
    "become worse, becomes worse, be worse, rise in, more of",
    Verb(Operation.CHANGE, "decreasing"): "decrease, decreases, reduce, reduces, lessen, diminish, improve, "
    "lower the, "
    "shrink, weaken, alleviate, attenuate, dial down, halve, regress, soften, scale down, partial resolution of, "
    "less, decrease of, decrease in, decr, dec, turn down, tone down, cut down, cut back, bring down, ramp down, "
    "step down, "
    "take down, wind down, pare down, water down, tamp down, slim down, thin out, de escalate, knock down, "
    "throttle back, "
    "play down, goes down, go down, downgrade, mitigate, ease, relieve, minimise, minimize, lighten, dampen, abate, "
    "subside, "
    "ameliorate, scale back, downsize, improvement in, improvement of, reduction of, reduction in, regression of, "
    "decline in, diminution of, partial clearing of, partial removal of, partial drainage of, partially resolve, "
    "partially remove, partially clear, partially drain, partly resolve, partly remove, partly clear, partly drain, "
    "less of, improves, shrinks, improvement, diminishes, lessens, regresses, subsides, get better, gets better",
}  # fmt: skip
_STRUCTURE = {
    Kind.KEEP: "keep, keeping, conserve, conserving, freeze, respect, respecting, "
    "leave, leaving, preserve, preserving, retain, maintain, except, except for, "
    "apart from, "
    "other than, without affecting, without touching, without altering, without disturbing, not, do not, don't, dont, "
    "does not, cannot, never, rather than, with the exception of, with exception of, let be, let alone, let stand, "
    "by no means, on no account, under no circumstances, in no way, "
    "leave out, hold off on, no need for, no reason for, no need to, no reason to, need not, avoid, avoiding, ignore, "
    "skip, skipping, disregard, bypass, forgo, forego, "
    "ignoring, neither, exclude, "
    "excluding, as opposed to, no change to, no change in, no changes to, no changes in, no change of, don't need, "
    "do not need, "
    "doesn't need, does not need, no need of, "
    "no significant change in, no significant change to, no interval change in, "
    "save for, sparing, spare, do not touch, don't touch, hands off",
    Kind.NOT: "without, without a trace of, without any trace of, without trace of, no, sans, w / o, w / out, "
    "devoid of, minus, no more, don't want, do not want, i don't want, "
        "we don't want, i do not want, "
    "we do not want",
    Kind.ASIDE: "non cardiogenic, non specific, non obstructive, non calcified, non displaced, non loculated, non "
    "occlusive, non tension, non segmental, non traumatic",
    Kind.STATE: "already there, already present, already exists, already exist, already visible, "
    "already seen, already in place, there already, "
    "unchanged, stays, stay, stable, remains, remain, intact, unaffected, untouched, spared, sharp, "
    "as is, "
    "as it is, as they are, stays the same, stay the same, stays put, stay put, static, stationary, as before, "
    "as previously, like before, as it was, as they were, "
    "as in the original, left alone, left as is, left as it is, left untouched, left unchanged, left intact, kept, "
    "preserved, retained, maintained, excluded, excepted, not included, should not change, must not change, "
    "should stay, may stay, can stay, must stay, has to stay, persists, expanded, re expanded, aerated, "
    "well aerated, inflated, unremarkable, not needed, "
    "not wanted, not required, not requested, not necessary, not desired, "
    "no pathology, no disease, no abnormality, no abnormalities, nothing abnormal, nothing acute, "
    "unwanted, unnecessary, not present, not seen, not there, not visible, not noted, not identified, not evident, "
    "not appreciated, not demonstrated, without abnormality, without abnormalities, "
    "without any abnormality, without findings, without pathology, without disease,  not changed, not affected, "
    "not involved, not included, "
    "does not change, doesn't change, do not change it, to stay, to remain, to be kept, to be left alone",
    Kind.FROM: "from",
    Kind.TO: "to, into, onto, becomes, become, became, has become, have become, up to, down to, to one with, "
    "into one with, to one of, into one of, to one showing, into one showing, to a case of, into a case of, ->",
    Kind.WITH: "with, by, w",
    Kind.AND: "and, or, nor, plus, as well as, but, also, along with, together with, then, comma, /, &, +",
    Kind.PREPOSITION: "in, on, at, within, over, near, around, throughout",
    Kind.SOFT_STOP: "; \n",
    Kind.STOP: ". ! ?",
    Kind.FILLER:
        "a, an, the, finding, findings, lung, lungs, pulmonary, pulm, zone, zones, lobe, lobes, lob, field, fields, "
        "side, sides, sided, region, regions, area, areas, part, parts, portion, portions, angle, angles, "
        "sulcus, hemithorax, hemithoraces, chest, thorax, patient, patient's, pt, pt's, level, levels, size, degree, "
        "severity, amount, extent, please, there, is, are, be, should, has, have, this, that, it, its, "
        "it's, his, her, their, new, some, any, now, make sure, i, want, to see, would like, let, us, "
        "let's, can, could, you, image, radiograph, x ray, xray, picture, scan, film, for, as, of, "
        "without a trace, without any trace, without trace, ought to, needs to, need to, has to, have to, got to, "
        "every trace of, all traces of, any trace of, any traces of, if possible, if you can, if you could, "
        "if you would, "
        "if you please, right now, right away, all right, "
        "right there, right here, right then, alright, left over, leftover, "
        "right beside, "
        "in place, changes, evidence, signs, visible, changes of, appearance of, appearances of, features of, so, "
        "just, only, "
        "following, distribution, everything, anything, else, rest, all, same, "
        "other, others, another, i.e., e.g., namely, viz, alone, too, entirely, completely, fully, altogether, "
        "wholly, third, thirds, quadrant, hand, space, corner, degrees, anatomical, anatomic, anatomically, must, "
        "must be, "
    "needs to be, need to be, has to be, have to be, ought to be, got to be, shall, will, would, get, gets, me, "
    "he, she, they, we, interval, every, look like, looks like, kindly, pls, plz, thanks, thank you, thx, hi, hello, "
    "okay, ok, really, simply, would you, "
    "could you please, can you please, if needed, as needed, where needed, if required, as required, as requested, "
    "as desired, if desired, if wanted, if you want, as you want, if you like, as you like, if you wish, "
    "no more than, not more than, at most, nothing else, nothing more, nothing else should change, "
    "nothing else changes, nothing else changed, "
    "change nothing else, changing nothing else, do not change anything, don't change anything, "
    "feel free to, go ahead and, go ahead, "
    "without changing the rest, without altering the rest, without touching the rest, without affecting the rest, "
    "without changing anything, without touching anything, without altering anything, "
    "without changing anything else, without altering anything else, without affecting anything else, "
    "without touching anything else, without other changes, without any other changes, don't change anything else, "
    "do not change anything else, no acute findings, no acute finding, no acute abnormality, no acute abnormalities, "
    "no acute process, no acute cardiopulmonary process, no acute cardiopulmonary abnormality, no acute disease, "
    "no acute cardiopulmonary disease, no significant change, no significant interval change, "
    "no interval change, no other significant change, no other change, no other changes, no further change, "
    "no further changes, "
    "no other finding, no other findings, no other abnormality, no other abnormalities, no more than that, "
    "otherwise normal, otherwise unchanged, otherwise unremarkable, otherwise clear, otherwise the same, "
    "otherwise as is, otherwise identical, otherwise as before, otherwise no change, otherwise stable, "
    "otherwise intact, otherwise untouched, as well, otherwise unaltered, otherwise as in the original, own, "
    "rest unchanged, "
    "rest the same, rest as is, rest normal, once more, "
    "any more, anymore, more or less, that's all, that's it, that is all, that is it, and that's it, in total",
}  # fmt: skip
_ABSENT_WORDS = (
    "none, absent, nothing, zero, invisible, undetectable, nonexistent, imperceptible, resolved, "
    "normal, gone, negative, neg, ruled out"
)
# Contractions of prohibitions, in which "not" is a part of a word.
_CONTRACTIONS = (
    "shouldn't, mustn't, won't, wouldn't, can't, couldn't, isn't, aren't, wasn't, weren't, doesn't, didn't, "
    "needn't, hasn't, haven't"
)
# "Same image but with": adds.
_PICTURES = "image, picture, film, chest, x ray, xray, radiograph, scan, patient"
# "What if the patient had": adds.
_SUPPOSING = ("what if", "imagine", "imagine if", "suppose", "pretend", "assume", "let's say", "say")
_PEOPLE = ("the patient", "this patient", "patient", "he", "she", "they")
_HAVING = ("had", "has", "have", "developed", "develops", "develop")
_SUBJECTS = (
    *(f"{subject} {verb}" for subject in _PEOPLE for verb in _HAVING),
    "there is", "there are", "there was", "there were",
)  # fmt: skip
# Words that name a side and a zone at once.
_PLACES = {
    "rul": ("right", "upper"), "rml": ("right", "middle"), "rll": ("right", "lower"),
    "lul": ("left", "upper"), "lml": ("left", "middle"), "lll": ("left", "lower"),
    "bibasilar": ("bilateral", "basal"), "bibasal": ("bilateral", "basal"), "biapical": ("bilateral", "apical"),
    "bihilar": ("bilateral", "hilar"),
    "ruz": ("right", "upper"), "rmz": ("right", "middle"), "rlz": ("right", "lower"),
    "luz": ("left", "upper"), "lmz": ("left", "middle"), "llz": ("left", "lower"),
    "lingula": ("left", "middle"), "lingular": ("left", "middle"),
}  # fmt: skip

# Organs, and the findings that they are if enlarged.
_ORGANS = {
    "cardiomegaly": "heart, heart size, heart's size, hearts size, size of the heart, cardiac size, heart's, "
    "cardiothoracic ratio, ctr, ct ratio, cardiac diameter, heart diameter, heart width",
    "enlargement of the cardiac silhouette": "cardiac silhouette, heart silhouette, cardiac shadow, heart shadow, "
    "cardiac contour, heart contour, cardiac outline, heart outline, cardiomediastinal silhouette, "
    "size of the cardiac silhouette, cardiac silhouette size",
}

_Meaning = tuple[Kind, "Verb | str | None"]


@lru_cache(maxsize=1)
def lexicon() -> dict[tuple[str, ...], tuple[_Meaning, ...]]:
    """Return the meanings, one or two, of every known phrase, as words in lower case."""
    known: dict[str, tuple[_Meaning, ...]] = {}
    for kind, phrases in _STRUCTURE.items():
        separator = " " if kind in (Kind.SOFT_STOP, Kind.STOP) else ", "
        known.update((phrase, ((kind, None),)) for phrase in phrases.split(separator))
    known[","] = known.pop("comma")
    for verb, phrases in _VERBS.items():
        known.update((phrase, ((Kind.VERB, verb),)) for phrase in phrases.split(", "))
    adds = ((Kind.VERB, Verb(Operation.ADD)),)
    known.update((f"{opening} {subject}", adds) for opening in _SUPPOSING for subject in _SUBJECTS)
    known.update((f"same {noun} {word}", adds) for noun in _PICTURES.split(", ") for word in ("with", "but with"))
    known.update((word, ((Kind.KEEP, None),)) for word in _CONTRACTIONS.split(", "))
    for kind, names in ((Kind.LEVEL, LEVEL_NAMES), (Kind.SIDE, SIDE_NAMES), (Kind.ZONE, ZONE_NAMES)):
        known.update((phrase, ((kind, name),)) for phrase, name in names.items() if " to " not in phrase)
    for finding, phrases in _ORGANS.items():
        known.update((phrase, ((Kind.ORGAN, finding),)) for phrase in phrases.split(", "))
    known.update((word, ((Kind.LEVEL, ABSENT),)) for word in _ABSENT_WORDS.split(", "))
    known.update((word, ((Kind.SIDE, side), (Kind.ZONE, zone))) for word, (side, zone) in _PLACES.items())
    return {tuple(phrase.split(" ")): found for phrase, found in known.items()}
