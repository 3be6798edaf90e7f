"""Measures inside and outside the true region: closed forms and limits."""

import builtins
import math

import pytest
import torch

from x2x_core.evaluation.benchmark.editing import edit_row
from x2x_core.evaluation.benchmark.measures import BY_KEY, MEASURES, OF_PAIRS, OF_SETS, measure_edit, score_row
from x2x_core.evaluation.benchmark.pairs import EditedPair, TruePair
from x2x_core.evaluation.benchmark.plan import PlannedPair
from x2x_core.evaluation.benchmark.rows import TARGET_ROW, UNEDITED_ROW
from x2x_core.evaluation.metrics.change_outside import change_outside, energy_outside
from x2x_core.evaluation.metrics.error_ratio import error_ratio
from x2x_core.evaluation.metrics.exposure import brightness_shift, contrast_shift
from x2x_core.evaluation.metrics.psnr import LARGEST_PSNR, psnr
from x2x_core.evaluation.metrics.ssim import ssim
from x2x_core.evaluation.metrics.structure import structure

WORDS = "Add the finding of left pleural effusion."


def fidelity(edited, before, after, region):
    return {
        "mse_ratio": error_ratio(edited, before, after, region),
        "ssim": ssim(edited, after, region),
        "psnr": psnr(edited, after, region),
    }


def attributes_kept(edited, after, region):
    measures = {"structure": structure, "brightness_shift": brightness_shift, "contrast_shift": contrast_shift}
    return {name: measure(edited, after, region) for name, measure in measures.items()}


@pytest.fixture
def pair():
    before = 0.2 + 0.4 * torch.rand(1, 48, 48, generator=torch.Generator().manual_seed(0))
    after = before.clone()
    after[:, 24:40, 24:40] += 0.2
    return TruePair(before, after, WORDS)


@pytest.fixture
def region(pair):
    return (pair.after - pair.before) != 0


def test_fidelity_of_the_truth_and_of_the_unedited_image(pair, region):
    perfect = fidelity(pair.after, pair.before, pair.after, region)
    assert perfect == {"mse_ratio": 0, "ssim": pytest.approx(1, abs=1e-5), "psnr": LARGEST_PSNR}
    plain = fidelity(pair.before, pair.before, pair.after, region)
    assert plain["mse_ratio"] == 1 and plain["ssim"] < 1
    assert plain["psnr"] == pytest.approx(-10 * math.log10(0.2**2), abs=1e-3)


def test_fidelity_looks_at_the_region_alone(pair, region):
    elsewhere = pair.after.clone()
    elsewhere[:, :8, :8] = 0  # farther than the similarity's window from the region
    assert fidelity(elsewhere, pair.before, pair.after, region)["psnr"] == LARGEST_PSNR
    assert fidelity(elsewhere, pair.before, pair.after, region)["ssim"] == pytest.approx(1, abs=1e-5)


def test_fidelity_is_undefined_without_a_region_or_a_change(pair, region):
    nowhere = torch.zeros_like(region)
    assert set(fidelity(pair.after, pair.before, pair.after, nowhere).values()) == {None}
    assert fidelity(pair.after, pair.after, pair.after, region)["mse_ratio"] is None


def test_change_outside_is_counted_by_hand(pair, region):
    edited = pair.after.clone()
    edited[:, :2, :4] += 0.1
    outside = 48 * 48 - 256
    assert change_outside(edited, pair.before, region) == pytest.approx(8 * 0.1 / outside, rel=1e-5)
    assert energy_outside(edited, pair.before, region) == pytest.approx(8 * 0.01 / (8 * 0.01 + 256 * 0.04), rel=1e-5)
    assert change_outside(pair.before, pair.before, region) == energy_outside(pair.before, pair.before, region) == 0
    assert change_outside(edited, pair.before, torch.ones_like(region)) is None


def test_attributes_of_the_truth_are_kept_and_exposure_is_told_from_structure(pair, region):
    kept = attributes_kept(pair.after, pair.after, region)
    assert kept == {"structure": pytest.approx(1), "brightness_shift": 0, "contrast_shift": 0}
    spread = float(pair.after[~region].std(correction=0))
    brighter = attributes_kept(pair.after + 0.1, pair.after, region)
    assert brighter["structure"] == pytest.approx(1, abs=1e-6)
    assert brighter["contrast_shift"] == pytest.approx(0, abs=1e-6)
    assert brighter["brightness_shift"] == pytest.approx(0.1 / spread, rel=1e-5)
    flatter = attributes_kept(0.5 * pair.after, pair.after, region)
    assert flatter["structure"] == pytest.approx(1, abs=1e-6)
    assert flatter["contrast_shift"] == pytest.approx(0.5, rel=1e-5)


def test_other_edges_lower_the_structure_and_a_flat_picture_has_none(pair, region):
    other = attributes_kept(pair.after.flip(-1), pair.after, region)["structure"]
    assert other < 0.3
    assert attributes_kept(torch.full_like(pair.after, 0.5), pair.after, region)["structure"] == 0
    flat = torch.full_like(pair.after, 0.5)
    assert set(attributes_kept(pair.after, flat, region).values()) == {None}
    assert set(attributes_kept(pair.after, pair.after, torch.ones_like(region)).values()) == {None}


def test_the_truth_has_every_measure_at_its_best(pair, region):
    found = measure_edit(pair, EditedPair(pair.after, region, region.float()))
    best = {"average_precision": 1, "energy_inside": 1, "pointing": 1, "best_iou": 1, "change_outside": 0,
            "energy_outside": 0, "editable_share": 256 / 48**2, "mse_ratio": 0, "ssim": 1, "psnr": LARGEST_PSNR,
            "direction": 1, "in_region": 1, "closer": 1, "structure": 1, "brightness_shift": 0, "contrast_shift": 0,
            "changed_outside_mask": 0}  # fmt: skip
    assert found == pytest.approx(best, abs=1e-5)


def test_every_measure_has_a_group_and_a_text(pair, region):
    assert all(one.group and one.meaning for one in MEASURES) and len(BY_KEY) == len(MEASURES)
    assert {one.key for one in OF_PAIRS} | set(OF_SETS) == set(BY_KEY)
    texts = {one.key: one.text(0.12345) for one in MEASURES}
    assert texts["change_outside"] == "12.35" and texts["ssim"] == "0.123" and MEASURES[0].text(None) == "-"
    headings = {one.key: one.heading for one in MEASURES}
    assert headings["change_outside"] == "Mean change (%)" and headings["ssim"] == "SSIM"
    arrows = [BY_KEY[key].arrow for key in ("ssim", "mse_ratio", "amount")]
    assert arrows == ["↑", "↓", ""]


def test_references_have_the_measures_that_need_no_guidance_map(pair):
    planned = [PlannedPair("a.png", pair, 0, None)]
    (same,) = score_row(UNEDITED_ROW, planned, edit_row(None, UNEDITED_ROW, [pair], [0]))
    (target,) = score_row(TARGET_ROW, planned, edit_row(None, TARGET_ROW, [pair], [0]))
    for scores in (same, target):
        assert scores["average_precision"] is scores["editable_share"] is None
    assert same["mse_ratio"] == 1 and same["psnr"] > 0 and same["amount"] == same["closer"] == 0
    assert target["mse_ratio"] == 0 and target["psnr"] is None and target["amount"] == pytest.approx(1)


def test_torchmetrics_is_missed_with_the_extra_s_name(pair, region, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.startswith("torchmetrics"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"instructx2x\[evaluate\]"):
        fidelity(pair.after, pair.before, pair.after, region)
