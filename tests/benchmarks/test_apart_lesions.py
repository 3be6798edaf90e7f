"""Lesions drawn apart from the simulator change what their instruction names, and nothing else."""

import csv
import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from film_cases import write_films

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import read_rows

FOLDER = Path(__file__).parents[2] / "benchmarks"
SIDE = 192


@pytest.fixture(scope="module")
def apart():
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("apart_lesions")
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return write_films(tmp_path_factory.mktemp("films"), ["a.png", "b.png", "c.png"], SIDE)


@pytest.fixture(scope="module")
def film(apart, films):
    return apart.read_film(films / "a.png")


def halves(change):
    """Return the summed change on the patient's right and left, the picture's left and right."""
    return change[:, : SIDE // 2].sum(), change[:, SIDE // 2 :].sum()


FINDINGS = (
    "pleural effusion", "consolidation", "lung opacity", "pneumonia", "atelectasis", "edema", "cardiomegaly",
    "pneumothorax",
)  # fmt: skip


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_changes_its_side_alone_and_the_same_for_a_seed(apart, film, finding):
    for side in (None,) if finding in ("edema", "cardiomegaly") else ("right", "left"):
        request = apart.Request(finding, side, "lower", 2)
        (after, mask), again = (apart.draw(film, request, np.random.default_rng(3)) for _ in range(2))
        other, _ = apart.draw(film, request, np.random.default_rng(4))
        assert np.array_equal(after, again[0]) and not np.array_equal(after, other)
        change = after.astype(int) - np.rint(film.grey * 255).astype(int)
        assert not change[mask == 0].any() and 0.01 < (mask > 0).mean() < 0.5
        right, left = halves(np.abs(change))
        if side:
            assert (left if side == "right" else right) < 0.02 * (left + right)
        else:
            assert min(left, right) > 0.1 * (left + right)
        if finding == "pneumothorax":
            assert change.min() < -20
        else:
            assert change.sum() > 0 and change.max() > 20


@pytest.mark.parametrize("finding", ["consolidation", "lung opacity", "pneumonia"])
def test_a_patch_lies_in_its_zone(apart, film, finding):
    rows = []
    for zone in ("upper", "middle", "lower"):
        after, _ = apart.draw(film, apart.Request(finding, "left", zone, 1), np.random.default_rng(1))
        change = np.abs(after / 255 - film.grey)
        rows.append(np.average(np.arange(SIDE), weights=change.sum(1)))
    assert np.diff(rows).min() > 0.15 * film.height


def test_a_higher_level_changes_more(apart, film):
    for finding in FINDINGS:
        sums = []
        for level in (0, 2):
            request = apart.Request(finding, "right", "lower", level)
            drawn = (apart.draw(film, request, np.random.default_rng(seed))[0] for seed in range(3))
            sums.append(sum(np.abs(after / 255 - film.grey).sum() for after in drawn))
        assert sums[1] > 1.5 * sums[0], finding


def test_pairs_are_written_in_the_layout(apart, films, tmp_path, monkeypatch):
    table, out = films.parent / "films.csv", tmp_path / "out"
    table.write_text("file,findings\na.png,No Finding\nb.png,Effusion\nc.png,No Finding\n")
    monkeypatch.setattr(sys, "argv", ["apart", "--films", str(films), "--labels", str(table), "--count", "8",
                                      "--seed", "1", "-o", str(out)])  # fmt: skip
    apart.main()
    rows = read_rows(out, "val")
    clauses = [Instruction.parse(row.instruction).clauses for row in rows]
    assert [one.finding for (one,) in clauses] == list(FINDINGS)
    assert [one.operation for (one,) in clauses] == ["add", "add", "remove", "add", "add", "remove", "add", "add"]
    with (out / "lesions.csv").open() as file:
        records = list(csv.DictReader(file))
    for row, record, (clause,) in zip(rows, records, clauses, strict=True):
        assert str(Instruction((clause,))) == row.instruction
        assert (record["finding"], record["side"] or None, record["level"]) == (
            clause.finding, clause.side, clause.level,
        )  # fmt: skip
        past, current = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (row.past, row.current))
        source = cv2.imread(str(films / record["film"]), cv2.IMREAD_UNCHANGED)
        assert record["film"] in ("a.png", "c.png")
        assert np.array_equal(current if clause.operation == "remove" else past, source)
        mask = cv2.imread(str(out / "masks" / row.past.name), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(mask > 0, past != current)


def test_tables_that_cannot_be_used_are_refused(apart, tmp_path):
    table = tmp_path / "films.csv"
    with pytest.raises(InputNotFoundError, match="There is no table"):
        apart.healthy_films(tmp_path, table)
    table.write_text("file\na.png\n")
    with pytest.raises(InputError, match="lacks findings"):
        apart.healthy_films(tmp_path, table)
    table.write_text("file,findings\na.png,Effusion\n")
    with pytest.raises(InputError, match="names none"):
        apart.healthy_films(tmp_path, table)
    with pytest.raises(InputNotFoundError, match=r"a\.png"):
        apart.read_film(tmp_path / "a.png")


def test_films_without_lungs_are_refused(apart, tmp_path):
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((64, 64), 90, np.uint8))
    with pytest.raises(InputError, match="give more films"):
        list(apart.draw_pairs([tmp_path / "flat.png"], 1, 0))
