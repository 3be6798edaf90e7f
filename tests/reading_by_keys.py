"""A reader of a reading sheet on the page of a study, by keys alone, who answers what given lists say."""

import csv

from x2x_core.evaluation.reading.sheet import COLUMNS, PARTS
from x2x_core.study.definition import SEVERAL, TEXT
from x2x_core.study.design.questions import LEFT, RIGHT

_OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}


def read_lists(folder):
    """Return the rows of filled lists by part and picture; a list that is missing or not filled in has none."""
    lists = {}
    for part in PARTS:
        lists[part] = {}
        path = folder / f"{part}.csv"
        if path.is_file():
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = [{name: (row.get(name) or "").strip() for name in COLUMNS[part]} for row in csv.DictReader(file)]
            for row in rows:
                if any(row[name] for name in COLUMNS[part][1:]):
                    lists[part].setdefault(row["picture"], []).append(row)
    return lists


def read_sheet_by_keys(page, study, key, reader, lists):
    """Read a sheet from the consent on, to the page that says thank you or to a part whose list has no answers.

    Args:
        page: of Playwright, at the consent.
        study: the `Study` that the page shows.
        key: its key.
        reader: code of the reader.
        lists: output of `read_lists`.
    """
    page.get_by_role("button", name="I agree and begin").wait_for()
    page.keyboard.press("Enter")
    for part in study.parts:
        page.get_by_role("heading", name=part.title).wait_for()
        if not lists[part.name]:
            return
        page.keyboard.press("Enter")
        order = study.orders[reader][part.name]
        for number, (case, swapped) in enumerate(order, start=1):
            page.locator("#count").get_by_text(f"{number} of {len(order)}", exact=True).wait_for()
            page.locator("#panes img").first.wait_for()
            picture = key["parts"][part.name][case]["truth"]["picture"]
            _answer(page, part, lists[part.name][picture], swapped)
            page.keyboard.press("Enter")
    page.get_by_text("Thank you: all cases are read").wait_for()


def _answer(page, part, rows, swapped):
    for index, row in enumerate(rows):
        if index:
            page.keyboard.press("n")
        given = {}
        for question in part.questions:
            if not all(given.get(name) in values for name, values in (question.when or {}).items()):
                continue
            answer = row[question.name]
            if question.kind == TEXT:
                if answer:
                    page.keyboard.press("t")
                    page.keyboard.type(answer)
                    page.keyboard.press("Enter")
                continue
            given[question.name] = answer
            _go_to(page, question)
            for word in answer.split("|") if question.kind == SEVERAL else [answer]:
                shown = _OTHER_SIDE.get(word, word) if swapped else word
                values = [option.value for option in question.options]
                page.keyboard.press(str((values.index(shown) + 1) % 10))


def _go_to(page, question):
    """Make a question the active one; after a question with several answers it is not by itself."""
    active = page.locator("fieldset.active")
    while active.get_attribute("data-name") != question.name:
        page.keyboard.press("ArrowDown")
