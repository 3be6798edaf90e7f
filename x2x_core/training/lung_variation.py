"""Strong random variation of a radiograph with its lung masks, for training the lung finder.

The radiographs are simulated from one or two bodies: so shape, pose, framing, exposure and what lies over the chest are
varied far beyond what patients show, and a network that follows all of it follows a real patient too.

Arrays are NumPy: images `(h, w)` float32 in [0, 1], masks `(h, w, M)` uint8 of 0..255. Every draw comes from a NumPy
generator, which a caller seeds from its PyTorch generator.
"""

from __future__ import annotations

import cv2
import numpy as np

Draws = np.random.Generator


def vary(image: np.ndarray, masks: np.ndarray, size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """One varied view of a radiograph, or (one in 25) of something that is none, with empty masks.

    Args:
        image: `(h, w)` float32 in [0, 1].
        masks: `(h, w, M)` uint8; right and left in turn, so that a mirrored view swaps them in pairs.
        size: pixels to a side of the view.
        draws: the generator.

    Returns:
        The view `(size, size)` float32 in [0, 1], and its masks `(size, size, M)` float32 in [0, 1].
    """
    if draws.random() < 0.04:
        return _no_chest(size, draws), np.zeros((size, size, masks.shape[2]), np.float32)
    if draws.random() < 0.3:
        image, masks = image[:, ::-1], mirrored(masks)
    image, masks = _warp(np.ascontiguousarray(image), np.ascontiguousarray(masks), size, draws)
    masks = masks.astype(np.float32) / 255
    image = _shade_lungs(image, masks, draws)
    image = _overlay(image, draws)
    image = retone(image, draws)
    image = _resharpen(image, draws)
    image, masks = _frame(image, masks, draws)
    return np.clip(image, 0, 1).astype(np.float32), masks


def mirrored(masks: np.ndarray) -> np.ndarray:
    """Masks `(h, w, M)` of the mirrored image: what was right is now left."""
    order = [number ^ 1 for number in range(masks.shape[2])]
    return masks[:, ::-1][..., order]


# -- shape ------------------------------------------------------------------------------------------------------------


def _warp(image: np.ndarray, masks: np.ndarray, size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """An affine map, a smooth random displacement and local swellings, in one resampling."""
    across, down = _field(size, draws)
    side = image.shape[0]
    where = [np.float32(side) * axis - np.float32(0.5) for axis in (across, down)]
    soft = cv2.GaussianBlur(image, (0, 0), 0.35 * side / size) if side > size else image
    border = cv2.BORDER_REPLICATE if draws.random() < 0.6 else cv2.BORDER_CONSTANT
    warped = cv2.remap(soft, *where, cv2.INTER_LINEAR, borderMode=border, borderValue=float(draws.random() < 0.15))
    return warped, cv2.remap(masks, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _field(size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the view lies in the image: x and y `(size, size)` float32, shares of its sides."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = np.meshgrid(axis, axis)
    zoom = np.exp(draws.uniform(-0.65, 0.15) if draws.random() < 0.8 else draws.uniform(0.15, 0.8))
    aspect = np.exp(draws.uniform(-0.28, 0.28))
    angle = np.radians(draws.normal(0, 7))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, draws.normal(0, 0.06)], [draws.normal(0, 0.06), 1]])
    matrix = np.diag([zoom * aspect, zoom / aspect]) @ shear @ turn
    shift = draws.normal(0, 0.09, 2) * (1 + max(0, zoom - 1))
    across = matrix[0, 0] * x + matrix[0, 1] * y + shift[0]
    down = matrix[1, 0] * x + matrix[1, 1] * y + shift[1] - 0.03
    across, down = _swell(across, down, draws)
    spread = draws.uniform(0, 0.035)
    for cells in (3, 5):
        wave = draws.normal(0, spread * (3 / cells) ** 1.5, (2, cells, cells)).astype(np.float32)
        across = across + cv2.resize(wave[0], (size, size), interpolation=cv2.INTER_CUBIC)
        down = down + cv2.resize(wave[1], (size, size), interpolation=cv2.INTER_CUBIC)
    taper = draws.normal(0, 0.18)  # the chest's breadth changes from top to bottom
    across = across * (1 + taper * down)
    return (across + 0.5).astype(np.float32), (down + 0.5).astype(np.float32)


def _swell(across: np.ndarray, down: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Up to three places swell or shrink: a larger heart, a narrower lung, a higher diaphragm."""
    for _ in range(draws.integers(0, 4)):
        middle = draws.uniform((-0.3, -0.25), (0.3, 0.3))
        reach = draws.uniform(0.10, 0.22)
        strength = draws.uniform(-0.4, 0.4)
        dx, dy = across - middle[0], down - middle[1]
        pull = strength * np.exp(-0.5 * (dx**2 + dy**2) / reach**2)
        across, down = across - pull * dx, down - pull * dy
    return across, down


# -- what is in and over the chest ------------------------------------------------------------------------------------


def _shade_lungs(image: np.ndarray, masks: np.ndarray, draws: Draws) -> np.ndarray:
    """Lungs darker or brighter than simulated, one whitened from below, patches of opacity in them."""
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
            fluid = _sigmoid((y - level - slope * (x - size / 2)) / softness)
            lung = cv2.GaussianBlur(masks[..., side::2].max(2), (0, 0), draws.uniform(0.8, 3))
            grey = np.quantile(image, draws.uniform(0.6, 0.98))
            cover = fluid * lung * draws.uniform(0.5, 1)
            image = image * (1 - cover) + np.maximum(image, grey) * cover
    if draws.random() < 0.4:
        patches = draws.normal(0, 1, (draws.integers(4, 20),) * 2).astype(np.float32)
        patches = np.clip(cv2.resize(patches, (size, size), interpolation=cv2.INTER_CUBIC), 0, None)
        image = image + draws.uniform(0, 0.25) * patches * cv2.GaussianBlur(fields.max(2), (0, 0), 2)
    return image


def _overlay(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Ribs and clavicles, wires and tubes, devices, letters, and slow unevenness, each by chance."""
    image = np.ascontiguousarray(image, np.float32)
    size = image.shape[0]
    if draws.random() < 0.55:
        image = image + draws.uniform(0.02, 0.16) * _ribs(size, draws)
    if draws.random() < 0.3:
        for _ in range(draws.integers(1, 4)):
            points = _curve(size, draws)
            line = np.zeros((size, size), np.uint8)
            cv2.polylines(line, [points], False, 255, int(draws.integers(1, 3)), cv2.LINE_AA, 3)
            image = image + draws.choice((-0.2, 0.3, 0.6)) * line / np.float32(255)
    if draws.random() < 0.2:
        image = _thing(image, draws)
    if draws.random() < 0.35:
        image = _letters(image, draws)
    if draws.random() < 0.5:
        wave = draws.normal(0, draws.uniform(0, 0.15), (3, 3)).astype(np.float32)
        image = image + cv2.resize(wave, (size, size), interpolation=cv2.INTER_CUBIC)
    return image


def _ribs(size: int, draws: Draws) -> np.ndarray:
    """Two fans of bright bands that slope from the middle to both sides, and two clavicles."""
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


def _curve(size: int, draws: Draws) -> np.ndarray:
    ends = draws.random((4, 2))
    t = np.linspace(0, 1, 30)[:, None]
    bezier = (1 - t) ** 3 * ends[0] + 3 * t * (1 - t) ** 2 * ends[1] + 3 * t**2 * (1 - t) * ends[2] + t**3 * ends[3]
    return np.round(bezier * size * 8).astype(np.int32)


def _thing(image: np.ndarray, draws: Draws) -> np.ndarray:
    """A filled ellipse or box over the picture: a device, a blanked name, an electrode."""
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


def _letters(image: np.ndarray, draws: Draws) -> np.ndarray:
    size = image.shape[0]
    drawn = np.zeros((size, size), np.uint8)
    for _ in range(draws.integers(1, 4)):
        text = "".join(draws.choice(list("RLAPSUE0123456789"), draws.integers(1, 6)))
        place = tuple(int(v) for v in draws.integers(0, size, 2))
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, float(draws.uniform(0.2, 0.7) * size / 128), 255)
    cover = drawn.astype(np.float32) / 255
    return image * (1 - cover) + draws.choice((0, 1, 1)) * cover


# -- tone, sharpness, frame -------------------------------------------------------------------------------------------


def retone(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Exposure and processing: window, gamma, an S-curve, evened histogram, inversion."""
    low, high = np.quantile(image, (draws.uniform(0, 0.12), draws.uniform(0.85, 1)))
    if draws.random() < 0.5:
        image = (image - low) / max(high - low, 0.05)
    image = np.clip(image, 0, 1)
    image = image ** np.exp(draws.normal(0, 0.45))
    if draws.random() < 0.3:
        steep, middle = draws.uniform(3, 9), draws.uniform(0.3, 0.7)
        image = _sigmoid(steep * (image - middle))
    if draws.random() < 0.15:
        evened = cv2.createCLAHE(draws.uniform(1.5, 5), (4, 4)).apply((image * 255).astype(np.uint8))
        image = evened.astype(np.float32) / 255
    contrast, grey = np.exp(draws.uniform(-1.2, 0.1)), draws.uniform(0, 1)
    image = grey + contrast * (image - grey)
    return 1 - image if draws.random() < 0.25 else image


def _resharpen(image: np.ndarray, draws: Draws) -> np.ndarray:
    """Blur or unsharp masking, then grain."""
    kind = draws.random()
    image = np.ascontiguousarray(image, np.float32)
    if kind < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), draws.uniform(0.3, 1.6))
    elif kind < 0.6:
        image = image + draws.uniform(0.3, 2.5) * (image - cv2.GaussianBlur(image, (0, 0), draws.uniform(1, 8)))
    if draws.random() < 0.5:
        grain = draws.normal(0, draws.uniform(0, 0.04), image.shape).astype(np.float32)
        image = image + (cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.5 if draws.random() < 0.5 else grain)
    return image


def _frame(image: np.ndarray, masks: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Borders of one grey that hide what is under them (collimation), and padding by the image's own border."""
    size = image.shape[0]
    if draws.random() < 0.35:
        margins = (draws.random(4) < 0.5) * draws.uniform(0, 0.14, 4) * size
        top, bottom, left, right = margins.astype(int)
        inside = np.zeros((size, size), bool)
        inside[top : size - bottom, left : size - right] = True
        grey = draws.choice((0.0, 0.0, 1.0, draws.random()))
        image, masks = np.where(inside, image, grey), masks * inside[..., None]
    if draws.random() < 0.25:
        cut = int(draws.uniform(0.04, 0.2) * size)
        rows = np.clip(np.arange(size), cut, size - 1 - cut)
        kept = ((np.arange(size) >= cut) & (np.arange(size) < size - cut)).astype(np.float32)
        if draws.random() < 0.5:
            image, masks = image[rows], masks * kept[:, None, None]
        else:
            image, masks = image[:, rows], masks * kept[None, :, None]
    return image, masks


def _no_chest(size: int, draws: Draws) -> np.ndarray:
    """A picture without lungs: noise, waves, or a few shapes."""
    kind = draws.random()
    cells = int(draws.choice((2, 4, 8, 32, size)))
    image = cv2.resize(draws.random((cells, cells)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    if kind < 0.4:
        for _ in range(draws.integers(1, 6)):
            image = _thing(image, draws)
        image = _overlay(image, draws)
    return np.clip(retone(np.clip(image, 0, 1), draws), 0, 1).astype(np.float32)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * values)
