"""The vocabulary of the instruction language: findings with their synonyms and anatomic sites, levels, sides, zones.

Findings and levels are those of Medical-Diff-VQA's libraries (Hu et al., *Medical-Diff-VQA*, PhysioNet 2023), from
which the published instructions are generated.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import lru_cache

from x2x_core.common.errors import InputError

# Level to rank.
_RANKS = {
    "minimal": 1.0,
    "subtle": 1.0,
    "minor": 1.5,
    "small": 2.0,
    "mild": 2.0,
    "moderate": 3.0,
    "large": 4.0,
    "severe": 4.0,
    "massive": 5.0,
}
# Levels that describe the course of a finding, not its severity.
COURSES: tuple[str, ...] = ("acute", "increasing", "decreasing")
# The usual ranges, ordered by severity; `level_range` gives the others.
LEVELS: tuple[str, ...] = (
    "minimal", "subtle", "minor", "small", "mild", "small to moderate", "mild to moderate", "moderate",
    "moderate to large", "moderate to severe", "large", "severe", "massive", *COURSES,
)  # fmt: skip
_LEVEL_SYNONYMS = {
    "minimal": "minimally, trace, traces of, trace of, tiny, very small, very mild, very slight, borderline, "
        "barely visible, "
    "minuscule, miniscule, teeny, wee, barely there, barely perceptible, hint of, "
    "a hint of, a touch of, minute, negligible, the faintest, the slightest, the tiniest, faintest, slightest, "
    "tiniest, "
    "a whisper of, a smidge of, a sliver of, scant, scanty, microscopic, infinitesimal, a drop of, a speck of, "
    "a wisp of, "
    "barely detectable, barely discernible",
    "subtle": "subtly, faint, faintly, discreet, vague, inconspicuous, barely noticeable",
    "minor": "slight, slightly",
    "small": "smallish, small sized, small size, fairly small, rather small, quite small, pretty small, "
        "small volume, a little, little, sm, a bit of, a little bit of, low volume, petite, modest, limited",
    "mild": "mildly, low grade, gentle",
    "mild to moderate": "mildly to moderately, mild moderate, mild to mod, mild mod",
    "small to moderate": "small moderate, small to mod, small mod",
    "moderate": "moderately, medium, medium sized, moderate sized, moderately sized, mod, 3+, intermediate, "
        "average sized, "
    "mid sized, midsize, midsized, middle sized, moderate volume, medium volume, middling, a fair amount of",
    "moderate to severe": "moderately severe, moderately to severely, moderate severe",
    "moderate to large": "moderately large, moderate large",
    "large": "big, large sized, large volume, sizable, sizeable, lg, lge, a lot of, lots of, significant, "
        "substantial, "
             "quite large, really big, considerable, fairly large, rather large, pretty large, fairly big, "
             "rather big, "
             "pretty big, largish, good sized, sizeable volume, hefty, ample, abundant, copious, a great deal of, "
             "plenty of, "
             "major, bulky, voluminous, generous, high volume, great",
    "severe": "sev, severely, marked, markedly, extensive, very severe, advanced, florid, gross, grossly, pronounced, "
        "extremely severe, heavy, serious, intense, profound, dramatic, striking, critical, fulminant, extreme, "
              "high grade",
    "massive": "massively, huge, very large, very big, enormous, colossal, giant, gigantic, total, extremely large, "
        "really large, "
               "monstrous, vast, overwhelming, monumental, extra large, super large, xl, "
               "humongous, immense, tremendous, ginormous",
    "acute": "acutely",
    "increasing": "increased, worsening, worsened, progressive, progressing, growing, larger, bigger, worse, greater, "
                  "more severe, more extensive, more pronounced, more marked, more massive",
    "decreasing": "decreased, improving, improved, resolving, shrinking, smaller, better, milder, lesser, "
        "less severe, "
                  "less extensive, less pronounced, less marked, less massive",
}  # fmt: skip


def _by_name(names: tuple[str, ...], synonyms: dict[str, str]) -> dict[str, str]:
    """Map each name and each synonym to the name."""
    return {name: name for name in names} | {
        word: name for name, words in synonyms.items() for word in words.split(", ")
    }


LEVEL_NAMES: dict[str, str] = _by_name(LEVELS, _LEVEL_SYNONYMS)


def is_level(name: str) -> bool:
    """Return True for a canonical level: one of `LEVELS`, or a range "A to B" of two of them."""
    weakest, _, strongest = name.partition(" to ")
    return name in LEVELS or level_range(weakest, strongest) is not None


def level_range(weakest: str, strongest: str) -> str | None:
    """Return the range of two single levels, such as "minimal to mild"; `None` unless the second is the stronger."""
    first, second = _RANKS.get(weakest), _RANKS.get(strongest)
    if first is None or second is None or first >= second:
        return None
    return f"{weakest} to {strongest}"


def rarity(level: str | None) -> int:
    """Return how unusual a range is: 0 in Medical-Diff-VQA and for single levels, 1 for others in `LEVELS`, else 2.

    Of the two readings of "from A to B to C" the one with the more usual range is taken.
    """
    if level not in LEVELS:
        return 2 if level else 0
    return int(level == "small to moderate")


SIDES: tuple[str, ...] = ("left", "right", "bilateral")
OTHER_SIDE = {"left": "right", "right": "left"}
_SIDE_SYNONYMS = {
    "left": "leftsided, lefthand, leftward, lt, l",
    "right": "rightsided, righthand, rightward, rt, r",
    "bilateral": "bilaterally, both, each, bilat, bil, bl, b / l, l / r, r / l, l + r, r + l, both sided, two sided, "
    "double sided, bi lateral, either side, on either side",
}
SIDE_NAMES: dict[str, str] = _by_name(SIDES, _SIDE_SYNONYMS)

ZONES: tuple[str, ...] = (
    "upper", "middle", "lower", "apical", "basal", "perihilar", "hilar", "retrocardiac", "costophrenic",
)  # fmt: skip
_ZONE_SYNONYMS = {
    "upper": "top, superior, uppermost, upr, ul, uz",
    "middle": "mid, midlung, midzone, midzones, mz",
    "lower": "bottom, inferior, lowermost, lwr, ll, lz",
    "apical": "apex, apices, apically, apicolateral",
    "basal": "base, bases, basilar, basally",
    "perihilar": "parahilar, peri hilar, suprahilar, infrahilar",
    "hilar": "hilum, hila, hilus",
    "retrocardiac": "retro cardiac, behind the heart",
    "costophrenic": "costo phrenic, cp angle, cp angles, cp sulcus, cp recess, cpa, costodiaphragmatic",
}
ZONE_NAMES: dict[str, str] = _by_name(ZONES, _ZONE_SYNONYMS)
# The zones that an edit draws from.
DRAWN_ZONES: tuple[str, ...] = ("upper", "middle", "lower")
# Pairs of different zones that share a part of the lung.
_ZONES_SHARING = frozenset(
    frozenset(pair.split())
    for pair in (
        "basal lower", "apical upper", "hilar perihilar", "costophrenic lower", "costophrenic basal",
        "retrocardiac lower", "retrocardiac basal",
    )
)  # fmt: skip


def zones_meet(first: str | None, second: str | None) -> bool:
    """Return True if two zones share a part of the lung; `None` is the whole lung."""
    return first is None or second is None or first == second or frozenset((first, second)) in _ZONES_SHARING


@dataclass(frozen=True)
class Finding:
    """Finding on a chest radiograph: every fact about it that the other rooms use.

    Args:
        name: canonical.
        synonyms: other words for it, in the singular.
        site: anatomic site, a key of `x2x_core.anatomy.outlines.SHAPES`.
        category: of the published pseudomasks; ``None`` without one.
        lateral: True if it has a side.
        boxed_category: category of the boxes that experts drew in tables, if there is no published pseudomask.
        box_areas: areas of one lesion's boxes at the 2.5th and 97.5th percentile, shares of an image that shows the
            chest from border to border; ``None``: the limits of its area follow from the site. See
            `x2x_core.anatomy.areas`.
        drawn: of "side" and "zone", what an edit draws if an instruction that adds the finding leaves it open.
        bounds: what bounds it in a patient's chest, see `x2x_core.anatomy.bounds`; ``None``: nothing.

    Raises:
        InputError: two categories, or areas that are not 0 < lowest <= highest <= 1.
    """

    name: str
    synonyms: tuple[str, ...]
    site: str
    category: str | None
    lateral: bool
    boxed_category: str | None = None
    box_areas: tuple[float, float] | None = None
    drawn: tuple[str, ...] = ()
    bounds: str | None = None

    def __post_init__(self) -> None:
        if self.category is not None and self.boxed_category is not None:
            raise InputError(
                f"`boxed_category` of {self.name!r} must be left out with a `category`, got {self.boxed_category!r}."
            )
        if self.box_areas is not None and not 0 < self.box_areas[0] <= self.box_areas[1] <= 1:
            raise InputError(f"`box_areas` of {self.name!r} must be 0 < lowest <= highest <= 1, got {self.box_areas}.")

    @property
    def atlas_category(self) -> str | None:
        """The category of its map in an atlas; ``None`` without expert boxes."""
        return self.category or self.boxed_category


# What bounds findings of a site, unless their entry says otherwise.
_BOUNDS_OF_SITE = {"lungs": "lungs", "heart": "heart"}
_SIDE, _SIDE_AND_ZONE = ("side",), ("side", "zone")


def _finding(
    name: str,
    site: str,
    *synonyms: str,
    category: str | None = None,
    lateral: bool = True,
    boxed: str | None = None,
    areas: tuple[float, float] | None = None,
    drawn: tuple[str, ...] = (),
    bounds: str | None = None,
) -> Finding:
    bounds = bounds or _BOUNDS_OF_SITE.get(site)
    return Finding(name, synonyms, site, category, lateral, boxed, areas, drawn, bounds)


# Box areas are those of NIH ChestX-ray14. Infiltrates stand for consolidation and lung opacity, nodules (lower limit)
# and masses (upper limit) for lung lesions.
_ALL = (
    _finding("pleural effusion", "pleural base", "effusion", "eff", "pleural eff", "pl eff", "pl effusion",
             "pleural fluid", "fluid", "fluid collection",
             "fluid in the pleural space", "fluid around the lung", "water around the lung", "pleural collection",
             "hydrothorax", "chylothorax", "pleural liquid", "liquid in the pleural space",
             "water in the pleural space",
             "fluid in the pleural cavity", "water in the pleural cavity", "fluid in the pleura", "intrapleural fluid",
             "fluid collection in the pleural space", "haemothorax", "hemothorax", "free pleural fluid", "effus",
             "pleff",
             category="Effusion", areas=(0.0042, 0.205), drawn=_SIDE,
             bounds="pleural space"),
    _finding("consolidation", "lungs", "consol", "cons", "airspace consolidation", "air space consolidation",
             "lobar consolidation",
             "pulmonary consolidation", "lung consolidation", "consolidated area", "consolidative change",
             "consolidative opacity", "consolidated lung", "consolidative process", "area of consolidation",
             category="Consolidation", areas=(0.0156, 0.392), drawn=_SIDE_AND_ZONE),
    _finding("lung opacity", "lungs", "opacity", "opacification", "pulmonary opacity", "airspace opacity",
             "air space opacity", "airspace opacification", "airspace disease", "air space disease", "infiltrate",
             "infiltration", "pulmonary infiltrate", "lung infiltrate", "lung opacification",
             "pulmonary opacification", "ground glass opacity", "ground glass opacification", "interstitial opacity",
             "haziness", "haze", "shadowing", "shadow", "ground glass", "ground glass change", "ground glass density",
             "ggo", "opac", "airspace shadowing", "alveolar opacity", "alveolar infiltrate", "airspace infiltrate",
             "patchy shadowing",
             "airspace process", "airspace filling", "whiteout", "white out", "opacified lung", "radiopacity",
             "reticulation",
             "reticulonodular pattern", "reticular pattern", "ground glass attenuation", "interstitial change",
             "area of opacity", "density", "increased density", "interstitial marking",
             "increased interstitial marking", "white patch",
             category="Lung Opacity", areas=(0.0156, 0.392), drawn=_SIDE_AND_ZONE),
    _finding("pneumonia", "lungs", "pna", "bronchopneumonia", "lobar pneumonia", "pneumonic infiltrate",
             "pneumonic consolidation", "pneumonic change",
             "pneumonic process", category="Pneumonia", areas=(0.0200, 0.415), drawn=_SIDE_AND_ZONE),
    _finding("infection", "lungs", "lung infection", "pulmonary infection", "chest infection", "infectious process",
             "infective process"),
    _finding("atelectasis", "lungs", "atel", "atelect", "atelectatic change", "lung collapse", "lobar collapse",
             "collapse of the lung",
             "collapsed lobe", "collapsed lower lobe", "collapsed upper lobe", "collapsed middle lobe", "volume loss",
             "decreased lung volume", "reduced lung volume", "low lung volume", "loss of volume",
             "loss of lung volume", "atelectatic lung", "atelectatic lobe", "collapse",
             category="Atelectasis", areas=(0.0051, 0.128), drawn=_SIDE_AND_ZONE),
    _finding("edema", "lungs", "pulmonary edema", "oedema", "odema", "œdema", "pulmonary oedema", "oed", "pulm oed",
             "lung edema",
             "lung oedema",
             "interstitial edema", "interstitial oedema", "interstitial pulmonary edema", "alveolar edema",
             "alveolar oedema", "edematous change", "oedematous change", "edematous lung",
             "oedematous lung", category="Edema"),
    _finding("cardiomegaly", "heart", "cardiomeg", "enlarged heart", "heart enlargement", "enlargement of the heart",
             "cardiac enlargement", "big heart", "bigger heart", "larger heart", "heart bigger",
             "heart larger", "heart enlarged", "heart size is enlarged", "large heart", "huge heart",
             "dilated heart", "oversized heart", "widened heart", "megalocardia",
             "cardiac dilatation", "cardiac dilation", "heart dilatation", "heart dilation", "raised ctr",
             "increased ctr", "increased cardiothoracic ratio", category="Cardiomegaly", lateral=False,
             areas=(0.113, 0.263)),
    _finding("enlargement of the cardiac silhouette", "heart", "enlarged cardiac silhouette",
             "cardiac silhouette enlargement", "enlarged cardiomediastinal silhouette", "enlarged cardiomediastinum",
             "enlarged heart silhouette", "enlarged cardiac shadow", "widened cardiac silhouette",
             "enlarged cardiomediastinal contour", "enlarged cardiac contour", "enlarged heart contour",
             category="Cardiomegaly", lateral=False, areas=(0.113, 0.263)),
    _finding("pneumothorax", "pleura", "ptx", "pneumo", "pnx", "collapsed lung", "pneumothoraces",
             "air in the pleural space",
             "pleural air", "air in the pleural cavity", "intrapleural air", "intrapleural gas", "pleural gas", "pntx",
             category="Pneumothorax", areas=(0.0032, 0.170), drawn=_SIDE,
             bounds="pleural band"),
    _finding("hernia", "diaphragm", "hiatal hernia", "hiatus hernia", "diaphragmatic hernia"),
    _finding("vascular congestion", "lungs", "pulmonary vascular congestion", "vasc congestion",
             "pulmonary venous congestion",
             "venous congestion", "vascular engorgement", "vascular redistribution", "upper lobe diversion",
             "congested lung", "congested vessel", "engorged vessel", "congested vasculature", "engorged vasculature",
             "congested pulmonary vessel", "engorged pulmonary vessel", "congestion"),
    _finding("hilar congestion", "hila", "hilar engorgement", "hilar vascular congestion", "congested hila",
             "congested hilum", "engorged hila"),
    _finding("heart failure", "lungs", "congestive heart failure", "congestive cardiac failure",
        "congestive failure", "ccf",
             "left heart failure", "left ventricular failure", "lv failure", "lvf", "heart decompensation",
             "decompensated heart failure",
             "cardiac failure", "cardiac decompensation", "chf",
             lateral=False),
    _finding("tortuosity of the descending aorta", "descending aorta", "tortuous descending aorta",
             "tortuosity of the descending thoracic aorta", "tortuous descending thoracic aorta", lateral=False),
    _finding("tortuosity of the thoracic aorta", "aorta", "tortuous thoracic aorta", "tortuous aorta",
             "tortuosity of the aorta", "aortic tortuosity", "unfolded aorta", "uncoiled aorta", "elongated aorta",
             "unfolding of the aorta", "aortic unfolding", "elongation of the aorta", lateral=False),
    _finding("scoliosis", "spine", "thoracolumbar scoliosis", "scoliotic curvature", "curvature of the spine",
             "curved spine", "spinal curvature", "scoliotic spine", "dextroscoliosis", "levoscoliosis", lateral=False),
    _finding("gastric distention", "stomach", "gastric distension", "distended stomach", "distention of the stomach",
             "distension of the stomach", "gastric dilatation", "gastric dilation", "dilated stomach",
             "stomach distention",
             "stomach distension", "distended gastric bubble", lateral=False),
    _finding("hypoxemia", "lungs", "hypoxia", "hypoxaemia", lateral=False),
    _finding("hypertensive heart disease", "heart", "hypertensive heart", "htn", lateral=False),
    _finding("hematoma", "thorax", "haematoma"),
    _finding("contusion", "lungs", "pulmonary contusion", "lung contusion", "lung bruise", "lung bruising"),
    _finding("emphysema", "lungs", "pulmonary emphysema", "hyperinflation", "hyperinflated lung",
             "overinflated lung", "overinflation", "hyperaeration", "emphysematous change", "emphysematous lung",
             "hyperexpansion", "hyperexpanded lung", "large lung volume", "increased lung volume"),
    _finding("granuloma", "lungs", "calcified granuloma", "granulomata", "granulomatous disease",
             "granulomatous change"),
    _finding("calcification", "thorax", "calcified lesion", "calcified nodule", boxed="Calcification"),
    _finding("pleural thickening", "pleura", "thickened pleura", "thickening of the pleura", "pleural plaque",
             "pleural scarring", bounds="pleural space", boxed="Pleural thickening"),
    _finding("thymoma", "mediastinum", "thymic mass", lateral=False),
    _finding("blunting of the costophrenic angle", "costophrenic angles", "costophrenic angle blunting",
             "blunted costophrenic angle", "costophrenic blunting", "blunting of the costophrenic sulcus",
             "blunted costophrenic sulcus", "costophrenic sulcus blunting", "blunting of the costodiaphragmatic",
             "blunting of the costodiaphragmatic angle", "blunting of the cp angle", "cp angle blunting",
             "blunted cp angle",
             "blunting of the cp sulcus", "cp blunting", "costophrenic angle is blunted", "blunted cpa",
             "cpa blunting", "blunting of the cpa",
             "obliteration of the cp angle", "effacement of the cp angle",
             "obliterated costophrenic angle",
             "obliteration of the costophrenic angle", "effaced costophrenic angle", "obscured costophrenic angle",
             "effacement of the costophrenic angle", "blunted costophrenic sulci", "blunted cp sulcus",
             "blunting of the costodiaphragmatic recess",
             bounds="pleural space"),
    _finding("fracture", "ribs", "rib fracture", "rib fx", "fx", "fractured rib", "fracture of the rib", "broken rib",
             boxed="Rib fracture"),
    _finding("pneumomediastinum", "mediastinum", "mediastinal air", "mediastinal emphysema",
             "air in the mediastinum", "mediastinal gas", "gas in the mediastinum", lateral=False),
    _finding("air collection", "thorax", "collection of air", "gas collection", "collection of gas"),
    _finding("lung lesion", "lungs", "pulmonary lesion", "lung mass", "lung nodule", "pulmonary nodule",
             "pulmonary mass", "lung tumor", "lung tumour", "lung malignancy", "lung cancer", "parenchymal mass",
             "parenchymal nodule", "nodule", "mass", "lesion", "coin lesion", "spn", "pulmonary neoplasm",
             "lung neoplasm", "tumor", "tumour", "neoplasm", "malignancy", "carcinoma", "adenocarcinoma",
             "lung adenocarcinoma",
             "micronodule", "lung growth", "nodularity", "bronchogenic carcinoma", "lung carcinoma",
             "cavitary lesion", "cavitating lesion",
             "cavitary nodule", "cavitary mass", boxed="Lung Lesion", areas=(0.0011, 0.243),
             drawn=_SIDE_AND_ZONE),
)  # fmt: skip

FINDINGS: dict[str, Finding] = {finding.name: finding for finding in _ALL}
SITES: tuple[str, ...] = tuple(sorted({finding.site for finding in _ALL}))

# Matched as a whole, so that no part of them counts as a finding above.
_OTHER_FINDINGS = (
    "pericardial effusion", "pericardial fluid", "joint effusion", "fluid overload", "fluid level", "air fluid level",
    "subcutaneous emphysema", "surgical emphysema", "subcutaneous edema", "subcutaneous oedema", "soft tissue edema",
    "soft tissue oedema", "soft tissue mass", "peripheral edema", "bowel distention", "mediastinal mass",
    "inguinal hernia", "umbilical hernia", "bone density", "breast shadow", "nipple shadow", "cardiac shadow",
    "heart shadow", "mediastinal shadow", "chest drain", "pleural drain", "pigtail drain", "intercostal drain",
    "surgical drain", "lung mets", "mets", "fluid in the lung", "water in the lung", "mediastinal tumor",
    "mediastinal tumour", "rib tumor", "rib tumour", "pleural tumor", "pleural tumour", "bone tumor", "bone tumour",
    "breast mass", "breast tumor", "hilar shadow", "thyroid mass", "chest wall mass",
)  # fmt: skip
_ARTICLES = frozenset(("a", "an", "the"))


def level_rank(level: str) -> float:
    """Return the severity of a level: minimal 1, small and mild 2, moderate 3, large and severe 4, massive 5.

    A range has the mean of its ends.

    Raises:
        InputError: unknown level, or one that describes a course ("increasing").
    """
    name = LEVEL_NAMES.get(level.lower(), level.lower())
    if name in COURSES or not is_level(name):
        raise InputError(f"`level` must be one of {', '.join(_RANKS)}, or a range of two, got {level!r}.")
    ends = [_RANKS[end] for end in name.split(" to ")]
    return sum(ends) / len(ends)


@lru_cache(maxsize=1)
def phrases() -> dict[tuple[str, ...], str | None]:
    """Map every name of a finding, as lower-case words without articles, to its canonical name.

    Findings outside the vocabulary whose names contain one of it ("pericardial effusion") map to `None`.
    """
    names: dict[tuple[str, ...], str | None] = {}
    for finding in _ALL:
        for phrase in (finding.name, *finding.synonyms):
            names.update(dict.fromkeys(_forms(phrase), finding.name))
    for phrase in _OTHER_FINDINGS:
        names.update(dict.fromkeys(_forms(phrase)))
    return names


def _forms(phrase: str) -> set[tuple[str, ...]]:
    """Return a phrase, with its last word in the plural, and with the word before "of" or "in" in the plural."""
    words = tuple(word for word in phrase.split() if word not in _ARTICLES)
    forms = {words, (*words[:-1], _plural(words[-1]))}
    if len(words) > 2 and words[1] in ("of", "in"):
        forms |= {(_plural(form[0]), *form[1:]) for form in forms}
    return forms


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith("sis"):
        return word[:-2] + "es"
    if word.endswith("um"):
        return word[:-2] + "a"
    return word + ("es" if word.endswith(("s", "x", "ch")) else "s")


@lru_cache(maxsize=1)
def _phrases_by_first_word() -> dict[str, list[tuple[str, ...]]]:
    """Index the phrases by first word, longest first."""
    index: dict[str, list[tuple[str, ...]]] = {}
    for words in sorted(phrases(), key=len, reverse=True):
        index.setdefault(words[0], []).append(words)
    return index


def match_finding(words: Sequence[str], start: int, between: Container[str] = ()) -> tuple[str | None, int]:
    """Match the longest name of a finding that begins at a word.

    Args:
        words: lower-case words.
        start: position of the first word.
        between: words that may occur inside the name, such as "left" in "blunting of the left costophrenic angle".

    Returns:
        The canonical name and the number of words matched; `(None, 0)` without a match, `None` with the number of words
        for a finding outside the vocabulary.
    """
    for phrase in _phrases_by_first_word().get(words[start], ()):
        length = _match(phrase, words, start, between)
        if length:
            return phrases()[phrase], length
    return None, 0


def _match(phrase: tuple[str, ...], words: Sequence[str], start: int, between: Container[str]) -> int:
    position = start
    for expected in phrase:
        while position > start and position < len(words) and words[position] != expected and (
            words[position] in _ARTICLES or words[position] in between
        ):  # fmt: skip
            position += 1
        if position >= len(words) or words[position] != expected:
            return 0
        position += 1
    return position - start


def find_finding(text: str) -> Finding | None:
    """Return the finding that a text names in whole words, in any case: the longest name, `None` without one."""
    words = re.findall(r"\w+", text.lower())
    best, longest, position = None, 0, 0
    while position < len(words):
        name, length = match_finding(words, position)
        if name and length > longest:
            best, longest = FINDINGS[name], length
        position += max(length, 1)
    return best


def listed_names(text: str) -> list[str]:
    """Split a comma-separated list of names, leaving out empty entries."""
    return [name.strip() for name in text.split(",") if name.strip()]
