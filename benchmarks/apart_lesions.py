"""Draw lesions on films by code that shares nothing with `x2x_core.simulation` but the lung finder.

    python benchmarks/apart_lesions.py --films FOLDER --labels TABLE.csv --count 96 --seed 1 -o runs/apart
    python benchmarks/edit_choice.py --data runs/apart --split val --size 512

An edit model that learnt from simulated lesions may know the simulator better than the disease. These pairs tell the
two apart: the same films, findings and instructions, lesions of another hand. Everything works on the displayed greys.
A dense lesion pulls them towards those of the soft tissue nearby, so that ribs keep less contrast behind it; air takes
the vessels away and leaves the ribs. Each pair is a film and the film with one lesion; every third pair is reversed.

The table has the columns `file` and `findings` (labels separated by vertical bars); only films labelled "No Finding" on
which the lungs are found are drawn on. Writes the pair layout, the changed pixels (`masks/`) and `lesions.csv`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from apart_film import ZONES, Film, branches, healthy_films, noise, patch, ramp, read_film, sample, smooth
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from x2x_core.anatomy.lungs import INSIDE
from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import COLUMNS, CURRENT, INSTRUCTIONS, PAST

MASKS, RECORD, SPLIT = "masks", "lesions.csv", "val"
LEAST_CHANGE = 0.0004  # mean over the film, of 1, below which a lesion is drawn on another film
ATTEMPTS = 40
SIZES, GRADES = ("small", "moderate", "large"), ("mild", "moderate", "severe")
FREQUENCIES = (0.2, 0.45, 0.35)  # of the three levels


@dataclass(frozen=True)
class Request:
    """The lesion to draw: finding, the near lung's zone, and level 0, 1 or 2."""

    finding: str
    side: str | None
    zone: str | None
    level: int

    @property
    def clause(self) -> Clause:
        """The request as a clause of an instruction that adds it."""
        words = SIZES if self.finding in ("pleural effusion", "pneumothorax") else GRADES
        return Clause(Operation.ADD, self.finding, self.side, self.zone, words[self.level])


def effusion(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Fill the base up to a meniscus that climbs along the chest wall."""
    rows, columns = film.grid
    inside = np.flatnonzero((film.near > INSIDE).any(0))
    across = np.clip((columns - inside[0]) / (inside[-1] - inside[0]), 0, 1)  # 0 at the chest wall
    rise = (rng.uniform(0.1, 0.14), rng.uniform(0.22, 0.32), rng.uniform(0.4, 0.58))[request.level] * film.height
    base = np.median(film.bottom[inside])
    climb = rng.uniform(0.4, 0.8) * np.exp(-across / rng.uniform(0.1, 0.22)) + 0.12 * ramp(across, 0.75, 1)
    flat = (rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.7), rng.uniform(0.6, 0.75))[request.level]
    surface = base - rise * (flat + climb) + 1.5 * film.unit * noise(film.grey.shape, 25, rng)
    depth = (rows - surface) / film.height
    dense = rng.uniform(0.86, 0.96) * (0.75 * ramp(depth, -0.015, 0.05) + 0.25 * ramp(depth, 0.02, 0.2))
    veil = 0.12 * ramp(depth, -0.2, 0.05)
    chest = smooth(np.maximum(film.near_whole, film.near) > INSIDE, 2 * film.unit)
    beside = ramp(columns - film.medial[:, None], 45 * film.unit, 0)
    return film.opaque(np.maximum(dense, veil) * chest * beside, rng, film.fluid)


def consolidation(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Fill airspaces densely, sometimes up to a fissure, with air in the bronchi."""
    size = (rng.uniform(0.09, 0.12), rng.uniform(0.13, 0.18), rng.uniform(0.19, 0.26))[request.level]
    shape = patch(film, request.zone, size, rng.uniform(0.2, 0.4), rng)
    if rng.random() < 0.4 and request.zone != "lower" and shape.any():  # a fissure cuts it off below
        rows, columns = film.grid
        row = np.average(rows, weights=shape) + 0.4 * size * film.height
        line = row + np.tan(rng.uniform(-0.2, 0.25)) * (columns - film.hilum[1])
        line = line + 2 * film.unit * noise(film.grey.shape, 30 * film.unit, rng)
        shape = shape * ramp(rows, line + 2 * film.unit, line - 2 * film.unit)
    air = branches(film, 6, rng.uniform(0.9, 1.3), rng) * rng.uniform(0, 0.3)
    uneven = 1 + 0.12 * noise(film.grey.shape, 9 * film.unit, rng)
    dense = (0.5, 0.66, 0.8)[request.level] + rng.uniform(-0.05, 0.05)
    return film.opaque(np.clip(dense * shape * uneven * (1 - air), 0, 0.95), rng)


def opacity(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Lay an ill-defined haze over a part of the lung."""
    size = (rng.uniform(0.1, 0.14), rng.uniform(0.14, 0.19), rng.uniform(0.19, 0.26))[request.level]
    shape = patch(film, request.zone, size, rng.uniform(0.5, 0.75), rng)
    dense = (0.3, 0.42, 0.56)[request.level] + rng.uniform(-0.05, 0.05)
    uneven = 1 + 0.1 * noise(film.grey.shape, 14 * film.unit, rng)
    return film.opaque(np.clip(dense * shape * uneven, 0, 0.9), rng)


def pneumonia(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Scatter patches of different density that run together, fluffy and along the bronchi."""
    shape = np.zeros_like(film.grey)
    for _ in range((2, 4, 6)[request.level]):
        size = rng.uniform(0.06, 0.11) * (0.9, 1.1, 1.35)[request.level]
        blob = patch(film, request.zone, size, rng.uniform(0.45, 0.8), rng) * rng.uniform(0.55, 1)
        shape = 1 - (1 - shape) * (1 - 0.75 * blob)
    fluff = ramp(noise(film.grey.shape, 5 * film.unit, rng) + noise(film.grey.shape, 11 * film.unit, rng), -2.2, 1.8)
    walls = branches(film, 5, 1.1, rng) * smooth(shape, 8 * film.unit)
    dense = (0.42, 0.56, 0.7)[request.level] + rng.uniform(-0.05, 0.05)
    return film.opaque(np.clip(dense * shape * (0.5 + 0.65 * fluff) + 0.07 * walls * film.field, 0, 0.92), rng)


def atelectasis(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Draw plates across the base, with a haze and a raised diaphragm where much of the lung has collapsed."""
    rows, columns = film.grid
    u, inside = film.unit, np.flatnonzero((film.near > INSIDE).any(0))
    lift = (0, rng.uniform(3, 8), rng.uniform(10, 20))[request.level] * u
    floor = np.interp(np.arange(film.grey.shape[1]), inside, gaussian_filter1d(film.bottom[inside], 10 * u))
    beyond = np.maximum(inside[0] - columns, columns - inside[-1])
    below = rows - floor
    fade = np.where(below < 0, np.exp(-((below / (0.2 * film.height)) ** 2)), np.exp(-((below / (60 * u)) ** 2)))
    fade = fade * ramp(beyond, 0, -35 * u) * ramp(columns, film.medial[-1] + 5 * u, film.medial[-1] - 30 * u)
    moved = [sample(one, rows + lift * fade, columns) for one in (film.grey, film.near)]
    raised = Film(moved[0], moved[1], film.far, film.near_whole, film.far_whole)
    alpha = np.zeros_like(film.grey)
    middle = float(np.percentile(columns[film.near > INSIDE], rng.uniform(45, 70)))
    slope = rng.uniform(-0.3, 0.3)
    for _ in range((1, 2, 3)[request.level] + int(rng.integers(2))):
        centre = np.median(floor[inside]) - rng.uniform(0.04, 0.24) * film.height - lift
        tilt, bow = slope + rng.uniform(-0.12, 0.12), rng.uniform(-0.4, 0.4) / film.height
        x = columns - middle - rng.uniform(-0.08, 0.08) * film.height
        away = rows - centre - tilt * x - bow * x**2 - 1.2 * u * noise(film.grey.shape, 20 * u, rng)
        length, thick = rng.uniform(0.1, 0.2) * film.height, rng.uniform(1.5, 2.4 + request.level) * u
        plate = np.exp(-((away / thick) ** 2) / 2) * ramp(np.abs(x), length, 0.5 * length)
        alpha = np.maximum(alpha, rng.uniform(0.35, 0.6) * plate)
    base = ramp(rows, floor - lift - 0.26 * film.height, floor - lift - 0.04 * film.height)
    base = base * ramp(columns, inside[0], middle) * (0.85 + 0.15 * noise(film.grey.shape, 12 * u, rng))
    haze = (0.12, 0.34, 0.55)[request.level] * rng.uniform(0.8, 1.2)
    return raised.opaque(np.clip(1 - (1 - alpha) * (1 - haze * base), 0, 0.9) * raised.field, rng)


def edema_of_lung(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Return the opacity of edema in the near lung: haze around the hilum, thick interstitium, short septal lines."""
    rows, columns = film.grid
    u, shape = film.unit, film.grey.shape
    row, column = film.hilum
    away = np.hypot((rows - row - 0.08 * film.height) / 1.25, columns - column) / film.height
    away = away + 0.03 * noise(shape, 25 * u, rng)
    wings = np.exp(-((away / rng.uniform(0.26, 0.34)) ** 2)) + 0.2 * ramp(rows, row - 0.2 * film.height, film.extent[1])
    fluff = ramp(noise(shape, 5 * u, rng) + noise(shape, 12 * u, rng), -2.5, 2)
    net = np.exp(-((noise(shape, 3 * u, rng) / 0.3) ** 2))
    vessels = branches(film, 9, 1.1, rng)
    septa = np.zeros(shape, np.uint8)
    for _ in range((8, 12, 12)[request.level]):
        y = int(film.extent[0] + film.height * rng.uniform(0.65, 0.97))
        wall = int(np.argmax(film.near[y] > INSIDE) + rng.uniform(2, 6) * u)
        end = (wall + int(rng.uniform(8, 18) * u), y + int(rng.uniform(-3, 3) * u))
        cv2.line(septa, (wall, y), end, 255, 1, cv2.LINE_AA)
    haze = (0.24, 0.42, 0.62)[request.level] * (0.6 + 0.5 * fluff)
    lines = (0.12 * net + 0.1 * vessels) * np.exp(-((away / 0.45) ** 2)) + 0.15 * smooth(septa / 255, 0.7 * u)
    return np.clip(haze * wings + lines, 0, 0.88) * film.field


def edema(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Lay edema over both lungs and blur the vessels behind it."""
    far = edema_of_lung(film.flipped(), request, rng)[:, ::-1]
    alpha = np.maximum(edema_of_lung(film, request, rng), far)
    blurred = film.grey + np.minimum(alpha, 0.6) * (smooth(film.grey, 2 * film.unit) - film.grey)
    return Film(blurred, film.near, film.far, film.near_whole, film.far_whole).opaque(alpha, rng)


def heart_border(film: Film, amount: float, peak: float, rng: np.random.Generator) -> np.ndarray:
    """Return the opacity of a heart that reaches `amount` pixels further into the near field, most at `peak`."""
    rows, columns = film.grid
    start = film.extent[0] + rng.uniform(0.38, 0.46) * film.height
    t = np.clip((rows[:, 0] - start) / (film.dome - start), 0, 1.6)
    rise = np.sin(np.pi / 2 * np.clip(t / peak, 0, 1)) ** 1.4
    bulge = np.where(t < peak, rise, 1 - 0.3 * np.clip((t - peak) / (1.3 - peak), 0, 1) ** 2)
    border = film.medial - amount * bulge
    lateral = border[(t > 0) & (t < peak)].min()
    border = np.where(t < peak, border, np.minimum(border, lateral + 0.35 * amount))  # the apex stays convex
    border = gaussian_filter1d(border, 11 * film.unit)[:, None]
    past = columns - border
    thick = np.sqrt(np.clip(past / np.maximum(0.9 * amount * bulge[:, None], 1), 0, 1))
    outline = ramp(past, -1.8 * film.unit, 2.2 * film.unit) * ramp(t, 0, 0.15)[:, None]
    return outline * (0.72 + 0.24 * thick) * film.field


def cardiomegaly(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Push both borders of the heart out, the left one further, to a cardiothoracic ratio that suits the level."""
    other = film.flipped()
    width = film.grey.shape[1]
    rows = slice(int(film.extent[0] + 0.5 * film.height), int(film.extent[0] + 0.85 * film.height))
    heart = float(np.max((width - 1 - other.medial - film.medial)[rows]))
    lungs = np.flatnonzero((np.maximum(film.near, film.far) > INSIDE).any(0))
    ratio = (rng.uniform(0.52, 0.55), rng.uniform(0.56, 0.61), rng.uniform(0.64, 0.7))[request.level]
    least, most = ((0.04, 0.25), (0.1, 0.4), (0.18, 0.6))[request.level]
    grown = np.clip(ratio * (lungs[-1] - lungs[0]) - heart, least * heart, most * heart)
    share = rng.uniform(0.15, 0.35)
    near = heart_border(film, share * grown, 0.65, rng)
    far = heart_border(other, (1 - share) * grown, rng.uniform(0.75, 0.9), rng)[:, ::-1]
    centre = (film.medial + width - 1 - other.medial)[:, None] / 2
    level = np.where(film.grid[1] > centre, other.heart[:, ::-1], film.heart)
    return film.opaque(np.maximum(near, far), rng, smooth(level, 10 * film.unit))


def pneumothorax(film: Film, request: Request, rng: np.random.Generator) -> np.ndarray:
    """Draw the lung back from the chest wall: no vessels in the gap, a thin pleural line, a denser lung."""
    rows, columns = film.grid
    u, (row, column) = film.unit, film.hilum
    y, x = rows - row, columns - column - 6 * u
    turn = np.degrees(np.arctan2(np.maximum(-x, 0), -y))  # 0 up, 90 lateral, 180 down
    apex = (rng.uniform(0.11, 0.17), rng.uniform(0.22, 0.32), rng.uniform(0.34, 0.46))[request.level]
    wall = (rng.uniform(0.0, 0.05), rng.uniform(0.14, 0.24), rng.uniform(0.3, 0.46))[request.level]
    shares = (apex, apex, (2 * apex + wall) / 3, wall, 0.5 * wall, 0, 0)
    gap = np.interp(turn, (0, 30, 60, 95, 125, 150, 180), shares)
    gap = gap * ramp(film.bottom - rows, 5 * u, 45 * u)  # the base stays on the diaphragm
    gap = smooth(gap, 14 * u) + 0.008 * noise(film.grey.shape, 30 * u, rng) * (gap > 0.02)
    scale = 1 / (1 - np.clip(gap, 0, 0.7))
    back = row + y * scale, columns + x * (scale - 1)  # the place that each pixel of the drawn-back lung had
    contour = ramp(smooth(film.near > INSIDE, 5 * u), 0.35, 0.65)
    lung = sample(contour, *back)
    bare = np.clip(film.tight - lung, 0, 1) * ramp(gap, 0.005, 0.04)
    bones = cv2.medianBlur((film.grey * 255).astype(np.uint8), 2 * round(4 * u) + 1) / 255
    bones = smooth(bones, 1.2 * u)
    deep = distance_transform_edt(film.near > INSIDE) / u
    vessels = film.grey - bones
    kept = np.clip(vessels, -0.012, 0.012)
    dark = np.percentile(film.grey[film.near > INSIDE], 1)
    empty = bones + kept - rng.uniform(0.22, 0.34) * np.maximum(smooth(bones, 15 * u) - dark + 0.06, 0.05)
    moved = (
        film.grey + (1.3 * sample(vessels * ramp(deep, 2, 9), *back) - vessels) * ramp(gap, 0.005, 0.04) * film.tight
    )
    dense = Film(np.clip(moved, 0, 1), film.near, film.far, film.near_whole, film.far_whole)
    near_hilum = np.exp(-np.hypot(y, x) / (0.3 * film.height))
    closer = (0.03, 0.08, 0.2)[request.level] * (0.5 + near_hilum) * film.tight * lung
    closer = closer * (1 + 0.15 * noise(film.grey.shape, 10 * u, rng))
    drawn = dense.opaque(closer, rng)
    edge = np.hypot(cv2.Sobel(lung, cv2.CV_64F, 0, 1), cv2.Sobel(lung, cv2.CV_64F, 1, 0))
    line = np.exp(-(((lung - 0.5) / np.maximum(edge / 8, 1e-3)) ** 2) / (2 * (0.8 * u) ** 2)) * (edge > 0.02)
    line = line * ramp(gap, 0.015, 0.05) * film.tight
    return drawn + bare * (empty - drawn) + rng.uniform(0.03, 0.07) * smooth(line, 0.6 * u)


DRAWN: dict[str, Callable[[Film, Request, np.random.Generator], np.ndarray]] = {
    "pleural effusion": effusion, "consolidation": consolidation, "lung opacity": opacity, "pneumonia": pneumonia,
    "atelectasis": atelectasis, "edema": edema, "cardiomegaly": cardiomegaly, "pneumothorax": pneumothorax,
}  # fmt: skip


def plan(finding: str, rng: np.random.Generator) -> Request:
    """Draw the place and level of a finding."""
    sided = finding not in ("edema", "cardiomegaly")
    side = str(rng.choice(("left", "right"))) if sided else None
    zone = str(rng.choice(ZONES)) if finding in ("consolidation", "lung opacity", "pneumonia") else None
    level = int(rng.choice(3, p=FREQUENCIES))
    if finding == "atelectasis":
        zone = "lower"
    elif finding == "pneumothorax" and level == 0:
        zone = "apical"
    return Request(finding, side, zone, level)


def draw(film: Film, request: Request, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a lesion on a film whose near lung is the patient's right.

    Returns:
        The drawn film and its changed pixels, both `(H, W)` uint8; the mask is 0 or 255.
    """
    seen = film.flipped() if request.side == "left" else film
    drawn = DRAWN[request.finding](seen, request, rng)
    drawn = drawn[:, ::-1] if request.side == "left" else drawn
    before, after = (np.rint(np.clip(one, 0, 1) * 255).astype(np.int16) for one in (film.grey, drawn))
    changed = np.abs(after - before) > 0
    return after.astype(np.uint8), (changed * 255).astype(np.uint8)


@dataclass(frozen=True)
class Pair:
    """A drawn pair `(H, W)` uint8, its changed pixels, its clause, and the film that it was drawn on."""

    past: np.ndarray
    current: np.ndarray
    mask: np.ndarray
    clause: Clause
    film: str


def draw_pairs(films: Sequence[Path], count: int, seed: int) -> Iterator[Pair]:
    """Draw pairs, the findings in turn, every third as a removal; equal arguments give equal pairs.

    Raises:
        InputError: no lungs are found on the films, or no lesion shows on them.
    """
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        request = plan(tuple(DRAWN)[number % len(DRAWN)], rng)
        for place in rng.permutation(len(films))[:ATTEMPTS]:
            film = read_film(films[place])
            if film is None:
                continue
            before = np.rint(film.grey * 255).astype(np.uint8)
            after, mask = draw(film, request, rng)
            if np.abs(after.astype(int) - before).sum() < LEAST_CHANGE * 255 * before.size:
                continue
            reverse = number % 3 == 2
            clause = request.clause.reversed() if reverse else request.clause
            past, current = (after, before) if reverse else (before, after)
            yield Pair(past, current, mask, clause, films[place].name)
            break
        else:
            raise InputError(f"`films` must show lungs that {request.finding} can be drawn in: give more films.")


def write_pairs(pairs: Iterator[Pair], out: Path) -> int:
    """Write pairs in the pair layout, with their masks and a record; return their number."""
    for part in (PAST, CURRENT, MASKS):
        (out / part).mkdir(parents=True, exist_ok=True)
    rows, records = [], []
    for number, pair in enumerate(pairs):
        name = f"{number:06d}.png"
        for part, values in ((PAST, pair.past), (CURRENT, pair.current), (MASKS, pair.mask)):
            cv2.imwrite(str(out / part / name), values)
        clause = pair.clause
        rows.append((SPLIT, str(Instruction((clause,))), name, name))
        places = (clause.side or "", clause.zone or "", clause.level)
        records.append((name, pair.film, clause.operation.value, clause.finding, *places))
    columns = ("file", "film", "operation", "finding", "side", "zone", "level")
    for table, header, lines in ((INSTRUCTIONS, COLUMNS, rows), (RECORD, columns, records)):
        with (out / table).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *lines])
    return len(rows)


def main() -> None:
    """Read the command line, draw and write the pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True, help="folder of films")
    parser.add_argument("--labels", type=Path, required=True, help="CSV with the columns file and findings")
    parser.add_argument("--count", type=int, default=96, help="number of pairs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the dataset")
    given = parser.parse_args()
    films = healthy_films(given.films, given.labels)
    print(f"{write_pairs(draw_pairs(films, given.count, given.seed), given.out)} pairs in {given.out}")


if __name__ == "__main__":
    main()
