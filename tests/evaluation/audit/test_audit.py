"""The audit of a classifier: cases worked by hand, and a run on the tiny model."""

import json

import numpy as np
import pytest
import torch
from dicom_cases import write as write_dicom
from PIL import Image
from tiny_models import make_radiograph

from x2x_core.evaluation.audit.edits import audit_images
from x2x_core.evaluation.audit.measures import ADD, REMOVE, score_edit
from x2x_core.evaluation.audit.plan import AuditSettings, check_findings, clauses_of, find_images
from x2x_core.evaluation.audit.summary import movement, summarise_audit
from x2x_core.evaluation.report.write import write_report
from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction


class Brightness:
    """Sees edema in bright pictures and pleural effusion in dark ones."""

    name, labels, kind = "brightness", ("edema", "pleural effusion"), "probability"

    def __call__(self, images):
        mean = images.mean((1, 2, 3))
        return torch.stack([mean, 1 - mean], dim=1)


def edit(operation, level, edema, effusion, finding="edema"):
    words = f"{operation} {level} {finding}"
    return {
        "finding": finding, "operation": operation, "level": level, "instruction": words, "changed_share": 0.2,
        "scores": {"edema": edema, "pleural effusion": effusion}, "file": f"p/{words}.png", "guidance": "g.png",
    }  # fmt: skip


def record(edema, effusion, edits, name="a.png"):
    return {"image": name, "file": "p/a.png", "scores": {"edema": edema, "pleural effusion": effusion}, "edits": edits}


FOLLOWING = record(
    0.2,
    0.1,
    [
        edit(ADD, "mild", 0.3, 0.1),
        edit(ADD, "moderate", 0.55, 0.2),
        edit(ADD, "severe", 0.9, 0.6),
        edit(REMOVE, None, 0.1, 0.1),
    ],
)
STUBBORN = record(
    0.7,
    0.1,
    [
        edit(ADD, "mild", 0.6, 0.1),
        edit(ADD, "moderate", 0.8, 0.1),
        edit(ADD, "severe", 0.75, 0.1),
        edit(REMOVE, None, 0.4, 0.1),
    ],
    "b.png",
)
SETTINGS = AuditSettings("brightness", ("edema",))


def test_an_edit_is_scored_in_its_own_direction():
    found = score_edit(FOLLOWING["scores"], FOLLOWING["edits"][2])
    assert found["follows"] == found["flips"] == 1 and found["change"] == pytest.approx(0.7)
    assert found["others"] == pytest.approx(0.5) and found["collateral"] == 1
    removed = score_edit(STUBBORN["scores"], STUBBORN["edits"][3])
    assert removed["follows"] == removed["flips"] == 1 and removed["change"] == pytest.approx(0.3)
    there_already = score_edit(STUBBORN["scores"], STUBBORN["edits"][1])
    assert there_already["flips"] is None and there_already["follows"] == 1


def test_an_audit_is_summed_up():
    rows = {row.name: row for row in summarise_audit([FOLLOWING, STUBBORN], SETTINGS).rows}
    add, remove = rows[ADD].metrics, rows[REMOVE].metrics
    assert add["follows"].value == pytest.approx(5 / 6) and add["follows"].n == 6
    assert add["monotone"].value == 0.5 and add["ordered"].value == pytest.approx((1 + 2 / 3) / 2)
    assert add["flips"].value == pytest.approx(2 / 3) and add["flips"].n == 3  # of the image that it did not see it in
    assert remove["follows"].n == 1 and remove["follows"].value == 1  # only what the classifier sees is removed
    assert rows[ADD].per_finding["edema"]["change"].value == add["change"].value


def test_what_breaks_it_comes_worst_first_with_its_pictures():
    results = summarise_audit([FOLLOWING, STUBBORN], SETTINGS)
    assert [(one["image"], one["instruction"]) for one in results.about["breaking"]] == [("b.png", "add mild edema")]
    assert results.cases[0].files == {"before": "p/a.png", "after": "p/add mild edema.png", "guidance": "g.png"}


def test_movement_is_the_mean_change_of_every_score():
    found = movement([FOLLOWING, STUBBORN])
    assert found["add severe edema"] == {
        "edema": pytest.approx((0.7 + 0.05) / 2),
        "pleural effusion": pytest.approx(0.25),
    }
    assert found["remove edema"]["edema"] == pytest.approx(-0.3)


def test_findings_are_asked_for_weak_moderate_strong_and_away():
    clauses = clauses_of("pleural effusion", "left")
    assert [str(Instruction(clauses=(one,))) for one in clauses] == [
        "Add the finding of small left pleural effusion.",
        "Add the finding of moderate left pleural effusion.",
        "Add the finding of large left pleural effusion.",
        "Remove the finding of left pleural effusion.",
    ]
    assert [one.level for one in clauses_of("edema")] == ["mild", "moderate", "severe", None]
    assert clauses_of("edema")[-1].operation is Operation.REMOVE


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([], "at least one finding"),
        (["nonsense"], "must be known ones"),
        (["pneumonia"], "must be labels of 'brightness'"),
    ],
)
def test_findings_that_can_t_be_audited_are_refused(findings, words):
    with pytest.raises(ValueError, match=words):
        check_findings(findings, Brightness())


def test_findings_go_by_their_canonical_names_and_values_are_no_classifier():
    assert check_findings(["fluid", " edema", "edema"], Brightness()) == ("pleural effusion", "edema")
    values = Brightness()
    values.kind = "value"
    with pytest.raises(ValueError, match="must give probabilities"):
        check_findings(["edema"], values)


def test_images_are_found_in_folders_in_order(tmp_path):
    for name in ("b.png", "a.jpg", "note.txt"):
        (tmp_path / name).touch()
    assert [one.name for one in find_images([tmp_path])] == ["a.jpg", "b.png"]
    write_dicom(tmp_path / "IM0001", np.zeros((2, 2), np.uint8))
    assert [one.name for one in find_images([tmp_path])] == ["IM0001", "a.jpg", "b.png"]
    with pytest.raises(FileNotFoundError, match="no image or folder"):
        find_images([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="got none"):
        find_images([tmp_path / "empty"])


def test_a_run_is_scored_reported_and_goes_on_to_the_same_record(pipe, tmp_path):
    images = []
    for number in range(2):
        images.append(tmp_path / f"{number}.png")
        Image.fromarray(make_radiograph(seed=number)).save(images[-1])
    out, settings = tmp_path / "audit", AuditSettings("brightness", ("edema", "pleural effusion"), seed=3)
    records = audit_images(pipe, Brightness(), images, settings, out, num_inference_steps=2)
    assert [len(one["edits"]) for one in records] == [8, 8]
    assert records[0]["scores"]["edema"] == pytest.approx(1 - records[0]["scores"]["pleural effusion"])
    assert all((out / one["file"]).is_file() and (out / one["guidance"]).is_file() for one in records[1]["edits"])
    (out / "records" / "000001.json").unlink()
    assert audit_images(pipe, Brightness(), images, settings, out, num_inference_steps=2) == records
    summarise_audit(records, settings).write_json(out / "audit.json")
    assert "Audit of brightness" in write_report(out, figures=False)[0].read_text()
    assert json.loads((out / "audit.json").read_text())["rows"][0]["name"] == ADD
    with pytest.raises(ValueError, match="holds another"):
        audit_images(pipe, Brightness(), images[:1], settings, out)
