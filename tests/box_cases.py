"""Boxes of experts as several tests need them."""

import numpy as np

from x2x_core.pseudomasks.building.boxes import Box
from x2x_core.pseudomasks.building.smoothing import Smoothing

PLAIN = Smoothing("kernel", 0.04)


def make_boxes(count=40, category="Effusion", cx=0.3, cy=0.6, seed=0, spread=0.02):
    draws = np.random.default_rng(seed)
    return [
        Box(category, cx + draws.normal(0, spread), cy + draws.normal(0, spread), 0.2, 0.2, f"{n}.png", f"{n // 2}")
        for n in range(count)
    ]


def both_sides(count=40, category="Effusion", seed=0):
    right = make_boxes(count, category, seed=seed)
    return [box if n % 4 < 2 else Box(category, 1 - box.cx, box.cy, 0.2, 0.2, box.image_id, box.patient_id)
            for n, box in enumerate(right)]  # fmt: skip
