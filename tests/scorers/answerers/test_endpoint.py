"""A model behind an OpenAI-compatible address, against a local stub server."""

import base64
import io
import json

import pytest
import torch
from answerer_cases import stub_server
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.scorers.answerers.answerer import ask, default_question
from x2x_core.scorers.answerers.endpoint import TRIES, EndpointAnswerer
from x2x_core.scorers.answerers.loading import open_answerer

IMAGE = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8)
QUESTION = default_question("edema")
SECRET = "a-key-that-is-no-one-s"


def test_picture_question_and_key_are_sent_and_the_answer_is_read(monkeypatch):
    with stub_server(["Yes, mild edema.", [{"type": "text", "text": "No."}]]) as (address, requests):
        monkeypatch.setenv("OPENAI_BASE_URL", address + "/")
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        with open_answerer("openai:some-model") as answerer:
            first, second = ask(answerer, torch.cat([IMAGE, IMAGE]), QUESTION)
    assert (first.text, first.says, first.score, second.says) == ("Yes, mild edema.", True, None, False)
    path, headers, body = requests[0]
    assert path == "/v1/chat/completions" and headers["Authorization"] == f"Bearer {SECRET}"
    assert body["model"] == "some-model" and body["temperature"] == 0
    picture, text = body["messages"][0]["content"]
    assert text["text"] == QUESTION.text
    shown = Image.open(io.BytesIO(base64.b64decode(picture["image_url"]["url"].partition(",")[2])))
    assert shown.size == (8, 8) and shown.info == {} and shown.getpixel((7, 7)) == 255


def test_without_a_key_none_is_sent():
    with stub_server(["no"]) as (address, requests):
        assert EndpointAnswerer(address, "m")(IMAGE, QUESTION)[0].says is False
    assert "Authorization" not in requests[0][1]


def test_a_busy_server_is_asked_again_and_a_broken_one_is_named():
    waits = []
    with stub_server([(503, "busy"), (429, "slow down"), "yes"]) as (address, requests):
        assert EndpointAnswerer(address, "m", wait=waits.append)(IMAGE, QUESTION)[0].says
    assert len(requests) == 3 and waits == [2, 4]
    words = f"no answer in {TRIES} tries: HTTP 500: out of order"
    with stub_server([(500, "out of order")]) as (address, requests), pytest.raises(InputError, match=words):
        EndpointAnswerer(address, "m", wait=waits.append)(IMAGE, QUESTION)
    with pytest.raises(InputError, match=f"no answer in {TRIES} tries"):
        EndpointAnswerer(address, "m", wait=waits.append)(IMAGE, QUESTION)  # nothing listens there now


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((401, "bad key"), "`OPENAI_API_KEY` must hold a key that"),
        ((404, "no such model"), "refused the question about a picture: HTTP 404: no such model"),
        ((302, ""), "refused the question about a picture: HTTP 302"),
        ((200, "<html>"), "must answer as OpenAI's chat completions do, got <html>"),
        ((200, json.dumps({"choices": []})), "must answer as OpenAI's chat completions do"),
        (
            (200, json.dumps({"choices": [{"message": {"content": None}}]})),
            "must answer as OpenAI's chat completions do",
        ),
    ],
)
def test_refusals_are_one_sentence_without_the_key(reply, words):
    with stub_server([reply]) as (address, requests), pytest.raises(InputError, match=words) as refused:
        EndpointAnswerer(address, "m", SECRET)(IMAGE, QUESTION)
    assert SECRET not in str(refused.value) and len(requests) == 1


def test_an_address_must_be_one():
    with pytest.raises(InputError, match="`OPENAI_BASE_URL` must be an address"):
        EndpointAnswerer("localhost:8000", "m")
