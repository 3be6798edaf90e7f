"""The choices of the page beside the instruction: a keep mask, identifiers of a DICOM film, signed results."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from archive_cases import COMPLETE
from dicom_cases import IDENTITY, write
from PIL import Image
from service_page import choose, done, faults_of_accessibility, load, overflows
from service_process import ServiceProcess
from signing_cases import write_chain

from x2x_core.archive.verification import verify
from x2x_core.imaging.dicom import read_dicom
from x2x_core.imaging.files import to_values

MASK = np.zeros((64, 64), np.uint8)
MASK[:, :40] = 255


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A DICOM film that names a patient."""
    rows, columns = np.mgrid[:64, :64]
    values = (1200 + 20 * rows + 12 * columns).astype(np.uint16)
    return write(tmp_path_factory.mktemp("film") / "IM0001", values, 12, **{**IDENTITY, **COMPLETE})


def mask_file(values=MASK):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return {"name": "keep.png", "mimeType": "image/png", "buffer": file.getvalue()}


def edit(page):
    page.click("#edit")
    page.wait_for_selector("#results", state="visible")
    done(page)


def downloaded(page, link):
    with page.expect_download() as download:
        page.click(f"#{link}")
    return Path(download.value.path())


def test_what_a_mask_keeps_is_the_films_and_identifiers_stay_where_that_is_chosen(visit, shots, film):
    page = visit()
    load(page, film)
    choose(page, operation="add", finding="pleural effusion", side="left", level="moderate")
    page.click("#more summary")
    assert page.is_visible("#dicom-choices") and page.is_disabled("#new_study")
    page.set_input_files("#keep", mask_file())
    page.select_option("#identifiers", "keep")
    page.check("#new_study")
    page.check("#burn_in")
    page.fill("#series_description", "Counterfactual")
    page.locator("#series_description").scroll_into_view_if_needed()
    page.screenshot(path=shots / "choices.png")
    assert faults_of_accessibility(page) == [] and not overflows(page)
    edit(page)
    page.screenshot(path=shots / "choices-edited.png")
    made, original = pydicom.dcmread(downloaded(page, "dicom")), pydicom.dcmread(film)
    assert made.PatientName == original.PatientName and made.StudyInstanceUID != original.StudyInstanceUID
    assert made.SeriesDescription == "Counterfactual" and made.BurnedInAnnotation == "YES"
    found = verify(downloaded(page, "dicom"), film)
    assert found.holds and found.parameters["keep_mask"]["sha256"]
    edited, before = np.asarray(Image.open(downloaded(page, "png"))), to_values(read_dicom(film).pixels, 16)
    assert (edited == before)[MASK > 0].all() and (edited != before).any()
    assert page.faults == []


def test_identifiers_are_removed_unless_something_else_is_chosen(visit, film):
    page = visit()
    load(page, film)
    choose(page, finding="edema")
    edit(page)
    assert b"Kowalska" not in downloaded(page, "dicom").read_bytes()
    assert "Kowalska" not in downloaded(page, "record").read_text()


def test_a_mask_of_another_size_and_a_secret_that_is_missing_are_said_in_a_sentence(visit, film):
    page = visit()
    load(page, film)
    choose(page, finding="edema")
    page.click("#more summary")
    page.set_input_files("#keep", mask_file(MASK[:50]))
    page.click("#edit")
    page.wait_for_selector("#error", state="visible")
    assert "keep_mask" in page.inner_text("#error")
    page.click("#unkeep")
    assert page.is_hidden("#unkeep") and page.evaluate("document.activeElement.id") == "keep"
    page.select_option("#identifiers", "replace")
    page.click("#edit")
    page.wait_for_selector("#error", state="visible")
    assert "X2X_PSEUDONYM_KEY" in page.inner_text("#error") and page.is_hidden("#results")


def test_a_service_with_a_key_signs_what_the_page_downloads(browser, opened, service_folder, tmp_path):
    pytest.importorskip("c2pa")
    chain = write_chain(tmp_path)
    options = ("--sign-key", str(chain.key), "--sign-certificate", str(chain.certificate))
    with ServiceProcess(service_folder, *options) as signing:
        page = opened(signing.address)
        load(page)
        choose(page, finding="edema")
        edit(page)
        found = verify(downloaded(page, "png"), trust=chain.root)
        assert found.holds and found.credential.is_trusted
        assert str(chain.key) not in signing.log()
