"""How an edit is made: the defaults, what a checkpoint recommends, and checks of what a caller asks for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

from x2x_core.anatomy.edges import soft_edge_of
from x2x_core.common.errors import InputError
from x2x_core.guidance.mask_rules import MASK_RULES, MaskSettings
from x2x_core.guidance.relevance import SOURCES
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

from .composition import COMPOSITIONS

# Settings that a checkpoint can recommend, in its pipeline's config, as "recommended_<name>".
RECOMMENDABLE = (
    "num_inference_steps",
    "guidance_scale",
    "image_guidance_scale",
    "mask_threshold",
    "relevance_noise_level",
    "relevance_samples",
    "mask_rule",
    "remove_islands",
    "close_holes",
    "limit_area",
    "twin",
)
# Steps from the guidance map to the mask that can be left out, see `x2x_core.guidance.mask_rules`.
MASK_STEPS = ("remove_islands", "close_holes", "limit_area")
# In numbers by finding: the findings that are not named, and free text.
OTHER = "other"
# Settings that are one of several words.
_OPTIONS = {"relevance_source": SOURCES, "composition": COMPOSITIONS, "mask_rule": MASK_RULES}


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"`{name}` must be a whole number of at least 1, got {value!r}.")


def _check_number(name: str, value: Any, lowest: float, highest: float) -> None:
    bounds = f"lie in [{lowest:g}, {highest:g}]" if math.isfinite(lowest) else "be a finite number"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"`{name}` must {bounds}, got {value!r}.")
    if not lowest <= value <= highest:
        raise InputError(f"`{name}` must {bounds}, got {value:g}.")


def _check_levels(name: str, value: Any) -> float | tuple[float, ...]:
    """One number as it is, several as a tuple (of one: that one)."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        _check_number(name, value, 0, 1)
        return value
    if not value:
        raise InputError(f"`{name}` must be a number or a list of at least one number, got {value!r}.")
    for one in value:
        _check_number(name, one, 0, 1)
    return tuple(value) if len(value) > 1 else value[0]


def _check_scale(name: str, value: Any) -> float | dict[str, float]:
    """A number as it is, numbers for findings as a dict of their own."""
    if not isinstance(value, Mapping):
        _check_number(name, value, -math.inf, math.inf)
        return value
    unknown = [one for one in value if one not in FINDINGS and one != OTHER]
    if unknown or OTHER not in value:
        raise InputError(
            f"`{name}` must be a number, or a number for each of some findings and for {OTHER!r}, got "
            f"{', '.join(map(repr, value)) or 'nothing'}. Name findings as `x2x_core.language.vocabulary.FINDINGS` does."
        )
    for finding, one in value.items():
        _check_number(f"{name}[{finding!r}]", one, -math.inf, math.inf)
    return dict(value)


def scale_in_words(scale: float | Mapping[str, float]) -> str:
    """A guidance scale for people: "0.8", or "1 for edema, 1.2 for pneumothorax, else 0.8"."""
    if not isinstance(scale, Mapping):
        return f"{scale:g}"
    named = [f"{value:g} for {finding}" for finding, value in scale.items() if finding != OTHER]
    return ", ".join([*named, f"else {scale[OTHER]:g}"])


@dataclass(frozen=True)
class EditSettings:
    """The settings of one edit; the defaults are those of the pipeline.

    Raises:
        InputError: a value out of range.
    """

    num_inference_steps: int = 20
    # s_T: how strongly the instruction is followed; or for each finding, "other" for those that are not named.
    guidance_scale: float | Mapping[str, float] = 7.5
    image_guidance_scale: float = 1.5  # s_I: how strongly the image is
    mask_threshold: float = 0.1  # tau: the guidance map's level from which the image may change, [0, 1]
    mask_rule: str = (
        "threshold"  # from guidance map to mask: "threshold" or "adaptive", see `x2x_core.guidance.mask_rules`
    )
    remove_islands: bool = True  # drop small parts of the mask
    close_holes: bool = True  # fill holes of the mask, within the pseudomask
    limit_area: bool = True  # hold the mask to the finding's expected size
    # Where the relevance map is read, share of the noise schedule, [0, 1]; several levels are averaged over.
    relevance_noise_level: float | tuple[float, ...] = 0.8
    relevance_samples: int = 4  # noise draws that the relevance map is averaged over, at each level
    relevance_source: str = "noise"  # what the relevance map is read from, one of `SOURCES`
    attention_gating: bool = False  # whether attention follows the instruction inside the mask only, while denoising
    composition: str = "difference"  # see `x2x_core.edit.composition`
    twin: bool = False  # whether the difference is taken to the same noise denoised without the instruction
    # Width of the mask's soft inner edge, share of the image's longer side, [0, 0.5]; None: as suits the finding.
    soft_edge: float | None = None
    edit_strength: float = 1.0  # how much of the edit is laid over the original, [0, 1]
    reference: bool = False  # the published arithmetic
    align: bool = True  # lay the pseudomasks over this patient's lungs, see `x2x_core.anatomy.alignment`

    def __post_init__(self) -> None:
        for name in ("num_inference_steps", "relevance_samples"):
            _check_count(name, getattr(self, name))
        _check_number("image_guidance_scale", self.image_guidance_scale, -math.inf, math.inf)
        object.__setattr__(self, "guidance_scale", _check_scale("guidance_scale", self.guidance_scale))
        for name in ("mask_threshold", "edit_strength"):
            _check_number(name, getattr(self, name), 0, 1)
        levels = _check_levels("relevance_noise_level", self.relevance_noise_level)
        object.__setattr__(self, "relevance_noise_level", levels)  # what JSON holds as a list is a tuple here
        if self.soft_edge is not None:
            _check_number("soft_edge", self.soft_edge, 0, 0.5)
        for name, options in _OPTIONS.items():
            if getattr(self, name) not in options:
                raise InputError(f"`{name}` must be one of {', '.join(options)}, got {getattr(self, name)!r}.")
        for name in (*MASK_STEPS, "twin", "align", "attention_gating"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"`{name}` must be True or False, got {getattr(self, name)!r}.")

    @property
    def relevance_levels(self) -> int:
        """How many noise levels the relevance map is averaged over."""
        return len(self.relevance_noise_level) if isinstance(self.relevance_noise_level, tuple) else 1

    @property
    def mask_settings(self) -> MaskSettings:
        """The settings that turn the guidance map into a mask."""
        return MaskSettings(**{field.name: getattr(self, field.name) for field in fields(MaskSettings)})

    def settled(self, instruction: Instruction) -> EditSettings:
        """These settings with the instruction's own numbers in place of those by finding."""
        scale, edge = self.guidance_scale_for(instruction), self.soft_edge_for(instruction)
        return replace(self, guidance_scale=scale, soft_edge=edge)

    def guidance_scale_for(self, instruction: Instruction) -> float:
        """The scale for an instruction: its finding's, of several the lowest, for free text that of "other"."""
        scales = self.guidance_scale
        if not isinstance(scales, dict):
            return scales
        return min((scales.get(clause.finding, scales[OTHER]) for clause in instruction.clauses), default=scales[OTHER])

    def soft_edge_for(self, instruction: Instruction) -> float:
        """The soft edge's width for an instruction: what was asked for, else what suits its finding."""
        return soft_edge_of(instruction) if self.soft_edge is None else self.soft_edge


DEFAULT = EditSettings()
# The published code's.
PUBLISHED = EditSettings(
    num_inference_steps=100,
    mask_rule="threshold",
    remove_islands=False,
    close_holes=False,
    limit_area=False,
    relevance_samples=1,
    composition="decoded",
    soft_edge=0.0,
    reference=True,
    align=False,
)
# An edit without restriction is the stock pipeline's.
UNRESTRICTED = replace(DEFAULT, composition="decoded", soft_edge=0.0)


def resolve_settings(
    given: Mapping[str, Any],
    recommended: Mapping[str, Any],
    reference: bool = False,
    restricted: bool = True,
) -> EditSettings:
    """The settings of a call: what the caller gave, else what the checkpoint recommends, else the defaults.

    Args:
        given: names of `EditSettings` to the call's arguments; ``None`` is not given.
        recommended: the pipeline's config, with keys such as "recommended_guidance_scale".
        reference: the published arithmetic, with the published values; recommendations don't count.
        restricted: whether the edit is held to a region.

    Raises:
        InputError: a value out of range, or one that contradicts `reference` or another.
    """
    if reference:
        _check_reference(given)
    base = PUBLISHED if reference else DEFAULT if restricted else UNRESTRICTED
    if not reference:
        advice = {name: recommended.get(f"recommended_{name}") for name in RECOMMENDABLE}
        base = replace(base, **{name: value for name, value in advice.items() if value is not None})
    if given.get("mask_threshold") is not None:
        if given.get("mask_rule") not in (None, "threshold"):
            raise InputError(
                f"`mask_threshold` must be left out with `mask_rule={given['mask_rule']!r}`, which finds its own level."
            )
        base = replace(base, mask_rule="threshold")  # who gives a threshold wants it to count
    names = {field.name for field in fields(EditSettings)}
    settings = replace(base, **{name: value for name, value in given.items() if name in names and value is not None})
    if settings.twin and settings.composition != "difference":
        if given.get("twin"):
            raise InputError(
                f"`twin` must be left out with `composition={settings.composition!r}`: it is what a difference is taken "
                "to."
            )
        settings = replace(settings, twin=False)
    return settings


def _check_reference(given: Mapping[str, Any]) -> None:
    """See that nothing is asked for that the published code can't do."""
    for name, published in _PUBLISHED_ONLY.items():
        value = given.get(name)
        if value is not None and value != getattr(PUBLISHED, name):
            raise InputError(f"`{name}` must be left out with `reference=True`: the published code {published}.")
    levels = given.get("relevance_noise_level")
    if isinstance(levels, Sequence) and len(levels) > 1:
        raise InputError(
            "`relevance_noise_level` must be one number with `reference=True`, as in the published code, got "
            f"{levels!r}."
        )


# Settings that the published code has no choice of, and what it does.
_PUBLISHED_ONLY = {
    "composition": "lays the decoding",
    "twin": "lays the decoding",
    "mask_rule": "takes a threshold",
    "remove_islands": "leaves the mask as it is",
    "close_holes": "leaves the mask as it is",
    "limit_area": "leaves the mask as it is",
    "edit_strength": "makes the full edit",
    "relevance_source": "reads the noise predictions",
    "attention_gating": "leaves attention alone",
    "align": "knows no patient",
}
