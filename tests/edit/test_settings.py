"""The settings of an edit: their definition, and which of them a call runs with."""

from dataclasses import fields
from typing import get_type_hints

import pytest

from x2x_core.common.errors import InputError
from x2x_core.edit.recommended import recommendations_of
from x2x_core.edit.settings import (
    DEFAULT,
    PUBLISHED,
    RECOMMENDABLE,
    UNRESTRICTED,
    EditSettings,
    EditSettingsKwargs,
    resolve_settings,
)
from x2x_core.guidance.mask_settings import MaskSettings


def test_settings_come_from_the_call_then_the_checkpoint_then_the_defaults():
    config = {"recommended_guidance_scale": 3.0, "recommended_num_inference_steps": 8, "other": 1}
    found = resolve_settings({"guidance_scale": None, "num_inference_steps": 4, "mask_threshold": 0.0}, config)
    assert (found.guidance_scale, found.num_inference_steps, found.mask_threshold) == (3.0, 4, 0.0)
    assert found.image_guidance_scale == DEFAULT.image_guidance_scale
    assert resolve_settings({}, {}) == DEFAULT == EditSettings()


def test_published_settings_hold_whatever_is_recommended():
    assert resolve_settings({}, {"recommended_guidance_scale": 3.0}, reference=True) == PUBLISHED
    assert resolve_settings({"num_inference_steps": 8}, {}, reference=True).num_inference_steps == 8
    assert (PUBLISHED.num_inference_steps, PUBLISHED.relevance_samples, PUBLISHED.soft_edge) == (100, 1, 0.0)


def test_a_given_threshold_overrides_the_recommended_rule():
    config = {"recommended_mask_rule": "adaptive"}
    assert resolve_settings({}, config).mask_rule == "adaptive"
    assert resolve_settings({"mask_threshold": 0.2}, config).mask_rule == "threshold"
    assert resolve_settings({"mask_rule": "adaptive"}, {}).mask_rule == "adaptive"


def test_noise_levels_are_stored_as_a_number_or_a_tuple():
    assert resolve_settings({}, {"recommended_relevance_noise_level": [0.6, 0.8]}).relevance_noise_level == (0.6, 0.8)
    assert EditSettings(relevance_noise_level=[0.5]).relevance_noise_level == 0.5
    assert (EditSettings().relevance_levels, EditSettings(relevance_noise_level=(0.1, 0.2)).relevance_levels) == (1, 2)


def test_a_recommendation_out_of_range_is_refused():
    with pytest.raises(ValueError, match="`mask_threshold`"):
        resolve_settings({}, {"recommended_mask_threshold": 5.0})


def test_settings_and_keyword_arguments_agree():
    """The type of a keyword argument is that of its setting, with a list for a tuple, and None for "not given"."""
    settings, keywords = get_type_hints(EditSettings), get_type_hints(EditSettingsKwargs)
    assert settings.keys() == keywords.keys()
    for name, kind in settings.items():
        stated = (
            str(keywords[name]).removesuffix(" | None").replace("collections.abc.Sequence[float]", "tuple[float, ...]")
        )
        stated = stated.removeprefix("<class '").removesuffix("'>")
        defined = str(kind).removeprefix("<class '").removesuffix("'>").removesuffix(" | None")
        assert stated == defined, name


def test_every_setting_is_documented_and_checked():
    masks = {setting.name for setting in fields(MaskSettings)}
    for setting in fields(EditSettings):
        definition = MaskSettings if setting.name in masks else EditSettings
        assert f"\n        {setting.name}: " in definition.__doc__
        with pytest.raises(ValueError, match=f"`{setting.name}`"):
            EditSettings(**{setting.name: object()})


def test_only_settings_can_be_recommended():
    assert set(RECOMMENDABLE) < {setting.name for setting in fields(EditSettings)}
    with pytest.raises(ValueError, match=r"`recommended` must name some of .*, got 'soft_edge'"):
        recommendations_of({"recommended": {"soft_edge": 0.1}}, RECOMMENDABLE)
    with pytest.raises(ValueError, match="`recommended` must map names of settings to values, got list"):
        recommendations_of({"recommended": ["twin"]}, RECOMMENDABLE)


def test_both_forms_of_recommendations_are_read():
    old = {"recommended_guidance_scale": 3.0, "recommended_twin": None}
    assert recommendations_of(old, RECOMMENDABLE) == {"guidance_scale": 3.0}
    assert recommendations_of({"recommended": {"guidance_scale": 3.0, "twin": None}}, RECOMMENDABLE) == {
        "guidance_scale": 3.0
    }
    assert recommendations_of({**old, "recommended": {"guidance_scale": 2.0}}, RECOMMENDABLE) == {"guidance_scale": 2.0}
    assert recommendations_of({}, RECOMMENDABLE) == {}


def test_an_edit_without_restriction_inserts_the_decoding_with_a_hard_edge():
    assert (UNRESTRICTED.composition, UNRESTRICTED.soft_edge) == ("decoded", 0.0)
    assert resolve_settings({}, {}, restricted=False) == UNRESTRICTED
    for composition in ("saturating", "difference"):
        config = {"recommended": {"composition": composition, "draw_place": True}}
        assert resolve_settings({}, config).composition == composition
        assert resolve_settings({}, config, restricted=False) == UNRESTRICTED
        assert resolve_settings({}, config, reference=True) == PUBLISHED
        given = {"composition": "saturating"}
        assert resolve_settings(given, config, restricted=False).composition == "saturating"


def test_a_twin_gives_way_to_a_recommended_decoding_and_a_requested_one_contradicts_it():
    config = {"recommended": {"composition": "decoded", "twin": True}}
    assert not resolve_settings({}, config).twin
    assert resolve_settings({"composition": "saturating"}, config).twin
    with pytest.raises(InputError, match="`twin` must be left out with `composition='decoded'`"):
        resolve_settings({"twin": True}, config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_inference_steps", 0), ("num_inference_steps", 2.5), ("guidance_scale", "7"),
        ("guidance_scale", {"edema": 1}), ("image_guidance_scale", float("nan")), ("mask_threshold", 1.2),
        ("mask_rule", "none"), ("remove_islands", "yes"),
        ("close_holes", 1), ("limit_area", 0), ("relevance_noise_level", [0.5, 2]), ("relevance_noise_level", []),
        ("relevance_samples", True), ("twin", "on"), ("composition", "blend"), ("padding_mask_crop", -1),
        ("mask_context", -1), ("guidance_end", 1.5), ("unconditional_interval", 0),
    ],
)  # fmt: skip
def test_a_recommended_value_is_checked_as_the_setting_is(name, value):
    with pytest.raises(InputError) as as_setting:
        EditSettings(**{name: value})
    for config in ({"recommended": {name: value}}, {f"recommended_{name}": value}):
        with pytest.raises(InputError) as recommended:
            recommendations_of(config, RECOMMENDABLE)
        assert str(recommended.value) == str(as_setting.value).replace("` must", "` of `recommended` must")


def test_false_overrides_a_recommended_crop():
    config = {"recommended": {"padding_mask_crop": 16}}
    assert resolve_settings({}, config).padding_mask_crop == 16
    assert resolve_settings({"padding_mask_crop": 0}, config).padding_mask_crop == 0
    assert resolve_settings({"padding_mask_crop": False}, config).padding_mask_crop is None
    assert resolve_settings({"padding_mask_crop": False}, config, reference=True) == PUBLISHED
    for margin in (0, 8):
        with pytest.raises(InputError, match="`padding_mask_crop` must be left out with `reference=True`"):
            resolve_settings({"padding_mask_crop": margin}, config, reference=True)


def test_each_default_can_be_recommended():
    defaults = {name: getattr(EditSettings(), name) for name in RECOMMENDABLE}
    for name in ("padding_mask_crop", "mask_context"):
        assert defaults.pop(name) is None  # which recommends nothing
    assert recommendations_of({"recommended": defaults}, RECOMMENDABLE) == defaults


def test_a_setting_of_the_mask_is_defined_once():
    own = EditSettings(mask_rule="adaptive", remove_islands=False)
    assert own.mask_settings == MaskSettings(mask_rule="adaptive", remove_islands=False)
    assert issubclass(EditSettings, MaskSettings) and type(own.mask_settings) is MaskSettings
    assert not {setting.name for setting in fields(MaskSettings)} & set(vars(EditSettings)["__annotations__"])
    with pytest.raises(InputError, match=r"`mask_rule` must be one of threshold, adaptive, got 'otsu'\."):
        MaskSettings(mask_rule="otsu")
