"""The atlas of pseudomasks: for every finding, side and zone, the region of a chest radiograph where it can be.

Region-Specific Editing multiplies the relevance map R by a pseudomask P, G = P * R, and edits where G >= 0.1 (Min et
al., *An Interpretable Local Editing Model for Counterfactual Medical Image Generation*, MICCAI 2025). The published
masks are 0 or 1. Ours are soft: 1 where the finding is common, falling smoothly to 0 across the region's outline, where
they are 0.1. So R = 1 passes the published threshold right up to the outline and never beyond it, and weak relevance
near the outline, which is mostly noise, does not pass.

The atlas holds the probability of each finding over each point of the anatomical frame, learnt from experts' boxes, for
the finding anywhere, on a side, in a zone, and in a zone of a side; a mask is the region of highest probability,
softened. An atlas of published masks, or in the first format, holds one mask per finding, which sides and zones cut by
windows.

The anatomical frame is the unit square of the typical radiograph; the patient's right is on the left of the image.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from x2x_core.anatomy.alignment import Alignment, align_image
from x2x_core.anatomy.frame import Frame
from x2x_core.anatomy.lungs import LungFinder
from x2x_core.anatomy.sites import ZONE_SITES, site_mask
from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.geometry import check_size
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

from .files import AtlasContent, encode_atlas, read_atlas_file, write_atlas_file
from .learnt import LearntMaps
from .maps import Place, ProbabilityMap
from .placing import cut_to_place, place
from .published import published_file_name, read_published_masks
from .sources import MaskSource, find_source

logger = logging.getLogger(__name__)


class PseudomaskAtlas:
    """The pseudomasks of all findings.

    An atlas without maps, ``PseudomaskAtlas({})``, is for pictures of anything: text is then free, and about the whole
    image.

    Args:
        maps: finding category (e.g. "Effusion") to its mask `(h, w)` in [0, 1]; or map names (see `Place.key`, e.g.
            "Effusion/right/lower") to probability maps.
        metadata: how the atlas was made, as JSON can hold it.
        published: True for published masks of 0 and 1: they are resampled as the published code does, and a missing
            category is an error.
        source: the file or folder they were read from, for messages.

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
        probabilities = {name: value for name, value in maps.items() if isinstance(value, ProbabilityMap)}
        masks = {name: value for name, value in maps.items() if not isinstance(value, ProbabilityMap)}
        if probabilities and masks:
            raise InputError("`maps` must hold either masks or probability maps, got both kinds.")
        self._learnt = LearntMaps(probabilities)
        self._maps = {name: _check_map(name, masks[name]) for name in sorted(masks)}
        for category in self._learnt.categories:
            mask = self._learnt.mask(category, Place())
            assert mask is not None
            self._maps[category] = mask
        self.metadata = dict(metadata or {})
        self.published = published
        self.source = str(source)

    def __repr__(self) -> str:
        kind = "published masks" if self.published else "soft masks"
        return f"PseudomaskAtlas({len(self._maps)} {kind}: {', '.join(self.names)}; source={self.source!r})"

    @classmethod
    def bundled(cls) -> PseudomaskAtlas:
        """Return the bundled atlas, built from the boxes of NIH ChestX-ray14: one for all, read on the first call."""
        return _bundled()

    @classmethod
    def load(cls, path: str | Path) -> PseudomaskAtlas:
        """Read an atlas file, or a folder of published masks (`pseudo_mask_<Category>.npy`).

        Raises:
            InputNotFoundError: there is no such file or folder, or the folder contains no mask.
            InputError: a file is malformed; the message names it.
        """
        path = Path(path)
        if os.path.isdir(path):
            return cls(read_published_masks(path), {"source": str(path)}, published=True, source=path)
        if not os.path.isfile(path):
            example = published_file_name("<Category>")
            raise InputNotFoundError(
                f"There is no atlas at `{path}`. Give a folder of `{example}` or a .safetensors file."
            )
        content = read_atlas_file(path)
        try:
            return cls(content.probabilities or content.masks, content.metadata, content.published, path)
        except InputError as error:
            raise InputError(f"`{path}` is a malformed atlas: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write the atlas to one file; `load` returns the same maps bit for bit, and equal atlases give equal bytes.

        Raises:
            InputNotFoundError: the folder does not exist.
        """
        write_atlas_file(Path(path), _content(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The categories that have a map of their own, in alphabetical order."""
        return tuple(self._maps)

    def map(self, category: str) -> torch.Tensor:
        """Return the mask of a category at its own resolution, `(h, w)` float32 in [0, 1].

        Raises:
            InputError: the atlas has no such category.
        """
        if category not in self._maps:
            raise InputError(f"`category` must be one of {', '.join(self.names)}, got {category!r}.")
        return self._maps[category].clone()

    def probability(self, category: str, side: str | None = None, zone: str | None = None) -> torch.Tensor:
        """Return the probability that a finding in a given place covers each point of the anatomical frame.

        Args:
            category: one of `names`.
            side: "left" or "right" of the patient, or "bilateral" (across the midline); ``None`` if unknown.
            zone: a key of `x2x_core.anatomy.sites.ZONE_BANDS`; ``None`` if unknown.

        Returns:
            `(h, w)` float32 in [0, 1].

        Raises:
            InputError: the atlas has no such map: another category or place, one without boxes, or an atlas of masks.
        """
        probability = self._learnt.probability(category, Place(side, zone))
        if probability is None:
            raise InputError(
                f"`category`, `side` and `zone` must name a probability map of the atlas, got {category!r}, {side!r} "
                f"and {zone!r}. It has: {', '.join(self._learnt.maps) or 'none, only masks'}."
            )
        return probability

    def source_of(self, finding: str) -> MaskSource:
        """Return the origin of a finding's mask: its category's map if the atlas has one, else its anatomic site.

        Args:
            finding: canonical name, a key of `x2x_core.language.vocabulary.FINDINGS`.

        Raises:
            InputError: an unknown finding, or a folder of published masks that lacks this finding's file.
        """
        return find_source(finding, self.names, self.source if self.published else None)

    def sources(self, instruction: Instruction) -> tuple[MaskSource, ...]:
        """Return the origins of the masks that make up an instruction's region, one per clause."""
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
        """Return the pseudomask of an instruction: the union (maximum) over its clauses.

        Each clause's mask is the one learnt for its side and zone, or a wider one cut to them by windows. Free text
        that names no finding has ``instruction.region`` "thorax" or "image", which is then the region.

        Args:
            instruction: the instruction.
            size: `(height, width)` in pixels (or latents).
            frame: the anatomical frame in the image; ``None``: the whole image.
            localise: restrict to sides and zones. ``False`` is the published behaviour, by finding only.

        Returns:
            `(1, 1, H, W)` float32 in [0, 1]. Published masks at 512x512 are exactly their files' 0 and 1; at other
            sizes they are interpolated bilinearly without antialiasing, as the published code makes its 64x64 latent
            mask.

        Raises:
            InputError: an unknown region or finding, a missing published mask, or an invalid size.
        """
        size = check_size(size)
        if instruction.region == "image":
            return torch.ones(1, 1, *size)
        if instruction.region == "thorax":
            return place(site_mask("thorax"), size, frame)
        if instruction.region != "findings" or not instruction.clauses:
            raise InputError(
                "`instruction.region` must be findings (with at least one clause), thorax or image, got "
                f"{instruction.region!r} with {len(instruction.clauses)} clauses."
            )
        masks = [self._for_clause(clause, size, frame, localise) for clause in instruction.clauses]
        return torch.stack(masks).amax(dim=0)

    def for_finding(self, finding: str, size: tuple[int, int], frame: Frame | None = None) -> torch.Tensor:
        """Return the pseudomask of a finding on any side, at any height, `(1, 1, H, W)` float32 in [0, 1]."""
        size = check_size(size)
        source = self.source_of(finding)
        if source.kind == "boxes":
            return place(self._maps[source.name], size, frame, self.published)
        logger.info("No expert boxes for %s: its anatomic site (%s) is the region.", finding, source.name)
        return place(site_mask(source.name), size, frame)

    def for_category(
        self,
        category: str,
        size: tuple[int, int],
        side: str | None = None,
        zone: str | None = None,
        frame: Frame | None = None,
    ) -> torch.Tensor:
        """Return the mask of a category in a place, `(1, 1, H, W)` float32 in [0, 1].

        Args:
            category: one of `names`.
            size: `(height, width)` in pixels.
            side: "left" or "right" of the patient; "bilateral": the union of both sides and of the map learnt from
                boxes across the midline; ``None`` if unknown.
            zone: see `x2x_core.anatomy.sites.zone_mask`; ``None`` if unknown.
            frame: the anatomical frame in the image; ``None``: the whole image.

        Raises:
            InputError: an unknown category, side or zone, or an invalid size.
        """
        size = check_size(size)
        whole = self.map(category)
        learnt = self._learnt.mask(category, Place(side, zone))
        if side == "bilateral" and self._learnt:
            masks = [self.for_category(category, size, each, zone, frame) for each in ("left", "right")]
            if learnt is None:
                masks.append(self.for_category(category, size, None, zone, frame))
            else:
                masks.append(place(learnt, size, frame))
            return torch.stack(masks).amax(dim=0)
        if learnt is not None:
            return place(learnt, size, frame)
        on_side = self._learnt.mask(category, Place(side))
        if zone in ZONE_SITES and on_side is not None:
            whole = on_side
        return cut_to_place(place(whole, size, frame, self.published), category, Place(side, zone), frame)

    def align(self, image: Any, finder: LungFinder | None = None) -> Alignment:
        """Find this patient's lungs and fit the anatomical frame to them.

        Args:
            image: one radiograph: a Pillow picture, an array or a tensor, see `x2x_core.imaging.inputs`.
            finder: the lung finder; ``None``: the bundled one.

        Returns:
            The frame for `for_instruction` and `for_finding`, its confidence, and the lungs.

        Raises:
            InputError: no image, or more than one.
        """
        return align_image(image, finder)

    def _for_clause(self, clause: Clause, size: tuple[int, int], frame: Frame | None, localise: bool) -> torch.Tensor:
        side = clause.side if FINDINGS[clause.finding].lateral else None  # the heart has no side to be restricted to
        source = self.source_of(clause.finding)
        if localise and source.kind == "boxes":
            return self.for_category(source.name, size, side, clause.zone, frame)
        mask = self.for_finding(clause.finding, size, frame)
        return cut_to_place(mask, clause.finding, Place(side, clause.zone), frame) if localise else mask


def _check_map(name: str, values: torch.Tensor) -> torch.Tensor:
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"The map of {name!r} must be (h, w), got shape {tuple(values.shape)}.")
    values = values.detach().to("cpu", torch.float32).contiguous()
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"The map of {name!r} must lie in [0, 1], got {float(values.min())} to {float(values.max())}.")
    return values


def atlas_digest(atlas: PseudomaskAtlas) -> str:
    """Return the SHA-256 of an atlas's maps, whatever file they came from."""
    return hashlib.sha256(encode_atlas(replace(_content(atlas), metadata={}))).hexdigest()


@lru_cache(maxsize=1)
def _bundled() -> PseudomaskAtlas:
    return PseudomaskAtlas.load(bundled_path("atlas"))


def _content(atlas: PseudomaskAtlas) -> AtlasContent:
    return AtlasContent(atlas._learnt.maps, {} if atlas._learnt else atlas._maps, atlas.metadata, atlas.published)
