"""Edits by a pipeline: rows that share an image, encoded once, have the bytes of rows that do not."""

import logging

import pytest
from batch_cases import PROMPTS, digests, stub_batch, table, write_films, write_manifest

from x2x_core.batch.worker import PipelineEdit
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
