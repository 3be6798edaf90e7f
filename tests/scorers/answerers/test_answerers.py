"""Answers of classifiers and programs, the reading of yes and no, and checks of what an answerer returns."""

import sys

import pytest
import torch

from x2x_core.common.errors import InputError
from x2x_core.scorers.answerers.answerer import Answer, Answerer, Question, ask, check_questions, default_question
from x2x_core.scorers.answerers.classifier import ClassifierAnswerer
from x2x_core.scorers.answerers.command import CommandAnswerer
from x2x_core.scorers.answerers.loading import open_answerer
from x2x_core.scorers.answerers.wording import says_yes

IMAGES = torch.stack([torch.full((1, 8, 8), value) for value in (0.2, 0.8)])
QUESTION = default_question("edema")
PROGRAM = """
import json, sys
from PIL import Image
for line in sys.stdin:
    asked = json.loads(line)
    picture = Image.open(asked["image"])
    assert not picture.info.get("Parameters") and picture.mode == "L", picture.info
    bright = picture.getpixel((0, 0)) / 255
    REPLY
    sys.stdout.flush()
"""


class Grey:
    name, labels, kind = "grey", ("edema", "pneumonia"), "probability"

    def __call__(self, images):
        return torch.stack([images.mean((1, 2, 3)), torch.zeros(len(images))], 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Yes", True), ("no.", False), ("**No**, it is clear", False), ("YES, a small one; no drain.", True),
        ("There is no edema.", False), ("The base is dense. So the answer is yes.", True),
        ("No sign at first. Final answer: yes", False), ("It may be. Yes or no?", None), ("Nothing known", None),
        ("", None), ("Maybe yes. Then again: no", False),
    ],
)  # fmt: skip
def test_yes_and_no_are_read_in_words(text, says):
    assert says_yes(text) is says


def test_a_classifier_answers_by_its_score():
    answerer = ClassifierAnswerer(Grey())
    first, second = ask(answerer, IMAGES, QUESTION)
    assert (first.says, first.text, second.says) == (False, "no", True) and first.score == pytest.approx(0.2)
    assert isinstance(answerer, Answerer) and first.value == first.score
    assert Answer("yes", True).value == 1 and Answer("?", None).value is None
    with pytest.raises(InputError, match=r"`findings` must be labels of 'grey' \(edema, pneumonia\), got 'fracture'"):
        check_questions(answerer, ["edema", "fracture"])


def test_a_classifier_of_values_is_refused():
    values = Grey()
    values.kind = "value"
    with pytest.raises(InputError, match="`answerer` must give probabilities"):
        ClassifierAnswerer(values)


@pytest.mark.parametrize(
    ("answers", "words"),
    [([Answer("yes", True)], "one answer for each of 2"), ([Answer("", None, 2.0)] * 2, r"must be in \[0, 1\], got 2")],
)
def test_answers_are_checked(answers, words):
    class Wrong:
        name, findings = "wrong", None

        def __call__(self, images, question):
            return answers

    with pytest.raises(InputError, match=words):
        ask(Wrong(), IMAGES, QUESTION)


def program(tmp_path, reply):
    (tmp_path / "program.py").write_text(PROGRAM.replace("REPLY", reply))
    return f"{sys.executable} {tmp_path / 'program.py'}"


def test_a_program_answers_with_words_or_json_and_sees_no_metadata(tmp_path):
    with CommandAnswerer(program(tmp_path, "print('Yes.' if bright > 0.5 else 'No ' + asked['finding'])")) as words:
        assert [(one.text, one.says) for one in ask(words, IMAGES, QUESTION)] == [("No edema", False), ("Yes.", True)]
        assert len(ask(words, IMAGES[:1], QUESTION)) == 1  # the same process again
    with CommandAnswerer(program(tmp_path, "print(json.dumps({'score': bright}))")) as scores:
        first, second = ask(scores, IMAGES, Question("edema", "Any?"))
        assert (first.says, second.says) == (False, True) and second.score == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("print(json.dumps({'score': 'high'}))", "must answer with text, or JSON with `answer` and `score`"),
        ("print('{}')", "must answer with text, or JSON"),
        ("sys.exit()", "but it ended"),
        ("import time; time.sleep(60)", "gave no answer in 0.5 seconds"),
    ],
)
def test_a_program_that_does_not_answer_is_named(tmp_path, reply, words):
    answerer = CommandAnswerer(program(tmp_path, reply), timeout=0.5 if "sleep" in reply else 60)
    with answerer, pytest.raises(InputError, match=words):
        answerer(IMAGES[:1], QUESTION)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("command:", "must name a program"),
        ("openai:", "address in the environment variable OPENAI_BASE_URL"),
        ("openai:model", "address in the environment variable OPENAI_BASE_URL"),
        ("huggingface:/no/such/folder", "can't be loaded"),
        ("resnet", "`answerer` must be 'bundled', 'torchxrayvision:NAME'"),
        ("no-such.onnx", "There is no network"),
    ],
)
def test_what_is_no_answerer_is_refused(monkeypatch, spec, words):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(InputError, match=words), open_answerer(spec):
        pass


def test_classifiers_are_opened_by_their_names(tmp_path):
    from pathlib import Path

    with open_answerer("bundled") as bundled:
        assert "edema" in bundled.findings
    networks = Path(__file__).parents[2] / "fixtures" / "networks"
    (tmp_path / "net.onnx").write_bytes((networks / "any-batch.onnx").read_bytes())
    (tmp_path / "net.json").write_text(
        '{"labels": ["edema", "Effusion"], "kind": "probability", "activation": "sigmoid"}'
    )
    with open_answerer(str(tmp_path / "net.onnx")) as network:
        assert network.findings == ("edema", "pleural effusion") and len(ask(network, IMAGES, QUESTION)) == 2
    module = torch.jit.trace(torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()), IMAGES)
    module.save(str(tmp_path / "net.pt"))
    (tmp_path / "net.json").write_text('{"labels": ["edema"], "kind": "probability"}')
    with open_answerer(str(tmp_path / "net.pt")) as network:
        assert [one.says for one in ask(network, IMAGES, QUESTION)] == [False, True]


def test_an_answerer_can_be_given_a_name():
    with open_answerer("mine=command:/usr/bin/env no-such=program") as answerer:
        assert answerer.name == "mine"
    with open_answerer("command:/usr/bin/env x=y") as answerer:
        assert answerer.name == "env x=y"


def test_a_program_that_does_not_exist_is_refused():
    with (
        open_answerer("command:no-such-program-anywhere") as answerer,
        pytest.raises(InputError, match="can't be started"),
    ):
        answerer(IMAGES, QUESTION)
