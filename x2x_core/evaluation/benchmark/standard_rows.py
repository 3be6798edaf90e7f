"""The rows that an ablation and the benchmark compare.

The peers are edited as published: without restriction (stock InstructPix2Pix), and in the published arithmetic
(`reference=True`) by the relevance map alone (Mirzaei et al., *Watch Your Steps*, 2023), by the pseudomask alone, or by
both (Min et al., *InstructX2X*, 2025). "ours" is the pipeline's default; `parts_of_ours` removes one part of it at a
time, which separates its restriction from its composition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from x2x_core.edit.settings import PUBLISHED, resolve_settings, scale_in_words
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from . import diffedit, radedit
from .published_masks import PublishedMasks
from .rows import (
    DIFFEDIT,
    OURS,
    OURS_DECODED,
    PSEUDOMASK_ONLY,
    PUBLISHED_RSE,
    RADEDIT,
    RELEVANCE_ONLY,
    UNRESTRICTED,
    Row,
)

SHARED = ("num_inference_steps", "guidance_scale", "image_guidance_scale")  # the same in all rows, to be fair


def standard_rows(
    pipeline,
    call: Mapping[str, Any] | None = None,
    *,
    published_masks: PseudomaskAtlas | None = None,
    published_settings: bool = False,
) -> tuple[Row, ...]:
    """Return the rows of an ablation: no restriction, relevance only, pseudomask only, published RSE, ours.

    Steps and scales are the same in all rows: those of `call`, else what the checkpoint recommends. Rows in the
    published arithmetic use the published threshold, ours its own.

    Args:
        pipeline: an `InstructX2XPipeline`.
        call: names of `EditSettings` to values.
        published_masks: folder of masks in the published format; ``None``: see `PublishedMasks`.
        published_settings: add a row of published RSE at the published steps and scales.

    Raises:
        InputError: a setting out of range, or masks that are not published ones.
    """
    call = dict(call or {})
    shared = shared_settings(pipeline, call)
    masks = PublishedMasks(pipeline.pseudomasks, published_masks)
    published = {"reference": True, "mask_threshold": PUBLISHED.mask_threshold}
    level = f"threshold {PUBLISHED.mask_threshold:g}"
    both = f"published arithmetic; relevance x pseudomask, {level}; {masks.note}"
    peers = [
        Row(UNRESTRICTED, "stock InstructPix2Pix: every pixel may change", {**shared, "restricted": False}),
        Row(
            RELEVANCE_ONLY,
            f"Watch Your Steps: published arithmetic, pseudomask of ones, {level}",
            {**shared, **published},
            "pseudomask",
            _everywhere,
        ),
        Row(
            PSEUDOMASK_ONLY,
            f"published arithmetic, all of the pseudomask may change; {masks.note}",
            {**shared, "reference": True},
            "guidance_mask",
            lambda instruction, size: masks(instruction, size) >= 0.5,
        ),
        Row(PUBLISHED_RSE, both, {**shared, **published}, "pseudomask", masks),
    ]
    if published_settings:
        steps = {name: getattr(PUBLISHED, name) for name in SHARED}
        note = f"{both}; {_settings_in_words(steps)}"
        peers.append(Row(f"{PUBLISHED_RSE}, published settings", note, {**steps, **published}, "pseudomask", masks))
    return (*peers, Row(OURS, "the pipeline's default", {**call, **shared}, is_peer=False))


def parts_of_ours(pipeline, call: Mapping[str, Any] | None = None) -> tuple[Row, ...]:
    """Return ours without one part each: relevance map, pseudomask, alignment, twin, composition by difference.

    Args:
        pipeline: an `InstructX2XPipeline`.
        call: names of `EditSettings` to values.
    """
    call = dict(call or {})
    arguments = {**call, **shared_settings(pipeline, call)}
    whole = {"mask_threshold": 0.0, "limit_area": False, "remove_islands": False, "mask_rule": "threshold"}

    def variant(name: str, change: str, **changed: Any) -> Row:
        return Row(name, f"the pipeline's default, but {change}", {**arguments, **changed}, is_peer=False)

    return (
        variant("ours, no relevance", "all of its pseudomask may change", **whole),
        Row(
            "ours, no pseudomask",
            "the pipeline's default, but with a pseudomask of ones",
            arguments,
            "pseudomask",
            _everywhere,
            is_peer=False,
        ),
        variant("ours, not aligned", "with the pseudomask of the typical radiograph", align=False),
        variant("ours, no twin", "with the difference to the original's decoding", twin=False),
        variant(OURS_DECODED, "with the decoding laid over the image", composition="decoded"),
    )


def benchmark_rows(
    pipeline, call: Mapping[str, Any] | None = None, *, published_masks: PseudomaskAtlas | None = None
) -> tuple[Row, ...]:
    """Return the rows of the benchmark: the peers of `standard_rows`, DiffEdit's mask, RadEdit, and ours.

    The peers paste a decoding over the image, ours adds the difference of two decodings; the last row, ours with the
    decoding pasted, separates the effect of this from that of the restriction.

    Args:
        pipeline: see `standard_rows`.
        call: like `pipeline`.
        published_masks: like `pipeline`.
    """
    rows = {row.name: row for row in standard_rows(pipeline, call, published_masks=published_masks)}
    note = (
        f"edited where DiffEdit's rule on the relevance map says (noise level {diffedit.NOISE_LEVEL:g}, "
        f"{diffedit.DRAWS} draws), in the published arithmetic; the image stands in place of DiffEdit's inversion"
    )
    arguments = {**shared_settings(pipeline, call or {}), "reference": True}
    rows[DIFFEDIT] = Row(DIFFEDIT, note, arguments, diffedit=True)
    rows[RADEDIT] = _radedit(
        shared_settings(pipeline, call or {}), PublishedMasks(pipeline.pseudomasks, published_masks)
    )
    rows |= {row.name: row for row in parts_of_ours(pipeline, call)}
    order = (UNRESTRICTED, DIFFEDIT, RADEDIT, RELEVANCE_ONLY, PSEUDOMASK_ONLY, PUBLISHED_RSE, OURS, OURS_DECODED)
    return tuple(rows[name] for name in order)


def _radedit(shared: Mapping[str, Any], masks: PublishedMasks) -> Row:
    """Return the row of RadEdit, inside the published pseudomask."""
    steps = shared["num_inference_steps"]
    skipped = radedit.skipped_steps(steps, radedit.SKIP)
    left_out = f"the noisiest {skipped} of {steps} steps left out" if skipped else "no step left out"
    note = (
        f"RadEdit's inversion and two masks: edited in the pseudomask, kept beyond a band of {radedit.BAND:.0%} of the "
        f"longer side around it; {left_out} (published: {radedit.SKIP:.0%}); the kept region at the right noise "
        f"level, unlike the published code; {masks.note}"
    )
    return Row(
        RADEDIT, note, shared, "edit_mask", lambda instruction, size: masks(instruction, size) >= 0.5, radedit=True
    )


def shared_settings(pipeline, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the steps and scales of all rows: those of the call, else what the checkpoint recommends."""
    settings = resolve_settings(call, pipeline.config)
    return {name: value for name, value in asdict(settings).items() if name in SHARED}


def settings_note(pipeline, call: Mapping[str, Any]) -> str:
    """Describe the steps and scales of all rows."""
    given = [name for name in SHARED if call.get(name) is not None]
    source = f"as given: {', '.join(given)}" if given else "as the checkpoint recommends"
    return f"All rows: {_settings_in_words(shared_settings(pipeline, call))} ({source}), unless the row says otherwise."


def _settings_in_words(settings: Mapping[str, Any]) -> str:
    steps, text, image = (settings[name] for name in SHARED)
    return f"{steps} steps, guidance scale {scale_in_words(text)}, image guidance scale {image:g}"


def _everywhere(instruction: Instruction, size: tuple[int, int]) -> torch.Tensor:
    return torch.ones(1, 1, *size)
