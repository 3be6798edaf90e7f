"""The server: a page for each secret, pictures by name alone, answers stored whole, everything else refused."""

import http.client
import json
import threading

import pytest
from study_cases import answer_all, write_small_study

from x2x_core.common.errors import InputError
from x2x_core.study.serving import LARGEST_BODY, SECRETS, StudyServer

ROWS = {"realism": {"realism": "2"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("served"), tasks=("realism",))


@pytest.fixture
def server(made, tmp_path):
    with StudyServer(made[0], tmp_path / "answers") as one:
        thread = threading.Thread(target=one.serve_forever, daemon=True)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def ask(server, method, address, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request(method, address, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def put(server, record, reader="R1", **headers):
    return ask(server, "PUT", f"/{server.secrets[reader]}/answers", json.dumps(record), **headers)[0].status


def test_a_reader_gets_the_page_with_the_own_order_alone(server, made):
    answer, page = ask(server, "GET", f"/{server.secrets['R2']}/")
    assert answer.status == 200 and answer.headers["Referrer-Policy"] == "no-referrer"
    record = json.loads(page.decode().split('id="study">')[1].split("</script>")[0])
    assert record["server"] == {"reader": "R2"} and list(record["orders"]) == ["R2"]
    assert b"connect-src 'self'" in page


def test_pictures_are_served_by_their_names(server, made):
    name = sorted(made[1].picture_names)[0]
    answer, content = ask(server, "GET", f"/{server.secrets['R1']}/pictures/{name}")
    assert answer.status == 200 and content == (made[0] / "pictures" / name).read_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "/", "/index.html", "/study.json", "/wrong/", "/wrong/answers", "/{}", "/{}/study.json", "/{}/index.html",
        "/{}/pictures/", "/{}/pictures/../study.json", "/{}/pictures/..%2fstudy.json", "/{}/pictures/%2e%2e/study.json",
        "/{}/../../key.json", "/{}//etc/passwd", "/{}/pictures//etc/passwd", "/{}/answers/../addresses.txt",
    ],
)  # fmt: skip
def test_no_file_is_reached_by_a_path(server, address):
    assert ask(server, "GET", address.format(server.secrets["R1"]))[0].status == 404


def test_answers_are_stored_whole_and_given_back(server, made):
    study = made[1]
    assert ask(server, "GET", f"/{server.secrets['R1']}/answers")[0].status == 204
    record = answer_all(study, "R1", lambda part, case: ROWS[part])
    assert put(server, record) == 204
    answer, content = ask(server, "GET", f"/{server.secrets['R1']}/answers")
    assert answer.status == 200 and json.loads(content) == record
    assert sorted(path.name for path in server.desk.folder.iterdir()) == ["R1.json", SECRETS]
    assert ask(server, "GET", f"/{server.secrets['R2']}/answers")[0].status == 204


def test_older_answers_do_not_replace_newer_ones(server, made):
    records = {number: answer_all(made[1], "R1", lambda part, case: ROWS[part], number) for number in (1, 2, 3)}
    assert [put(server, records[number]) for number in (2, 1, 2, 3)] == [204, 409, 409, 204]
    assert json.loads((server.desk.folder / "R1.json").read_text())["revision"] == 3


def test_what_is_not_this_reader_s_answers_is_refused_and_not_stored(server, made):
    record = answer_all(made[1], "R2", lambda part, case: ROWS[part])
    assert put(server, record) == 400  # of another reader
    assert put(server, {"format": "other"}) == 400
    address = f"/{server.secrets['R1']}/answers"
    assert ask(server, "PUT", address, b"\xff{")[0].status == 400
    assert ask(server, "PUT", address, b"", Content_Length=str(LARGEST_BODY + 1))[0].status == 413
    assert ask(server, "PUT", f"/{server.secrets['R1']}/study.json", b"{}")[0].status == 404
    assert not (server.desk.folder / "R1.json").exists()


def test_requests_of_other_sites_are_refused(server, made):
    record = answer_all(made[1], "R1", lambda part, case: ROWS[part])
    assert put(server, record, Origin="http://elsewhere.example") == 403
    address = f"/{server.secrets['R1']}/"
    assert ask(server, "GET", address, Host="elsewhere.example")[0].status == 404
    assert ask(server, "GET", address, Host="localhost:1")[0].status == 200


def test_addresses_are_kept_over_a_restart_and_belong_to_one_study(made, tmp_path):
    with StudyServer(made[0], tmp_path / "answers") as first:
        secrets = first.secrets
    with StudyServer(made[0], tmp_path / "answers") as again:
        assert again.secrets == secrets and len(set(secrets.values())) == 2
        with pytest.raises(InputError, match="`host` and `port` must be free"):
            StudyServer(made[0], tmp_path / "answers", port=again.server_address[1])
    (tmp_path / "answers" / SECRETS).write_text("another\n")
    with pytest.raises(InputError, match=r"`answers` must be of this study, but .* is of another"):
        StudyServer(made[0], tmp_path / "answers")
    with pytest.raises(InputError, match="`answers` must not lie in the study"):
        StudyServer(made[0], made[0] / "answers")
