"""The page: one file, closed to every connection, its texts escaped, its definition readable."""

import base64
import dataclasses
import hashlib
import json
import re

import pytest
from study_cases import write_small_study

from x2x_core.study.page.rendering import render

NASTY = "</script><script>alert(1)</script> {{script}} & <b>"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("page"), tasks=("realism",))[1]


def inline(page, tag):
    return re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL).group(1)


def test_the_page_names_nothing_outside_itself(study):
    page = render(study)
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert not re.search(r"https?://", page.replace("http://www.w3.org/2000/svg", ""))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy and "unsafe" not in policy


def test_the_policy_allows_the_page_s_own_script_and_style(study):
    page = render(study)
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(inline(page, tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page


def test_texts_are_escaped_and_read_back(study):
    page = render(dataclasses.replace(study, title=NASTY, consent=NASTY))
    assert "<script>alert" not in page
    record = json.loads(page.split('id="study">')[1].split("</script>")[0])
    assert record["title"] == record["consent"] == NASTY
    assert record["parts"][0]["questions"][0]["options"][5] == {"value": "6", "label": "Certainly synthetic"}
