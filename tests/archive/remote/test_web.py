"""DICOMweb against a small archive of this process: searches, bytes, credentials, and every way to fail."""

import logging
import socket
import warnings

import pytest
import requests
from archive_server import ArchiveServer
from remote_cases import FRONTAL, LATERAL, OTHER_STUDY, SECRET, STUDY, films, results

from x2x_core.archive.remote import web
from x2x_core.archive.remote.entries import INSTANCE, SERIES, Place
from x2x_core.archive.remote.entries import STUDY as STUDIES
from x2x_core.archive.remote.errors import ArchiveError
from x2x_core.archive.remote.fetching import fetch, list_instances
from x2x_core.archive.remote.multipart import parts_of
from x2x_core.archive.remote.opening import open_archive
from x2x_core.archive.remote.storing import store
from x2x_core.archive.remote.web_errors import in_one_sentence

LOGIN = {"X2X_ARCHIVE_USER": "lab", "X2X_ARCHIVE_PASSWORD": SECRET}


@pytest.fixture
def server(tmp_path):
    with ArchiveServer(("lab", SECRET)) as made:
        for content in films(tmp_path).values():
            made.put(content)
        yield made


@pytest.fixture
def archive(server):
    return open_archive(server.url, environment=LOGIN)


def test_studies_series_and_instances_are_found(archive):
    archive.check()
    assert [entry.study for entry in archive.find(STUDIES, {})] == [STUDY, OTHER_STUDY]
    [found] = archive.find(STUDIES, {"StudyInstanceUID": STUDY})
    assert found.values["PatientID"] == "MRN-7718823" and found.values["StudyDate"] == "20231117"
    assert archive.find(STUDIES, {"PatientID": "nobody"}) == []
    assert len(archive.find(SERIES, {"StudyInstanceUID": STUDY})) == 2
    entries = list_instances(archive, Place(STUDY))
    assert {entry.instance for entry in entries} == {FRONTAL, LATERAL} and all(entry.sop_class for entry in entries)
    assert {entry.level for entry in entries} == {INSTANCE}


@pytest.mark.parametrize("page", [1, 2, 3])
def test_answers_in_pages_are_read_to_the_end(server, archive, page):
    server.page = page
    assert len(archive.find(STUDIES, {})) == 2 and len(archive.find(STUDIES, {}, 1)) == 1


def test_files_are_fetched_byte_for_byte(server, archive, tmp_path):
    paths = fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "study")
    assert {path.stem: path.read_bytes() for path in paths} == {
        uid: content for uid, content in server.objects.items() if uid in (FRONTAL, LATERAL)
    }


def test_results_are_stored_in_one_request_byte_for_byte_and_once(server, archive, tmp_path):
    objects, before = results(tmp_path / "film"), dict(server.objects)
    assert len(store(archive, objects).sent) == 4 and len(store(archive, objects).known) == 4
    assert [kind for kind, _ in server.requests].count("POST") == 1
    assert server.objects == before | {each.instance: each.content for each in objects}


@pytest.mark.parametrize("status", [409, 202])
def test_refusals_of_single_objects_are_said(server, archive, tmp_path, status):
    objects, before = results(tmp_path / "film"), dict(server.objects)
    refused = objects if status == 409 else objects[2:3]
    server.refused = {each.sop_class: 0xA700 for each in refused}
    server.can_remove = True
    with pytest.raises(ArchiveError, match=rf"refused {len(refused)} of them: no room or memory left\."):
        store(archive, objects)
    assert server.objects == before


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("can_remove", [True, False])
def test_a_connection_that_breaks_off_while_storing(server, archive, tmp_path, count, can_remove):
    objects, before = results(tmp_path / "film"), dict(server.objects)
    server.cut_after, server.can_remove = count, can_remove
    with pytest.raises(ArchiveError, match=r"ended the connection|cannot be reached") as refused:
        store(archive, objects)
    if can_remove or not count:
        assert server.objects == before and "othing" in str(refused.value)
    else:
        assert all(each.instance in str(refused.value) for each in objects[:count])
        server.cut_after = None
        assert len(store(archive, objects).known) == count
        assert set(server.objects) == {*before, *(each.instance for each in objects)}


def test_an_archive_that_is_gone_after_storing_leaves_the_question_open(server, archive, tmp_path):
    server.cut_after, server.is_silent_after = 2, True
    with pytest.raises(ArchiveError, match="could not be asked which of these it has stored"):
        store(archive, results(tmp_path / "film"))


def test_an_answer_without_words_is_checked_by_asking(server, archive, tmp_path):
    server.says_nothing = True
    assert len(store(archive, results(tmp_path / "film")).sent) == 4


def test_an_object_that_breaks_off_is_no_object(server, archive, tmp_path):
    server.cut_answer = True
    with pytest.raises(ArchiveError, match="broke off in the middle"):
        fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "refused the credentials"), (403, "does not allow this"), (404, "check the address"), (500, "HTTP 500"),
     (503, "is busy"), (302, "redirects to another address")],
)  # fmt: skip
def test_every_refusal_is_one_sentence(server, archive, tmp_path, status, sentence):
    server.status = status
    with pytest.raises(ArchiveError, match=sentence) as refused:
        archive.find(STUDIES, {"PatientID": "MRN-7718823"})
    said = str(refused.value)
    assert "MRN" not in said and SECRET not in said and "\n" not in said and len(server.requests) == 1


@pytest.mark.parametrize("login", [{}, {**LOGIN, "X2X_ARCHIVE_PASSWORD": "wrong"}, {"X2X_ARCHIVE_TOKEN": "abc"}])
def test_wrong_credentials_are_refused_before_anything_is_sent(server, tmp_path, login):
    with pytest.raises(ArchiveError, match=r"HTTP 401\): set X2X_ARCHIVE_USER and X2X_ARCHIVE_PASSWORD"):
        store(open_archive(server.url, environment=login), results(tmp_path / "film"))
    assert [kind for kind, _ in server.requests] == ["GET"]


def test_secrets_are_sent_and_written_nowhere(server, archive, caplog, monkeypatch, tmp_path):
    caplog.set_level(logging.DEBUG)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password stolen")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    archive.find(STUDIES, {})
    assert server.headers[-1]["Authorization"].startswith("Basic ")
    server.login = None
    open_archive(server.url, environment={"X2X_ARCHIVE_TOKEN": "to.ke.n"}).find(STUDIES, {})
    assert server.headers[-1]["Authorization"] == "Bearer to.ke.n"
    open_archive(server.url, environment={}).find(STUDIES, {})
    assert "Authorization" not in server.headers[-1]
    texts = caplog.text + repr(vars(archive))
    assert SECRET not in texts and "to.ke.n" not in texts and "bGFiO" not in texts


def test_an_archive_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ArchiveError, match="cannot be reached: Connection refused"):
        open_archive(f"http://127.0.0.1:{port}/dicom-web", environment={}).check()
    with pytest.raises(ArchiveError, match="no machine of this name"):
        open_archive("http://no-such-machine.invalid/dicom-web", environment={}).check()


def test_a_server_without_tls_is_no_server_with_tls(server):
    with pytest.raises(ArchiveError, match="TLS handshake"):
        open_archive(server.url.replace("http:", "https:"), environment={}).check()


def test_an_archive_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(web, "ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        archive = open_archive(f"http://127.0.0.1:{silent.getsockname()[1]}/dicom-web", environment={})
        with pytest.raises(ArchiveError, match="stopped answering"):
            archive.check()


@pytest.mark.parametrize("answer", ["<html>", '"text"', "[1]", '[{"00100020": {"vr": "LO", "Value": ["P"]}}]'])
def test_an_address_of_something_else_is_noticed(server, archive, monkeypatch, answer):
    def answer_other(*_, **__):
        made = requests.Response()
        made.status_code, made._content = 200, answer.encode()
        return made

    monkeypatch.setattr(archive._session, "get", answer_other)
    with pytest.raises(ArchiveError, match=r"something else than DICOM JSON|must have a UID for each study"):
        archive.check()


def test_multipart_answers_are_read_and_cut_ones_refused():
    content = b"--b\r\nContent-Type: application/dicom\r\n\r\na\r\n--c\0\r\n--b\r\n\r\nsecond\r\n--b--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    assert parts_of(content, kind) == [b"a\r\n--c\0", b"second"]
    assert parts_of(b"preamble\r\n" + content, kind.replace("=b", '="b"')) == [b"a\r\n--c\0", b"second"]
    assert parts_of(b"anything", "application/dicom") == [b"anything"]
    for cut in (content[:-6], content[:40], b"", b"--b\r\n"):
        with pytest.raises(ArchiveError, match="broke off"):
            parts_of(cut, kind)
    with pytest.raises(ArchiveError, match="no head"):
        parts_of(b"--b\r\nno head\r\n--b--", kind)


def test_other_errors_pass():
    with pytest.raises(KeyError), in_one_sentence("x"):
        raise KeyError("a fault of this package")


def test_no_warning_of_a_library_quotes_data(server, archive, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "study")
