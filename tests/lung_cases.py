"""Simulated radiographs of unseen pose and body shape with their true lungs, for several tests."""

from pathlib import Path

import cv2
import numpy as np
import torch

FOLDER = Path(__file__).parent / "fixtures" / "lungs"
BODIES = tuple(range(6))


def radiograph(body):
    """`(1, 1, 160, 160)` in [0, 1]."""
    return torch.from_numpy(cv2.imread(str(FOLDER / f"{body}.png"), cv2.IMREAD_GRAYSCALE) / np.float32(255))[None, None]


def truth(body, kind="masks"):
    """Right and left `(2, 160, 160)` bool: "masks" are the fields, "whole" the whole lungs."""
    picture = cv2.imread(str(FOLDER / f"{body}-{kind}.png"), cv2.IMREAD_COLOR)
    return torch.from_numpy(np.ascontiguousarray(picture[..., 2:0:-1].transpose(2, 0, 1)) > 127)


def dice(first, second):
    first, second = first.bool(), second.bool()
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def noise(size=(160, 160)):
    return torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(5))
