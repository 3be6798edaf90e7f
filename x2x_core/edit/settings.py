"""The settings of an edit: their one definition, and which of them a call runs with.

To add a setting, add a field to `EditSettings` with its range and a line in the docstring, and the same name to the
`TypedDict` of the first call that uses it. Settings of the mask are in `x2x_core.guidance.mask_settings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

from x2x_core.anatomy.edges import soft_edge_of
from x2x_core.common.errors import InputError
from x2x_core.common.values import Check, number, one_of, optional, switch, whole_number
from x2x_core.guidance.mask_settings import MaskSettings, MaskSettingsKwargs
from x2x_core.guidance.relevance import SOURCES
from x2x_core.guidance.setting import FREE, setting
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction

from .presets import PRESETS, STEPS_WITHOUT_RESTRICTION, default_steps, preset_values
from .recommended import recommendations_of
from .setting_rules import OTHER, REMOVAL, crop_margin, guidance_scale, noise_level
from .solver_names import SOLVERS

# Compositions of an edit with the original, see `x2x_core.edit.composition`.
COMPOSITIONS = ("difference", "saturating", "decoded")


@dataclass(frozen=True)
class EditSettings(MaskSettings):
    """The settings of one edit, which include those of its mask; the defaults are the pipeline's.

    Args:
        num_inference_steps: denoising steps, at least 1. Without restriction the default is 20.
        guidance_scale: s_T, the strength of the instruction: a number, or a number for each of some findings and for
            "other", such as ``{"pneumothorax": 1.2, "other": 0.8}``; "removal" may be among them, for whatever finding
            is removed. Of several findings the lowest counts.
        image_guidance_scale: s_I, the strength of the image. At 1 the unconditional branch cancels and is skipped (but
            with `reference=True`, without restriction, and with `attention_gating`). Classifier-free guidance is
            skipped only if both scales are 1, where it makes no difference.
        relevance_noise_level: noise level of the relevance map, share of the schedule, [0, 1]; several levels are
            averaged (see `x2x_core.guidance.relevance.balance_levels`). The first draw at level 1 is the diffusion
            noise, so an edit whose first step is there, on the whole canvas, has its predictions already.
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
            output, and edit there; see `x2x_core.edit.places`. ``False`` leaves place and extent to the model. Nothing
            is drawn with the caller's own `pseudomask` or `guidance_mask`.
        draw_extent: draw on the patient's lungs how far a finding to add reaches, for each output, and edit there: a
            pleural band for a pneumothorax, what lies under a meniscus for an effusion. Changes of level have the
            region of the atlas. Without `draw_place`, nothing is drawn. See `x2x_core.pseudomasks.extents`.
        find_extent: find by how much a finding to remove changes each pixel of the picture, with a network that was
            trained on simulated lesions, and edit there. Findings that it does not see have the region of the atlas.
            See `x2x_core.pseudomasks.extent_finder`.
        padding_mask_crop: compute the edit on a crop around the region, at a finer scale than the whole picture: the
            margin around the support of the pseudomask (or around the caller's guidance mask), in pixels of the model's
            canvas when the whole picture is on it, at least 0. The crop is at least 0.4 of the picture's longer side;
            from 0.9 the whole picture is used. ``False``: no crop, also where the checkpoint recommends one.
        mask_context: denoise and decode only a window around the guidance mask, at the scale of the whole canvas, so
            that a small edit costs less: the context around the mask, in pixels of the model's canvas, at least 0. The
            mask is found as without it. With the caller's mask, a picture that is not prepared is encoded around the
            window alone, too, where that costs less than half as much. All outputs of a call have windows of one size.
            ``False``: the whole canvas, also where the checkpoint recommends a window. See `x2x_core.edit.windows`.
        preset: "fast", "balanced" or "best": values of several of these settings at once, on top of what the checkpoint
            recommends, see `x2x_core.edit.presets`; settings that are given replace the preset's. ``None``: no preset.
        solver: "DDIM", "Euler", "DPM++ 2M" or "UniPC", on the checkpoint's noise schedule. ``None``: the pipeline's
            own scheduler; but the default number of steps is one for DPM++ 2M, which then replaces DDIM and PNDM.
        guidance_end: share of the steps, from the first, that classifier-free guidance is active in, [0, 1]; in later
            steps the text branch is followed alone.
        unconditional_interval: steps between predictions of the unconditional branch, at least 1; in between, its
            difference to the image branch is reused. With 1 and with `attention_gating` it is predicted in each step.
        place_hint: shift the noise by so many standard deviations where the finding is to lie (the extent drawn, or the
            caller's guidance mask), the caller's noise too, for checkpoints trained to read the place from it, [0, 10];
            0: no hint. See `x2x_core.guidance.place_hint`.

    Raises:
        InputError: a value out of range.
    """

    num_inference_steps: int = setting(10, whole_number, recommendable=True, published=100)
    guidance_scale: float | Mapping[str, float] = setting(7.5, guidance_scale, recommendable=True)
    image_guidance_scale: float = setting(1.5, number(), recommendable=True)
    relevance_noise_level: float | tuple[float, ...] = setting(0.8, noise_level, recommendable=True)
    relevance_samples: int = setting(2, whole_number, recommendable=True, published=1)
    relevance_source: str = setting("noise", one_of(SOURCES), fixed="reads the noise predictions")
    attention_gating: bool = setting(False, switch, fixed="does not gate attention")
    composition: str = setting(
        "difference",
        one_of(COMPOSITIONS),
        recommendable=True,
        published="decoded",
        unrestricted="decoded",
        fixed="inserts the decoding",
    )
    twin: bool = setting(False, switch, recommendable=True, fixed="inserts the decoding")
    soft_edge: float | None = setting(None, optional(number(0, 0.5)), published=0.0, unrestricted=0.0)
    edit_strength: float = setting(1.0, number(0, 1), fixed="makes the full edit")
    reference: bool = setting(False, switch, published=True)
    align: bool = setting(True, switch, published=False, fixed="does not align pseudomasks")
    draw_place: bool = setting(
        True, switch, recommendable=True, published=False, unrestricted=False, fixed="does not draw places"
    )
    draw_extent: bool = setting(
        False, switch, recommendable=True, published=False, unrestricted=False, fixed="does not draw extents"
    )
    find_extent: bool = setting(
        False, switch, recommendable=True, published=False, unrestricted=False, fixed="does not find extents"
    )
    padding_mask_crop: int | None = setting(
        None, crop_margin, recommendable=True, unrestricted=None, fixed="edits the whole picture"
    )
    mask_context: int | None = setting(
        None, crop_margin, recommendable=True, unrestricted=None, fixed="denoises the whole picture"
    )
    preset: str | None = setting(None, optional(one_of(PRESETS)), fixed="has no presets")
    solver: str | None = setting(None, optional(one_of(SOLVERS)), fixed="runs DDIM")
    guidance_end: float = setting(1.0, number(0, 1), recommendable=True, unrestricted=1.0, fixed="guides each step")
    unconditional_interval: int = setting(
        2, whole_number, recommendable=True, published=1, unrestricted=1, fixed="predicts each branch in each step"
    )
    place_hint: float = setting(
        0.0, number(0, 10), recommendable=True, published=0.0, unrestricted=0.0, fixed="gives no hint of the place"
    )

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
        return MaskSettings(**{own.name: getattr(self, own.name) for own in fields(MaskSettings)})

    def settled(self, instruction: Instruction) -> EditSettings:
        """Return these settings with an instruction's own numbers in place of those by finding.

        The width of the soft edge stays open where extents are drawn or found, which have their own.
        """
        scale, edge = self.guidance_scale_for(instruction), self.soft_edge
        if not ((self.draw_extent and self.draw_place) or self.find_extent):
            edge = self.soft_edge_for(instruction)
        return replace(self, guidance_scale=scale, soft_edge=edge)

    def guidance_scale_for(self, instruction: Instruction) -> float:
        """Return the scale of an instruction: the lowest of its clauses' scales, or "other" for free text."""
        scales = self.guidance_scale
        if not isinstance(scales, Mapping):
            return scales
        return min((_scale_of(clause, scales) for clause in instruction.clauses), default=scales[OTHER])

    def soft_edge_for(self, instruction: Instruction) -> float:
        """Return the soft edge's width for an instruction: as set, or by its finding."""
        saturating = self.composition == "saturating"
        return soft_edge_of(instruction, saturating=saturating) if self.soft_edge is None else self.soft_edge


class RelevanceSettingsKwargs(TypedDict, total=False):
    """The settings of a relevance map; ``None``: the checkpoint's recommendation, or the default."""

    relevance_noise_level: float | Sequence[float] | None
    relevance_samples: int | None
    relevance_source: str | None
    draw_place: bool | None
    draw_extent: bool | None
    find_extent: bool | None
    place_hint: float | None
    padding_mask_crop: int | None
    preset: str | None
    reference: bool


class GuidanceSettingsKwargs(RelevanceSettingsKwargs, MaskSettingsKwargs, total=False):
    """The settings of a guidance map and mask."""

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
    mask_context: int | None
    solver: str | None
    guidance_end: float | None
    unconditional_interval: int | None


def _scale_of(clause: Clause, scales: Mapping[str, float]) -> float:
    if clause.operation is Operation.REMOVE and REMOVAL in scales:
        return scales[REMOVAL]
    return scales.get(clause.finding, scales[OTHER])


def _values(mode: str) -> dict[str, Any]:
    """Return the values that a mode ("published" or "unrestricted") sets."""
    return {own.name: own.metadata[mode] for own in fields(EditSettings) if own.metadata[mode] is not FREE}


# Settings that are used only to find the guidance mask.
MASK_FINDING = tuple(
    name
    for name in GuidanceSettingsKwargs.__annotations__
    if name not in ("reference", "padding_mask_crop", "preset", "place_hint")
)
# Settings that a checkpoint can recommend, with the check of each.
RECOMMENDABLE: dict[str, Check] = {
    own.name: own.metadata["check"] for own in fields(EditSettings) if own.metadata["recommendable"]
}
DEFAULT = EditSettings()
# Those of the published code.
PUBLISHED = EditSettings(**_values("published"))
# Without restriction, an edit is the stock pipeline's.
UNRESTRICTED = EditSettings(num_inference_steps=STEPS_WITHOUT_RESTRICTION, **_values("unrestricted"))


def resolve_settings(
    given: Mapping[str, Any],
    config: Mapping[str, Any],
    reference: bool = False,
    restricted: bool = True,
) -> EditSettings:
    """Return the settings of a call: the caller's, else the checkpoint's recommendations, else the defaults.

    Args:
        given: the call's arguments by name; ``None`` and names that are no settings (but "eta") are ignored.
        config: the pipeline's, with the entry "recommended"; see `x2x_core.edit.recommended`.
        reference: published settings; recommendations are ignored.
        restricted: False for an edit without restriction, whose own values replace recommendations too.

    Raises:
        InputError: a value out of range, or one that contradicts `reference` or another.
    """
    eta = given.get("eta")
    given = {own.name: given[own.name] for own in fields(EditSettings) if given.get(own.name) is not None}
    if reference:
        _check_reference(given)
        base = PUBLISHED
    else:
        fixed = {} if restricted else _values("unrestricted")
        recommended = recommendations_of(config, RECOMMENDABLE)
        base = replace(DEFAULT, **{**recommended, **fixed})
        if "preset" in given:
            one_of(PRESETS)("preset", given["preset"])
            values = preset_values(
                given["preset"], base.num_inference_steps, "num_inference_steps" in recommended, base.noise_levels
            )
            base = replace(base, **{**values, **fixed})
        if "num_inference_steps" not in {**recommended, **given}:
            base = replace(base, **default_steps(config, restricted, base.solver, eta))
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
    for own in fields(EditSettings):
        fixed, value, published = own.metadata["fixed"], given.get(own.name), getattr(PUBLISHED, own.name)
        same = value in (None, published) or (value is False and published is None)
        if fixed and not same:
            raise InputError(f"`{own.name}` must be left out with `reference=True`: the published code {fixed}.")
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
    names = {finding: "removals" if finding == REMOVAL else finding for finding in scale if finding != OTHER}
    named = [f"{scale[finding]:g} for {name}" for finding, name in names.items()]
    return ", ".join([*named, f"else {scale[OTHER]:g}"])
