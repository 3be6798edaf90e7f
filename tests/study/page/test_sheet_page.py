"""A reading sheet on the page: several findings and a remark by keys, artefacts, and the sides of a pair."""

import json

import pytest
from sheet_cases import write_sheet

from x2x_core.study.answers import check_answers
from x2x_core.study.definition import read_study
from x2x_core.study.design.making import design_study, write_study
from x2x_core.study.design.settings import StudySettings


@pytest.fixture
def study(tmp_path):
    write_sheet(tmp_path / "sheet")
    made = design_study(tmp_path / "sheet", StudySettings(readers=2), tmp_path / "key.json")
    write_study(made, tmp_path / "study", tmp_path / "own.json")
    return tmp_path / "study"


def test_a_sheet_is_read_by_keys(browser, study):
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto((study / "index.html").as_uri())

        def press(*keys):
            for key in keys:
                page.keyboard.press(key)

        def task(title):
            page.get_by_role("heading", name=title).wait_for()
            press("Enter")
            page.locator("#panes img").first.wait_for()

        page.get_by_label("Your code").select_option("R2")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="I agree and begin").wait_for()
        press("Enter")
        task("Findings")
        press("1", "1", "2")  # plain, pleural effusion, left
        page.get_by_role("button", name="Add another finding").wait_for()
        press("n", "2", "7")  # subtle, cardiomegaly, which has no side
        page.get_by_text("Plain: seen at once, Pleural effusion, Left").wait_for()
        press("t")
        page.keyboard.type("thin rim 1")
        press("Escape", "Enter")
        for _ in range(3):
            press("3", "Enter")
        task("Before and after")
        assert page.locator(".pane").count() == 2
        press("2", "3", "1")  # seam, halo, and then none, which excludes both
        assert page.locator("fieldset", has_text="Artefacts").locator("input:checked").count() == 1
        press("4", "ArrowDown", "2", "Enter")  # blob instead; the same
        press("1", "ArrowDown", "1", "Enter")
        task("Two levels")
        press("1", "Enter")
        page.get_by_role("heading", name="Thank you").wait_for()
        text = page.evaluate("localStorage.getItem(Object.keys(localStorage)[0])")
    finally:
        context.close()
    definition = read_study(study)
    answers = check_answers(json.loads(text), definition)
    orders = definition.orders["R2"]
    first, second = (answers.answers[part][orders[part][0][0]] for part in ("part1", "part2"))
    assert first.rows == (
        {"visibility": "plain", "finding": "pleural effusion", "side": "left"},
        {"visibility": "subtle", "finding": "cardiomegaly", "remark": "thin rim 1"},
    )
    assert second.rows == ({"artefact": ["blob"], "normal": "same"},)
    assert answers.complete and answers.reader == "R2"
    # The pictures of the pair stand where the order says.
    assert answers.answers["part3"][orders["part3"][0][0]].rows == ({"more": "left"},)
