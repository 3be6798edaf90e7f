"""The page as a reader meets it: by keys alone, offline, resumed, and without faults of accessibility."""

import json
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from study_cases import write_small_study

from x2x_core.study.answers import check_answers
from x2x_core.study.serving import StudyServer

PATIENCE = 60_000  # milliseconds, for a busy machine


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("page"), training=1, checks=1)


@pytest.fixture
def context(browser):
    one = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    one.set_default_timeout(PATIENCE)
    yield one
    one.close()


@pytest.fixture
def visit(context, made):
    """Return a function that opens the study as a file; errors and addresses that it asks for are kept."""

    def open_page(address=None):
        page = context.new_page()
        page.faults, page.asked = [], []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address or (made[0] / "index.html").as_uri())
        return page

    return open_page


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def wait_for(page, text):
    page.get_by_text(text, exact=True).first.wait_for()


def to_first_case(page):
    """Go by keys from the start to the first case after training."""
    press(page, "Enter")
    page.get_by_role("button", name="I agree and begin").wait_for()
    press(page, "Enter")
    wait_for(page, "Findings")
    press(page, "Enter")
    while page.locator("#count").inner_text() == "Training":
        answer_case(page)
        press(page, "Enter")  # after the solution
    wait_for(page, "The training is over")
    press(page, "Enter")
    page.locator("#panes img").first.wait_for()


def answer_case(page):
    """Answer the questions of a case by keys, and go on."""
    page.locator("#panes img").first.wait_for()
    if page.get_by_text("Which is the main finding?").count():
        press(page, "2", "b", "ArrowLeft", "Shift+ArrowDown", "Enter", "3", "Enter")
    else:
        press(page, "1", "Enter")


def stored(page):
    return page.evaluate("JSON.parse(localStorage.getItem(Object.keys(localStorage)[0]))")


def read_all(page):
    while not page.get_by_text("Thank you: all cases are read").count():
        if page.locator("#panel").count():
            answer_case(page)
        else:
            press(page, "Enter")


def test_a_reader_gets_from_start_to_end_by_keys_alone_and_offline(visit, made, context):
    context.route(lambda place: not place.startswith(("file:", "blob:", "data:")), lambda route: route.abort())
    page = visit()
    to_first_case(page)
    read_all(page)
    with page.expect_download() as download:
        press(page, "Enter")
    record = json.loads(download.value.path().read_text())
    answers = check_answers(record, made[1])
    assert answers.complete and answers.reader == "R1"
    assert {part: len(cases) for part, cases in answers.answers.items()} == {
        part: len(order) for part, order in made[1].orders["R1"].items()
    }
    row = next(iter(answers.answers["findings"].values())).rows[0]
    assert row["finding"] == "pleural effusion" and row["level"] == "moderate"
    left, top, right, bottom = row["box"]["box"]
    assert (left, top, right, bottom) == (25, 26, 37, 39)  # of 64 pixels: moved left by 1, one larger downwards
    assert all(case.seconds > 0 for cases in answers.answers.values() for case in cases.values())
    assert record["consent"]["text"] == made[1].consent and record["training"]["findings"]
    assert page.faults == [] and {address.split(":")[0] for address in page.asked} <= {"file", "blob", "data"}


def test_the_page_can_send_nothing(visit):
    page = visit()
    refused = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', error => error.name)")
    assert refused == "TypeError" and any("Content Security Policy" in fault for fault in page.faults)


def test_a_reader_resumes_after_closing_the_page(visit):
    page = visit()
    to_first_case(page)
    answer_case(page)
    answer_case(page)
    wait_for(page, "3 of 7")
    before = stored(page)
    page.close()
    page = visit()
    press(page, "Enter")
    wait_for(page, "3 of 7")
    assert stored(page) == before
    press(page, "Backspace")
    wait_for(page, "2 of 7")
    assert page.locator("input:checked").count() == 2  # as it was answered
    assert page.locator(".box").count() == 1


def test_a_reader_continues_from_a_file_on_another_computer(visit, browser, made):
    page = visit()
    to_first_case(page)
    answer_case(page)
    with page.expect_download() as download:
        page.get_by_text("Save a copy").click()
    other = browser.new_context()
    try:
        page = other.new_page()
        page.goto((made[0] / "index.html").as_uri())
        press(page, "Enter")
        page.locator("input[type=file]").set_input_files(download.value.path())
        wait_for(page, "2 of 7")
    finally:
        other.close()


def test_a_file_of_another_reader_is_not_taken(visit, tmp_path, made):
    (tmp_path / "other.json").write_text(
        json.dumps({"format": "x2x-answers-1", "study": made[1].study, "reader": "R2"})
    )
    page = visit()
    press(page, "Enter")
    page.locator("input[type=file]").set_input_files(tmp_path / "other.json")
    wait_for(page, "These answers are of reader R2.")


def test_a_case_without_all_answers_is_not_left(visit):
    page = visit()
    to_first_case(page)
    press(page, "Enter")
    wait_for(page, "Please answer: Which is the main finding?")
    press(page, "1")  # none: no other question is asked
    assert page.locator("fieldset").count() == 1
    press(page, "2")
    assert page.locator("fieldset").count() == 3
    press(page, "Enter")
    wait_for(page, "Please answer: Where is it?")
    assert page.locator("#count").inner_text() == "1 of 7"


def test_enter_begins_a_part_before_its_button_has_the_focus(visit):
    page = visit()
    to_first_case(page)
    page.evaluate("window.setTimeout = () => 0")  # as on a busy machine: nothing gets the focus later
    while page.locator("#panel").count():
        answer_case(page)
    page.locator("section.sheet h2").wait_for()
    assert page.evaluate("document.activeElement.id") == "main"
    press(page, "Enter")
    page.locator("#panel").wait_for()


def window(page):
    func = page.locator("#window feFuncR")
    return float(func.get_attribute("slope")), float(func.get_attribute("intercept"))


def test_window_zoom_and_box_by_mouse(visit):
    page = visit()
    to_first_case(page)
    pane = page.locator(".pane").bounding_box()
    x, y = pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] / 2

    def drag(right, down, **more):
        page.mouse.move(x, y)
        page.mouse.down(**more)
        page.mouse.move(x + right, y + down, steps=4)
        page.mouse.up(**more)

    assert window(page) == (1, 0)
    drag(-55, 0)  # a narrower window: more contrast
    assert window(page)[0] == pytest.approx(255 / 200)
    page.mouse.dblclick(x, y)
    assert window(page) == (1, 0)
    page.mouse.wheel(0, -400)
    page.get_by_text("272 %").wait_for()
    press(page, "r", "2")
    page.locator("fieldset.active", has_text="Where is it?").wait_for()
    drag(80, 60)
    page.locator("fieldset.active", has_text="How severe is it?").wait_for()
    box = page.locator(".box").bounding_box()
    assert (box["x"], box["y"]) == (pytest.approx(x, abs=8), pytest.approx(y, abs=8))
    assert (box["width"], box["height"]) == (pytest.approx(80, abs=12), pytest.approx(60, abs=12))
    drag(0, 40, button="right")  # darker
    assert window(page)[1] < 0


def test_time_stops_while_the_keys_are_shown(visit):
    page = visit()
    to_first_case(page)
    press(page, "h")
    page.wait_for_timeout(3000)
    press(page, "Escape", "1", "Enter")
    wait_for(page, "2 of 7")
    case = next(iter(stored(page)["answers"]["findings"].values()))
    assert 0 < case["seconds"] < 3


def test_a_missing_picture_is_said(context, tmp_path):
    folder, study, _ = write_small_study(tmp_path, readers=1, tasks=("realism",))
    first = study.parts[0].cases[study.orders["R1"]["realism"][0][0]].pictures[0]
    (folder / "pictures" / first).unlink()
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    for text in ("Continue", "I agree and begin", "Begin"):
        page.get_by_role("button", name=text).wait_for()
        press(page, "Enter")
    page.get_by_text(f"pictures/{first} cannot be shown").wait_for()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (700, 900)])
def test_no_screen_has_a_fault_of_accessibility(visit, shots, size):
    page = visit()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    faults, axe = {}, Axe()

    def look(name):
        page.screenshot(path=shots / f"{size[0]}-{name}.png")
        found = axe.run(page).response["violations"]
        if found:
            faults[name] = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]

    look("start")
    press(page, "Enter")
    look("consent")
    press(page, "Enter")
    look("task")
    press(page, "Enter")
    page.locator("#panes img").first.wait_for()
    page.wait_for_timeout(500)
    look("training")
    press(page, "2", "b")
    look("box")
    press(page, "Enter", "1", "Enter")
    look("solution")
    press(page, "h")
    look("keys")
    press(page, "Escape")
    while page.locator("#part").inner_text() != "Two methods" or not page.locator("#panel").count():
        answer_case(page) if page.locator("#panel").count() else press(page, "Enter")
    page.wait_for_timeout(500)
    look("two")
    read_all(page)
    look("end")
    assert faults == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_served_page_stores_every_case_and_resumes_anywhere(browser, made, tmp_path):
    with StudyServer(made[0], tmp_path / "answers") as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            for place in ("2 of 7", "3 of 7"):  # a browser that knows nothing of the one before
                context = browser.new_context()
                page = context.new_page()
                page.goto(server.addresses["R2"])
                if place == "2 of 7":
                    page.get_by_role("button", name="I agree and begin").wait_for()
                    press(page, "Enter")
                    wait_for(page, "Findings")
                    press(page, "Enter")
                    while page.locator("#count").inner_text() == "Training":
                        answer_case(page)
                        press(page, "Enter")
                    press(page, "Enter")
                answer_case(page)
                wait_for(page, place)
                wait_for(page, "Stored on the server")
                context.close()
            record = json.loads((tmp_path / "answers" / "R2.json").read_text())
            assert len(check_answers(record, made[1]).answers["findings"]) == 2
        finally:
            server.shutdown()
            thread.join()
