"""An evaluation on a dataset from end to end, on a tiny model: edits that go on where they stopped, and the record."""

import csv
import json
import math
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from tiny_models import make_radiograph

from x2x_core.evaluation.metrics.catalogue import info
from x2x_core.evaluation.metrics.flips import Flips
from x2x_core.evaluation.on_dataset.edits import DatasetEditSettings, case_id, edit_dataset, read_edit, read_grey
from x2x_core.evaluation.on_dataset.evidence import Evidence, RowEvidence, Scorers
from x2x_core.evaluation.on_dataset.gathering import gather_evidence
from x2x_core.evaluation.on_dataset.run import evaluate_edits
from x2x_core.evaluation.on_dataset.table import result_rows
from x2x_core.evaluation.on_dataset.truths import Truth, read_truths
from x2x_core.evaluation.report.write import write_report
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED, Results
from x2x_core.imaging.provenance import read_provenance
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import read_rows
from x2x_core.scorers.adapters import ModuleScorer
from x2x_core.scorers.segmenters import ModuleSegmenter

TEXTS = (
    "Add the finding of left pleural effusion.",
    "Remove the finding of edema.",
    "Add the finding of edema.",
    "Change the level of pleural effusion from mild to severe.",
    "Remove the finding of left pleural effusion.",
)
SETTINGS = DatasetEditSettings(seed=3, batch_size=2, call={"num_inference_steps": 2, "mask_threshold": 0.3})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rows = [("split", "instruction", "past_dicom_id", "current_dicom_id")]
    for kind in ("past", "current"):
        (folder / kind).mkdir()
    for number, text in enumerate(TEXTS):
        before = np.roll(make_radiograph(), number, 1)
        after = before.copy()
        after[40:50, 38:54] = 220
        for kind, picture in (("past", before), ("current", after)):
            cv2.imwrite(str(folder / kind / f"{number}.png"), picture)
        rows.append(("test", text, f"{number}.png", f"{number}.png"))
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "labels.csv").write_text(
        "image,race,age,subject_id\n" + "".join(f"{n},{'AB'[n % 2]},{40 + 5 * n},s{n}\n" for n in range(5))
    )
    return folder


@pytest.fixture(scope="module")
def pipeline(shared_components):
    from tiny_models import make_pipeline, make_scheduler

    pipe = make_pipeline(**{**shared_components, "scheduler": make_scheduler()})
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def run(data, pipeline, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    edit_dataset(pipeline, read_rows(data, "test"), out, SETTINGS)
    return out


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def brightness(labels, kind, **more):
    """A scorer whose every number is a patch's mean grey."""
    patch = lambda x: x[..., 40:50, 38:54].mean((1, 2, 3))[:, None]  # noqa: E731
    return ModuleScorer(lambda x: torch.cat([patch(x)] * len(labels), 1), labels, kind, name="patch", **more)


def test_edits_are_written_and_nothing_changes_outside_the_mask(run, data):
    rows = read_rows(data, "test")
    assert len(everything(run)) == 15
    for number, row in enumerate(rows):
        edit, before = read_edit(run, case_id(number, row)), read_grey(row.past)
        assert edit.mask.dtype == torch.bool and (edit.image == before)[~edit.mask].all()
    said = read_provenance(run / "edited" / f"{case_id(0, rows[0])}.png")
    assert said["synthetic"] and said["parameters"]["instruction"] == TEXTS[0] and said["parameters"]["seed"] == 3
    assert any((read_edit(run, case_id(n, row)).image != read_grey(row.past)).any() for n, row in enumerate(rows))


def test_a_stopped_run_goes_on_to_the_same_bytes(run, data, pipeline, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(done, total):
        raise StoppedError

    rows = read_rows(data, "test")
    with pytest.raises(StoppedError):
        edit_dataset(pipeline, rows, tmp_path / "out", SETTINGS, stop)
    assert len(everything(tmp_path / "out")) == 6
    (tmp_path / "out" / "edited" / f"{case_id(1, rows[1])}.png").unlink()  # as if killed within the batch
    edit_dataset(pipeline, rows, tmp_path / "out", SETTINGS)
    assert everything(tmp_path / "out") == everything(run)


def test_a_finished_run_is_not_edited_again(run, data):
    rows = read_rows(data, "test")
    edit_dataset(None, rows, run, SETTINGS)  # no pipeline is needed


def test_a_folder_of_another_run_or_of_other_files_is_refused(run, data, tmp_path):
    rows = read_rows(data, "test")
    with pytest.raises(ValueError, match="holds one of other settings"):
        edit_dataset(None, rows, run, replace(SETTINGS, seed=4))
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match="holds other files"):
        edit_dataset(None, rows, tmp_path, SETTINGS)


def test_images_of_several_sizes_are_refused(data, tmp_path):
    for kind in ("past", "current"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / "0.png"), np.zeros((64, 64 if kind == "past" else 60), np.uint8))
    (tmp_path / "instructions.csv").write_text(
        "split,instruction,past_dicom_id,current_dicom_id\ntest,Add the finding of edema.,0.png,0.png\n"
    )
    with pytest.raises(ValueError, match="must be of one size, got \\(64, 64\\)"):
        edit_dataset(None, read_rows(tmp_path, "test"), tmp_path / "out", SETTINGS)


def test_the_record_has_every_row_metric_and_case(run, data):
    rows = read_rows(data, "test")
    scorers = Scorers(
        findings=brightness(["pleural effusion", "edema", "pneumonia"], "probability"),
        race=brightness(["a", "b"], "probability"),
        values=(brightness(["age"], "value"),),
    )
    truths = read_truths(rows, data, data / "labels.csv")
    results = evaluate_edits(rows, run, truths, scorers, seed=0, about={"model": "tiny"})
    assert [row.name for row in results.rows] == [EDITED, UNEDITED, TARGET]
    assert Results.read_json(run / "evaluation.json") == results and (run / "evaluation.csv").is_file()
    edited, unedited, target = (row.metrics for row in results.rows)
    assert edited["change_outside_mask"].value == 0 == unedited["changed_share"].value
    assert unedited["ssim_outside"].value == 1 and target["ssim_inside"].value == pytest.approx(1, abs=1e-6)
    assert unedited["lung_dice"].value == 1 or unedited["lung_dice"].note
    assert unedited["flip_rate"].value in (0, None) and unedited["score_follows"].value == 0
    assert "pneumonia" in edited["pathology_auroc"].note  # no label of it is known
    assert edited["fid"].value is None and "no source of features" in edited["fid"].note
    assert "measured against" in target["label_kl"].note
    assert results.rows[0].per_operation.keys() == {"add", "change", "remove"}
    assert results.rows[0].per_finding.keys() == {"edema", "pleural effusion"}
    ranks = [one.scores["rank"] for one in results.cases if "rank" in one.scores]
    assert {"best", "worst"} <= set(ranks) and results.about["size"] == "5 pairs of 5 patients"
    case = results.cases[1]
    assert case.instruction == TEXTS[1] and all((run / file).is_file() for file in case.files.values())
    assert case.scores["findings"][EDITED].keys() == {"pleural effusion", "edema", "pneumonia"}
    assert results.about["model"] == "tiny" and results.about["scorers"]["findings"] == "patch"
    assert json.loads((run / "evaluation.json").read_text())["about"]["synthetic"] is True


def test_the_report_is_written_anew_without_the_dataset(run, data, tmp_path):
    rows = read_rows(data, "test")
    shutil.copytree(run, tmp_path / "moved")
    evaluate_edits(rows, tmp_path / "moved", read_truths(rows, data), Scorers(), seed=0)
    shutil.move(tmp_path / "moved", tmp_path / "elsewhere" / "run")  # relative paths to the dataset lead nowhere now
    page, *_ = write_report(tmp_path / "elsewhere" / "run", figures=False)
    text = page.read_text()
    for caption in ("before", "real target", "guidance map", "edited"):
        assert f'alt="{caption}' in text
    assert "Not measured, and why" in text and "5 pairs of 5 patients" in text
    assert "http" not in text and 'src="data:image' in text


def test_structures_that_a_segmenter_outlines_are_compared_with_the_input_s(run, data):
    rows = read_rows(data, "test")
    bright = ModuleSegmenter(
        lambda x: torch.cat([x, x - 2], 1), ["left heart", "nothing"], activation="none", name="bright"
    )
    evidence = gather_evidence(rows, run, read_truths(rows, data), Scorers(segmenter=bright))
    edited, unedited, target = (row.metrics for row in result_rows(evidence, torch.Generator().manual_seed(0)))
    assert unedited["dice_left_heart"].value == 1 and unedited["dice_left_heart"].n == 5
    overlaps = [
        2 * float((a & b).sum()) / float(a.sum() + b.sum())
        for a, b in ((read_grey(row.current) >= 0.5, read_grey(row.past) >= 0.5) for row in rows)
    ]
    assert target["dice_left_heart"].value == pytest.approx(sum(overlaps) / 5) and min(overlaps) < 1
    assert edited["dice_nothing"].value is None and edited["dice_nothing"].note == "found in no image nor in its input"
    assert info("dice_left_heart").title == "Left heart Dice"


def test_sets_of_images_patients_and_captions_are_measured(run, data):
    class Known:
        """Features that know each picture: its mean rows; and a fit that is the length of the text."""

        name = "known"

        def features(self, images):
            return torch.nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)

        def similarity(self, images, texts):
            return torch.tensor([len(text) / 100 for text in texts])

    rows, known = read_rows(data, "test"), Known()
    scorers = Scorers(features=known, identity=known, radiomics=known, image_text=known)
    evidence = gather_evidence(rows, run, read_truths(rows, data, data / "labels.csv"), scorers)
    edited, unedited, target = (row.metrics for row in result_rows(evidence, torch.Generator().manual_seed(0)))
    for key in ("kid", "frd", "patient_kept", "image_text"):
        assert edited[key].value is not None and info(key).title
    assert 0 <= edited["patient_kept"].low <= edited["patient_kept"].value <= 1
    assert edited["precision"].value is None and "more than 5 images" in edited["precision"].note
    texts = ("Chest radiograph: left pleural effusion.", "Chest radiograph: no edema.", "Chest radiograph: edema.")
    texts += ("Chest radiograph: severe pleural effusion.", "Chest radiograph: no left pleural effusion.")
    assert edited["image_text"].value == pytest.approx(sum(map(len, texts)) / 500) == target["image_text"].value
    assert "measured against" in target["patient_kept"].note and unedited["kid"].n == 5
    alone = gather_evidence(rows, run, [Truth(group="one")] * 5, Scorers(identity=known))
    kept = result_rows(alone, torch.Generator().manual_seed(0))[0].metrics["patient_kept"]
    assert kept.value is None and "two patients" in kept.note


def test_without_scorers_pixels_are_measured_and_the_rest_is_undefined_with_a_reason(run, data):
    rows = read_rows(data, "test")
    evidence = gather_evidence(rows, run, read_truths(rows, data), Scorers())
    found = result_rows(evidence, torch.Generator().manual_seed(0))[0].metrics
    for key in (
        "pathology_auroc",
        "label_kl",
        "race_accuracy",
        "age_correlation",
        "cmig",
        "flip_rate",
        "attribute_worst",
    ):
        assert found[key].value is None and found[key].note
    assert found["editable_share"].value is not None and found["editable_share"].n == 5


# -- the table, on evidence made by hand ------------------------------------------------------------------------------


def made(findings, ages, flips):
    n = len(findings)
    nothing = torch.full((n,), math.nan, dtype=torch.float64)
    keys = (
        "change_outside_mask", "editable_share", "changed_share", "ssim_inside", "psnr_inside", "ssim_outside",
        "psnr_outside", "lung_dice",
    )  # fmt: skip
    return RowEvidence(
        torch.tensor(findings).double(), torch.tensor([[0.9, 0.1], [0.2, 0.8]] * (n // 2)).double(),
        torch.tensor(ages).double()[:, None], torch.zeros(n, 0), dict.fromkeys(keys, nothing), flips,
    )  # fmt: skip


@pytest.fixture
def evidence():
    texts = ("Add the finding of edema.", "Remove the finding of edema.") * 2
    truths = tuple(Truth({"edema": n % 2 == 0}, {"age": 50.0 + 10 * n}, "AB"[n % 2], str(n)) for n in range(4))
    flips = tuple(Flips(1, n % 2, 1, 1, 1, int(n == 0)) for n in range(4))
    good = made([[0.9, 0.1], [0.4, 0.2], [0.6, 0.3], [0.6, 0.4]], [51.0, 62.0, 70.0, 79.0], flips)
    bad = made([[0.5, 0.1]] * 4, [79.0, 70.0, 62.0, 51.0], flips)
    parsed = tuple(map(Instruction.parse, texts))
    return Evidence(parsed, truths, ("edema", "pneumonia"), ("a", "b"), ("age",), {EDITED: good, TARGET: bad})


def test_the_table_by_hand(evidence):
    good, bad = result_rows(evidence, torch.Generator().manual_seed(0))
    # of the four couples (0.9, 0.6) against (0.4, 0.6) three are won and one is a tie
    assert good.metrics["pathology_auroc"].value == 0.875 and good.metrics["race_accuracy"].value == 1
    assert good.metrics["race_auroc"].value == 1 and good.metrics["age_correlation"].value > 0.99
    expected = math.sqrt(0.875 * math.sqrt(good.metrics["age_correlation"].value))
    assert good.metrics["cmig"].value == pytest.approx(expected)
    assert good.metrics["cmig"].low <= expected <= good.metrics["cmig"].high
    assert good.metrics["flip_rate"].value == 0.5 and good.metrics["collateral_flips"].value == 0.25
    assert "pneumonia" in good.metrics["pathology_auroc"].note
    assert bad.metrics["pathology_auroc"].value == 0.5  # all tied
    assert bad.metrics["cmig"].value == 0 and "negative" in bad.metrics["cmig"].note
    assert bad.metrics["age_correlation"].value < -0.99


def test_groups_are_measured_by_themselves(evidence):
    good = result_rows(evidence, torch.Generator().manual_seed(0))[0]
    add, remove = good.per_operation["add"], good.per_operation["remove"]
    assert add["flip_rate"].value == 0 and remove["flip_rate"].value == 1 and add["flip_rate"].n == 2
    assert add["pathology_auroc"].value is None and "both present and absent" in add["pathology_auroc"].note
    assert good.per_finding["edema"]["pathology_auroc"].value == 0.875 and "cmig" not in good.per_finding["edema"]


def test_the_same_seed_gives_the_same_table(evidence):
    first, second = (result_rows(evidence, torch.Generator().manual_seed(1)) for _ in range(2))
    assert first == second
