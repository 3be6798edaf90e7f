"""Measure how well pairs are registered, and which quality separates good registrations from bad ones.

    python benchmarks/registration_quality.py DATA [CT] [COUNT]

DATA is a folder that `x2x simulate` wrote, CT the volume that it was simulated from. There are three kinds of pairs:

- displaced: a simulated pair whose past image was rotated, scaled, sheared and shifted by a known transform, with
  another exposure. The error is the mean distance between the positions to which the found and the true transform move
  the middle of the picture, in percent of the side. At four times the displacement some registrations fail, which the
  threshold must detect.
- another day: one body projected twice with another pose, breathing and exposure. No plane transform is exact. Its
  quality shows what a good registration of a real pair can reach and, after a shift of 5 % of the side, what a bad one
  has.
- wrong: pictures that are not a frontal pair: the past one upside down or on its side.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.dataset.registration import Registration, measure, move, register
from x2x_core.dataset.settings import BuildSettings
from x2x_core.dataset.squares import Square
from x2x_core.pairs.layout import read_rows
from x2x_core.simulation.dataset import read_ct
from x2x_core.simulation.film import expose, grain, meter, sample_film
from x2x_core.simulation.inserting import apply_lesions
from x2x_core.simulation.pairs import draw_body
from x2x_core.simulation.projection import project, ray_grid
from x2x_core.simulation.thorax import segment_thorax

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
GOOD, BAD = 1.0, 2.0  # percent of the side: errors up to the first are good, above the second bad
SIDE = 256
SPOILT = 0.05


def random_transform(rng: np.random.Generator, strength: float = 1.0) -> Registration:
    """Return a transform: rotation up to 8 degrees, shift 10 % of the side, scale 14 %, stretch 4 %, shear 3 %."""
    draw = lambda most: rng.uniform(-most, most) * strength  # noqa: E731
    turn, scale, stretch, shear = math.radians(draw(8)), math.exp(draw(0.13)), math.exp(draw(0.04)), draw(0.03)
    turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = scale * turned @ np.array([[stretch, shear], [0, 1 / stretch]])
    return Registration(tuple(matrix.flatten()), (draw(0.1), draw(0.1)))


def inverse(transform: Registration) -> Registration:
    """Return the inverse transform."""
    matrix = np.linalg.inv(np.array(transform.matrix).reshape(2, 2))
    return Registration(tuple(matrix.flatten()), tuple(-matrix @ transform.shift))


def error(found: Registration, true: Registration) -> float:
    """Return the mean distance of two transforms over the middle of the picture, in percent of the side."""
    points = np.stack(np.meshgrid(*[np.linspace(-0.35, 0.35, 8)] * 2), -1).reshape(-1, 2)
    first, second = (points @ np.array(t.matrix).reshape(2, 2).T + t.shift for t in (found, true))
    return 100 * float(np.linalg.norm(first - second, axis=1).mean())


def exposed(square: Square, rng: np.random.Generator) -> Square:
    """Return a picture with another exposure."""
    grey = 255 * (square.pixels / 255) ** rng.uniform(0.7, 1.4) * rng.uniform(0.75, 1.1) + rng.uniform(0, 25)
    return Square(np.where(square.valid, grey.clip(0, 255), 0).astype(np.uint8), square.valid)


def whole(values: np.ndarray) -> Square:
    """Return a picture without padding."""
    return Square(values, np.ones_like(values, bool))


def displaced_pairs(data: str, count: int, strength: float) -> Iterator[tuple[Square, Square, Registration]]:
    """Yield past, current and the true transform."""
    rng, rows = np.random.default_rng(1), read_rows(data, "train")
    for number in rng.choice(len(rows), count, replace=False):
        past, current = (
            cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in (rows[number].past, rows[number].current)
        )
        true = random_transform(rng, strength)
        yield exposed(move(whole(past), inverse(true)), rng), whole(current), true


def _draw(rng: np.random.Generator, most: float) -> float:
    return rng.uniform(-most, most)


def two_days(ct: str, count: int) -> Iterator[tuple[Square, Square]]:
    """Yield one body on two days."""
    thorax = segment_thorax(read_ct(ct))
    for number in range(count):
        generator = torch.Generator().manual_seed(number)
        body, scenarios = draw_body(generator, 1, "v2")
        geometry = body.geometry
        rng = np.random.default_rng(number)
        draw = partial(_draw, rng)
        other = replace(
            geometry, yaw=geometry.yaw + draw(5), pitch=geometry.pitch + draw(5), roll=geometry.roll + draw(4),
            shift_x=geometry.shift_x + draw(20), shift_z=geometry.shift_z + draw(25),
            scale_z=geometry.scale_z * math.exp(draw(0.06)),
            field_mm=geometry.field_mm * math.exp(draw(0.08)), source_mm=1000.0 if rng.random() < 0.5 else 1800.0,
        )  # fmt: skip
        days = []
        for day, pose in enumerate((other, geometry)):
            elastic = torch.Generator().manual_seed(10_000 + number)  # the same elastic variation on both days
            lesions = (scenarios[0].before, scenarios[0].after)[day]
            volume = apply_lesions(thorax, thorax.soft + body.beam * thorax.bone, lesions)
            grid = ray_grid(tuple(volume.shape), thorax.spacing, pose, SIDE, elastic)
            integrals = project(volume[None], grid)
            film = sample_film(generator)
            grey = expose(integrals, film, meter(integrals[0], film))
            grey = (grey + grain((SIDE, SIDE), film, generator)).clamp(0, 1)
            days.append(whole((grey[0] * 255).round().byte().numpy()))
        yield days[0], days[1]


def with_quality(past: Square, current: Square, found: Registration) -> Registration:
    """Return a transform with its quality and overlap."""
    return measure(move(past, found), current, found)


def measure_displaced(data: str, count: int, strength: float, kind: str) -> list[tuple[float, float, bool]]:
    """Return error and quality of each pair, and True if overlap and transform would be accepted."""
    results, start = [], time.process_time()
    for past, current, true in displaced_pairs(data, count, strength):
        found = with_quality(past, current, register(past, current, kind))
        passes = found.overlap >= BuildSettings.min_overlap and found.plausible
        results.append((error(found, true), found.quality, passes))
    errors, qualities, _ = np.array(results).T
    print(f"displaced x{strength:g}, {kind}: error median {np.median(errors):.2f} %, "
          f"90th percentile {np.quantile(errors, 0.9):.2f} %, "
          f"over {BAD:g} %: {(errors > BAD).sum()} of {count}; quality median {np.median(qualities):.2f}, "
          f"10th percentile {np.quantile(qualities, 0.1):.2f}; {(time.process_time() - start) / count:.2f} s a pair",
          flush=True)  # fmt: skip
    return results


def measure_days(ct: str, count: int) -> tuple[list[float], list[float]]:
    """Return the qualities as registered, and after spoiling the transform by a shift."""
    good, spoilt, before = [], [], []
    for number, (past, current) in enumerate(two_days(ct, count)):
        found = register(past, current)
        angle = 2 * math.pi * number / count
        shift = (found.shift[0] + SPOILT * math.cos(angle), found.shift[1] + SPOILT * math.sin(angle))
        good.append(with_quality(past, current, found).quality)
        spoilt.append(with_quality(past, current, replace(found, shift=shift)).quality)
        before.append(with_quality(past, current, Registration((1, 0, 0, 1), (0, 0))).quality)
    for name, values in (("not registered", before), ("registered", good), (f"spoilt by {SPOILT:.0%}", spoilt)):
        low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
        print(f"another day, {name}: quality {middle:.2f} ({low:.2f} to {high:.2f}, 10th to 90th percentile)")
    return good, spoilt


def measure_wrong(data: str, count: int) -> list[float]:
    """Return the qualities of pairs that cannot be registered."""
    values = []
    for number, (past, current, _) in enumerate(displaced_pairs(data, count, 1.0)):
        turned = np.ascontiguousarray(np.rot90(past.pixels, 2 if number % 2 else 1))
        values.append(with_quality(whole(turned), current, register(whole(turned), current)).quality)
    print(f"wrong: quality median {np.median(values):.2f}, highest {max(values):.2f}")
    return values


def main(data: str, ct: str = "phantom", count: str = "80") -> None:
    """Measure and print."""
    number = int(count)
    usual = measure_displaced(data, number, 1.0, "affine")
    far = measure_displaced(data, number, 4.0, "affine")
    measure_displaced(data, number // 4, 1.0, "rigid")
    good_days, spoilt_days = measure_days(ct, number // 3)
    wrong = measure_wrong(data, number // 3)
    good = [quality for off, quality, _ in usual + far if off <= GOOD]
    bad = [quality for off, quality, _ in usual + far if off > BAD]
    passing = [quality if passes else -1 for off, quality, passes in usual + far if off > BAD]
    print(f"\n| quality at least | displaced, good kept ({len(good)}) | displaced, bad kept ({len(bad)}) | of these "
          f"not rejected for overlap or transform | another day kept ({len(good_days)}) | another day, spoilt, kept "
          f"| wrong kept ({len(wrong)}) |\n"
          "|---|---|---|---|---|---|---|")  # fmt: skip
    for threshold in THRESHOLDS:
        measured = (good, bad, passing, good_days, spoilt_days, wrong)
        kept = [f"{np.mean(np.array(values) >= threshold):.0%}" if values else "none" for values in measured]
        print(f"| {threshold:g} | " + " | ".join(kept) + " |")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    main(*sys.argv[1:])
