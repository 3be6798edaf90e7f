"""Building the probability maps of a pseudomask atlas from experts' boxes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.maps import Place, ProbabilityMap

from .boxes import Box
from .calibration import CrossValidation, calibrate, choose_smoothing, held_out
from .model import SIGNIFICANCE, AtlasModel, BoxGroup, group_boxes, has_sides
from .smoothing import Smoothing

logger = logging.getLogger(__name__)

FOLDS = 5  # of each cross-validation

# Categories that an instruction may name but a table may lack are pooled from those that look alike on a radiograph.
# Lung opacity is the umbrella term for consolidation, pneumonia, atelectasis and lesions (CheXpert, Irvin et al.).
DEFAULT_POOLS = {
    "Consolidation": ("Infiltrate", "Pneumonia"),
    "Lung Lesion": ("Mass", "Nodule"),
    "Lung Opacity": ("Atelectasis", "Infiltrate", "Mass", "Nodule", "Pneumonia"),
}


@dataclass(frozen=True)
class BuildParameters:
    """Parameters of a build."""

    resolution: int = 72  # side length of the maps in pixels
    coverage: float = 0.97  # share of the pixels of unseen boxes that the regions should contain
    fewest_boxes: int = 10  # findings with fewer boxes use their anatomic site
    folds: int = FOLDS  # of the cross-validation over patients that chooses smoothing and cuts
    seed: int = 0  # of the split of the patients into folds

    def __post_init__(self) -> None:
        if self.resolution < 16:
            raise InputError(f"`resolution` must be at least 16 pixels, got {self.resolution}.")
        if not 0 < self.coverage < 1:
            raise InputError(f"`coverage` must lie in (0, 1), got {self.coverage}.")
        if self.fewest_boxes < 1:
            raise InputError(f"`fewest_boxes` must be at least 1, got {self.fewest_boxes}.")


def build_maps(
    boxes: Sequence[Box],
    pools: Mapping[str, Sequence[str]] | None = None,
    smoothing: Smoothing | None = None,
    **parameters: Any,
) -> tuple[dict[str, ProbabilityMap], dict[str, Any]]:
    """Build probability maps of all findings with enough boxes, by side and zone, each with its calibrated cut.

    A map is learnt for each finding anywhere, and for each side and zone band in which it has a box. The smoothing
    method is the one of `smoothing.CANDIDATES` with the smallest regions at the required coverage of held-out boxes,
    see `choose_smoothing`; each map is cut so that unseen boxes are covered, see `calibrate`.

    Args:
        boxes: boxes of any tables, in any order.
        pools: category to the categories whose boxes it takes if it has none (default: `DEFAULT_POOLS`).
        smoothing: use this method instead of choosing one.
        **parameters: fields of `BuildParameters`.

    Returns:
        Map names (see `Place.key`) to maps, and the metadata that record how each was made.

    Raises:
        InputError: no category has enough boxes, fewer patients than folds, or a parameter is out of range.
    """
    settings = BuildParameters(**parameters)
    members = _numerous(group_boxes(boxes, DEFAULT_POOLS if pools is None else pools), settings, len(boxes))
    groups = {name: BoxGroup.of(several) for name, several in members.items()}
    own = [name for name, several in members.items() if several[0].category == name]
    setting = CrossValidation(settings.resolution, own, settings.folds, settings.seed)
    candidates: list[dict[str, Any]] = []
    if smoothing is None:
        smoothing, candidates = choose_smoothing(groups, setting, settings.coverage)
    masses = calibrate(held_out(groups, smoothing, setting), settings.coverage)
    model = AtlasModel(groups, smoothing, settings.resolution, own)
    maps, described = {}, {}
    for category, several in members.items():
        made = _category_maps(model, category, masses)
        maps.update(made)
        described[category] = _describe(model, category, several, made)
    metadata = {
        "parameters": {**asdict(settings), "smoothing": asdict(smoothing)},
        "candidates": candidates,
        "edge_level": EDGE_LEVEL,
        "side_test": {"test": "exact two-sided sign test over patients", "significance": SIGNIFICANCE},
        "categories": described,
    }
    return maps, metadata


def _numerous(members: Mapping[str, list[Box]], settings: BuildParameters, total: int) -> dict[str, list[Box]]:
    """Return the categories with enough boxes."""
    kept = {}
    for category, several in members.items():
        if len(several) >= settings.fewest_boxes:
            kept[category] = several
        else:
            logger.warning("%s has only %d boxes: its anatomic site is used instead.", category, len(several))
    if not kept:
        raise InputError(
            f"`boxes` must hold at least {settings.fewest_boxes} boxes of some category, got {total} in all."
        )
    return kept


def _category_maps(
    model: AtlasModel, category: str, masses: Mapping[tuple[str, Place], float]
) -> dict[str, ProbabilityMap]:
    """Build the maps of the places in which a finding has boxes; other places are cut from its own map.

    No region is larger than that of the wider place that contains it: a more specific instruction never opens more.
    """
    maps: dict[str, ProbabilityMap] = {}
    for place in model.places(category):
        if (category, place) in masses and model.boxes_at(category, place):
            probability = model.probability(category, place)
            wider = maps.get(place.wider.key(category)) if place.wider else None
            largest = wider.share if wider else 1.0
            maps[place.key(category)] = ProbabilityMap.of(probability, masses[category, place], largest)
    return maps


def _describe(
    model: AtlasModel, category: str, boxes: Sequence[Box], maps: Mapping[str, ProbabilityMap]
) -> dict[str, Any]:
    places = {place.key(category): place for place in model.places(category)}
    return {
        "boxes": len(boxes),
        "images": len({box.image_id for box in boxes}),
        "pooled_from": sorted({box.category for box in boxes}),
        "sides": has_sides(category),
        "side_preference_p": round(model.preference[category], 4),
        "mirrored": model.mirrored[category],
        "maps": {
            key: {
                "boxes": model.boxes_at(category, places[key]),
                "editable_share": round(float((probability.mask() >= EDGE_LEVEL).float().mean()), 4),
            }
            for key, probability in maps.items()
        },
    }
