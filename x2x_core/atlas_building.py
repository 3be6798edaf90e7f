"""Building a pseudomask atlas from experts' boxes, and measuring it on boxes it has not seen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from .boxes import TERMS, Box, read_boxes, table_format
from .imaging.provenance import sha256_file
from .pseudomasks import PseudomaskAtlas
from .sites import EDGE_LEVEL, EDGE_WIDTH, side_mask, soften

logger = logging.getLogger(__name__)

FOLDS = 5  # of the cross-validation that measures an atlas

# Categories that an instruction may name and a table may lack: pooled from those that look the same on a radiograph.
# Lung opacity is the umbrella term over consolidation, pneumonia, atelectasis and lesions (CheXpert, Irvin et al.).
DEFAULT_POOLS = {
    "Consolidation": ("Infiltrate", "Pneumonia"),
    "Lung Opacity": ("Atelectasis", "Infiltrate", "Mass", "Nodule", "Pneumonia"),
}


@dataclass(frozen=True)
class BuildParameters:
    """How a box-frequency map becomes a mask."""

    resolution: int = 256  # pixels to a side of the maps
    smoothing: float = 0.04  # standard deviation of the Gaussian over the frequencies, share of the image's side
    coverage: float = 0.97  # share of the box pixels that the region must hold
    edge_width: float = EDGE_WIDTH  # width of the fall from 1 to 0 at the outline, share of the image's side
    fewest_boxes: int = 10  # categories with fewer are left to their anatomic site

    def __post_init__(self) -> None:
        if self.resolution < 16:
            raise ValueError(f"`resolution` must be at least 16 pixels, got {self.resolution}.")
        if not 0 < self.coverage <= 1:
            raise ValueError(f"`coverage` must lie in (0, 1], got {self.coverage}.")
        if self.smoothing <= 0 or self.edge_width <= 0:
            raise ValueError(
                f"`smoothing` and `edge_width` must be positive, got {self.smoothing} and {self.edge_width}."
            )
        if self.fewest_boxes < 1:
            raise ValueError(f"`fewest_boxes` must be at least 1, got {self.fewest_boxes}.")


def build_maps(
    boxes: Sequence[Box],
    pools: Mapping[str, Sequence[str]] | None = None,
    **parameters: Any,
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Soft masks of all categories that have boxes enough.

    For each category: count the boxes over each pixel; add the mirror image where the finding has no side (its boxes
    mostly lie beside the midline, as those of paired organs do); smooth; keep the pixels of highest frequency
    that hold `coverage` of all box pixels; soften the outline.

    Args:
        boxes: of any tables, in any order.
        pools: category to the categories whose boxes it takes where it has none itself (default: `DEFAULT_POOLS`).
        **parameters: fields of `BuildParameters`.

    Returns:
        Category to map `(resolution, resolution)` in [0, 1] in steps of 1/255, and the metadata that records how
        each was made.

    Raises:
        ValueError: no boxes, none of the categories has enough, or a parameter is out of range.
    """
    settings = BuildParameters(**parameters)
    maps, described = {}, {}
    for category, members in _grouped(boxes, DEFAULT_POOLS if pools is None else pools).items():
        if len(members) < settings.fewest_boxes:
            logger.warning("%s has only %d boxes: it is left to its anatomic site.", category, len(members))
            continue
        region, mirrored = _region(members, settings)
        soft = soften(region, settings.edge_width)
        maps[category] = torch.from_numpy(np.round(soft * 255).astype(np.float32) / np.float32(255))
        described[category] = {
            "boxes": len(members),
            "images": len({box.image_id for box in members}),
            "pooled_from": sorted({box.category for box in members}),
            "mirrored": mirrored,
            "editable_share": round(float((maps[category] >= EDGE_LEVEL).float().mean()), 4),
        }
    if not maps:
        fewest = settings.fewest_boxes
        raise ValueError(f"`boxes` must hold at least {fewest} boxes of some category, got {len(boxes)} in all.")
    return maps, {"parameters": asdict(settings), "edge_level": EDGE_LEVEL, "categories": described}


def _grouped(boxes: Iterable[Box], pools: Mapping[str, Sequence[str]]) -> dict[str, list[Box]]:
    """Boxes by category, in alphabetical order, with the pooled categories that have none of their own."""
    groups: dict[str, list[Box]] = {}
    for box in boxes:
        groups.setdefault(box.category, []).append(box)
    pooled = {name: [box for part in parts for box in groups.get(part, [])] for name, parts in pools.items()}
    groups.update({name: members for name, members in pooled.items() if members and name not in groups})
    return dict(sorted(groups.items()))


def _region(boxes: Sequence[Box], settings: BuildParameters) -> tuple[np.ndarray, bool]:
    """The region `(h, w)` bool that holds `coverage` of the boxes' pixels, and whether left and right were pooled."""
    counts = _count(boxes, settings.resolution)
    mirrored = sum(box.crosses_midline for box in boxes) < len(boxes) / 2
    if mirrored:
        counts = counts + counts[:, ::-1]
    spread = settings.smoothing * settings.resolution
    frequency = cv2.GaussianBlur(counts, (0, 0), spread, borderType=cv2.BORDER_REFLECT)
    if mirrored:  # rounding in the blur must not make left and right differ
        frequency = (frequency + frequency[:, ::-1]) / 2
    order = np.argsort(-frequency, axis=None, kind="stable")
    held = np.cumsum(counts.ravel()[order])
    last = order[np.searchsorted(held, settings.coverage * held[-1])]
    return frequency >= frequency.ravel()[last], mirrored


def _count(boxes: Sequence[Box], resolution: int) -> np.ndarray:
    """How many boxes lie over each pixel, `(resolution, resolution)` float64."""
    counts = np.zeros((resolution, resolution))
    for box in boxes:
        left, top, right, bottom = (round(edge * resolution) for edge in box.edges)
        counts[top : max(bottom, top + 1), left : max(right, left + 1)] += 1
    return counts


def measure(boxes: Sequence[Box], folds: int = FOLDS, seed: int = 0, **parameters: Any) -> dict[str, dict[str, float]]:
    """How tight and how complete the atlas is on patients it was not built from (cross-validation).

    Patients, not boxes, are dealt to the folds at random; every box is tested once.

    Args:
        boxes: as for `build_maps`.
        folds: parts to split the patients into, at least 2.
        seed: of the deal.
        **parameters: as for `build_maps`.

    Returns:
        For each category: `editable_share` (of the image, where the mask is at least 0.1), `coverage` (of held-out
        box pixels), and, for findings that have sides, both again where the side is known (`editable_share_side`,
        `coverage_side`; boxes across the midline are left out of these); all in [0, 1], means over folds.

    Raises:
        ValueError: fewer than 2 folds, or fewer patients than folds.
    """
    patients = sorted({box.patient_id for box in boxes})
    if not 2 <= folds <= len(patients):
        raise ValueError(f"`folds` must lie between 2 and the number of patients ({len(patients)}), got {folds}.")
    dealt = np.random.default_rng(seed).permutation(len(patients)) % folds
    fold_of = dict(zip(patients, dealt.tolist()))
    results: dict[str, list[dict[str, float]]] = {}
    for fold in range(folds):
        maps, metadata = build_maps([box for box in boxes if fold_of[box.patient_id] != fold], **parameters)
        held_out = [box for box in boxes if fold_of[box.patient_id] == fold]
        for category, mask in maps.items():
            described = metadata["categories"][category]
            tested = [box for box in held_out if box.category in described["pooled_from"]]
            if tested:
                measured = _measure_fold(mask.numpy(), tested, sided=described["mirrored"])
                results.setdefault(category, []).append(measured)
    return {name: _mean(parts) for name, parts in sorted(results.items())}


def _measure_fold(mask: np.ndarray, boxes: Sequence[Box], sided: bool) -> dict[str, float]:
    editable = mask >= EDGE_LEVEL
    counts = _count(boxes, mask.shape[0])
    result = {"editable_share": float(editable.mean()), "coverage": float((counts * editable).sum() / counts.sum())}
    if not sided:
        return result
    shares, covered, total = [], 0.0, 0.0
    for side in ("left", "right"):
        named = mask * side_mask(side, mask.shape).numpy() >= EDGE_LEVEL
        counts = _count([box for box in boxes if box.side == side], mask.shape[0])
        shares.append(named.mean())
        covered, total = covered + (counts * named).sum(), total + counts.sum()
    result["editable_share_side"] = float(np.mean(shares))
    if total:
        result["coverage_side"] = float(covered / total)
    return result


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure over the folds that have it."""
    names = sorted({name for part in parts for name in part})
    return {name: round(float(np.mean([part[name] for part in parts if name in part])), 4) for name in names}


def build_atlas(
    box_paths: Sequence[str | Path],
    out: str | Path,
    folds: int = FOLDS,
    seed: int = 0,
    **parameters: Any,
) -> PseudomaskAtlas:
    """Read box tables, build the atlas, measure it and write it: what `x2x masks build` does.

    The file records how it was made: its parameters, each table's name, SHA-256 and terms of use, the boxes behind each
    map, and the measures on held-out patients (see `measure`).

    Args:
        box_paths: tables in the NIH, RSNA or MS-CXR format.
        out: the safetensors file to write; the same tables and parameters give the same bytes.
        folds: of the cross-validation; 0: don't measure.
        seed: of the cross-validation.
        **parameters: as for `build_maps`.

    Returns:
        The atlas, as written.

    Raises:
        FileNotFoundError: a table or the folder of `out` does not exist.
        ValueError: no table, a malformed table, or a parameter out of range.
    """
    if not box_paths:
        raise ValueError("`box_paths` must name at least one table of boxes, got none.")
    boxes: list[Box] = []
    tables = []
    for path in map(Path, box_paths):
        members = read_boxes(path)
        kind = table_format(path)
        tables.append({"file": path.name, "format": kind, "sha256": sha256_file(path), "boxes": len(members)})
        tables[-1]["terms"] = TERMS[kind]
        boxes += members
    maps, metadata = build_maps(boxes, **parameters)
    metadata["tables"] = tables
    if folds:
        measured = measure(boxes, folds, seed, **parameters)
        metadata["held_out"] = {"folds": folds, "seed": seed, "grouped_by": "patient", "categories": measured}
    atlas = PseudomaskAtlas(maps, metadata, source=out)
    atlas.save(out)
    logger.info("Wrote %d maps from %d boxes to %s", len(maps), len(boxes), out)
    return atlas
