"""How an edit is made: the defaults, what a checkpoint recommends, and checks of what a caller asks for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

from .composition import COMPOSITIONS
from .relevance import SOURCES

# Settings that a checkpoint can recommend, in its pipeline's config, as "recommended_<name>".
RECOMMENDABLE = (
    "num_inference_steps",
    "guidance_scale",
    "image_guidance_scale",
    "mask_threshold",
    "relevance_noise_level",
)


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"`{name}` must be a whole number of at least 1, got {value!r}.")


def _check_number(name: str, value: Any, lowest: float, highest: float) -> None:
    bounds = f"lie in [{lowest:g}, {highest:g}]" if math.isfinite(lowest) else "be a finite number"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"`{name}` must {bounds}, got {value!r}.")
    if not lowest <= value <= highest:
        raise ValueError(f"`{name}` must {bounds}, got {value:g}.")


@dataclass(frozen=True)
class EditSettings:
    """The settings of one edit; the defaults are those of the pipeline.

    Raises:
        ValueError: a value out of range.
    """

    num_inference_steps: int = 20
    guidance_scale: float = 7.5  # s_T: how strongly the instruction is followed
    image_guidance_scale: float = 1.5  # s_I: how strongly the image is
    mask_threshold: float = 0.1  # tau: the guidance map's level from which the image may change, [0, 1]
    relevance_noise_level: float = 0.8  # at which the relevance map is read, share of the noise schedule, [0, 1]
    relevance_samples: int = 4  # noise draws that the relevance map is averaged over
    relevance_source: str = "noise"  # what the relevance map is read from, one of `SOURCES`
    attention_gating: bool = False  # whether attention follows the instruction inside the mask only, while denoising
    composition: str = "difference"  # see `x2x_core.composition`
    soft_edge: float = 0.02  # width of the mask's soft inner edge, share of the image's longer side, [0, 0.5]
    reference: bool = False  # the published arithmetic

    def __post_init__(self) -> None:
        for name in ("num_inference_steps", "relevance_samples"):
            _check_count(name, getattr(self, name))
        for name in ("guidance_scale", "image_guidance_scale"):
            _check_number(name, getattr(self, name), -math.inf, math.inf)
        for name in ("mask_threshold", "relevance_noise_level"):
            _check_number(name, getattr(self, name), 0, 1)
        if self.relevance_source not in SOURCES:
            raise ValueError(f"`relevance_source` must be one of {', '.join(SOURCES)}, got {self.relevance_source!r}.")
        if not isinstance(self.attention_gating, bool):
            raise ValueError(f"`attention_gating` must be True or False, got {self.attention_gating!r}.")
        _check_number("soft_edge", self.soft_edge, 0, 0.5)
        if self.composition not in COMPOSITIONS:
            raise ValueError(f"`composition` must be one of {', '.join(COMPOSITIONS)}, got {self.composition!r}.")


DEFAULT = EditSettings()
# The published code's.
PUBLISHED = EditSettings(
    num_inference_steps=100, relevance_samples=1, composition="decoded", soft_edge=0.0, reference=True
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
        ValueError: a value out of range, or one that contradicts `reference`.
    """
    if reference and given.get("composition") == "difference":
        raise ValueError("`composition` must be left out with `reference=True`: the published code lays the decoding.")
    for name in ("relevance_source", "attention_gating"):
        if reference and given.get(name) not in (None, getattr(PUBLISHED, name)):
            raise ValueError(
                f"`{name}` must be left out with `reference=True`: the published code reads the noise predictions and "
                "leaves attention alone."
            )
    base = PUBLISHED if reference else DEFAULT if restricted else UNRESTRICTED
    if not reference:
        advice = {name: recommended.get(f"recommended_{name}") for name in RECOMMENDABLE}
        base = replace(base, **{name: value for name, value in advice.items() if value is not None})
    names = {field.name for field in fields(EditSettings)}
    return replace(base, **{name: value for name, value in given.items() if name in names and value is not None})
