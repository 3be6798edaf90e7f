"""The method is not one of radiographs: the rooms that guide and edit know nothing of them but what the atlas needs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "x2x_core"
ROOMS = ("guidance", "edit")
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
WORDS = re.compile(r"radiograph|chest|lung|thora|rib\b|ribs\b|heart|effusion|pneumo|x-ray", re.IGNORECASE)
# Files that may speak of them, and why.
_ATLAS = "fits the atlas to the lungs; an empty atlas is never fitted"
_CHANGE = "names zones of the lungs in what it says of a change, for chest radiographs alone"
_EXAMPLE = "examples and explanations in documentation and messages"
EXCEPTIONS = {
    "edit/prepared.py": _ATLAS,
    "edit/preparing.py": _ATLAS,
    "edit/region.py": _ATLAS,
    "edit/outputs.py": _ATLAS,
    "edit/composing.py": _CHANGE,
    "edit/describing.py": _CHANGE,
    "edit/running.py": _CHANGE,
    "edit/stage_inputs.py": "grey pictures stay grey with an atlas of radiographs, and are free with an empty one",
    "edit/reading.py": "pictures in colour are not taken for radiographs, whose atlas they don't need",
    "edit/settings.py": _EXAMPLE,
    "edit/composition.py": _EXAMPLE,
    "edit/arguments.py": _EXAMPLE,
    "edit/prompt_checks.py": _EXAMPLE,
    "edit/request.py": "hands on which pictures could be radiographs",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_does_not_speak_of_radiographs(file):
    name = file.relative_to(ROOT).as_posix()
    found = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if WORDS.search(line)]
    if name in EXCEPTIONS:
        assert found, f"{name} no longer needs its exception"
    else:
        assert found == []
