"""The page as a reader meets it: a film, an instruction, its map, its edit, by mouse and by keys alone."""

import io

import numpy as np
import pytest
from PIL import Image
from service_page import FILM, PHONE, WIDE, choose, done, faults_of_accessibility, load, overflows, until

MARK = "Synthetic, for research. Not for diagnosis."


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_film_is_edited_and_the_mark_is_always_seen(visit, service, shots, size, tmp_path):
    page = visit(size)
    name = f"{size[0]}"
    page.screenshot(path=shots / f"{name}-1-empty.png")
    assert faults_of_accessibility(page) == [] and not overflows(page)
    load(page)
    choose(page, operation="add", finding="pleural effusion", side="left", level="moderate")
    assert page.input_value("#prompt") == "Add the finding of moderate left pleural effusion."
    page.screenshot(path=shots / f"{name}-2-film.png")
    page.click("#look")
    done(page)
    assert page.is_checked("[name=view][value=map]") and page.is_disabled("[name=view][value=edit]")
    assert "May change" in page.inner_text("#facts")
    page.screenshot(path=shots / f"{name}-3-map.png")
    page.click("#edit")
    page.wait_for_selector("#results", state="visible")
    done(page)
    assert page.is_checked("[name=view][value=compare]") and page.is_visible("#stamp")
    page.screenshot(path=shots / f"{name}-4-compare.png")
    assert faults_of_accessibility(page) == [] and not overflows(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.screenshot(path=shots / f"{name}-5-end.png")
    assert page.get_by_text(MARK).is_visible()
    box = page.locator("#mark").bounding_box()
    assert 0 <= box["y"] < size[1] and box["x"] >= 0 and box["x"] + box["width"] <= size[0]
    with page.expect_download() as download:
        page.click("#png")
    edited = np.asarray(Image.open(download.value.path()))
    original = np.asarray(Image.open(FILM))
    assert edited.shape == original.shape and (edited != original).any()
    assert download.value.suggested_filename == "synthetic-edit.png" and page.is_hidden("#dicom")
    page.click("#forget")
    page.wait_for_selector("#drop", state="visible")
    assert service.files() == [] and page.faults == []
    assert all(url.startswith((service.address, "blob:", "data:")) for url in page.asked)


def test_words_and_menus_follow_each_other_and_what_is_not_understood_is_said(visit):
    page = visit()
    page.fill("#prompt", "remove the mild oedema on the right")
    until(page, "document.getElementById('operation').value === 'remove'")
    assert [page.input_value(f"#{menu}") for menu in ("finding", "side", "level")] == ["edema", "right", "mild"]
    assert "on the left of the picture" in page.inner_text("#understood")
    page.fill("#prompt", "Add left edema. Remove left edema.")
    until(page, "document.getElementById('understood').className === 'bad'")
    assert "`prompt`" in page.inner_text("#understood") and page.is_disabled("#edit")
    choose(page, operation="change", finding="cardiomegaly", level_from="mild", level="severe")
    assert page.is_disabled("#side") and page.input_value("#prompt").startswith("Change the level of cardiomegaly")


def test_a_file_that_is_no_film_is_refused_in_a_sentence(visit):
    page = visit()
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.wait_for_selector("#error", state="visible")
    assert "must be a PNG, JPEG, TIFF or DICOM file" in page.inner_text("#error")
    assert page.get_attribute("#error", "role") == "alert" and page.is_visible("#drop")


def test_a_film_can_be_dropped(visit):
    page = visit()
    data = list(FILM.read_bytes())
    page.evaluate(
        """bytes => {
            const moved = new DataTransfer()
            moved.items.add(new File([new Uint8Array(bytes)], 'film.png'))
            document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: moved, bubbles: true }))
        }""",
        data,
    )
    until(page, "document.getElementById('before').naturalWidth > 0")
    assert "film.png" in page.inner_text("#film")


def test_keys_alone_are_enough(visit):
    page = visit()
    load(page)
    choose(page, finding="edema")
    reached = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.value || document.activeElement.tagName")
        )
        visible = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if reached[-1] in ("operation", "finding", "look", "edit"):
            assert visible != "none", reached[-1]
    assert {"file", "operation", "finding", "side", "zone", "level", "prompt", "preset", "seed", "look", "edit"} <= set(
        reached
    )
    page.focus("#edit")
    page.keyboard.press("Enter")
    page.wait_for_selector("#results", state="visible")
    done(page)
    before = page.evaluate("getComputedStyle(document.getElementById('frame')).getPropertyValue('--cut')")
    page.focus("#slider")
    page.keyboard.press("Home")
    assert (
        page.evaluate("getComputedStyle(document.getElementById('frame')).getPropertyValue('--cut')") == "0%" != before
    )
    page.focus("[name=view][value=compare]")
    page.keyboard.press("ArrowRight")
    assert page.is_checked("[name=view][value=edit]")


def test_the_slider_shows_the_film_on_its_left_and_the_edit_on_its_right(visit):
    page = visit()
    load(page)
    choose(page, finding="pleural effusion", side="left")
    page.click("#edit")
    page.wait_for_selector("#results", state="visible")
    done(page)
    shown = {}
    for value in (0, 100):
        page.evaluate(f"document.getElementById('slider').value = {value}")
        page.dispatch_event("#slider", "input")
        shown[value] = np.asarray(Image.open(io.BytesIO(page.locator("#frame").screenshot())).convert("L")).astype(int)
    page.check("[name=view][value=original]", force=True)
    film = np.asarray(Image.open(io.BytesIO(page.locator("#frame").screenshot())).convert("L")).astype(int)
    inner = (slice(60, -60), slice(60, -60))
    assert np.abs(shown[100] - film)[inner].max() <= 1 < np.abs(shown[0] - film)[inner].max()


def test_the_api_s_page_is_accessible(visit, service, shots):
    page = visit()
    page.goto(f"{service.address}/docs")
    page.screenshot(path=shots / "api.png")
    assert faults_of_accessibility(page) == [] and not overflows(page)
    assert page.get_by_text("POST /api/edit", exact=True).is_visible()
