"""Compare the lung finder with classical image analysis on simulated radiographs that no training has seen.

    python benchmarks/lung_finders.py --ct CT_FOLDER --bodies 40

Prints the Dice of the lung fields for each finder (mean and 5th percentile over lungs), on the radiographs as simulated
and on variants as real archives have them: darker, inverted, noisy, in a black frame, cropped.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from x2x_core.anatomy.lungs import INSIDE, LungFinder
from x2x_core.simulation.dataset import body_generator, read_ct
from x2x_core.simulation.fields import lung_fields
from x2x_core.simulation.pairs import simulate_body
from x2x_core.simulation.thorax import segment_thorax

SEED = 77_001  # no training uses it


def classical(grey: np.ndarray) -> np.ndarray:
    """Find lung fields by thresholding.

    Of 25 thresholds the best leaves two dark regions off the border that are large and similar in size. They are
    opened, closed and ordered from left to right. Without two such regions no lungs are found.

    Args:
        grey: `(h, w)` in [0, 1].

    Returns:
        `(2, h, w)` bool.
    """
    picture = cv2.GaussianBlur((grey * 255).astype(np.uint8), (0, 0), grey.shape[1] / 120)
    best, highest = np.zeros((2, *grey.shape), bool), 0.0
    for level in np.quantile(picture, np.linspace(0.1, 0.7, 25)):
        pieces = _dark_pieces(picture < level)
        if len(pieces) < 2:
            continue
        areas = [float(piece.mean()) for piece in pieces]
        quality = min(areas) / max(areas) * sum(areas)
        if quality > highest:
            best, highest = np.stack(pieces), quality
    return best


def _dark_pieces(dark: np.ndarray) -> list[np.ndarray]:
    """Return the two largest regions of a mask that may be lungs and touch no border, from left to right."""
    height, width = dark.shape
    side = max(3, round(0.02 * width) | 1)
    small, large = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (n, n)) for n in (side, 3 * side))
    opened = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, small)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(opened)
    kept = []
    for number in range(1, count):
        left, top, across, down, area = stats[number]
        inside = left > 0 and top > 0 and left + across < width and top + down < height
        if inside and 0.02 < area / dark.size < 0.3:
            kept.append(number)
    kept = sorted(kept, key=lambda number: -stats[number, cv2.CC_STAT_AREA])[:2]
    kept.sort(key=lambda number: centres[number][0])
    return [cv2.morphologyEx((labels == number).astype(np.uint8), cv2.MORPH_CLOSE, large) > 0 for number in kept]


def variants(
    image: torch.Tensor, fields: torch.Tensor, generator: torch.Generator
) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Yield names, images `(1, 1, h, w)` and fields `(2, h, w)` of one radiograph's variants."""
    frame = image.shape[-1] // 3
    side = image.shape[-1] // 8
    noise = 0.06 * torch.randn(image.shape, generator=generator)
    yield "as simulated", image, fields
    yield "darker", image**2.2, fields
    yield "inverted", 1 - image, fields
    yield "noisy", (image + noise).clamp(0, 1), fields
    yield "in a frame", F.pad(image, (frame,) * 4), F.pad(fields, (frame,) * 4)
    yield "cropped", image[..., side:-side, side:], fields[..., side:-side, side:]


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice overlap of two masks; 1 if both are empty."""
    total = first.sum() + second.sum()
    return 2.0 * float((first & second).sum()) / float(total) if total else 1.0


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ct", default="phantom", help='DICOM folder, .npz, or "phantom"')
    parser.add_argument("--bodies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--weights", help="weights of the lung finder [default: the bundled ones]")
    options = parser.parse_args()
    thorax = segment_thorax(read_ct(options.ct))
    finder = LungFinder.load(options.weights) if options.weights else LungFinder.bundled()
    scores: dict[tuple[str, str], list[float]] = {}
    for body in range(options.bodies):
        draw = partial(body_generator, options.seed, body)
        pair = simulate_body(thorax, draw(), pairs=1, size=options.size)[0]
        fields = lung_fields(thorax, draw(), options.size, pairs=1)
        for image in (pair.before, pair.after):
            for name, varied, truth in variants(image[None], fields, draw()):
                lungs = finder.find(varied)
                masks = {
                    "network": (torch.cat([lungs.right, lungs.left], 1)[0] >= INSIDE).numpy(),
                    "classical": classical(varied[0, 0].numpy()),
                }
                for method, found in masks.items():
                    visible = [n for n in range(2) if truth[n].any()]
                    scores.setdefault((name, method), []).extend(dice(found[n], truth[n].numpy()) for n in visible)
                scores.setdefault((name, "confidence"), []).append(float(lungs.confidence[0]))
        lungs = finder.find(pair.before[None])
        whole = (torch.cat([lungs.right_whole, lungs.left_whole], 1)[0] >= INSIDE).numpy()
        whole_truth = pair.masks[:2].numpy()
        scores.setdefault(("as simulated", "network, whole lungs"), []).extend(
            dice(whole[n], whole_truth[n]) for n in range(2)
        )
    print(f"{'radiographs':14}  {'finder':22} {'mean':>6} {'5th percentile':>15}")
    for (name, method), values in scores.items():
        print(f"{name:14}  {method:22} {np.mean(values):6.3f} {np.percentile(values, 5):15.3f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
