"""Runs over other people's cases on a tiny model: edits, measures, records, and runs that go on."""

from dataclasses import replace

import pytest
import torch
from bench_cases import BOX, SIZE, picture, tensor, write_medebench, write_miedb

from x2x_core.common.errors import InputError
from x2x_core.evaluation.benches.cases import check_files
from x2x_core.evaluation.benches.measures import CasePictures, measure_case
from x2x_core.evaluation.benches.medebench import read_medebench
from x2x_core.evaluation.benches.miedb import read_miedb
from x2x_core.evaluation.benches.run import BenchSettings, run_bench
from x2x_core.evaluation.metrics.ssim import ssim
from x2x_core.evaluation.report.write import write_report
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED, Results

SETTINGS = BenchSettings("MedEBench", seed=3, call={"num_inference_steps": 1})


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return check_files(read_medebench(write_medebench(tmp_path_factory.mktemp("med"))))


class Fixed:
    """A model of images and texts whose answer is the share of the text that names fluid."""

    name = "fixed"

    def similarity(self, images, texts):
        return torch.tensor([float("fluid" in text) for text in texts])


def test_every_case_is_edited_and_measured(pipe, cases, tmp_path):
    pipe.set_progress_bar_config(disable=True)
    results = run_bench(pipe, cases, tmp_path / "run", SETTINGS, Fixed())
    assert Results.read_json(tmp_path / "run" / "evaluation.json") == results
    assert [row.name for row in results.rows] == [EDITED, UNEDITED, TARGET] and results.about["failures"] == {}
    edited, unedited, target = (row.metrics for row in results.rows)
    assert unedited["change_outside"].value == 0 and unedited["context_ssim"].value == pytest.approx(1)
    assert unedited["error_ratio"].value == 1 and target["error_ratio"].value < 0.1
    assert target["psnr"].value > edited["psnr"].value and edited["image_text"].value == 1
    for key in ("attention_iou", "best_iou", "pointing", "average_precision"):
        assert 0 <= edited[key].value <= 1 and unedited[key].value is None
    assert results.rows[0].per_finding.keys() == {"Chest", "Teeth"} and edited["region_dice"].value is None
    assert results.rows[0].per_finding["Chest"]["psnr"].n == 2
    assert all((tmp_path / "run" / case.files["after"]).is_file() for case in results.cases)
    page, *_ = write_report(tmp_path / "run", figures=False)
    assert "MedEBench" in page.read_text()


def test_a_stopped_run_goes_on_to_the_same_record(pipe, cases, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(done, total):
        raise StoppedError

    pipe.set_progress_bar_config(disable=True)
    with pytest.raises(StoppedError):
        run_bench(pipe, cases[:2], tmp_path / "a", SETTINGS, progress=stop)
    assert len(list((tmp_path / "a" / "cases").iterdir())) == 1
    assert run_bench(pipe, cases[:2], tmp_path / "a", SETTINGS) == run_bench(pipe, cases[:2], tmp_path / "b", SETTINGS)
    with pytest.raises(InputError, match="holds one of other settings"):
        run_bench(None, cases[:1], tmp_path / "a", SETTINGS)


def test_cases_that_cannot_be_edited_are_kept_with_the_reason(pipe, cases, tmp_path):
    pipe.set_progress_bar_config(disable=True)
    broken = replace(cases[0], id="x", instruction=" ")
    results = run_bench(pipe, [broken, cases[1]], tmp_path / "a", SETTINGS)
    assert set(results.about["failures"]) == {"x"} and "1 that could not be edited" in results.about["size"]
    with pytest.raises(InputError, match="must hold one that can be edited"):
        run_bench(pipe, [broken], tmp_path / "b", SETTINGS)


def test_a_painted_region_is_compared_by_its_overlap(tmp_path):
    case = read_miedb(write_miedb(tmp_path))[0]
    before, target = tensor(picture(0)), tensor(picture(0, BOX, (0, 0, 255)))
    pictures = CasePictures.of(before, target, None, case.painted)
    half = (BOX[0], slice(BOX[1].start, (BOX[1].start + BOX[1].stop) // 2))
    found = measure_case(pictures, tensor(picture(0, half, (0, 0, 255))))
    assert found["region_dice"] == pytest.approx(2 / 3)
    assert measure_case(pictures, target)["region_dice"] == 1 and measure_case(pictures, before)["region_dice"] == 0
    assert int(pictures.region.sum()) == 16 * 18 and pictures.region.shape == (1, SIZE, SIZE)


def test_context_and_errors_by_hand():
    before, region = torch.full((3, 32, 32), 0.2), torch.zeros(1, 32, 32, dtype=torch.bool)
    region[:, 8:16, 8:16] = True
    target, image = before + 0.4 * region, before + 0.3 * region + 0.01 * ~region
    found = measure_case(CasePictures(before, target, region), image)
    assert found["error_ratio"] == pytest.approx(0.1**2 / 0.4**2, rel=1e-4)
    assert found["change_outside"] == pytest.approx(0.01, rel=1e-4)
    assert found["context_ssim"] == pytest.approx(ssim(image[:1], before[:1], ~region), abs=1e-4)
    shifted = (2 * 0.2 * 0.21 + 0.01**2) / (0.2**2 + 0.21**2 + 0.01**2)  # of two flat pictures, away from the region
    alone = torch.zeros_like(region)
    alone[:, 26:, 26:] = True
    assert ssim(image[:1], before[:1], alone) == pytest.approx(shifted, abs=1e-4)


def test_without_a_mask_the_region_is_where_the_target_differs():
    before, target = tensor(picture(0)), tensor(picture(0, BOX))
    region = CasePictures.of(before, target, None).region
    assert region[:, BOX[0], BOX[1]].float().mean() > 0.95 and region.float().mean() < 0.25


@pytest.mark.parametrize("names", [("a/1", "a:1"), ("Chest", "chest"), ("x" * 300 + "1", "x" * 300 + "2"), ("a", "a")])
def test_cases_whose_names_differ_hardly_have_files_of_their_own(pipe, cases, tmp_path, names):
    pipe.set_progress_bar_config(disable=True)
    alike = [replace(case, id=name) for case, name in zip(cases, names)]
    results = run_bench(pipe, alike, tmp_path / "run", SETTINGS)
    assert [case.id for case in results.cases] == list(names)
    files = [case.files["after"] for case in results.cases]
    assert len({file.lower() for file in files}) == 2 and all((tmp_path / "run" / file).is_file() for file in files)
    assert results.cases[0].scores != results.cases[1].scores
