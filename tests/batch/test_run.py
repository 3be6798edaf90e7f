"""Runs of a batch: every row with its result or error, nothing overwritten, nothing done twice."""

import json

import pytest
from archive_cases import draw
from batch_cases import (
    LOG,
    PROMPTS,
    StubEdit,
    digests,
    plan_rows,
    record,
    stub_batch,
    table,
    write_films,
    write_manifest,
)
from dicom_cases import write as write_dicom
from signing_cases import write_chain

from x2x_core.archive.credentials.key import SigningFiles, load_key
from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.verification import verify
from x2x_core.batch import output as outputs
from x2x_core.batch import run
from x2x_core.batch.plan import Defaults, Shard
from x2x_core.common.errors import InputError, OutputExistsError
from x2x_core.imaging.provenance import versions


@pytest.fixture
def edits(tmp_path, monkeypatch):
    """Return a function that gives the seeds of all edits so far."""
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    return lambda: list(map(int, (tmp_path / "log").read_text().split())) if (tmp_path / "log").exists() else []


def test_each_row_has_its_results_and_a_line_of_the_table(tmp_path, edits):
    outcome = stub_batch(plan_rows(tmp_path, 7), tmp_path / "out")
    assert (outcome.rows, outcome.done, outcome.errors) == (7, 7, 0)
    assert outcome.tables == ("results.csv", "results.parquet")
    assert edits() == [1, 4, 7, 2, 5, 3, 6], "rows of one image follow one another"
    rows = table(tmp_path / "out")
    assert [row["row"] for row in rows] == list("1234567") and {row["status"] for row in rows} == {"done"}
    for row in rows:
        assert (tmp_path / "out" / row["edited_png"]).is_file() and row["understood"] == PROMPTS[0]
        assert float(row["editable_share"]) == pytest.approx(35 / 256)
        assert record(tmp_path / "out", int(row["row"]))["seed"] == int(row["seed"])
        assert verify(tmp_path / "out" / row["edited_png"], tmp_path / row["image"]).holds


def test_the_parquet_table_is_the_csv_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    stub_batch(plan_rows(tmp_path, 3), tmp_path / "out")
    read = parquet.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in read]
    assert text == table(tmp_path / "out")


def test_a_row_that_fails_is_recorded_and_the_others_are_done(tmp_path, caplog):
    names = write_films(tmp_path, 2)
    (tmp_path / "notes.png").write_text("no picture")
    rows = [(names[0], "fail"), (names[0], PROMPTS[0]), ("notes.png", PROMPTS[0]), (names[1], "break")]
    manifest = write_manifest(tmp_path / "m.csv", [{"image": image, "prompt": prompt} for image, prompt in rows])
    outcome = stub_batch(manifest, tmp_path / "out")
    assert (outcome.done, outcome.errors) == (4, 3)
    lines = table(tmp_path / "out")
    assert [line["status"] for line in lines] == ["error", "done", "error", "error"]
    assert lines[0]["error"] == "`prompt` must not fail." and lines[3]["error"] == "RuntimeError: broken"
    assert "is not a PNG" in lines[2]["error"] and "Row 4 failed" in caplog.text


def test_a_finished_batch_is_not_done_again_and_errors_only_on_request(tmp_path, edits):
    names = write_films(tmp_path, 1)
    rows = [{"image": names[0], "prompt": prompt, "seed": n} for n, prompt in enumerate(("fail", PROMPTS[0]), 1)]
    manifest = write_manifest(tmp_path / "m.csv", rows)
    stub_batch(manifest, tmp_path / "out")
    before = digests(tmp_path / "out")
    assert stub_batch(manifest, tmp_path / "out").errors == 1 and edits() == [1, 2]
    assert stub_batch(manifest, tmp_path / "out", retry_errors=True).errors == 1 and edits() == [1, 2, 1]
    assert digests(tmp_path / "out") == before


def test_another_manifest_or_setting_is_refused_and_named(tmp_path):
    manifest = plan_rows(tmp_path, 4)
    stub_batch(manifest, tmp_path / "out", about={"device": "cpu"})
    before = digests(tmp_path / "out")
    for more, words in (
        ({"defaults": Defaults(settings={"steps": 3})}, r"another device, rows \(first in row 1: steps None, now 3\)"),
        ({"about": {"device": "cuda"}}, "another device"),
        ({"threads": 2}, "another device, threads"),
        ({"archive": DicomSettings(), "about": {"device": "cpu"}}, "another burn_in, dicom, identifiers"),
    ):
        with pytest.raises(InputError, match=words):
            stub_batch(manifest, tmp_path / "out", **more)
    manifest.write_text(manifest.read_text().replace(PROMPTS[1], "Add edema.", 1))
    with pytest.raises(InputError, match=r"row 2: prompt 'Add the finding of cardiomegaly\.', now 'Add edema\.'"):
        stub_batch(manifest, tmp_path / "out", about={"device": "cpu"})
    assert digests(tmp_path / "out") == before


def test_a_batch_of_another_library_is_refused(tmp_path, monkeypatch):
    """Each record names the versions, so a batch that was continued with another one would have other bytes."""
    manifest = plan_rows(tmp_path, 2)
    stub_batch(manifest, tmp_path / "out")
    monkeypatch.setattr(run, "versions", lambda: {**versions(), "torch": "1.0"})
    with pytest.raises(InputError, match="was made with another torch_version"):
        stub_batch(manifest, tmp_path / "out")


def test_a_row_takes_the_same_way_when_its_neighbours_are_done_already(tmp_path):
    """Sharing an image's encoding may round otherwise than encoding it alone, on some processors and threads."""
    ways, calls = {}, []

    class Watched(StubEdit):
        def __call__(self, radiograph, call, is_shared):
            calls.append(call.seed)
            ways.setdefault(call.seed, set()).add(is_shared)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return super().__call__(radiograph, call, is_shared)

    manifest = plan_rows(tmp_path, 5, films=3)  # films 1 and 2 have two rows, film 3 has one
    with pytest.raises(KeyboardInterrupt):
        stub_batch(manifest, tmp_path / "out", load=lambda model: Watched())
    assert calls == [1, 4]
    stub_batch(manifest, tmp_path / "out", load=lambda model: Watched())
    assert ways == {1: {True}, 2: {True}, 3: {False}, 4: {True}, 5: {True}} and calls == [1, 4, 4, 2, 5, 3]


def test_files_of_others_among_the_results_are_left_alone(tmp_path):
    manifest = plan_rows(tmp_path, 2)
    stub_batch(manifest, tmp_path / "out")
    (tmp_path / "out" / "edits" / "000" / ".DS_Store").write_text("mine")
    assert stub_batch(manifest, tmp_path / "out").done == 2


def test_a_folder_with_other_files_is_refused_untouched(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        stub_batch(plan_rows(tmp_path, 2), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        stub_batch(tmp_path / "edits.csv", tmp_path / "out" / "mine.txt")


def test_a_second_run_on_a_folder_is_refused(tmp_path):
    manifest, out = plan_rows(tmp_path, 4), tmp_path / "out"
    held = outputs.LocalOutput(out)
    with held.lock(Shard()):
        for shard in (Shard(), Shard(1, 2)):
            with pytest.raises(OutputExistsError, match="is being written by another run"):
                stub_batch(manifest, out, shard=shard)
    with held.lock(Shard(1, 2)):
        for shard in (Shard(), Shard(1, 2), Shard(1, 3)):
            with pytest.raises(OutputExistsError, match="is being written by another run"):
                stub_batch(manifest, out, shard=shard)
        assert stub_batch(manifest, out, shard=Shard(2, 2)).done == 1


def test_shards_divide_the_rows_and_the_last_writes_the_table(tmp_path, edits):
    manifest = plan_rows(tmp_path, 11, films=5)
    stub_batch(manifest, tmp_path / "whole")
    once = sorted(edits())
    outcomes = [stub_batch(manifest, tmp_path / "out", shard=Shard(index, 3)) for index in (2, 3, 1)]
    assert [bool(outcome.tables) for outcome in outcomes] == [False, False, True]
    assert sorted(edits()) == sorted(2 * once) and digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_run_of_all_rows_completes_the_shards(tmp_path, edits):
    manifest = plan_rows(tmp_path, 6)
    stub_batch(manifest, tmp_path / "out", shard=Shard(1, 3))
    assert stub_batch(manifest, tmp_path / "out").done == 6 and sorted(edits()) == list(range(1, 7))


def test_a_key_signs_the_pictures_of_each_row_and_belongs_to_the_batch(tmp_path):
    pytest.importorskip("c2pa")
    chain, other = write_chain(tmp_path / "chain"), write_chain(tmp_path / "other")
    signing = SigningFiles(chain.key, chain.certificate)
    manifest = plan_rows(tmp_path, 2)
    assert stub_batch(manifest, tmp_path / "out", signing=signing).errors == 0
    for number in (1, 2):
        folder = tmp_path / f"out/edits/000/{number:06d}"
        assert verify(
            folder / "edited.png", tmp_path / record(tmp_path / "out", number)["input"]["file"], chain.root
        ).holds
    assert load_key(signing).fingerprint in (tmp_path / "out" / "batch.json").read_text()
    with pytest.raises(InputError, match="another signing_certificate"):
        stub_batch(manifest, tmp_path / "out", signing=SigningFiles(other.key, other.certificate))


def test_dicom_inputs_give_dicom_results(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "Kowalska.dcm", draw(12), 12)
    names = write_films(tmp_path, 1)
    rows = [{"image": name, "prompt": PROMPTS[0]} for name in (path.name, names[0])]
    manifest = write_manifest(tmp_path / "m.csv", rows)
    stub_batch(manifest, tmp_path / "out", archive=DicomSettings())
    lines = table(tmp_path / "out")
    assert verify(tmp_path / "out" / lines[0]["edited_dcm"], path).holds and lines[1]["edited_dcm"] == ""
    assert "Kowalska" not in json.dumps(record(tmp_path / "out", 1))
    stub_batch(manifest, tmp_path / "pictures")
    assert table(tmp_path / "pictures")[0]["panel_dcm"] == ""
    assert not list((tmp_path / "pictures").rglob("*.dcm"))


def test_a_disk_that_fills_up_stops_the_batch_which_then_continues(tmp_path, monkeypatch, edits):
    manifest = plan_rows(tmp_path, 5)
    stub_batch(manifest, tmp_path / "whole")
    sync, left = outputs.write_folder, [2]

    def full(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise InputError("`out` must be a place that can be written.")
        sync(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(outputs, "write_folder", full)
        with pytest.raises(InputError, match="can be written"):
            stub_batch(manifest, tmp_path / "out")
    assert len(list((tmp_path / "out" / "edits" / "000").iterdir())) == 2
    stub_batch(manifest, tmp_path / "out")
    assert len(edits()) == 5 + 6 and digests(tmp_path / "out") == digests(tmp_path / "whole")
