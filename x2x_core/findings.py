"""The vocabulary of the instruction language: findings with their synonyms and anatomic sites, levels, sides, zones.

Findings and levels are those of Medical-Diff-VQA's libraries (Hu et al., *Medical-Diff-VQA*, PhysioNet 2023), which
the published instructions are made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# Level and its rank; the ranges of Medical-Diff-VQA lie between what they range over.
_RANKS = {
    "minimal": 1.0,
    "subtle": 1.0,
    "minor": 1.5,
    "small": 2.0,
    "mild": 2.0,
    "mild to moderate": 2.5,
    "moderate": 3.0,
    "moderate to large": 3.5,
    "moderate to severe": 3.5,
    "large": 4.0,
    "severe": 4.0,
    "massive": 5.0,
}
# Levels that say how a finding runs, not how strong it is.
_COURSES = ("acute", "increasing", "decreasing")
LEVELS: tuple[str, ...] = (*_RANKS, *_COURSES)
_LEVEL_SYNONYMS = {
    "minimally": "minimal",
    "trace": "minimal",
    "tiny": "minimal",
    "subtly": "subtle",
    "slight": "minor",
    "mildly": "mild",
    "small to moderate": "mild to moderate",
    "moderately": "moderate",
    "severely": "severe",
    "marked": "severe",
    "big": "large",
}
LEVEL_NAMES: dict[str, str] = {level: level for level in LEVELS} | _LEVEL_SYNONYMS

SIDES: tuple[str, ...] = ("left", "right", "bilateral")
ZONES: tuple[str, ...] = (
    "upper", "middle", "lower", "apical", "basal", "perihilar", "hilar", "retrocardiac", "costophrenic",
)  # fmt: skip
ZONE_NAMES: dict[str, str] = {zone: zone for zone in ZONES} | {
    "mid": "middle",
    "apex": "apical",
    "base": "basal",
    "bases": "basal",
    "basilar": "basal",
    "bibasilar": "basal",
    "hilum": "hilar",
}


@dataclass(frozen=True)
class Finding:
    """One finding of the chest radiograph."""

    name: str  # canonical
    synonyms: tuple[str, ...]  # other words for it, in the singular
    site: str  # where it is, a key of `x2x_core.sites.SHAPES`
    category: str | None  # of the published pseudomasks; None: no expert boxed it
    lateral: bool  # whether it has a side


def _finding(name: str, site: str, *synonyms: str, category: str | None = None, lateral: bool = True) -> Finding:
    return Finding(name, synonyms, site, category, lateral)


_ALL = (
    _finding("pleural effusion", "pleural base", "effusion", "pleural fluid", "fluid", "hydrothorax",
             category="Effusion"),
    _finding("consolidation", "lungs", "airspace consolidation", "air space consolidation", category="Consolidation"),
    _finding("lung opacity", "lungs", "opacity", "opacification", "pulmonary opacity", "airspace opacity", "infiltrate",
             "airspace disease", "air space disease", "infiltration", category="Lung Opacity"),
    _finding("pneumonia", "lungs", "pneumonic infiltrate", "lung infection", category="Pneumonia"),
    _finding("atelectasis", "lungs", "atelectatic change", "lung collapse", "lobar collapse", "volume loss",
             "collapse", category="Atelectasis"),
    _finding("edema", "lungs", "pulmonary edema", "oedema", "pulmonary oedema", "lung edema", category="Edema",
             lateral=False),
    _finding("cardiomegaly", "heart", "enlarged heart", "heart enlargement", "enlargement of the heart",
             "cardiac enlargement", "big heart", category="Cardiomegaly", lateral=False),
    _finding("enlargement of the cardiac silhouette", "heart", "enlarged cardiac silhouette",
             "cardiac silhouette enlargement", "enlarged cardiomediastinal silhouette", "enlarged cardiomediastinum",
             category="Cardiomegaly", lateral=False),
    _finding("pneumothorax", "pleura", "ptx", "collapsed lung", "pneumothoraces", "pneumothoraxes",
             category="Pneumothorax"),
    _finding("hernia", "diaphragm", "hiatal hernia", "hiatus hernia", "diaphragmatic hernia", lateral=False),
    _finding("vascular congestion", "lungs", "pulmonary vascular congestion", "venous congestion", "vascular engorgement",
             "congestion", lateral=False),
    _finding("hilar congestion", "hila", "hilar engorgement"),
    _finding("heart failure", "lungs", "congestive heart failure", "cardiac failure", "cardiac decompensation", "chf",
             lateral=False),
    _finding("tortuosity of the descending aorta", "descending aorta", "tortuous descending aorta", lateral=False),
    _finding("tortuosity of the thoracic aorta", "aorta", "tortuous thoracic aorta", "tortuous aorta",
             "tortuosity of the aorta", "aortic tortuosity", lateral=False),
    _finding("scoliosis", "spine", "scoliotic curvature", lateral=False),
    _finding("gastric distention", "stomach", "gastric distension", "distended stomach", lateral=False),
    _finding("hypoxemia", "lungs", "hypoxia", "hypoxaemia", lateral=False),
    _finding("hypertensive heart disease", "heart", "hypertensive heart", lateral=False),
    _finding("hematoma", "thorax", "haematoma"),
    _finding("contusion", "lungs", "pulmonary contusion", "lung contusion"),
    _finding("emphysema", "lungs", "pulmonary emphysema", "hyperinflation"),
    _finding("granuloma", "lungs", "calcified granuloma", "granulomata"),
    _finding("calcification", "thorax", "calcified lesion"),
    _finding("pleural thickening", "pleura", "thickened pleura", "thickening of the pleura"),
    _finding("thymoma", "mediastinum", "thymic mass", lateral=False),
    _finding("blunting of the costophrenic angle", "costophrenic angles", "costophrenic angle blunting",
             "blunted costophrenic angle", "costophrenic blunting", category=None),
    _finding("fracture", "ribs", "rib fracture", "fractured rib", "broken rib"),
    _finding("pneumomediastinum", "mediastinum", "mediastinal air", "mediastinal emphysema", lateral=False),
    _finding("air collection", "thorax", "collection of air"),
    _finding("lung lesion", "lungs", "pulmonary lesion", "lung mass", "lung nodule", "pulmonary nodule", "nodule", "mass"),
)  # fmt: skip

FINDINGS: dict[str, Finding] = {finding.name: finding for finding in _ALL}
SITES: tuple[str, ...] = tuple(sorted({finding.site for finding in _ALL}))


def level_rank(level: str) -> float:
    """How strong a level is: minimal 1, small and mild 2, moderate 3, large and severe 4, massive 5; ranges between.

    Raises:
        ValueError: the level is none, or tells a course ("increasing") and not a strength.
    """
    name = LEVEL_NAMES.get(level.lower())
    if name not in _RANKS:
        raise ValueError(f"`level` must be one of {', '.join(_RANKS)}, got {level!r}.")
    return _RANKS[name]


@lru_cache(maxsize=1)
def phrases() -> dict[tuple[str, ...], str]:
    """Every way to name a finding, as words in lower case, to its canonical name."""
    found = {}
    for finding in _ALL:
        for phrase in (finding.name, *finding.synonyms):
            words = tuple(phrase.split())
            found[words] = finding.name
            found[(*words[:-1], _plural(words[-1]))] = finding.name
    return found


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith("sis"):
        return word[:-2] + "es"
    return word + ("es" if word.endswith(("s", "x", "ch")) else "s")


def find_finding(text: str) -> Finding | None:
    """The finding that a text names: whole words, any case, the longest name where there are several, else ``None``."""
    words = tuple(re.findall(r"[a-z0-9]+", text.lower()))
    known = phrases()
    for length in range(min(len(words), max(map(len, known))), 0, -1):
        for start in range(len(words) - length + 1):
            name = known.get(words[start : start + length])
            if name:
                return FINDINGS[name]
    return None
