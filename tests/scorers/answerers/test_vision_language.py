"""Vision-language models, on a tiny random one: the same answer each time, with a score for yes or no."""

import pytest
import torch
from answerer_cases import WORDS, tiny_vision_language

from x2x_core.scorers.answerers.answerer import ask, default_question
from x2x_core.scorers.answerers.loading import open_answerer
from x2x_core.scorers.answerers.vision_language import VisionLanguageAnswerer

IMAGES = torch.rand(2, 1, 40, 36, generator=torch.Generator().manual_seed(0))
QUESTION = default_question("edema")


@pytest.fixture(scope="module")
def parts():
    return tiny_vision_language()


def test_a_model_is_loaded_from_a_folder_and_answers_the_same_each_time(parts, tmp_path):
    for part in parts:
        part.save_pretrained(tmp_path / "tiny")
    with open_answerer(f"huggingface:{tmp_path / 'tiny'}") as answerer:
        first, again = (ask(answerer, IMAGES, QUESTION) for _ in range(2))
    assert answerer.name == "tiny" and first == again and len(first) == 2


def test_the_score_is_the_share_of_yes_among_yes_and_no_where_the_answer_starts_with_one(parts):
    answerer = VisionLanguageAnswerer(*parts, "tiny", new_tokens=2)
    logits = torch.full((len(WORDS),), -20.0)
    logits[WORDS.index("Yes")], logits[WORDS.index("no")] = 1.0, 0.0
    assert answerer._score(logits) == pytest.approx(float(torch.tensor(1.0).sigmoid()))
    logits[WORDS.index("chest")] = 9.0
    assert answerer._score(logits) is None


def test_a_chat_template_is_used_if_there_is_one(parts):
    model, processor = parts
    answerer = VisionLanguageAnswerer(model, processor, "tiny", new_tokens=1)
    plain = answerer._inputs(picture(), QUESTION.text)["input_ids"]
    processor.chat_template = (
        "{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}Answer"
    )
    try:
        templated = answerer._inputs(picture(), QUESTION.text)["input_ids"]
    finally:
        processor.chat_template = None
    assert templated.shape[1] == plain.shape[1] + 1 and templated[0, -1] == WORDS.index("Answer")


def test_a_model_made_to_say_yes_says_yes(parts):
    model, processor = parts
    answerer = VisionLanguageAnswerer(model, processor, "tiny", new_tokens=1)
    head = model.lm_head
    bias = torch.zeros(len(WORDS))
    bias[WORDS.index("Yes")] = 50.0
    hook = head.register_forward_hook(lambda _module, _inputs, output: output + bias)
    try:
        answers = ask(answerer, IMAGES, QUESTION)
    finally:
        hook.remove()
    assert all(answer.says is True and answer.score == pytest.approx(1.0) for answer in answers)


def picture():
    from PIL import Image

    return Image.new("RGB", (40, 40))
