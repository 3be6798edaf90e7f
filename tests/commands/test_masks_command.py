"""`x2x masks build` and `x2x masks evaluate`."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from x2x_core.commands.masks import _parse, app
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.building import evaluation as atlas_evaluation
from x2x_core.pseudomasks.building.maps_from_boxes import build_maps
from x2x_core.pseudomasks.building.smoothing import Smoothing


@pytest.fixture
def table(tmp_path):
    draws = np.random.default_rng(0)
    rows = ["Image Index,Finding Label,Bbox [x,y,w,h],,,,,,"]
    for number in range(30):
        x, y = draws.integers(150, 250), draws.integers(500, 600)
        rows.append(f"{number:08d}_000.png,Effusion,{x},{y},250,220,,,")
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "boxes.csv"


@pytest.fixture
def quick(monkeypatch):
    """One way of smoothing, coarse maps."""

    def coarse(boxes, **parameters):
        return build_maps(boxes, **{"smoothing": Smoothing("kernel", 0.04), "resolution": 32, **parameters})

    monkeypatch.setattr(atlas_evaluation, "build_maps", coarse)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_masks_in_the_published_style_serve_as_a_baseline(table, quick, tmp_path):
    folder, scores = tmp_path / "masks", tmp_path / "scores.json"
    done = run("build", table, "--published-style", "-o", folder)
    assert done.exit_code == 0 and (folder / "pseudo_mask_Effusion.npy").is_file()
    assert isinstance(run("build", table, "--published-style", "-o", folder).exception, FileExistsError)
    done = run("evaluate", table, "--baseline", folder, "-o", scores, "--folds", 3)
    assert done.exit_code == 0, done.exception
    assert "images" in done.stdout
    record = json.loads(scores.read_text())
    cases = record["categories"]["Effusion"]
    assert not record["aligned"] and record["tables"][0]["boxes"] == 30
    assert sorted(cases) == sorted([*atlas_evaluation.CASES, "baseline"])
    assert cases["baseline"]["coverage"] > 0.99 and cases["finding"]["boxes"] == 30


def test_with_images_each_is_aligned(table, quick, tmp_path, monkeypatch):
    """Every image is found to be the frame itself: aligned and not give the same."""
    seen = []

    def align(self, image):
        seen.append(tuple(image.shape[-2:]))
        return SimpleNamespace(frame=SimpleNamespace(to_frame=lambda points: points))

    monkeypatch.setattr(PseudomaskAtlas, "align", align, raising=False)
    (tmp_path / "images").mkdir()
    for number in range(30):
        cv2.imwrite(str(tmp_path / "images" / f"{number:08d}_000.png"), np.full((20, 16), 9, np.uint8))
    done = run("evaluate", table, "--images", tmp_path / "images", "-o", tmp_path / "scores.json", "--folds", 2)
    assert done.exit_code == 0, done.exception
    assert seen == [(20, 16)] * 30
    cases = json.loads((tmp_path / "scores.json").read_text())["categories"]["Effusion"]
    for case in atlas_evaluation.CASES:
        plain, aligned = cases[case], cases[f"{case}, aligned"]
        assert aligned["coverage"] == pytest.approx(plain["coverage"], abs=0.002)
        assert aligned["editable_share"] == pytest.approx(plain["editable_share"], abs=0.01)


def test_a_missing_image_and_a_missing_table_are_named(table, tmp_path):
    (tmp_path / "images").mkdir()
    missing = run("evaluate", table, "--images", tmp_path / "images").exception
    assert isinstance(missing, FileNotFoundError) and "30 of 30 are missing, such as 00000000_000.png" in str(missing)
    assert "`tables` or `--simulated` is required" in str(run("evaluate").exception)
    assert "`--published-style` requires a folder" in str(run("build", table, "--published-style").exception)


def test_the_frame_is_where_masks_are_moved_to():
    from x2x_core.pseudomasks.building.evaluation import _mask_in_image

    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 16:, :16] = 1
    shifted = _mask_in_image(mask, SimpleNamespace(to_frame=lambda points: points - torch.tensor([0.25, 0.0])))
    assert shifted[24, 12] == 1 and shifted[24, 4] == 0 and shifted[24, 28] == 0


def test_pictures_are_written_only_to_png_files(tmp_path):
    done = run("show", "Add the finding of edema.", "-o", tmp_path / "mask.bmp")
    assert isinstance(done.exception, ValueError) and "must end in .png" in str(done.exception)
    assert run("show", "Add the finding of edema.", "-o", tmp_path / "mask.png").exit_code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "mask.png"]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("left pleural efusion", "Add the finding of left pleural effusion."),
        ("Remove the finding of edema.", "Remove the finding of edema."),
    ],
)
def test_a_finding_alone_counts_as_adding_it_also_misspelt(text, canonical):
    assert str(_parse(text)) == canonical
