"""Find the lungs in a radiograph.

The network (see `x2x_core.anatomy.lung_network`) looks at the picture twice: at the whole of it, without borders of one grey,
and then at the chest alone. Each time it looks at several renderings (as it is, darker, inverted); their mean is the
mask, and how far they agree is a part of the confidence. Each image is looked at by itself, so that a batch gives what
single images give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.geometry import Padding, crop, fit_to, resize

from .lung_network import VIEW, LungNetwork, channels_of

INSIDE = 0.5  # chance from which a pixel counts as lung
BORDER_TOLERANCE = 0.02  # grey levels of [0, 1] within which a row or column counts as a border of one grey
MARGIN = 0.18  # around the lungs in the second look, share of their breadth or height
SMALLEST_CHEST = 0.12  # side of the box around both lungs, share of the view, under which there is no second look
ISLAND = 0.15  # of the largest piece's area: smaller pieces are taken away
TAIL = 0.08  # of a lung field's height: what is narrower is a tail
TAIL_REACH = 0.10  # of a lung field's height: how far a tail may reach
_TAIL_VIEW = 192  # pixels to the longer side of the view in which tails are looked for
DARKER = 1.6  # gamma of the second rendering
# Where each part of the confidence is 0 and where it is 1.
_SHARP = (0.55, 0.85)
_AGREEMENT = (0.70, 0.93)
_SOLIDITY = (0.55, 0.80)
_AREA = (0.015, 0.04)  # of the smaller lung, share of the chest's surroundings
_RATIO = (0.10, 0.35)  # of the smaller lung's area to the larger one's
_LEVEL = (0.60, 0.25)  # vertical distance of the lungs' middles, share of their common height

Box = tuple[int, int, int, int]  # top, left, bottom, right in pixels


@dataclass(frozen=True)
class LungMasks:
    """The lungs of B radiographs, as chances in [0, 1] at the images' own size, `(B, 1, H, W)` float32.

    Right and left are the patient's: the right lung is on the image's left.

    Args:
        right, left: the lung fields as a reader outlines them: down to the diaphragm and up to the heart's edge.
        right_whole, left_whole: the whole lungs, with what lies behind diaphragm, heart and mediastinum: a guess of what
            can't be seen.
        confidence: `(B,)` in [0, 1]: how far the masks can be trusted; see `LungFinder.find`.
    """

    right: torch.Tensor
    left: torch.Tensor
    right_whole: torch.Tensor
    left_whole: torch.Tensor
    confidence: torch.Tensor

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, number: int) -> LungMasks:
        """The masks of one image, B = 1."""
        part = slice(number, number + 1) if number != -1 else slice(number, None)
        return LungMasks(*(getattr(self, name)[part] for name in _FIELDS), self.confidence[part])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return tuple(self.right.shape[-2:])


_FIELDS = ("right", "left", "right_whole", "left_whole")


class LungFinder:
    """Finds the lungs in radiographs, on the CPU, the same every time.

    Example:
        >>> lungs = LungFinder.bundled().find(image)  # (B, 1, H, W) in [0, 1]
        >>> lungs.left, lungs.confidence

    Args:
        network: with its weights.
    """

    def __init__(self, network: LungNetwork) -> None:
        self.network = network.float().eval().requires_grad_(False)

    @classmethod
    def bundled(cls) -> LungFinder:
        """The finder that ships; its weights are read at the first call."""
        return _bundled()

    @classmethod
    def load(cls, path: str | Path) -> LungFinder:
        """Read weights (`.safetensors`).

        Raises:
            InputNotFoundError: there is no such file.
            InputError: it holds no weights of this network.
        """
        return cls(load_network(path))

    @torch.no_grad()
    def find(self, image: torch.Tensor) -> LungMasks:
        """Find the lungs.

        The confidence is the product of: how decided the masks are; how well the renderings agree; and how lung-like the
        masks are (size, fullness of the outline, both of about one size and height, right and left in their places).

        Args:
            image: `(B, C, H, W)` floating point in [0, 1], C = 1 or 3, of any size.

        Returns:
            The masks at the image's size. Where nothing looks like lungs they are about 0, and so is the confidence.

        Raises:
            InputError: another shape, type or range.
        """
        grey = _as_grey(image)
        found = [self._find_one(one[None]) for one in grey]
        masks = torch.cat([chances for chances, _ in found])
        confidence = torch.tensor([sure for _, sure in found])
        return LungMasks(*(masks[:, number : number + 1] for number in range(4)), confidence)

    def _find_one(self, grey: torch.Tensor) -> tuple[torch.Tensor, float]:
        """`(1, 1, H, W)` to chances `(1, 4, H, W)` and the confidence."""
        size = tuple(grey.shape[-2:])
        box = content_box(grey)
        if box is None:
            return torch.zeros(1, 4, *size), 0.0
        chances, views = self._look(grey, box)
        chest = _chest_box(chances, box)
        if chest is not None:
            chances, views = self._look(grey, box := chest)
        whole = torch.zeros(1, 4, *size)
        top, left, bottom, right = box
        whole[..., top:bottom, left:right] = _without_tails(_without_islands(chances))
        return whole, _confidence(views)

    def _look(self, grey: torch.Tensor, box: Box) -> tuple[torch.Tensor, torch.Tensor]:
        """Chances in a box of the image, `(1, 4, h, w)`, and in each rendering of the view, `(3, 4, VIEW, VIEW)`."""
        top, left, bottom, right = box
        view, padding = fit_to(grey[..., top:bottom, left:right], VIEW)
        low, high = torch.quantile(view, torch.tensor([0.01, 0.99])).tolist()
        plain = ((view - low) / max(high - low, 1e-4)).clamp(0, 1)
        logits = self.network(torch.cat([plain, plain**DARKER, 1 - plain]))
        smooth = F.avg_pool2d(F.pad(logits.mean(0, keepdim=True), (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        inner = resize(crop(smooth, padding), (bottom - top, right - left)).sigmoid()
        return inner, _without(logits.sigmoid(), padding)


@lru_cache(maxsize=1)
def _bundled() -> LungFinder:
    return LungFinder.load(bundled_path("lungs"))


def load_network(path: str | Path) -> LungNetwork:
    """The network with the weights in a file (`.safetensors`), float32; raises what `LungFinder.load` raises."""
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There are no weights of a lung finder at `{path}`.")
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name).float() for name in file.keys()}
        network = LungNetwork(channels_of(weights))
        network.load_state_dict(weights)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise InputError(f"`{path}` must hold weights of the lung finder, but can't be used: {error}.") from error
    return network


def _as_grey(image: torch.Tensor) -> torch.Tensor:
    if not isinstance(image, torch.Tensor) or image.ndim != 4 or image.shape[1] not in (1, 3) or 0 in image.shape:
        got = tuple(image.shape) if isinstance(image, torch.Tensor) else type(image).__name__
        raise InputError(f"`image` must be a tensor (B, 1 or 3, H, W), got {got}.")
    if not image.is_floating_point():
        raise InputError(f"`image` must be floating point in [0, 1], got {image.dtype}.")
    grey = image.detach().to("cpu", torch.float32).mean(1, keepdim=True)
    if not ((grey >= 0) & (grey <= 1)).all():
        raise InputError(f"`image` must lie in [0, 1], got {float(grey.min()):g} to {float(grey.max()):g}.")
    return grey


def content_box(grey: torch.Tensor) -> Box | None:
    """The picture without borders of one grey: top, left, bottom, right in pixels.

    A border is made of rows, or of columns, whose pixels all have the grey of the picture's outermost one.

    Args:
        grey: `(1, 1, H, W)` in [0, 1].

    Returns:
        The box; ``None`` where the whole picture is of one grey.
    """
    values = grey[0, 0]
    top = _border(values)
    if top == len(values):
        return None
    bottom = len(values) - _border(values.flip(0))
    middle = values[top:bottom].T
    return top, _border(middle), bottom, len(middle) - _border(middle.flip(0))


def _border(rows: torch.Tensor) -> int:
    """How many of the first rows have the first one's grey throughout."""
    differs = ((rows - rows[0].median()).abs() > BORDER_TOLERANCE).any(1).nonzero()
    return int(differs[0]) if len(differs) else len(rows)


def _chest_box(chances: torch.Tensor, box: Box) -> Box | None:
    """The lungs with a margin, in pixels of the image; ``None`` where there is no chest worth a second look."""
    inside = chances[0, :2].amax(0) > INSIDE
    rows, columns = (inside.any(axis).nonzero().flatten() for axis in (1, 0))
    height, width = inside.shape
    if not len(rows) or min(len(rows) / height, len(columns) / width) < SMALLEST_CHEST:
        return None
    (top, bottom), (left, right) = ((int(line[0]), int(line[-1]) + 1) for line in (rows, columns))
    side = max(bottom - top, right - left)
    margin = math.ceil(MARGIN * side)
    # a lung that was missed lies beside the one that was found: the second look is at a square around the middle
    across, down = max(0, side - (right - left)) // 2, max(0, side - (bottom - top)) // 2
    return (
        box[0] + max(0, top - margin - down),
        box[1] + max(0, left - margin - across),
        box[0] + min(height, bottom + margin + down),
        box[1] + min(width, right + margin + across),
    )


def _without_islands(chances: torch.Tensor) -> torch.Tensor:
    """Chances `(1, C, h, w)` without the small pieces that are no part of a lung."""
    kept = chances.clone()
    for chance in kept[0]:
        count, labels, stats, _ = cv2.connectedComponentsWithStats((chance > INSIDE).numpy().astype(np.uint8))
        areas = stats[1:, cv2.CC_STAT_AREA]
        small = 1 + np.flatnonzero(areas < ISLAND * max(areas, default=0))
        if len(small):
            chance[torch.from_numpy(np.isin(labels, small))] = 0
    return kept


def _without_tails(chances: torch.Tensor) -> torch.Tensor:
    """Chances `(1, 4, h, w)` whose fields end where a reader's outline does.

    The recess between diaphragm and chest wall goes on as a sliver of lung that can't be seen on a radiograph.
    """
    kept = chances.clone()
    for chance in kept[0, :2]:
        body = _body(chance > INSIDE)
        if body is not None:
            chance[~body] = 0
    return kept


def _body(inside: torch.Tensor) -> torch.Tensor | None:
    """A mask `(h, w)` bool without what is narrower than `TAIL` further than `TAIL_REACH` from the rest of it, as a region
    that holds all that stays; ``None`` where nothing is wide enough to be a lung.
    """
    mask = inside.numpy().astype(np.float32)
    share = min(1.0, _TAIL_VIEW / max(mask.shape))
    small = cv2.resize(mask, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) > 0.5
    rows = np.flatnonzero(small.any(1))
    if not len(rows):
        return None
    height = rows[-1] - rows[0] + 1
    wide = cv2.morphologyEx(small.astype(np.uint8), cv2.MORPH_OPEN, _disc(TAIL / 2 * height))
    if not wide.any():
        return None
    near = cv2.dilate(largest_part(wide).astype(np.uint8), _disc(TAIL_REACH * height))
    return torch.from_numpy(cv2.resize(near, mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _disc(radius: float) -> np.ndarray:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _without(views: torch.Tensor, padding: Padding) -> torch.Tensor:
    """Chances in a view with its padding emptied."""
    kept = torch.zeros_like(views)
    bottom, right = views.shape[-2] - padding.bottom, views.shape[-1] - padding.right
    kept[..., padding.top : bottom, padding.left : right] = crop(views, padding)
    return kept


# -- confidence -------------------------------------------------------------------------------------------------------


def _confidence(views: torch.Tensor) -> float:
    """How far masks can be trusted, from the fields in each rendering of a view `(3, 4, h, w)`."""
    fields = views[:, :2]
    mean = fields.mean(0)
    inside = mean > INSIDE
    if not inside.flatten(1).any(1).all():
        return 0.0
    seen = mean.amax(0) > 0.05
    decided = (2 * mean.amax(0)[seen] - 1).abs().mean()
    sure = _ramp(float(decided), _SHARP) * _ramp(_agreement(fields), _AGREEMENT)
    return sure * _shape(inside.numpy())


def _agreement(fields: torch.Tensor) -> float:
    """Mean Dice of each rendering with the mean of all."""
    mean = fields.mean(0, keepdim=True)
    shared = torch.minimum(fields, mean).sum((1, 2, 3))
    return float((2 * shared / (fields.sum((1, 2, 3)) + mean.sum()).clamp_min(1e-6)).mean())


def _shape(inside: np.ndarray) -> float:
    """How lung-like two masks `(2, h, w)` are, [0, 1]."""
    parts = [largest_part(mask) for mask in inside]
    areas = [float(part.sum()) / part.size for part in parts]
    middles = [np.argwhere(part).mean(0) for part in parts]
    rows = np.flatnonzero((parts[0] | parts[1]).any(1))
    level = abs(middles[0][0] - middles[1][0]) / (rows[-1] - rows[0] + 1)
    in_place = float(middles[0][1] < middles[1][1])
    whole = min(part.sum() / mask.sum() for part, mask in zip(parts, inside))
    return (
        in_place
        * _ramp(min(_solidity(part) for part in parts), _SOLIDITY)
        * _ramp(min(areas), _AREA)
        * _ramp(min(areas) / max(areas), _RATIO)
        * _ramp(level, _LEVEL)
        * _ramp(float(whole), (0.5, 0.8))
    )


def largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of a mask `(h, w)` that is not empty, bool."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _solidity(part: np.ndarray) -> float:
    """The area of a piece, share of its convex hull's."""
    hull = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(part.astype(np.uint8))), 1)
    return float(part.sum() / hull.sum())


def _ramp(value: float, between: tuple[float, float]) -> float:
    """0 at the first of two values and beyond, 1 at the second and beyond, linear between."""
    start, end = between
    return min(1.0, max(0.0, (value - start) / (end - start)))
