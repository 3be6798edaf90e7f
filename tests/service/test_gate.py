"""The gate: who may pass, how much, how many at a time, and for how long."""

import threading
import time

import pytest
from service_cases import PROMPT, StubEditor, client_of, png, refusal

TOKEN = "a-token-of-the-tests"


def edit(client, **more):
    return client.post("/api/edit", data={"prompt": PROMPT}, files={"image": ("a", png())}, **more)


@pytest.mark.parametrize(
    "header", [None, TOKEN, "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer é"]
)
def test_without_the_token_nothing_but_the_page_and_the_health_is_served(header):
    headers = {} if header is None else {"authorization": header.encode()}
    with client_of(token=TOKEN) as client:
        assert "Bearer TOKEN" in refusal(edit(client, headers=headers), 401)
        for path in ("/api/vocabulary", "/api/openapi.json", "/api/images/x"):
            assert TOKEN not in refusal(client.get(path, headers=headers), 401)
        assert client.get("/api/health", headers=headers).json()["token_required"] is True
        assert client.get("/", headers=headers).status_code == 200


def test_with_the_token_everything_is_served():
    headers = {"authorization": f"Bearer {TOKEN}"}
    with client_of(token=TOKEN) as client:
        assert edit(client, headers=headers).status_code == 200
        assert client.get("/api/vocabulary", headers={**headers, "host": "edits.example"}).status_code == 200


def test_pages_of_other_sites_are_refused():
    with client_of() as client:
        assert "other sites" in refusal(edit(client, headers={"origin": "https://evil.example"}), 403)
        assert "other sites" in refusal(edit(client, headers={"origin": "null"}), 403)
        assert edit(client, headers={"origin": "http://127.0.0.1:8600"}).status_code == 200


def test_without_a_token_the_service_answers_only_under_its_own_name():
    with client_of() as client:
        for host in ("evil.example", "evil.example:8600", ""):
            assert "own address" in refusal(client.get("/", headers={"host": host}), 403)
        for host in ("localhost:8600", "[::1]:8600", "127.0.0.1"):
            assert client.get("/", headers={"host": host}).status_code == 200


def test_too_many_bytes_are_refused_announced_or_not():
    with client_of(max_bytes=2000) as client:
        large = {"image": ("a", bytes(200_000))}
        assert "at most" in refusal(client.post("/api/images", files=large), 413)
        boundary = {"content-type": "multipart/form-data; boundary=x"}
        head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        parts = (part for part in [head, *[bytes(10_000)] * 20])
        assert "at most" in refusal(client.post("/api/images", content=parts, headers=boundary), 413)
        small = client.post("/api/explain", content=bytes(100_000), headers={"content-type": "application/json"})
        assert "at most" in refusal(small, 413)


def test_one_edit_runs_some_wait_and_the_rest_are_told_when_to_come_back():
    editor = StubEditor(seconds=1.0)
    answers = []
    with client_of(editor, waiting=1) as client:
        threads = [threading.Thread(target=lambda: answers.append(edit(client))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.get("/api/health").json()["waiting"] == 0
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 200, 503, 503, 503]
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1 and "Try again in" in refusal(answer, 503)


def test_a_request_that_takes_too_long_is_given_up_and_the_worker_is_free_again():
    editor = StubEditor(seconds=60)
    with client_of(editor, timeout=1.0) as client:
        assert "longer than 1 s" in refusal(edit(client), 504)
        assert editor.stopped.wait(5)
        editor.seconds = 0
        end = time.monotonic() + 5
        while client.get("/api/health").json()["running"] and time.monotonic() < end:
            time.sleep(0.01)
        assert edit(client).status_code == 200
