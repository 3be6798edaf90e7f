"""Hostile prompts: a reading or one sentence each."""

import os

import pytest
from fuzz_seeds import WORDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FACTOR = int(os.environ.get("X2X_FUZZ_FACTOR", "1"))
ABSURD = {
    "nothing": "",
    "white": " \n\t ",
    "zeros": "\0" * 100,
    "control": "Add \x07\x1b[31m left \x08\x7f pleural effusion.\r\n",
    "directions": "\u202eAdd left pleural effusion.\u202c",
    "invisible": "Add\u200b left\u200d pleural\ufeff effusion.",
    "combining": "Add left e\u0301" + "\u0301" * 5000 + "dema.",
    "surrogate": "Add left \ud800 edema.",
    "letters": "a" * 100_000,
    "words": "edema " * 16_666,
    "clauses": "Add left edema. " * 6_250,
    "digits": "9" * 100_000,
    "signs": "(" * 50_000 + ")" * 50_000,
    "commas": "," * 100_000,
    "spaces": "Add" + " " * 100_000 + "edema.",
    "lines": "\n" * 100_000,
    "arabic": "أضف انصبابًا جنبيًا على اليسار",
    "hebrew": "הוסף תפליט בצד שמאל",
    "hindi": "बाईं ओर द्रव जोड़ें",
    "thai": "เพิ่มน้ำในช่องเยื่อหุ้มปอดด้านซ้าย",
    "russian": "Добавить плевральный выпот слева",
    "emoji": "➕🫁💧⬅️",
    "letters beyond": "𝐀𝐝𝐝 𝐥𝐞𝐟𝐭 𝐞𝐝𝐞𝐦𝐚",
    "wide": "Ａｄｄ ｌｅｆｔ ｅｄｅｍａ．",
    "markup": "<script>alert(1)</script> {{7*7}} ${HOME} `id` ; rm -rf / --",
    "format": "%s %n {0} {prompt!r}",
    "path": "../../etc/passwd",
    "negations": "not " * 2000 + "add edema",
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_prompts_give_a_reading_or_one_sentence(child, name):
    child.give("prompt", name, ABSURD[name])


def test_words_in_any_order_and_letters_of_any_script_give_a_reading_or_one_sentence(child):
    text = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))

    @settings(max_examples=60 * FACTOR, suppress_health_check=list(HealthCheck))
    @given(text)
    def check(words):
        child.give("prompt", "", words)

    check()
