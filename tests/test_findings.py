"""The vocabulary: complete, unambiguous, matched by whole words."""

import pytest

from x2x_core.findings import FINDINGS, LEVELS, SITES, ZONES, find_finding, level_rank, phrases
from x2x_core.sites import SHAPES, ZONE_BANDS, ZONE_SITES

MEDICAL_DIFF_VQA = (
    "pleural effusion, atelectasis, cardiomegaly, enlargement of the cardiac silhouette, edema, hernia, vascular "
    "congestion, hilar congestion, pneumothorax, heart failure, lung opacity, pneumonia, tortuosity of the descending "
    "aorta, scoliosis, gastric distention, hypoxemia, hypertensive heart disease, hematoma, tortuosity of the thoracic "
    "aorta, contusion, emphysema, granuloma, calcification, pleural thickening, thymoma, blunting of the costophrenic "
    "angle, consolidation, fracture, pneumomediastinum, air collection"
).split(", ")


@pytest.mark.parametrize("name", MEDICAL_DIFF_VQA)
def test_every_finding_of_the_published_vocabulary_is_known_by_its_name(name):
    assert find_finding(name) is FINDINGS[name]


def test_every_finding_has_a_site_that_can_be_drawn():
    assert set(SITES) <= set(SHAPES)


def test_zones_are_those_that_masks_know():
    assert set(ZONES) == set(ZONE_BANDS) | set(ZONE_SITES)


def test_no_phrase_names_two_findings():
    names = [" ".join(words) for words in phrases()]
    assert len(names) == len(set(names))
    for finding in FINDINGS.values():
        for phrase in (finding.name, *finding.synonyms):
            assert find_finding(phrase) is finding


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Some FLUID", "pleural effusion"),
        ("effusions", "pleural effusion"),
        ("lung opacities", "lung opacity"),
        ("pneumonias", "pneumonia"),
        ("an enlarged heart", "cardiomegaly"),
        ("enlargement of the cardiac silhouette", "enlargement of the cardiac silhouette"),
        ("pulmonary oedema", "edema"),
        ("a collapsed lung", "pneumothorax"),
        ("lung collapse", "atelectasis"),
        ("mediastinal emphysema", "pneumomediastinum"),
    ],
)
def test_synonyms_plurals_and_spellings_are_read(text, name):
    assert find_finding(text).name == name


@pytest.mark.parametrize("text", ["", "oedematous", "fluids2", "pneumo", "heart", "massively"])
def test_parts_of_words_are_no_findings(text):
    assert find_finding(text) is None


def test_levels_rise():
    ranks = [level_rank(level) for level in ("minimal", "mild", "mild to moderate", "moderate", "severe", "massive")]
    assert ranks == sorted(set(ranks))
    assert level_rank("Small") == level_rank("mild") and level_rank("large") == level_rank("severely")
    assert "increasing" in LEVELS


@pytest.mark.parametrize("level", ["increasing", "huge", ""])
def test_a_level_without_a_rank_is_an_error(level):
    with pytest.raises(ValueError, match="`level` must be one of minimal"):
        level_rank(level)
