"""Measure how much of a drawn lesion an edit makes at the same extent on real films, to choose guidance scales.

    python benchmarks/extent_amounts.py --films FILMS --labels labels.csv --count 6 --scale 1

For each film, finding and level, the finding is added with a checkpoint that draws extents, and the same lesion is
drawn by the simulator. Prints, for each finding and level, the median and range over films of the amount (the
least-squares factor from the drawn change to the edit's, over what becomes brighter, or for a pneumothorax darker) and
the median cosine of the two. The films are those without a known finding, one of each patient, spread over the table.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.seeds import EXTENT
from x2x_core.edit.places import place_streams
from x2x_core.imaging.files import read_image
from x2x_core.imaging.geometry import resize
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.chest import FilmChest, UnsuitableFilmError
from x2x_core.simulation.films.extents import DARKER_FINDINGS, lesion_of, measure_small
from x2x_core.simulation.films.folder import find_films
from x2x_core.simulation.films.lesions import draw_lesions
from x2x_core.simulation.findings import SIDED, SIMULATED_FINDINGS, ZONAL, ZONES, levels_of

SIDE, SEED = 640, 100
SIDES = ("left", "right")


def requests(film: int) -> Iterator[tuple[str, str, str]]:
    """Yield finding, level and instruction of each edit of a film; sides and zones in turn."""
    for number, finding in enumerate(SIMULATED_FINDINGS):
        side = f" {SIDES[(number + film) % 2]}" if finding in SIDED else ""
        zone = f" in the{side} {tuple(ZONES)[(number + film) % 3]} lung zone" if finding in ZONAL else ""
        for level in levels_of(finding)[-3:]:
            yield finding, level, f"Add the finding of {level}{'' if zone else side} {finding}{zone}."


def compare(
    pipe: Any, prepared: Any, chest: FilmChest, grey: np.ndarray, text: str, seed: int, scale: float
) -> tuple[float, float]:
    """Return the amount and the cosine of one edit.

    Args:
        pipe: an `InstructX2XPipeline`.
        prepared: the film.
        chest: of the film, at the size of extents.
        grey: `(H, W)` in [0, 1], the film.
        text: the instruction.
        seed: of the edit.
        scale: guidance scale.
    """
    output = pipe(
        prepared, text, generator=torch.Generator().manual_seed(seed), output_type="pt", guidance_scale=scale,
        draw_extent=True,
    )  # fmt: skip
    clause = Instruction.parse(text).clauses[0]
    (stream,) = place_streams(torch.Generator().manual_seed(seed), 1, EXTENT)
    lesion = lesion_of(clause, stream)
    assert lesion is not None
    drawn = draw_lesions(chest, [lesion]) - chest.grey
    made = output.images[0].mean(dim=0).float().numpy() - grey
    made = cv2.resize(made, drawn.shape[::-1], interpolation=cv2.INTER_AREA)
    sign = -1 if clause.finding in DARKER_FINDINGS else 1
    drawn, made = (sign * drawn).clip(0), sign * made
    product = float((drawn * made).sum())
    return product / float((drawn**2).sum()), product / float(np.linalg.norm(drawn) * np.linalg.norm(made) + 1e-9)


def suitable_films(pipe: Any, folder: Path, labels: Path, count: int) -> Iterator[tuple[Any, FilmChest, np.ndarray]]:
    """Yield up to `count` films, prepared, with their chest and their greys `(H, W)`."""
    healthy = {film.patient: film for film in reversed(find_films(folder, labels)) if not film.findings}
    used = 0
    for film in list(healthy.values())[:: max(1, len(healthy) // (2 * count))]:
        pixels = read_image(film.path).pixels.mean(dim=1, keepdim=True)
        scale = min(1.0, SIDE / max(pixels.shape[-2:]))
        height, width = (round(side * scale) for side in pixels.shape[-2:])
        pixels = resize(pixels, (height, width)).clamp(0, 1)
        prepared = pipe.prepare(pixels)
        alignment = prepared.alignments[0]
        if used == count or alignment is None or not alignment.sure:
            continue
        try:
            chest = measure_small(pixels, alignment.lungs)
        except UnsuitableFilmError:
            continue
        used += 1
        yield prepared, chest, pixels[0, 0].numpy()


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args()
    pipe = InstructX2XPipeline.from_pretrained(args.model)
    pipe.set_progress_bar_config(disable=True)
    found = defaultdict(list)
    for number, (prepared, chest, grey) in enumerate(suitable_films(pipe, args.films, args.labels, args.count)):
        for finding, level, text in requests(number):
            found[finding, level].append(compare(pipe, prepared, chest, grey, text, SEED + number, args.scale))
    for (finding, level), values in found.items():
        amounts, cosines = np.array(values).T
        spread = f"{np.median(amounts):.2f} ({amounts.min():.2f} to {amounts.max():.2f})"
        print(f"{finding:<18}{level:<10}n={len(values):<3}amount {spread}, cosine {np.median(cosines):.2f}")


if __name__ == "__main__":
    main()
