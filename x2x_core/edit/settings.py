"""The settings of an edit: their one definition, and which of them a call runs with.

To add a setting, add a field to `EditSettings` with its range and a line in the docstring, and the same name to the
`TypedDict` of the first call that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict

from x2x_core.anatomy.edges import soft_edge_of
from x2x_core.common.errors import InputError
from x2x_core.guidance.mask_settings import MASK_RULES, MaskSettings
from x2x_core.guidance.relevance import SOURCES
from x2x_core.language.instruction import Instruction

from .recommended import recommendations_of
from .setting_rules import (
    OTHER,
    Check,
    crop_margin,
    guidance_scale,
    noise_level,
    number,
    one_of,
    optional,
    switch,
    whole_number,
)

# Compositions of an edit with the original, see `x2x_core.edit.composition`.
COMPOSITIONS = ("difference", "saturating", "decoded")
# A mode that does not fix a setting's value.
_FREE = object()


def _setting(
    default: Any,
    check: Check,
    *,
    recommendable: bool = False,
    published: Any = _FREE,
    unrestricted: Any = _FREE,
    fixed: str = "",
) -> Any:
    """Define a setting.

    Args:
        default: of the pipeline.
        check: of its range.
        recommendable: True if a checkpoint can recommend a value.
        published: the value with `reference=True`, if it differs.
        unrestricted: the value with `restricted=False`, if it differs.
        fixed: what the published code does instead, if it has no choice.
    """
    facts = {"check": check, "recommendable": recommendable, "fixed": fixed}
    return field(default=default, metadata={**facts, "published": published, "unrestricted": unrestricted})


@dataclass(frozen=True)
class EditSettings:
    """The settings of one edit; the defaults are the pipeline's.

    Args:
        num_inference_steps: denoising steps, at least 1.
        guidance_scale: s_T, the strength of the instruction: a number, or a number for each of some findings and for
            "other", such as ``{"pneumothorax": 1.2, "other": 0.8}``. Of several findings the lowest counts.
        image_guidance_scale: s_I, the strength of the image. Classifier-free guidance is skipped only if both scales
            are 1, where it makes no difference.
        mask_rule: "threshold" (the published rule) or "adaptive", which finds the level in the guidance map; see
            `x2x_core.guidance.mask_rules`.
        mask_threshold: tau, the level of the guidance map from which the image may change, [0, 1]; 0 selects the whole
            pseudomask (unless `limit_area` raises the level). Giving it selects the rule "threshold".
        remove_islands: remove small islands of the mask.
        close_holes: fill holes of the mask, within the pseudomask.
        limit_area: adjust the level until the mask's area is one that the finding can have
            (`x2x_core.anatomy.areas`); not with the caller's own `pseudomask`.
        relevance_noise_level: noise level of the relevance map, share of the schedule, [0, 1]; several levels are
            averaged (see `x2x_core.guidance.relevance.balance_levels`).
        relevance_samples: noise draws at each level that the relevance map is averaged over, at least 1.
        relevance_source: "noise" (where the instruction changes the predicted noise), "attention" (where the U-Net
            attends to the instruction) or "both" (where they agree).
        attention_gating: while denoising, restrict cross-attention to the instruction to the guidance mask, and use the
            negative prompt (or the empty text) outside; see `x2x_core.guidance.attention.gate`.
        composition: "difference" adds the change between two decodings to the original; "saturating" adds it up to the
            grey of the picture's soft tissue nearby; "decoded" inserts the decoding itself.
        twin: take the difference to a twin of the edit, the same noise denoised without the instruction, instead of to
            the original's decoding. Reconstruction errors are then in both and cancel, and a `guidance_scale` of 0
            changes nothing. For checkpoints trained to change nothing without a text; costs one or two U-Net items more
            per step.
        soft_edge: width of the mask's soft inner edge, share of the image's longer side, [0, 0.5]; in a thin mask at
            most half of its depth. ``None``: by the finding, see `x2x_core.anatomy.edges`.
        edit_strength: opacity of the edit over the original, [0, 1]: 0 returns the image, 1 the full edit. With
            `output_type="latent"` the latents are interpolated.
        reference: reproduce the published results exactly: DDIM on Stable Diffusion's schedule whatever the scheduler,
            one relevance draw, no sides and zones, a hard mask, composition "decoded", in colour.
        align: find the patient's lungs and fit the atlas's pseudomasks to them; ``False`` takes the image for the
            typical radiograph. The caller's own masks and published masks are never aligned.
        draw_place: draw one plausible side and zone of a finding to add if the instruction leaves them open, for each
            output, and edit there; see `x2x_core.edit.places`. ``False`` leaves the place to the model. Nothing is
            drawn with the caller's own `pseudomask` or `guidance_mask`.
        padding_mask_crop: compute the edit on a crop around the region, at a finer scale than the whole picture: the
            margin around the support of the pseudomask (or around the caller's guidance mask), in pixels of the model's
            canvas when the whole picture is on it, at least 0. The crop is at least 0.4 of the picture's longer side;
            from 0.9 the whole picture is used. ``False``: no crop, also where the checkpoint recommends one.

    Raises:
        InputError: a value out of range.
    """

    num_inference_steps: int = _setting(20, whole_number, recommendable=True, published=100)
    guidance_scale: float | Mapping[str, float] = _setting(7.5, guidance_scale, recommendable=True)
    image_guidance_scale: float = _setting(1.5, number(), recommendable=True)
    mask_threshold: float = _setting(0.1, number(0, 1), recommendable=True)
    mask_rule: str = _setting("threshold", one_of(MASK_RULES), recommendable=True, fixed="uses a threshold")
    remove_islands: bool = _setting(
        True, switch, recommendable=True, published=False, fixed="does not clean up the mask"
    )
    close_holes: bool = _setting(True, switch, recommendable=True, published=False, fixed="does not clean up the mask")
    limit_area: bool = _setting(True, switch, recommendable=True, published=False, fixed="does not clean up the mask")
    relevance_noise_level: float | tuple[float, ...] = _setting(0.8, noise_level, recommendable=True)
    relevance_samples: int = _setting(4, whole_number, recommendable=True, published=1)
    relevance_source: str = _setting("noise", one_of(SOURCES), fixed="reads the noise predictions")
    attention_gating: bool = _setting(False, switch, fixed="does not gate attention")
    composition: str = _setting(
        "difference",
        one_of(COMPOSITIONS),
        recommendable=True,
        published="decoded",
        unrestricted="decoded",
        fixed="inserts the decoding",
    )
    twin: bool = _setting(False, switch, recommendable=True, fixed="inserts the decoding")
    soft_edge: float | None = _setting(None, optional(number(0, 0.5)), published=0.0, unrestricted=0.0)
    edit_strength: float = _setting(1.0, number(0, 1), fixed="makes the full edit")
    reference: bool = _setting(False, switch, published=True)
    align: bool = _setting(True, switch, published=False, fixed="does not align pseudomasks")
    draw_place: bool = _setting(
        True, switch, recommendable=True, published=False, unrestricted=False, fixed="does not draw places"
    )
    padding_mask_crop: int | None = _setting(
        None, crop_margin, recommendable=True, unrestricted=None, fixed="edits the whole picture"
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = setting.metadata["check"](setting.name, getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)

    @property
    def noise_levels(self) -> tuple[float, ...]:
        """The noise levels of the relevance map."""
        level = self.relevance_noise_level
        return level if isinstance(level, tuple) else (level,)

    @property
    def relevance_levels(self) -> int:
        """Number of noise levels that the relevance map is averaged over."""
        return len(self.noise_levels)

    @property
    def mask_settings(self) -> MaskSettings:
        """The settings that turn the guidance map into a mask."""
        return MaskSettings(**{setting.name: getattr(self, setting.name) for setting in fields(MaskSettings)})

    def settled(self, instruction: Instruction) -> EditSettings:
        """Return these settings with an instruction's own numbers in place of those by finding."""
        scale, edge = self.guidance_scale_for(instruction), self.soft_edge_for(instruction)
        return replace(self, guidance_scale=scale, soft_edge=edge)

    def guidance_scale_for(self, instruction: Instruction) -> float:
        """Return the scale of an instruction: the lowest of its findings' scales, or "other" for free text."""
        scales = self.guidance_scale
        if not isinstance(scales, Mapping):
            return scales
        return min((scales.get(clause.finding, scales[OTHER]) for clause in instruction.clauses), default=scales[OTHER])

    def soft_edge_for(self, instruction: Instruction) -> float:
        """Return the soft edge's width for an instruction: as set, or by its finding."""
        return soft_edge_of(instruction) if self.soft_edge is None else self.soft_edge


class RelevanceSettingsKwargs(TypedDict, total=False):
    """The settings of a relevance map; ``None``: the checkpoint's recommendation, or the default."""

    relevance_noise_level: float | Sequence[float] | None
    relevance_samples: int | None
    relevance_source: str | None
    draw_place: bool | None
    padding_mask_crop: int | None
    reference: bool


class GuidanceSettingsKwargs(RelevanceSettingsKwargs, total=False):
    """The settings of a guidance map and mask."""

    mask_rule: str | None
    mask_threshold: float | None
    remove_islands: bool | None
    close_holes: bool | None
    limit_area: bool | None
    align: bool | None


class EditSettingsKwargs(GuidanceSettingsKwargs, total=False):
    """The settings of an edit."""

    num_inference_steps: int | None
    guidance_scale: float | Mapping[str, float] | None
    image_guidance_scale: float | None
    attention_gating: bool | None
    composition: str | None
    twin: bool | None
    soft_edge: float | None
    edit_strength: float | None


def _values(mode: str) -> dict[str, Any]:
    """Return the values that a mode ("published" or "unrestricted") sets."""
    return {
        setting.name: setting.metadata[mode] for setting in fields(EditSettings) if setting.metadata[mode] is not _FREE
    }


# Settings that are used only to find the guidance mask.
MASK_FINDING = tuple(
    name for name in GuidanceSettingsKwargs.__annotations__ if name not in ("reference", "padding_mask_crop")
)
# Settings that a checkpoint can recommend, with the check of each.
RECOMMENDABLE: dict[str, Check] = {
    setting.name: setting.metadata["check"] for setting in fields(EditSettings) if setting.metadata["recommendable"]
}
DEFAULT = EditSettings()
# Those of the published code.
PUBLISHED = EditSettings(**_values("published"))
# Without restriction, an edit is the stock pipeline's.
UNRESTRICTED = EditSettings(**_values("unrestricted"))


def resolve_settings(
    given: Mapping[str, Any],
    config: Mapping[str, Any],
    reference: bool = False,
    restricted: bool = True,
) -> EditSettings:
    """Return the settings of a call: the caller's, else the checkpoint's recommendations, else the defaults.

    Args:
        given: the call's arguments by name; ``None`` and names that are no settings are ignored.
        config: the pipeline's, with the entry "recommended"; see `x2x_core.edit.recommended`.
        reference: published settings; recommendations are ignored.
        restricted: False for an edit without restriction, whose own values replace recommendations too.

    Raises:
        InputError: a value out of range, or one that contradicts `reference` or another.
    """
    given = {
        setting.name: given[setting.name] for setting in fields(EditSettings) if given.get(setting.name) is not None
    }
    if reference:
        _check_reference(given)
        base = PUBLISHED
    else:
        fixed = {} if restricted else _values("unrestricted")
        base = replace(DEFAULT, **{**recommendations_of(config, RECOMMENDABLE), **fixed})
    if "mask_threshold" in given:
        if given.get("mask_rule", "threshold") != "threshold":
            raise InputError(
                f"`mask_threshold` must be left out with `mask_rule={given['mask_rule']!r}`, which finds its own level."
            )
        base = replace(base, mask_rule="threshold")  # a given threshold selects its rule
    settings = replace(base, **given)
    if settings.twin and settings.composition == "decoded":
        if given.get("twin"):
            raise InputError(
                f"`twin` must be left out with `composition={settings.composition!r}`: it is used to compute a "
                "difference."
            )
        settings = replace(settings, twin=False)
    return settings


def _check_reference(given: Mapping[str, Any]) -> None:
    """Check that nothing is requested that the published code can't do."""
    for setting in fields(EditSettings):
        fixed, value, published = setting.metadata["fixed"], given.get(setting.name), getattr(PUBLISHED, setting.name)
        same = value in (None, published) or (value is False and published is None)
        if fixed and not same:
            raise InputError(f"`{setting.name}` must be left out with `reference=True`: the published code {fixed}.")
    levels = given.get("relevance_noise_level")
    if isinstance(levels, Sequence) and len(levels) > 1:
        raise InputError(
            "`relevance_noise_level` must be one number with `reference=True`, as in the published code, got "
            f"{levels!r}."
        )


def scale_in_words(scale: float | Mapping[str, float]) -> str:
    """Write a guidance scale for people: "0.8", or "1 for edema, 1.2 for pneumothorax, else 0.8"."""
    if not isinstance(scale, Mapping):
        return f"{scale:g}"
    named = [f"{value:g} for {finding}" for finding, value in scale.items() if finding != OTHER]
    return ", ".join([*named, f"else {scale[OTHER]:g}"])
