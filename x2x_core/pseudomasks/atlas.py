"""Pseudomasks: where in a chest radiograph a finding can be.

Region-Specific Editing multiplies the model's relevance map R by a pseudomask P, G = P * R, and edits where G >= 0.1
(Min et al., *An Interpretable Local Editing Model for Counterfactual Medical Image Generation*, MICCAI 2025). The
published masks are 0 or 1. Ours are soft: 1 where the finding is at home, falling smoothly to 0 across the region's
outline, where they are 0.1. So R = 1 passes the published threshold right up to the outline and never beyond it,
and weak relevance near the outline, which is mostly noise, does not pass.

Our atlas holds the probability of each finding over each point, learnt from experts' boxes for the finding anywhere, on
a side, in a zone, and in a zone of a side; a mask is the region of highest probability, softened. A file in the first
format, or of published masks, holds a mask for each finding; sides and zones are then windows that cut it.

The frame is the whole image, stretched to the unit square; the patient's right is on the image's left.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from x2x_core.anatomy.alignment import Alignment, align_image
from x2x_core.anatomy.frame import Frame, pixel_centres
from x2x_core.anatomy.sites import SHAPES, ZONE_BANDS, ZONE_SITES, side_mask, site_mask, zone_mask
from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.geometry import check_size, resize
from x2x_core.language.vocabulary import FINDINGS, Finding

from .maps import MASK_RESOLUTION, Place, ProbabilityMap

if TYPE_CHECKING:
    from x2x_core.anatomy.lungs import LungFinder
    from x2x_core.language.clauses import Clause
    from x2x_core.language.instruction import Instruction
    from x2x_core.pseudomasks.building.boxes import Box

logger = logging.getLogger(__name__)

FORMAT = "x2x-pseudomask-atlas-2"  # probability maps
MASK_FORMAT = "x2x-pseudomask-atlas-1"  # one mask for each finding
# Findings that no published mask is for, but that experts boxed in tables: the category of their boxes.
BOXED_CATEGORIES = {
    "lung lesion": "Lung Lesion",
    "pleural thickening": "Pleural thickening",
    "calcification": "Calcification",
    "fracture": "Rib fracture",
}
# A zone or side that leaves less than this of a finding's map takes the thorax there instead: the words win.
SMALLEST_SHARE = 0.005
_METADATA_KEY = "x2x_atlas"


@dataclass(frozen=True)
class MaskSource:
    """Where the mask of one finding comes from."""

    finding: str  # canonical name, see `x2x_core.language.vocabulary`
    kind: str  # "boxes" (experts' bounding boxes) or "site" (its anatomic site)
    name: str  # the category in the atlas, or the site


class PseudomaskAtlas:
    """The pseudomasks of all findings.

    Args:
        maps: finding category (e.g. "Effusion") to its mask `(h, w)` in [0, 1]; or map names (see `Place.key`, e.g.
            "Effusion/right/lower") to probability maps.
        metadata: what is known of their making; what JSON can hold.
        published: whether these are published masks of 0 and 1: they are resampled as the published code does, and a
            category that they should have but lack is an error.
        source: where they were read, for messages.

    Raises:
        InputError: a map that is not `(h, w)` in [0, 1]; both kinds; or maps of places without their finding's own.
    """

    def __init__(
        self,
        maps: Mapping[str, torch.Tensor] | Mapping[str, ProbabilityMap],
        metadata: Mapping[str, Any] | None = None,
        published: bool = False,
        source: str | Path = "",
    ) -> None:
        self._probabilities = {name: maps[name] for name in sorted(maps) if isinstance(maps[name], ProbabilityMap)}
        _check_names(self._probabilities, maps)
        self._learnt: dict[str, torch.Tensor] = {}  # masks of probability maps, made when they are first asked for
        self._maps = {
            name: self._mask_of(name) if name in self._probabilities else _check_map(name, maps[name])
            for name in sorted(maps)
            if "/" not in name
        }
        self.metadata = dict(metadata or {})
        self.published = published
        self.source = str(source)

    def __repr__(self) -> str:
        kind = "published masks" if self.published else "soft masks"
        return f"PseudomaskAtlas({len(self._maps)} {kind}: {', '.join(self.names)}; source={self.source!r})"

    @property
    def names(self) -> tuple[str, ...]:
        """The categories that have a map of their own, in alphabetical order."""
        return tuple(self._maps)

    def map(self, category: str) -> torch.Tensor:
        """The mask of a category at its own resolution, `(h, w)` float32 in [0, 1].

        Raises:
            InputError: the atlas has none of this name.
        """
        if category not in self._maps:
            raise InputError(f"`category` must be one of {', '.join(self.names)}, got {category!r}.")
        return self._maps[category].clone()

    def probability(self, category: str, side: str | None = None, zone: str | None = None) -> torch.Tensor:
        """The probability that a finding, known to be in a place, lies over each point of the anatomical frame.

        Args:
            category: one of `names`.
            side: "left" or "right" of the patient, or "bilateral": across the midline; ``None``: not known.
            zone: a key of `x2x_core.anatomy.sites.ZONE_BANDS`; ``None``: not known.

        Returns:
            `(h, w)` float32 in [0, 1].

        Raises:
            InputError: the atlas has no such map: another category or place, one without boxes, or an atlas of masks.
        """
        found = self._find(category, Place(side, zone))
        if found is None:
            raise InputError(
                f"`category`, `side` and `zone` must name a probability map of the atlas, got {category!r}, {side!r} "
                f"and {zone!r}. It has: {', '.join(self._probabilities) or 'none, only masks'}."
            )
        name, flip = found
        probability = self._probabilities[name].probability()
        return probability.flip(-1) if flip else probability

    def _find(self, category: str, place: Place) -> tuple[str, bool] | None:
        """The name of a place's probability map, and whether it is to be flipped for it; ``None``: there is none."""
        if place.key(category) in self._probabilities:
            return place.key(category), False
        # A side whose mirror image stands for it. Where sides are learnt apart, a missing one has no boxes.
        both = {Place(side).key(category) in self._probabilities for side in ("left", "right")}
        mirrored = place.mirrored.key(category)
        if place.side is not None and both == {True, False} and mirrored in self._probabilities:
            return mirrored, True
        return None

    def _mask_of(self, name: str) -> torch.Tensor:
        if name not in self._learnt:
            self._learnt[name] = self._probabilities[name].mask()
        return self._learnt[name]

    def _learnt_mask(self, category: str, place: Place) -> torch.Tensor | None:
        found = self._find(category, place)
        if found is None:
            return None
        name, flip = found
        return self._mask_of(name).flip(-1) if flip else self._mask_of(name)

    # -- which mask ---------------------------------------------------------------------------------------------------

    def source_of(self, finding: str) -> MaskSource:
        """Which mask a finding gets: its category's, where the atlas has one, or its anatomic site's.

        Args:
            finding: canonical name, a key of `x2x_core.language.vocabulary.FINDINGS`.

        Raises:
            InputError: an unknown finding; or a folder of published masks that lacks this finding's file.
        """
        known = _known_finding(finding)
        category = known.category or BOXED_CATEGORIES.get(known.name)
        if category is not None and category in self._maps:
            return MaskSource(known.name, "boxes", category)
        if known.category is not None and self.published:
            raise InputError(
                f"`{self.source}` must hold `{_file_name(known.category)}` for {known.name!r}, but it is missing; "
                f"there is {', '.join(_file_name(name) for name in self.names) or 'no mask'}. Add the file, or use "
                f"the bundled atlas."
            )
        return MaskSource(known.name, "site", known.site)

    def sources(self, instruction: Instruction) -> tuple[MaskSource, ...]:
        """Which masks make up an instruction's region, one for each clause, to be recorded with a result."""
        if instruction.region != "findings":
            return ()
        return tuple(self.source_of(clause.finding) for clause in instruction.clauses)

    def for_instruction(
        self,
        instruction: Instruction,
        size: tuple[int, int],
        frame: Frame | None = None,
        localise: bool = True,
    ) -> torch.Tensor:
        """The pseudomask of an instruction: the union (maximum) over its clauses.

        Each clause's mask is that of the side and the zone that it names, where the atlas has learnt it, or cut to them
        where not. Free text that names no finding has
        ``instruction.region`` "thorax" or "image" and gets that.

        Args:
            instruction: what to edit.
            size: `(height, width)` in pixels (or latents).
            frame: where the typical radiograph lies in the image; ``None``: it is the whole image.
            localise: keep to sides and zones. ``False`` is the published behaviour, that knows only findings.

        Returns:
            `(1, 1, H, W)` float32 in [0, 1]. Published masks at 512x512 are exactly their files' 0 and 1; at other
            sizes they are interpolated bilinearly without antialiasing, as the published code makes its 64x64
            latent mask.

        Raises:
            InputError: an unknown region or finding, a missing published mask, or an impossible size.
        """
        size = check_size(size)
        if instruction.region == "image":
            return torch.ones(1, 1, *size)
        if instruction.region == "thorax":
            return _place(site_mask("thorax"), size, frame, hard=False)
        if instruction.region != "findings" or not instruction.clauses:
            raise InputError(
                "`instruction.region` must be findings (with at least one clause), thorax or image, got "
                f"{instruction.region!r} with {len(instruction.clauses)} clauses."
            )
        masks = [self._for_clause(clause, size, frame, localise) for clause in instruction.clauses]
        return torch.stack(masks).amax(dim=0)

    def for_finding(self, finding: str, size: tuple[int, int], frame: Frame | None = None) -> torch.Tensor:
        """The pseudomask of one finding wherever it may be, `(1, 1, H, W)` float32 in [0, 1]."""
        size = check_size(size)
        source = self.source_of(finding)
        if source.kind == "boxes":
            return _place(self._maps[source.name], size, frame, hard=self.published)
        logger.info("No expert boxes for %s: its anatomic site (%s) is the region.", finding, source.name)
        return _place(site_mask(source.name), size, frame, hard=False)

    def for_category(
        self,
        category: str,
        size: tuple[int, int],
        side: str | None = None,
        zone: str | None = None,
        frame: Frame | None = None,
    ) -> torch.Tensor:
        """The mask of a category of boxes where it is known to be, `(1, 1, H, W)` float32 in [0, 1].

        Args:
            category: one of `names`.
            size: `(height, width)` in pixels.
            side: "left" or "right" of the patient; "bilateral": the union of both and of what is learnt from boxes
                across the midline; ``None``: not known.
            zone: see `x2x_core.anatomy.sites.zone_mask`; ``None``: not known.
            frame: as for `for_instruction`.

        Raises:
            InputError: the atlas has none of this name; an unknown side or zone, or an impossible size.
        """
        size = check_size(size)
        whole = self.map(category)
        learnt = self._learnt_mask(category, Place(side, zone))
        if side == "bilateral" and self._probabilities:
            masks = [self.for_category(category, size, each, zone, frame) for each in ("left", "right")]
            across = self.for_category(category, size, None, zone, frame) if learnt is None else None
            masks.append(_place(learnt, size, frame, hard=False) if across is None else across)
            return torch.stack(masks).amax(dim=0)
        if learnt is not None:
            return _place(learnt, size, frame, hard=False)
        on_side = self._learnt_mask(category, Place(side))
        if zone in ZONE_SITES and on_side is not None:
            whole = on_side
        mask = _place(whole, size, frame, hard=self.published)
        return self._cut(mask, category, (side, zone), frame)

    def _for_clause(self, clause: Clause, size: tuple[int, int], frame: Frame | None, localise: bool) -> torch.Tensor:
        side = clause.side if FINDINGS[clause.finding].lateral else None  # a heart has no side to keep to
        source = self.source_of(clause.finding)
        if localise and source.kind == "boxes":
            return self.for_category(source.name, size, side, clause.zone, frame)
        mask = self.for_finding(clause.finding, size, frame)
        return self._cut(mask, clause.finding, (side, clause.zone), frame) if localise else mask

    @staticmethod
    def _cut(mask: torch.Tensor, name: str, place: tuple[str | None, str | None], frame: Frame | None) -> torch.Tensor:
        """A mask `(1, 1, H, W)` cut to a side and a zone by windows; the thorax there, if nothing is left of it."""
        side, zone = place
        if side in (None, "bilateral") and zone is None:
            return mask
        size = tuple(mask.shape[-2:])
        window = _place(location_window(side, zone), size, frame, hard=False)
        cut = mask * window
        if cut.mean() >= SMALLEST_SHARE:
            return cut
        logger.info("%s is not expected at %s %s: the thorax there is the region.", name, side or "either side", zone)
        return _place(site_mask("thorax"), size, frame, hard=False) * window

    # -- this patient -------------------------------------------------------------------------------------------------

    def align(self, image: Any, finder: LungFinder | None = None) -> Alignment:
        """Find this patient's lungs and fit the anatomical frame to them.

        Args:
            image: one radiograph: a Pillow picture, an array or a tensor, see `x2x_core.imaging.inputs`.
            finder: what finds the lungs; ``None``: the one that ships.

        Returns:
            The frame for `for_instruction` and `for_finding`, how sure it is, and the lungs.

        Raises:
            InputError: no image, or more than one.
        """
        return align_image(image, finder)

    # -- making, reading and writing ----------------------------------------------------------------------------------

    @classmethod
    def build(cls, boxes: Iterable[Box], **parameters: Any) -> PseudomaskAtlas:
        """Make an atlas from experts' boxes; see `x2x_core.pseudomasks.building.maps_from_boxes.build_maps` for the parameters."""
        from x2x_core.pseudomasks.building.maps_from_boxes import build_maps

        maps, metadata = build_maps(list(boxes), **parameters)
        return cls(maps, metadata)

    @classmethod
    def bundled(cls) -> PseudomaskAtlas:
        """The atlas that ships with the project, built from the NIH ChestX-ray14 boxes."""
        return cls.load(bundled_path("atlas"))

    @classmethod
    def load(cls, path: str | Path) -> PseudomaskAtlas:
        """Read a folder of published masks (`pseudo_mask_<Category>.npy`), or an atlas file of our own.

        The published generator writes `mask_<Category>.npy` with underscores for spaces: those names are read too.

        Raises:
            InputNotFoundError: there is no such file or folder, or the folder holds no mask.
            InputError: a file that is malformed; the message names it.
        """
        path = Path(path)
        if path.is_dir():
            return _load_published(path)
        if not path.is_file():
            raise InputNotFoundError(
                f"There is no atlas at `{path}`. Give a folder of `pseudo_mask_<Category>.npy` or a .safetensors file."
            )
        return _load_file(path)

    def save(self, path: str | Path) -> None:
        """Write the atlas to one safetensors file; `load` gives back the same maps bit for bit.

        The same atlas gives the same bytes.

        Raises:
            InputNotFoundError: the folder does not exist.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise InputNotFoundError(f"There is no folder `{path.parent}` to write `{path.name}` to. Make it first.")
        header = {"format": MASK_FORMAT, "published": self.published, "metadata": self.metadata}
        tensors = {name: _pack(values) for name, values in self._maps.items()}
        if self._probabilities:
            levels = {name: [each.peak, each.cut] for name, each in self._probabilities.items()}
            header = {"format": FORMAT, "levels": levels, "metadata": self.metadata}
            tensors = {name: each.values.clone() for name, each in self._probabilities.items()}
        text = json.dumps(header, sort_keys=True, allow_nan=False)
        path.write_bytes(save(tensors, metadata={_METADATA_KEY: text}))


def location_window(side: str | None, zone: str | None, resolution: int = MASK_RESOLUTION) -> torch.Tensor:
    """The part of the unit square that a side and a zone name.

    Args:
        side: "left" or "right" of the patient, "bilateral" or ``None`` (both).
        zone: see `x2x_core.anatomy.sites.zone_mask`, or ``None`` (all heights).
        resolution: pixels to a side.

    Returns:
        `(resolution, resolution)` float32 in [0, 1], with soft edges.

    Raises:
        InputError: an unknown side or zone.
    """
    size = (resolution, resolution)
    window = torch.ones(size) if side is None else side_mask(side, size)
    if zone is None:
        return window
    return window * zone_mask(zone, size)


def _known_finding(name: str) -> Finding:
    if name not in FINDINGS:
        raise InputError(f"`finding` must be a known finding's canonical name, got {name!r}; see `x2x info`.")
    finding = FINDINGS[name]
    if finding.site not in SHAPES:
        raise InputError(f"`site` of {name!r} must be one of {', '.join(SHAPES)}, got {finding.site!r}.")
    return finding


def _place(mask: torch.Tensor, size: tuple[int, int], frame: Frame | None, hard: bool) -> torch.Tensor:
    """Lay a map `(h, w)` of the unit square over an image of `size`: `(1, 1, H, W)`."""
    mask = mask[None, None]
    if frame is not None:
        return place_in_frame(mask, size, frame)
    if tuple(mask.shape[-2:]) == size:
        return mask.clone()
    if hard:  # the published arithmetic
        return F.interpolate(mask, size, mode="bilinear", align_corners=False)
    return resize(mask, size).clamp(0, 1)


def place_in_frame(mask: torch.Tensor, size: tuple[int, int], frame: Frame) -> torch.Tensor:
    """Lay a mask `(1, 1, h, w)` of the anatomical frame over an image of `size`: `(1, 1, H, W)`; 0 outside the frame."""
    grid = frame.to_frame(pixel_centres(size))[None] * 2 - 1
    inside = ((grid.abs() <= 1).all(dim=-1))[:, None]
    sampled = F.grid_sample(mask, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return (sampled * inside).clamp(0, 1)


def _check_map(name: str, values: torch.Tensor) -> torch.Tensor:
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"The map of {name!r} must be (h, w), got shape {tuple(values.shape)}.")
    values = values.detach().to("cpu", torch.float32).contiguous()
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"The map of {name!r} must lie in [0, 1], got {float(values.min())} to {float(values.max())}.")
    return values


def _check_names(probabilities: Mapping[str, ProbabilityMap], maps: Mapping[str, Any]) -> None:
    if not probabilities:
        return
    if len(probabilities) < len(maps):
        raise InputError("`maps` must hold either masks or probability maps, got both kinds.")
    for name in probabilities:
        category, *_ = name.split("/")
        sides = (None, "left", "right", "bilateral")
        places = {Place(side, zone).key(category) for side in sides for zone in (None, *ZONE_BANDS)}
        if category not in probabilities or name not in places:
            raise InputError(
                f"`maps` must name a finding that has a map of its own, a side and a zone band, got {name!r}."
            )


def _pack(values: torch.Tensor) -> torch.Tensor:
    """Bytes where they hold the map exactly, else its float32."""
    whole = (values * 255).round().to(torch.uint8)
    return whole if torch.equal(_unpack(whole), values) else values


def _unpack(values: torch.Tensor) -> torch.Tensor:
    return values.to(torch.float32) / 255 if values.dtype == torch.uint8 else values


def _load_file(path: Path) -> PseudomaskAtlas:
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(_METADATA_KEY, "{}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        described = json.loads(header)
    except (SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"`{path}` must be an atlas of pseudomasks, but can't be read: {error}.") from error
    if described.get("format") not in (FORMAT, MASK_FORMAT):
        raise InputError(f"`{path}` must be an atlas in the format {FORMAT!r}, got {described.get('format')!r}.")
    try:
        if described["format"] == FORMAT:
            maps = {name: ProbabilityMap(values, *described["levels"][name]) for name, values in tensors.items()}
            return PseudomaskAtlas(maps, described["metadata"], source=path)
        maps = {name: _unpack(values) for name, values in tensors.items()}
        return PseudomaskAtlas(maps, described["metadata"], described["published"], path)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"`{path}` is a malformed atlas: {error}") from error


def _file_name(category: str) -> str:
    return f"pseudo_mask_{category}.npy"


def _load_published(folder: Path) -> PseudomaskAtlas:
    maps = {}
    for path in sorted(folder.glob("*.npy")):
        for prefix in ("pseudo_mask_", "mask_"):
            if path.stem.startswith(prefix):
                maps.setdefault(_category(path.stem.removeprefix(prefix)), _load_published_mask(path))
                break
    if not maps:
        raise InputNotFoundError(
            f"`{folder}` must hold published masks (`pseudo_mask_<Category>.npy`), but there is none in it."
        )
    return PseudomaskAtlas(maps, {"source": str(folder)}, published=True, source=folder)


def _category(stem: str) -> str:
    name = stem.replace("_", " ").strip()
    return "Effusion" if name == "Pleural Effusion" else name


def _load_published_mask(path: Path) -> torch.Tensor:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"`{path}` must be a NumPy array of 0 and 1, but can't be read: {error}.") from error
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "buif":
        raise InputError(f"`{path}` must be a 2-dimensional mask of 0 and 1, got {values.dtype} {values.shape}.")
    if not np.isin(values, (0, 1)).all():
        raise InputError(f"`{path}` must hold only 0 and 1, got values from {values.min()} to {values.max()}.")
    if not values.any():
        raise InputError(f"`{path}` must mark some of the image, but it is empty.")
    return torch.from_numpy(values.astype(np.float32))
