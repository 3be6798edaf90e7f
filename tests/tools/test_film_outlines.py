"""Outlines of films: what a reader's decisions make of them, and the folder that training reads."""

import json
import sys

import cv2
import numpy as np
import pytest
import torch
from programs import load_program

from x2x_core.anatomy.lung_masks import LungMasks
from x2x_core.training.lungs.images import read_lung_images


@pytest.fixture(scope="module")
def tool():
    return load_program("tools/film_outlines.py")


@pytest.fixture
def lungs():
    """Two fields of 40 x 40 pixels, and slightly larger whole lungs."""
    masks = torch.zeros(4, 1, 1, 100, 100)
    masks[0, ..., 20:60, 10:50] = masks[1, ..., 20:60, 50:90] = 1
    masks[2, ..., 20:70, 10:50] = masks[3, ..., 20:70, 50:90] = 1
    return LungMasks(*masks, torch.ones(1))


def test_a_decision_takes_off_what_lies_below_its_border(tool, lungs):
    drawn = tool.outlines_of(lungs, {})
    cut = tool.outlines_of(lungs, {"left": [[0.5, 0.4], [0.9, 0.4]]})
    assert drawn.sum((1, 2)).tolist() == [1600, 1600, 2000, 2000]
    assert np.array_equal(cut[[0, 2, 3]], drawn[[0, 2, 3]]) and cut[1].sum() == 800 and not cut[1, 40:].any()


def test_a_turned_film_has_no_lungs_and_other_words_are_refused(tool, lungs):
    assert not tool.outlines_of(lungs, "no lungs").any()
    with pytest.raises(ValueError, match='must be "drop", "no lungs" or lower borders by side, got \'bad\''):
        tool.outlines_of(lungs, "bad")


def test_the_folder_is_what_training_reads(tool, tmp_path, monkeypatch):
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((300, 150), 90, np.uint8))
    (tmp_path / "list.csv").write_text("file\na.png\nb.png\n")
    (tmp_path / "decisions.json").write_text(json.dumps({"b.png": "drop"}))
    options = ["--list", str(tmp_path / "list.csv"), "-o", str(tmp_path / "out")]
    decisions = ["--decisions", str(tmp_path / "decisions.json")]
    monkeypatch.setattr(sys, "argv", ["x", "write", str(tmp_path), *options, *decisions])
    tool.main()
    (image,) = read_lung_images(tmp_path / "out", "train")
    assert image.image.name == "a.png" and image.lungs is not None and image.read()[0].shape == (256, 128)
