"""Edits by a pipeline: rows that share an image, encoded once, have the bytes of rows that do not."""

import logging

import cv2
import numpy as np
import pytest
from batch_cases import PROMPTS, digests, record, stub_batch, table, write_films, write_manifest

from x2x_core.batch.worker import PipelineEdit
from x2x_core.common.errors import InputError
from x2x_core.edit import preparing


@pytest.fixture
def prepared(monkeypatch):
    """Count the pictures that are prepared."""
    count, prepare = [], preparing.encode_pixels
    monkeypatch.setattr(preparing, "encode_pixels", lambda *arguments: count.append(1) or prepare(*arguments))
    return count


def rows_of(films):
    few = {"steps": 1, "relevance_samples": 1}
    rows = [{"image": film, "prompt": prompt, **few} for prompt in PROMPTS for film in films]
    return [*rows, {"image": films[0], "prompt": PROMPTS[0], "reference": "true", "steps": 1}]


def test_rows_of_one_image_share_what_they_can(pipe, tmp_path, prepared, one_thread):
    films = write_films(tmp_path, 2, side=40)
    manifest = write_manifest(tmp_path / "m.csv", rows_of(films))
    stub_batch(manifest, tmp_path / "out", load=lambda model: PipelineEdit(pipe))
    assert len(prepared) == 3, "two films, and one of them as the published code reads it"
    alone = PipelineEdit(pipe)
    stub_batch(manifest, tmp_path / "alone", load=lambda model: lambda film, call, shared: alone(film, call, False))
    assert len(prepared) == 3 and digests(tmp_path / "out") == digests(tmp_path / "alone")
    assert {row["status"] for row in table(tmp_path / "out")} == {"done"}


def test_what_a_row_s_mask_keeps_stays_and_is_recorded(pipe, tmp_path, one_thread):
    films = write_films(tmp_path, 1, side=40)
    cv2.imwrite(str(tmp_path / "kept.png"), np.full((40, 40), 9, np.uint8))
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((20, 40), np.uint8))
    few = {"image": films[0], "prompt": PROMPTS[0], "steps": 1, "relevance_samples": 1}
    rows = [few, {**few, "keep_mask": "kept.png"}, {**few, "keep_mask": "small.png"}]
    manifest = write_manifest(tmp_path / "m.csv", rows)
    stub_batch(manifest, tmp_path / "out", load=lambda model: PipelineEdit(pipe))
    free, kept, refused = table(tmp_path / "out")
    assert float(free["editable_share"]) > 0 == float(kept["editable_share"])
    assert kept["keep_mask"] == "kept.png" and free["keep_mask"] == ""
    assert record(tmp_path / "out", 2)["keep_mask"]["share"] == 1 and record(tmp_path / "out", 1)["keep_mask"] is None
    assert refused["status"] == "error" and "`keep_mask` must be of the image's size" in refused["error"]


def test_a_mask_that_is_not_there_is_a_problem_of_its_row(tmp_path):
    films = write_films(tmp_path, 1)
    row = {"image": films[0], "prompt": PROMPTS[0], "keep_mask": "none.png"}
    with pytest.raises(InputError, match=r"row 1: there is no file `none\.png`"):
        stub_batch(write_manifest(tmp_path / "m.csv", [row]), tmp_path / "out")


def test_a_warning_about_an_image_is_given_with_each_of_its_rows(pipe, tmp_path, monkeypatch, one_thread):
    films = write_films(tmp_path, 1, side=40)
    manifest = write_manifest(tmp_path / "m.csv", rows_of(films)[:2])
    align = type(pipe.pseudomasks).align

    def warn(self, *arguments):
        logging.getLogger("x2x_core.anatomy").warning("The lungs look odd.")
        return align(self, *arguments)

    monkeypatch.setattr(type(pipe.pseudomasks), "align", warn)
    stub_batch(manifest, tmp_path / "out", load=lambda model: PipelineEdit(pipe))
    assert ["The lungs look odd." in row["warnings"] for row in table(tmp_path / "out")] == [True, True]
