"""A dataset in the pair layout whose findings are brighter squares."""

import csv

import cv2
import numpy as np


def write_square_pairs(folder, size, training, current_suffix=".png"):
    """Write twelve pairs: a brighter square is added on the image's left or right.

    Args:
        folder: an existing folder.
        size: of the pictures, in pixels.
        training: pairs of the split "train"; the others are of "val".
        current_suffix: of the names of targets in the table.

    Returns:
        The folder.
    """
    draws = np.random.default_rng(0)
    rows = []
    for name in ("past", "current"):
        (folder / name).mkdir()
    near, far, top, side_length = size // 16, size * 5 // 8, size * 9 // 16, size * 5 // 16
    for number in range(12):
        side = ("right", "left")[number % 2]
        past = draws.integers(20, 90, (16, 16)).astype(np.uint8)
        past = cv2.resize(past, (size, size), interpolation=cv2.INTER_CUBIC)
        current = past.copy()
        start = near if side == "right" else far
        current[top : top + side_length, start : start + side_length] += 100
        cv2.imwrite(str(folder / "past" / f"{number}.png"), past)
        cv2.imwrite(str(folder / "current" / f"{number}.png"), current)
        split = "val" if number >= training else "train"
        instruction = f"Add the finding of {side} pleural effusion."
        rows.append((split, instruction, f"{number}.png", f"{number}{current_suffix}"))
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("split", "instruction", "past_dicom_id", "current_dicom_id"), *rows])
    return folder
