"""A study from its sheet to its analysis: made, served, read by keys in a browser, and graded as the lists are."""

import csv
import json
import threading

import pytest
from reading_by_keys import read_lists, read_sheet_by_keys
from sheet_cases import write_sheet

from x2x_core.evaluation.reading.answers import read_answers
from x2x_core.evaluation.reading.grading import grade, read_key
from x2x_core.evaluation.reading.sheet import COLUMNS, PARTS
from x2x_core.study.analysis.run import LISTS, analyse
from x2x_core.study.definition import read_study
from x2x_core.study.design.making import design_study, read_study_key, write_study
from x2x_core.study.design.settings import StudySettings
from x2x_core.study.serving import StudyServer

FILLED = {
    "R1": {
        "part1": [
            ("001.png", "edema", "", "plain", "wide vessels"),
            ("001.png", "pleural effusion", "left", "subtle", ""),
            ("002.png", "cardiomegaly", "", "subtle", ""),
            ("003.png", "", "", "nothing", ""),
            ("004.png", "pneumothorax", "bilateral", "plain", ""),
        ],
        "part2": [("001.png", "seam|lost ribs", "worse", "dark rim"), ("002.png", "none", "same", "")],
        "part3": [("001.png", "left", "")],
    },
    "R2": {
        "part1": [(f"{number:03d}.png", "", "", "nothing", "") for number in range(1, 5)],
        "part2": [("001.png", "none", "nearer", ""), ("002.png", "other", "nearer", "")],
        "part3": [("001.png", "right", "")],
    },
}


@pytest.fixture
def made(tmp_path):
    write_sheet(tmp_path / "sheet")
    study = design_study(tmp_path / "sheet", StudySettings(readers=2), tmp_path / "key.json")
    write_study(study, tmp_path / "study", tmp_path / "study-key.json")
    for reader, parts in FILLED.items():
        (tmp_path / reader).mkdir()
        for part, rows in parts.items():
            with (tmp_path / reader / f"{part}.csv").open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([COLUMNS[part], *rows])
    return tmp_path


@pytest.fixture
def served(made):
    with StudyServer(made / "study", made / "answers") as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_is_read_by_keys_is_graded_as_the_filled_lists(browser, made, served):
    study, key = read_study(made / "study"), read_study_key(made / "study-key.json")
    for reader in study.readers:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{served.server_address[1]}/{served.secrets[reader]}/")
        read_sheet_by_keys(page, study, key, reader, read_lists(made / reader))
        page.get_by_text("Your answers are stored on the server.").wait_for()
        context.close()
    sections = {
        one.name: one for one in analyse(made / "study", made / "study-key.json", made / "answers", out=made / "out")
    }
    sheet_key = read_key(made / "key.json")
    pictures = {part: set(of_part) for part, of_part in sheet_key.parts.items()}
    for reader in study.readers:
        for part in PARTS:
            filled, given = (folder / reader / f"{part}.csv" for folder in (made / "out" / LISTS, made))
            assert sorted(filled.read_text().splitlines()) == sorted(given.read_text().splitlines())
        graded = grade(sheet_key, read_answers(made / reader, pictures))
        assert json.loads(json.dumps(sections[f"sheet_{reader}"].record)) == json.loads(json.dumps(graded.as_dict()))
