"""The vocabulary: complete, unambiguous, matched by whole words."""

import pytest
from vqa_terms import VQA_FINDINGS, VQA_LEVELS

from x2x_core.anatomy.outlines import SHAPES
from x2x_core.anatomy.sites import ZONE_BANDS, ZONE_SITES
from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import (
    FINDINGS,
    LEVEL_NAMES,
    LEVELS,
    SIDES,
    SITES,
    ZONES,
    Finding,
    find_finding,
    is_level,
    level_range,
    level_rank,
    listed_names,
    match_finding,
    phrases,
    zones_meet,
)  # fmt: skip


@pytest.mark.parametrize("name", VQA_FINDINGS)
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
        ("airspace opacification on the left", "lung opacity"),
        ("air-space disease", "lung opacity"),
        ("pneumothoraces", "pneumothorax"),
        ("thickening of the pleura", "pleural thickening"),
        ("blunting of the costophrenic angles", "blunting of the costophrenic angle"),
        ("fractures of the ribs", "fracture"),
        ("a collapsed left lower lobe, an effusion", "pleural effusion"),
        ("a haematoma", "hematoma"),
        ("gastric distension", "gastric distention"),
    ],
)
def test_synonyms_plurals_and_spellings_are_read(text, name):
    assert find_finding(text).name == name


@pytest.mark.parametrize("text", ["", "oedematous", "fluids2", "pneum", "heart", "massively", "edema_2", "éedema"])
def test_parts_of_words_are_no_findings(text):
    assert find_finding(text) is None


def test_levels_rise():
    ranks = [level_rank(level) for level in ("minimal", "mild", "mild to moderate", "moderate", "severe", "massive")]
    assert ranks == sorted(set(ranks))
    assert level_rank("Small") == level_rank("mild") and level_rank("large") == level_rank("severely")
    assert "increasing" in LEVELS


@pytest.mark.parametrize("level", ["increasing", "acute", "galactic", ""])
def test_a_level_without_a_rank_is_an_error(level):
    with pytest.raises(ValueError, match="`level` must be one of minimal"):
        level_rank(level)


@pytest.mark.parametrize(
    "text", ["pericardial effusion", "subcutaneous emphysema", "Fluid overload", "air-fluid levels"]
)
def test_other_findings_are_not_taken_for_those_that_their_names_hold(text):
    assert find_finding(text) is None
    assert find_finding(f"{text} and edema").name == "edema"


def test_the_longest_name_wins():
    assert find_finding("opacity or airspace opacity").name == "lung opacity"
    assert find_finding("tortuosity of the descending aorta").name == "tortuosity of the descending aorta"
    assert find_finding("collapse of a collapsed lung").name == "pneumothorax"


def test_sides_may_stand_inside_a_name():
    words = ["blunting", "of", "the", "left", "costophrenic", "angle"]
    assert match_finding(words, 0, SIDES) == ("blunting of the costophrenic angle", 6)
    assert match_finding(words, 0) == (None, 0)


def test_every_level_of_the_published_vocabulary_is_read():
    assert set(VQA_LEVELS) <= set(LEVEL_NAMES)
    assert set(LEVEL_NAMES.values()) == set(LEVELS)


def test_ranges_lie_between_their_levels():
    assert level_range("minimal", "severe") == "minimal to severe" and is_level("minimal to severe")
    assert level_rank("minimal to severe") == 2.5 and level_rank("mild to moderate") == 2.5
    for pair in (("severe", "mild"), ("small", "mild"), ("mild", "acute"), ("mild to moderate", "large"), ("", "mild")):
        assert level_range(*pair) is None and not is_level(" to ".join(pair))
    assert {level for level in LEVELS if " to " in level} < {level_range(a, b) for a in LEVELS for b in LEVELS}


def test_levels_are_listed_from_weak_to_strong():
    ranks = [level_rank(level) for level in LEVELS if level not in ("acute", "increasing", "decreasing")]
    assert ranks == sorted(ranks)


def test_zones_that_share_a_place_meet():
    assert zones_meet("lower", "basal") and zones_meet("apical", "upper") and zones_meet(None, "hilar")
    assert not zones_meet("upper", "lower") and not zones_meet("apical", "basal")


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("pleural effusion", "Effusion"), ("edema", "Edema"), ("lung opacity", "Lung Opacity"),
        ("blunting of the costophrenic angle", None), ("infection", None), ("emphysema", None),
    ],
)  # fmt: skip
def test_only_findings_that_experts_boxed_have_a_category(name, category):
    assert FINDINGS[name].category == category


def test_lists_of_names_are_read_with_and_without_spaces():
    assert listed_names("edema,pleural effusion , hernia,") == ["edema", "pleural effusion", "hernia"]
    assert listed_names("") == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"category": "Effusion", "boxed_category": "Effusion"}, "`boxed_category` of 'cyst' must be left out"),
        ({"box_areas": (0.2, 0.1)}, "`box_areas` of 'cyst' must be 0 < lowest <= highest <= 1"),
        ({"box_areas": (0.0, 0.1)}, "`box_areas` of 'cyst'"),
        ({"box_areas": (0.1, 1.1)}, "`box_areas` of 'cyst'"),
    ],
)
def test_contradictory_facts_of_a_finding_are_refused(facts, words):
    with pytest.raises(InputError, match=words):
        Finding(**{"name": "cyst", "synonyms": (), "site": "lungs", "category": None, "lateral": True, **facts})
