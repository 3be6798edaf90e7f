"""Edit settings of X2XSettings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch

from x2x_core.edit.settings import DEFAULT, EditSettings
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from ..choices import CONTEXT_RECOMMENDED, CROP_RECOMMENDED, RECOMMENDED, WHOLE_CANVAS
from .noise_levels import read_levels

_SWITCH_VALUES = {RECOMMENDED: None, "on": True, "off": False}


@dataclass(frozen=True)
class MoreSettings:
    """Settings beyond the widgets of X2XEdit; ``None`` keeps the checkpoint's recommendation or the default."""

    twin: bool | None = None
    composition: str | None = None
    soft_edge: float | None = None
    relevance_noise_level: tuple[float, ...] | None = None
    relevance_samples: int | None = None
    relevance_source: str | None = None
    attention_gating: bool | None = None
    remove_islands: bool | None = None
    close_holes: bool | None = None
    limit_area: bool | None = None
    align: bool | None = None
    draw_place: bool | None = None
    padding_mask_crop: int | None = None  # False: no crop
    mask_context: int | None = None  # False: the whole canvas
    negative_prompt: str | None = None
    atlas: PseudomaskAtlas | None = None
    pseudomask: torch.Tensor | None = None  # MASK
    keep_mask: torch.Tensor | None = None  # MASK

    @classmethod
    def from_widgets(
        cls,
        *,
        noise_level: str,
        draws: int,
        negative: str,
        soft_edge: float,
        padding_mask_crop: int = CROP_RECOMMENDED,
        mask_context: int = CONTEXT_RECOMMENDED,
        **widgets: Any,
    ) -> MoreSettings:
        """Return the settings for the widgets of X2XSettings, named as there.

        Raises:
            InputError: invalid noise levels.
        """
        levels = read_levels(noise_level)
        values: dict[str, Any] = {
            name: _SWITCH_VALUES.get(value, value) if isinstance(value, str) else value
            for name, value in widgets.items()
        }
        for name in ("relevance_source", "attention_gating", "align", "draw_place"):
            if name in values and values[name] == getattr(DEFAULT, name):
                values[name] = None  # a default does not contradict the published settings
        return cls(
            soft_edge=None if soft_edge < 0 else soft_edge,
            relevance_noise_level=None if levels is None else tuple(levels),
            relevance_samples=draws or None,
            negative_prompt=negative.strip() or None,
            padding_mask_crop=None if padding_mask_crop == CROP_RECOMMENDED else padding_mask_crop or False,
            mask_context={CONTEXT_RECOMMENDED: None, WHOLE_CANVAS: False}.get(mask_context, mask_context),
            **values,
        )

    def arguments(self) -> dict[str, Any]:
        """Return the pipeline's arguments that differ from the recommendation, without atlas and masks."""
        names = [*(field.name for field in fields(EditSettings)), "negative_prompt"]
        values = {name: getattr(self, name, None) for name in names}
        return {name: value for name, value in values.items() if value is not None}
