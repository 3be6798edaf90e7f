"""Augmentation of what a radiograph shows: opacities in the lungs, and bones, devices and letters over the chest."""

from __future__ import annotations

import cv2
import numpy as np

from .draws import Draws, sigmoid


def shade_lungs(image: np.ndarray, masks: np.ndarray, draws: Draws) -> np.ndarray:
    """Darken or brighten the lungs, fill one with fluid from below, and add patches of opacity, each at random."""
    size = image.shape[0]
    fields = masks[..., :2]
    if draws.random() < 0.5:
        lungs = cv2.GaussianBlur(fields.max(2), (0, 0), draws.uniform(0.8, 3))
        image = image * (1 - draws.uniform(-0.15, 0.45) * lungs)
    if draws.random() < 0.25:
        side = draws.integers(2)
        rows = np.flatnonzero(fields[..., side].max(1) > 0.5)
        if len(rows):
            level = draws.uniform(rows[0] - 0.1 * size, rows[-1] + 1)
            slope, softness = draws.normal(0, 0.4), draws.uniform(1, 8)
            y, x = np.mgrid[:size, :size].astype(np.float32)
            fluid = sigmoid((y - level - slope * (x - size / 2)) / softness)
            lung = cv2.GaussianBlur(masks[..., side::2].max(2), (0, 0), draws.uniform(0.8, 3))
            grey = np.quantile(image, draws.uniform(0.6, 0.98))
            cover = fluid * lung * draws.uniform(0.5, 1)
            image = image * (1 - cover) + np.maximum(image, grey) * cover
    if draws.random() < 0.4:
        patches = draws.normal(0, 1, (draws.integers(4, 20),) * 2).astype(np.float32)
        patches = np.clip(cv2.resize(patches, (size, size), interpolation=cv2.INTER_CUBIC), 0, None)
        image = image + draws.uniform(0, 0.25) * patches * cv2.GaussianBlur(fields.max(2), (0, 0), 2)
    return image


def add_overlays(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Add ribs and clavicles, wires and tubes, devices, letters, and slow unevenness, each at random."""
    image = np.ascontiguousarray(image, np.float32)
    size = image.shape[0]
    if draws.random() < 0.55:
        image = image + draws.uniform(0.02, 0.16) * _ribs(size, draws)
    if draws.random() < 0.3:
        for _ in range(draws.integers(1, 4)):
            points = _bezier(size, draws)
            line = np.zeros((size, size), np.uint8)
            cv2.polylines(line, [points], False, 255, int(draws.integers(1, 3)), cv2.LINE_AA, 3)
            image = image + draws.choice((-0.2, 0.3, 0.6)) * line / np.float32(255)
    if draws.random() < 0.2:
        image = add_shape(image, draws)
    if draws.random() < 0.35:
        image = _add_letters(image, draws)
    if draws.random() < 0.5:
        wave = draws.normal(0, draws.uniform(0, 0.15), (3, 3)).astype(np.float32)
        image = image + cv2.resize(wave, (size, size), interpolation=cv2.INTER_CUBIC)
    return image


def _ribs(size: int, draws: Draws) -> np.ndarray:
    """Return an image of bright bands that slope from the midline to both sides, and two clavicles."""
    bands = np.zeros((size, size), np.uint8)
    step, slope = draws.uniform(0.06, 0.11) * size, draws.uniform(-0.1, 0.9)
    width = max(1, int(step * draws.uniform(0.2, 0.5)))
    middle = size * draws.uniform(0.44, 0.56)
    run = np.linspace(0, 0.45 * size, 12)
    for top in np.arange(0.05 * size, 0.85 * size, step):
        bow = top + slope * run * run / (0.45 * size) * 0.5 + draws.normal(0, 1)
        for sign in (-1, 1):
            points = np.stack([middle + sign * run, bow], 1)
            cv2.polylines(bands, [np.round(points * 8).astype(np.int32)], False, 160, width, cv2.LINE_AA, 3)
    for sign in (-1, 1):
        top = draws.uniform(0.08, 0.25) * size
        ends = [(middle + sign * 0.03 * size, top), (middle + sign * 0.4 * size, top - draws.uniform(0, 0.12) * size)]
        cv2.polylines(bands, [np.round(np.array(ends) * 8).astype(np.int32)], False, 255, width, cv2.LINE_AA, 3)
    return cv2.GaussianBlur(bands, (0, 0), draws.uniform(0.5, 1.5)).astype(np.float32) / 255


def _bezier(size: int, draws: Draws) -> np.ndarray:
    """Return 30 points of a random cubic Bézier curve, in eighths of a pixel."""
    ends = draws.random((4, 2))
    t = np.linspace(0, 1, 30)[:, None]
    bezier = (1 - t) ** 3 * ends[0] + 3 * t * (1 - t) ** 2 * ends[1] + 3 * t**2 * (1 - t) * ends[2] + t**3 * ends[3]
    return np.round(bezier * size * 8).astype(np.int32)


def add_shape(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Add a filled ellipse or rectangle: a device, a redacted name, an electrode."""
    size = image.shape[0]
    shape = np.zeros((size, size), np.uint8)
    middle = tuple(int(v) for v in draws.integers(0, size, 2))
    axes = tuple(int(v) for v in draws.integers(2, max(3, size // 7), 2))
    if draws.random() < 0.5:
        cv2.ellipse(shape, middle, axes, float(draws.uniform(0, 180)), 0, 360, 255, -1)
    else:
        cv2.rectangle(shape, middle, (middle[0] + axes[0], middle[1] + axes[1]), 255, -1)
    cover = shape.astype(np.float32) / 255 * draws.uniform(0.4, 1)
    return image * (1 - cover) + draws.random() * cover


def _add_letters(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Add one to three labels of random letters and digits."""
    size = image.shape[0]
    drawn = np.zeros((size, size), np.uint8)
    for _ in range(draws.integers(1, 4)):
        text = "".join(draws.choice(list("RLAPSUE0123456789"), draws.integers(1, 6)))
        place = tuple(int(v) for v in draws.integers(0, size, 2))
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, float(draws.uniform(0.2, 0.7) * size / 128), 255)
    cover = drawn.astype(np.float32) / 255
    return image * (1 - cover) + draws.choice((0, 1, 1)) * cover
