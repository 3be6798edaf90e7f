"""Pleural effusion on a film: fluid to a level, with a meniscus that climbs the chest wall."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from x2x_core.common.randomness import uniform
from x2x_core.imaging.continuation import continue_field
from x2x_core.imaging.soft import smoothstep

from .borders import heart_border, outer_border
from .chest import FilmChest, FilmLung
from .fields import blur, blur_line, connected_to, distance_inside, grow, noise
from .parenchyma import film_grain, markings_of, without_metal
from .tissue import dome_columns, dome_rows
from .tone import add_thickness

_OPAQUE = 3.2  # optical thickness of deep fluid: 4 % of the contrast beneath is left
_RIBS = 0.3  # share of their contrast that ribs keep in front of deep fluid
_RIBS_ABOVE_DOME = 24.0  # mm above the dome that is found, within which it is taken for no rib
_RIBS_MM = 14.0  # over which the lung behind them is smoothed
_RIBS_BESIDE_HEART = (12.0, 35.0)  # mm beside the heart, where the vessels of the hilum lie: from none of them to all
_VEIL = 0.25  # of the thin layer behind the lung above the level, for a large effusion
_VEIL_ABOVE = 60.0  # mm above the level at which it ends
_REACH_BELOW_DOME = 22.0  # mm over which fluid behind the dome fades from the picture
_DARKEST = 0.4  # share of the way from lung to soft tissue under which neighbours do not lend fluid their grey
_DARKEST_WALL = 0.1  # likewise for the chest wall, which is thin in slim patients
_DEEPEST = 46.0  # mm behind the dome
_SMOOTH_FLOOR = 2.0  # mm over which the lung's lower end is smoothed
_ABOVE_DOME = 60.0  # mm above the dome at which fluid begins to take the grey under it
_LIVER_FROM = 0.3  # severity from which fluid is as dense as the tissue under the dome
_ANGLE_ALONE = 0.4  # severity up to which fluid is less beyond the costophrenic angle than in it
_ANGLE = 20.0  # mm from the chest wall that belong to the angle
_AT_WALL = 18.0  # mm from the chest wall over which that grey is reached
_TISSUE_BESIDE = (5.0, 16.0)  # mm from a lung's outline in which the grey of the tissue beside it is measured
_UNDER_DOME = (8.0, 26.0)  # mm below the dome in which the grey under it is measured
_MOST_UNDER = 60.0  # percentile of that grey
_ALONG_DOME = 15.0  # mm over which it is smoothed
_GAS = 20.0  # mm: half the width of a bubble of gas under the dome that is bridged
_SULCUS_FROM = 0.6  # share of the lung's height from which the costophrenic angle is looked for
_SULCUS_MM = 24.0  # how far from the outline that is found
_STRAIGHT_WALL = (0.4, 0.8)  # shares of the lung's height between which the chest wall is straight
_BEYOND_WALL = 14.0  # mm beyond its continuation
_BLACK = 0.02  # grey under which a pixel is black
_UNEXPOSED = 0.4  # share of the grey of aerated lung under which a film is not exposed
_SULCUS_DARK = 0.25  # share of the way from lung to soft tissue up to which its pixels are dark
_CORNER_DARK = 0.8  # likewise in the corner of heart and dome
_CORNER_MM = 8.0  # how far from the outline that corner is looked for
_TOWARDS_TISSUE = (13.0, 15.0)  # mm by which fluid overlaps heart and dome, and its increase to severity 1
_BESIDE_ABDOMEN = 24.0  # mm beside the lung from which no fluid lies below the level of the dome


def draw_effusion(
    chest: FilmChest, grey: np.ndarray, *, side: str, severity: float, generator: torch.Generator
) -> np.ndarray:
    """Draw free fluid in one pleural space.

    The deepest point of the costophrenic angle fills first: a small effusion only blunts it, a moderate one hides the
    dome, and a large one covers about half of the lung. Fluid takes the grey of the soft tissue that it touches (heart,
    dome and chest wall), so that their outlines are lost where fluid lies on them (silhouette sign).

    Args:
        chest: the film's anatomy.
        grey: `(H, W)`, the film so far.
        side: of the patient.
        severity: in (0, 1].
        generator: draws level, meniscus and waviness; the same state gives the same shape at every severity.
    """
    lung, mm = chest.lungs[side], chest.mm
    rows, columns = chest.grid
    climb = (24 + 34 * severity) * uniform(0.95, 1.05, generator) / mm
    reach = uniform(25, 32, generator)  # mm from the wall over which the meniscus falls
    wave = 1.0 / mm * noise(chest.shape, 30 / mm, generator)
    tilt = uniform(-0.015, 0.015, generator) * (columns - lung.medial_edge)
    level = lung.base - (0.05 + 0.52 * severity**1.1) * lung.height
    from_middle = np.abs(columns - lung.medial_edge) * mm
    wall = chest.wall_distance(side)
    surface = level + wave + tilt - climb * (np.exp(-wall / reach) + 0.35 * np.exp(-from_middle / 18))
    depth = (rows - surface) * mm
    wrap = (depth / (26 + 30 * severity)).clip(0)  # fluid grows thicker downwards, as it wraps the lung
    thickness = _OPAQUE * (1 - np.exp(-1.6 * wrap**1.3))
    veil = _VEIL * severity * (1 + depth / _VEIL_ABOVE).clip(0, 1) ** 2
    little = max(1 - severity / _ANGLE_ALONE, 0.0)
    beyond_angle = 1 - np.exp(-(((wall - _ANGLE).clip(0) / _ANGLE) ** 2))
    thickness = (thickness + veil) * (1 - little * beyond_angle) * _pleural_space(chest, lung, severity)
    ceiling = _fluid_grey(chest, lung, surface, min(severity / _LIVER_FROM, 1.0))
    opaque = 1 - np.exp(-thickness)
    fluid = add_thickness(grey, thickness, ceiling) + _RIBS * opaque * _ribs(chest, lung)
    grained = fluid + opaque * (fluid > grey) * film_grain(chest, generator)
    return grained.clip(grey, np.maximum(fluid, chest.brightest_tissue))


def _ribs(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the ribs in front of a lung, `(H, W)` about 0, without its borders and vessels; 0 beyond it."""

    def compute() -> np.ndarray:
        above_dome = chest.grid[0] < dome_rows(lung) - _RIBS_ABOVE_DOME / chest.mm
        inside = (grow(lung.mask, -round(8 / chest.mm)) & above_dome).astype(np.float32)
        sigma, bare = _RIBS_MM / chest.mm, without_metal(chest)
        grey = bare - markings_of(chest, bare)
        around = blur(inside * grey, sigma) / np.maximum(blur(inside, sigma), 0.05)
        beside_heart = np.abs(chest.grid[1] - heart_border(chest, lung.side)[:, None]) * chest.mm
        none, full = _RIBS_BESIDE_HEART
        fading = blur(inside, 3 / chest.mm) * inside * smoothstep((beside_heart - none) / (full - none))
        return blur(fading * (grey - around), 1.0 / chest.mm)

    return chest.once(f"ribs {lung.side}", compute)


def _fluid_grey(chest: FilmChest, lung: FilmLung, surface: np.ndarray, deep: float) -> np.ndarray:
    """Return the grey of deep fluid, `(H, W)`: of the tissue beside it, and downwards that under the dome.

    Under the dome it is that of the liver or spleen as a whole, brighter than at their edges, and it is reached at the
    dome: a border between two equal greys is lost. Higher up, and at the chest wall, fluid is as bright as what it
    touches there.

    Args:
        chest: the film's anatomy.
        lung: the lung in the fluid.
        surface: `(H, W)`, row of the fluid's level in each column.
        deep: in [0, 1]: share of the grey under the dome that it reaches; a little fluid is thin.
    """
    beside = chest.once(f"tissue beside {lung.side}", lambda: _grey_beside(chest, lung))
    under = chest.once(f"tissue under {lung.side}", lambda: _grey_under(chest, lung))
    above = (dome_rows(lung) - chest.grid[0]) * chest.mm
    reach = ((dome_rows(lung) - surface) * chest.mm).clip(10, _ABOVE_DOME)
    way = smoothstep(1 - above / reach)
    at_wall = np.exp(-((chest.wall_distance(lung.side) / _AT_WALL) ** 2))
    return beside + deep * way * (1 - at_wall) * (under - beside).clip(0)


def _grey_beside(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the grey of the soft tissue beside a lung, `(H, W)`, carried into it from beyond its soft border."""
    mm = chest.mm
    near, far = _TISSUE_BESIDE
    other = chest.lungs["left" if lung.side == "right" else "right"].mask
    sources = grow(lung.mask, round(far / mm)) & ~grow(lung.mask, round(near / mm)) & ~grow(other, round(near / mm))
    outside = (1 if lung.side == "left" else -1) * (chest.grid[1] - outer_border(chest, lung.side)[:, None]) > 0
    sources &= (chest.grid[0] < dome_rows(lung)) | outside
    sources &= chest.grey > np.where(outside, chest.ceiling(_DARKEST_WALL), chest.ceiling(_DARKEST))
    sigmas = [scale / mm for scale in (45, 20, 10, 5)]
    field = continue_field(chest.grey, sources.astype(np.float32), chest.tissue_field, sigmas, 0.15)
    return np.minimum(blur(field, 4 / mm), np.maximum(chest.tissue_field, chest.brightest_tissue))


def _grey_under(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return the grey of the abdomen under a lung's dome, `(W,)`: what most of it does not exceed; gas is darker."""
    below = (chest.grid[0] - dome_rows(lung)) * chest.mm
    under = (below > _UNDER_DOME[0]) & (below < _UNDER_DOME[1])
    smooth = np.where(under, blur(chest.grey, 2 / chest.mm), np.nan)
    known = np.flatnonzero((lung.dome >= 0) & under.any(axis=0))
    if not len(known):
        return np.full(chest.shape[1], chest.tissue, np.float32)
    bright = np.nanpercentile(smooth[:, known], _MOST_UNDER, axis=0)
    everywhere = np.interp(np.arange(chest.shape[1]), known, bright)
    around = cv2.morphologyEx(
        everywhere[None].astype(np.float32), cv2.MORPH_CLOSE, np.ones((1, 2 * round(_GAS / chest.mm) + 1), np.uint8)
    )[0]
    return blur_line(around, _ALONG_DOME / chest.mm)


def _pleural_space(chest: FilmChest, lung: FilmLung, severity: float) -> np.ndarray:
    """Return the weight of fluid in the picture, `(H, W)` in [0, 1].

    It is the lung field, extended over heart and dome, and fading behind the dome. Beside the lung it ends at
    the lung's own curve, which goes on below the angle.
    """
    mm = chest.mm
    closed = _close(_with_sulcus(chest, lung), round(6 / mm))
    space = _towards_tissue(chest, lung, closed, _TOWARDS_TISSUE[0] + severity * _TOWARDS_TISSUE[1])
    floor = blur_line(np.maximum(dome_rows(lung), lung.dome), _SMOOTH_FLOOR / mm)  # beside the heart, under the dome
    below = (chest.grid[0] - floor) * mm
    reach = _REACH_BELOW_DOME * (1 + np.exp(-((chest.wall_distance(lung.side) / 25) ** 2)))  # deepest in the angle
    fading = np.exp(-((below.clip(0) / reach) ** 2)) * (1 - below / _DEEPEST).clip(0, 1)
    exposed = lung.mask | (blur(chest.grey, 1.0 / mm) > _UNEXPOSED * chest.air)
    return blur(space * exposed, 1.0 / mm) * fading * ~chest.once("black border", lambda: _black_border(chest.grey))


def _black_border(grey: np.ndarray) -> np.ndarray:
    """Return the black pixels of a film that touch its border, `(H, W)` bool; a lung's outline may reach them."""
    border = np.ones(grey.shape, bool)
    border[1:-1, 1:-1] = False
    return connected_to(grey < _BLACK, border)


def _with_sulcus(chest: FilmChest, lung: FilmLung) -> np.ndarray:
    """Return a lung's mask `(H, W)` bool with the dark pixels beside its base that belong to its angles.

    An outline that is found may end before the tip of a deep, narrow costophrenic angle, which fluid fills first, or
    before the corner of heart and dome. What lies beyond the straight continuation of the chest wall is air beside the
    patient.
    """
    rows, columns = chest.grid
    low = rows > lung.apex + _SULCUS_FROM * lung.height
    straight = slice(*(int(lung.apex + share * lung.height) for share in _STRAIGHT_WALL))
    slope, start = np.polyfit(rows[straight, 0], outer_border(chest, lung.side)[straight], 1)
    beyond = (1 if lung.side == "left" else -1) * (columns - start - slope * rows) * chest.mm
    near = grow(lung.mask, round(_SULCUS_MM / chest.mm)) & low & (beyond < _BEYOND_WALL)
    smooth = blur(chest.grey, 1.0 / chest.mm)
    dark = near & (smooth < chest.ceiling(_SULCUS_DARK))
    at_dome = dome_columns(lung)
    beside_heart = columns > at_dome[-1] if lung.side == "right" else columns < at_dome[0]
    corner = grow(lung.mask, round(_CORNER_MM / chest.mm)) & low & beside_heart
    other = chest.lungs["left" if lung.side == "right" else "right"].mask
    dark |= corner & ~other & (smooth < chest.ceiling(_CORNER_DARK))
    return connected_to(lung.mask | (dark & (smooth > _UNEXPOSED * chest.air)), lung.mask)


def _towards_tissue(chest: FilmChest, lung: FilmLung, space: np.ndarray, reach: float) -> np.ndarray:
    """Return a lung field `(H, W)` in [0, 1], extended by `reach` mm, but not outwards."""
    mm, (rows, columns) = chest.mm, chest.grid
    outwards = -1 if lung.side == "right" else 1
    known = np.flatnonzero(space.any(axis=1))
    last = space.shape[1] - 1
    edge = space[known].argmax(axis=1) if lung.side == "right" else last - space[known][:, ::-1].argmax(axis=1)
    known, edge = _before_the_dome(known, edge, outwards, max(2, round(4 / mm)))
    count = max(4, round(30 / mm))
    slope = np.polyfit(known[-2 * count : -count // 2], edge[-2 * count : -count // 2], 1)[0]
    slope = slope if slope * outwards > 0 else 0.0
    row = np.arange(space.shape[0])
    wall = np.interp(row, known, edge) + slope * (row - known[-1]).clip(0)
    inner = outwards * (wall[:, None] - columns) * mm
    dome = np.zeros(space.shape[1], bool)
    dome[dome_columns(lung)] = True
    distance = distance_inside(~(space | (dome & (rows > dome_rows(lung))))) * mm
    furthest = np.where(rows > dome_rows(lung), _BESIDE_ABDOMEN, 1.5 * reach)
    near = (1 - distance / furthest).clip(0, 1)
    return np.exp(-((distance / reach) ** 2)) * near * (inner / 2 + 0.5).clip(0, 1)


def _before_the_dome(known: np.ndarray, edge: np.ndarray, outwards: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a lung, and the columns of its outer edge in them, down to where its edge follows the dome.

    There it turns inwards by more than a column in a row, over `step` rows.
    """
    inwards = outwards * (edge[:-step] - edge[step:])
    along_wall = np.flatnonzero(inwards <= step)
    end = int(along_wall[-1]) + 1 if len(along_wall) else len(known)
    return known[:end], edge[:end]


def _close(mask: np.ndarray, radius: int) -> np.ndarray:
    """Close gaps of a mask that are narrower than twice the radius; the picture's border does not eat into it."""
    padded = np.pad(mask, 2 * radius)
    closed = grow(grow(padded, radius), -radius)
    return closed[2 * radius : closed.shape[0] - 2 * radius, 2 * radius : closed.shape[1] - 2 * radius]
