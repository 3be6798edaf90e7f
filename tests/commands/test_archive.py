"""`x2x dicomweb` and `x2x dimse` against a small archive of this process."""

import json
import os

import pytest
from archive_server import ArchiveServer
from remote_cases import FRONTAL, LATERAL, OTHER_STUDY, SECRET, STUDY, edited, film, films

from x2x_core.cli import main

PROMPT = "Add the finding of moderate left pleural effusion."


@pytest.fixture
def server(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    with ArchiveServer(("lab", SECRET)) as made:
        for content in films(source).values():
            made.put(content)
        monkeypatch.setenv("X2X_ARCHIVE", made.url)
        monkeypatch.setenv("X2X_ARCHIVE_USER", "lab")
        monkeypatch.setenv("X2X_ARCHIVE_PASSWORD", SECRET)
        monkeypatch.chdir(tmp_path)
        yield made


@pytest.fixture
def x2x(capsys):
    """Run a command; return its status and what it printed on standard output and error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        return left.value.code, said.out, said.err

    return run


def test_the_archive_answers_and_lists_what_it_has(server, x2x):
    assert x2x("dicomweb", "check")[:2] == (0, f"{server.url} answers.\n")
    status, out, _ = x2x("dicomweb", "find")
    assert status == 0 and STUDY in out and OTHER_STUDY in out and "2 studies." in out and "Kowalska" in out
    assert "1 studies or more" in x2x("dicomweb", "find", "--limit", "1")[1]
    assert "2 series." in x2x("dicomweb", "find", "--study", STUDY)[1]
    found = json.loads(x2x("dicomweb", "find", "--study", STUDY, "--series", "1.2.4.2", "--json")[1])
    assert [entry["SOPInstanceUID"] for entry in found] == [LATERAL]
    assert x2x("dicomweb", "find", "--patient-id", "nobody")[1] == "0 studies.\n"


def test_markup_in_texts_of_an_archive_is_text(server, x2x, tmp_path):
    server.put(film(tmp_path, "1.2.9", StudyInstanceUID="1.2.8", StudyDescription="[/bold] [red]x"))
    assert "[/bold] [red]x" in x2x("dicomweb", "find")[1]


def test_a_study_is_fetched(server, x2x, tmp_path):
    assert x2x("dicomweb", "fetch", "--study", STUDY, "-o", "study")[1] == "2 objects are in study.\n"
    for uid in (FRONTAL, LATERAL):
        assert (tmp_path / "study" / f"{uid}.dcm").read_bytes() == server.objects[uid]
    status, _, err = x2x("dicomweb", "fetch", "--study", STUDY, "-o", "study")
    assert status == 2 and "`--out` must be a new or empty folder" in err


def test_results_of_a_batch_are_stored_study_by_study_after_all_were_checked(server, x2x, tmp_path):
    film(tmp_path / "source", "1.2.9", StudyInstanceUID=OTHER_STUDY, SeriesInstanceUID="1.2.5.1")
    for row, name in enumerate((FRONTAL, "1.2.9"), start=1):
        folder = tmp_path / f"result/edits/000/{row:06d}"
        folder.mkdir(parents=True)
        for file, content in edited(tmp_path / "source" / f"{name}.dcm").items():
            (folder / file).write_bytes(content)
    (tmp_path / "result/edits/000/000003").mkdir()
    (tmp_path / "result/edits/000/000003/edited.dcm").write_bytes((tmp_path / f"source/{FRONTAL}.dcm").read_bytes())
    status, _, err = x2x("dicomweb", "store", "result")
    assert status == 2 and "000003" in err and "nothing else is stored" in err and len(server.objects) == 3
    (tmp_path / "result/edits/000/000003/edited.dcm").unlink()
    status, out, _ = x2x("dicomweb", "store", "result")
    assert status == 0 and len(server.objects) == 11
    assert [f"Study {study}: 4 stored" in out for study in (STUDY, OTHER_STUDY)] == [True, True]


def test_results_are_stored(server, x2x, tmp_path):
    files = edited(tmp_path / "source" / f"{FRONTAL}.dcm")
    (tmp_path / "result").mkdir()
    for name, content in files.items():
        (tmp_path / "result" / name).write_bytes(content)
    status, out, _ = x2x("dicomweb", "store", "result")
    assert status == 0 and f"Study {STUDY}: 4 stored, 0 already there." in out and len(server.objects) == 7
    assert "0 stored, 4 already there" in x2x("dicomweb", "store", "result/edited.dcm", "result")[1]
    status, _, err = x2x("dicomweb", "store", f"source/{FRONTAL}.dcm")
    assert status == 2 and "nothing else is stored" in err and len(server.objects) == 7
    assert "must be DICOM results" in x2x("dicomweb", "store", "source")[2]


def test_the_whole_round(server, x2x, tiny_folder, tmp_path, monkeypatch):
    before, scratch = dict(server.objects), tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    edit = [
        "dicomweb", "edit", PROMPT, "--study", STUDY, "--model", str(tiny_folder), "--steps", "1", "--device", "cpu",
        "--leave-out", "guidance_map", "--series-description", "Lab test",
    ]  # fmt: skip
    status, out, _ = x2x(*edit)
    assert status == 0 and f"Radiograph: {FRONTAL}" in out and "3 stored, 0 already there" in out
    new = [head for head in server.heads() if str(head.SOPInstanceUID) not in before]
    assert {str(head.StudyInstanceUID) for head in new} == {STUDY} and len(
        {head.SeriesInstanceUID for head in new}
    ) == 3
    assert "Lab test" in {head.SeriesDescription for head in new}
    assert {uid: server.objects[uid] for uid in before} == before
    assert "0 stored, 3 already there" in x2x(*edit)[1]
    status, out, _ = x2x(*edit, "--dry-run")
    assert status == 0 and "pleural effusion" in out and len(server.objects) == len(before) + 3
    server.cut_after = 1
    status, _, err = x2x(*edit, "--seed", "1", "-o", "kept")
    assert status == 2 and err.splitlines()[-1].startswith("x2x: The archive") and "Of 3 objects 1 are stored" in err
    assert len(list((tmp_path / "kept").iterdir())) == 9 and os.listdir(scratch) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dimse", "check"], "`--archive` must begin with dicoms:// or dicom:// here"),
        (["dicomweb", "check", "--archive", "https://a:b@host/x"], "`--archive` must not hold a user name or password"),
        (["dicomweb", "find", "--series", "1.2"], "`--series` requires `--study`"),
        (["dicomweb", "find", "--study", STUDY, "--modality", "DX"], "`--study` excludes patient"),
        (["dicomweb", "find", "--date", "2026"], "`--date` must be YYYYMMDD"),
        (["dicomweb", "find", "--study", "../x"], "`--study` must be a UID"),
        (["dicomweb", "fetch", "--study", "1.2.3.4"], "`--study` must be the UID of what is in the archive"),
        (["dicomweb", "edit", PROMPT, "--study", STUDY, "--leave-out", "edited"], "`--leave-out` must be one of"),
        (["dicomweb", "edit", "", "--study", STUDY], "must say what to edit"),
    ],
)
def test_every_refusal_is_one_sentence(server, x2x, arguments, sentence):
    status, _, err = x2x(*arguments)
    assert status == 2 and sentence in err.splitlines()[-1] and "Traceback" not in err
    assert not [kind for kind, _ in server.requests if kind != "GET"]


def test_wrong_credentials_are_one_sentence(server, x2x, monkeypatch):
    monkeypatch.setenv("X2X_ARCHIVE_PASSWORD", "wrong")
    for command in (["check"], ["find"], ["fetch", "--study", STUDY], ["edit", PROMPT, "--study", STUDY]):
        status, _, err = x2x("dicomweb", *command)
        assert status == 2 and "HTTP 401" in err.splitlines()[-1] and "wrong" not in err


def test_a_missing_library_names_the_extra(server, x2x, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dicomweb_client", None)
    assert "pip install 'instructx2x[archive]'" in x2x("dicomweb", "check")[2]
    monkeypatch.setitem(__import__("sys").modules, "pynetdicom", None)
    assert "pip install 'instructx2x[archive]'" in x2x("dimse", "check", "--archive", "dicom://A@127.0.0.1:1")[2]
