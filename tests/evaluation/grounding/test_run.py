"""A run that is stopped continues: no row is lost or doubled. Real edits by the tiny model; tables; refusals."""

import csv
import json

import pytest
from grounding_cases import DrawingPipeline, Talker, honest, write_images
from PIL import Image
from pyarrow import parquet
from tiny_models import make_radiograph

from x2x_core.common.errors import InputError
from x2x_core.common.run_folder import locked
from x2x_core.evaluation.grounding.plan import GroundingSettings, plan_cases
from x2x_core.evaluation.grounding.rows import COLUMNS, audit_rows, write_rows
from x2x_core.evaluation.grounding.run import LOCK, answer_cases, claim_run, make_edits, read_cases

ONE_LEVEL = GroundingSettings(levels=1)


class KilledError(Exception):
    """Stands for a process that ends."""


class Mortal:
    """A model or pipeline that is killed at a certain call."""

    def __init__(self, inner, calls):
        self.inner, self.calls = inner, calls
        self.name, self.findings = getattr(inner, "name", ""), getattr(inner, "findings", None)

    def prepare(self, *arguments, **named):
        return self.inner.prepare(*arguments, **named)

    def __call__(self, *arguments, **named):
        self.calls -= 1
        if self.calls < 0:
            raise KilledError
        return self.inner(*arguments, **named)


def test_a_run_killed_anywhere_ends_with_the_same_rows(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 3), ["edema", "pleural effusion"])
    whole = tmp_path / "whole"
    records = make_edits(DrawingPipeline(), cases, ONE_LEVEL, whole)
    expected = list(audit_rows(records, {"honest": answer_cases(honest(), records, whole)}))
    assert len(expected) == 6 * 5 and len({(row["case"], row["edit"]) for row in expected}) == 30
    out = tmp_path / "out"
    for calls in range(3):
        with pytest.raises(KilledError):
            make_edits(Mortal(DrawingPipeline(), calls), cases, ONE_LEVEL, out)
    again = make_edits(DrawingPipeline(), cases, ONE_LEVEL, out)
    with pytest.raises(KilledError):
        answer_cases(Mortal(honest(), 2), again, out)
    rows = list(audit_rows(again, {"honest": answer_cases(Mortal(honest(), 4), again, out)}))
    assert rows == expected
    assert all((out / row["file"]).read_bytes() == (whole / row["file"]).read_bytes() for row in rows)


def test_edits_and_answers_that_are_there_are_not_made_again(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 2), ["edema"])
    records = make_edits(DrawingPipeline(), cases, ONE_LEVEL, tmp_path / "out")
    answers = answer_cases(honest(), records, tmp_path / "out")
    unused = Mortal(DrawingPipeline(), 0)
    assert make_edits(unused, cases, ONE_LEVEL, tmp_path / "out") == records
    assert answer_cases(Mortal(honest(), 0), records, tmp_path / "out") == answers


def test_rows_are_the_same_in_both_tables(tmp_path):
    records = make_edits(DrawingPipeline(), plan_cases(write_images(tmp_path / "images", 1), ["edema"]), ONE_LEVEL,
                         tmp_path / "out")  # fmt: skip
    answers = {model.name: answer_cases(model, records, tmp_path / "out") for model in (honest(), Talker())}
    write_rows(tmp_path / "out", list(audit_rows(records, answers)))
    table = parquet.read_table(tmp_path / "out" / "rows.parquet")
    with (tmp_path / "out" / "rows.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(table.column_names) == COLUMNS and len(lines) == table.num_rows == 10
    assert [row["score_after"] for row in table.to_pylist()][-1] is None and lines[-1]["score_after"] == ""
    assert [str(row["says_after"]) for row in table.to_pylist()] == [line["says_after"] for line in lines]


def test_the_tiny_model_s_edits_keep_what_they_must(pipe, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(make_radiograph()).save(path)
    for background in ("moved", "model"):
        settings = GroundingSettings(levels=1, seed=3, background=background, medground=True)
        out = tmp_path / background
        (record,) = make_edits(
            pipe, plan_cases([path], ["pleural effusion"], "left"), settings, out, num_inference_steps=1
        )
        kinds = ["foreground", "normal", "background", "background", "second background", "blank"]
        assert [edit["kind"] for edit in record["edits"]] == kinds
        assert record["edits"][0]["instruction"] == "Add the finding of moderate left pleural effusion."
        before, masks = pixels(out, record), [pixels(out, edit, "mask") > 0 for edit in record["edits"]]
        assert not (masks[0] & masks[2]).any()
        for edit, mask in zip(record["edits"][:5], masks):
            assert (pixels(out, edit) == before)[~mask].all(), edit["kind"]


def pixels(out, record, key="file"):
    from x2x_core.imaging.files import read_image

    return read_image(out / record[key]).pixels


def test_keep_masks_hold_in_every_edit(tmp_path):
    (path,) = write_images(tmp_path / "images", 1)
    (tmp_path / "keep").mkdir()
    kept = Image.new("L", (48, 48))
    kept.paste(255, (30, 30, 34, 34))
    kept.save(tmp_path / "keep" / "0.png")
    (case,) = plan_cases([path], ["edema"], keep_masks=tmp_path / "keep")
    (record,) = make_edits(DrawingPipeline(), [case], ONE_LEVEL, tmp_path / "out")
    before = pixels(tmp_path / "out", record)[..., 30:34, 30:34]
    edits = [edit for edit in record["edits"] if edit["kind"] != "blank"]
    assert len(edits) == 4 and all(
        (pixels(tmp_path / "out", edit)[..., 30:34, 30:34] == before).all() for edit in edits
    )


def test_another_run_in_the_folder_is_refused(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 1), ["edema"])
    claim_run(cases, ONE_LEVEL, tmp_path / "out")
    with pytest.raises(InputError, match="holds another"):
        claim_run(cases, GroundingSettings(), tmp_path / "out")
    with pytest.raises(InputError, match="1 are missing"):
        read_cases(tmp_path / "out", 1)
    refusal = "Another process works in"
    with locked(tmp_path / "out" / LOCK, refusal), pytest.raises(InputError, match=refusal):
        make_edits(DrawingPipeline(), cases, ONE_LEVEL, tmp_path / "out")


def test_answers_of_two_models_are_never_mixed(tmp_path):
    records = make_edits(DrawingPipeline(), plan_cases(write_images(tmp_path / "images", 1), ["edema"]), ONE_LEVEL,
                         tmp_path / "out")  # fmt: skip
    first, second = Talker(), Talker()
    first.name, second.name = "a b", "a/b"
    answer_cases(first, records, tmp_path / "out")
    with pytest.raises(InputError, match="must hold the answers of 'a/b', but holds those of 'a b'"):
        answer_cases(second, records, tmp_path / "out")
    with pytest.raises(InputError, match="`findings` must be labels of 'honest'"):
        answer_cases(honest(), [{**records[0], "finding": "pneumonia"}], tmp_path / "out")


def test_pictures_that_models_see_are_marked_as_synthetic_but_the_image(tmp_path):
    from x2x_core.imaging.provenance import read_provenance

    (record,) = make_edits(DrawingPipeline(), plan_cases(write_images(tmp_path / "images", 1), ["edema"]), ONE_LEVEL,
                           tmp_path / "out")  # fmt: skip
    marks = [read_provenance(tmp_path / "out" / edit["file"])["synthetic"] for edit in record["edits"]]
    assert all(marks) and not read_provenance(tmp_path / "out" / record["file"])["synthetic"]
    assert json.loads((tmp_path / "out" / "audit_run.json").read_text())["cases"][0]["finding"] == "edema"
