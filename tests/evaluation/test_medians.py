"""Medians: the middle value of an odd count, the mean of the two middle ones of an even count, everywhere."""

import ast
import json
import statistics
from pathlib import Path

import pytest

import x2x_core.evaluation
from x2x_core.common.storage import read_text
from x2x_core.evaluation.benchmark.pair_score import PairScore
from x2x_core.evaluation.benchmark.simulated import SimulatedScores

ROOT = Path(__file__).parents[2]
SOURCES = sorted(Path(x2x_core.evaluation.__file__).parent.rglob("*.py"))


def pair_score(ratio):
    return PairScore("", "add", "edema", True, True, True, 1.0, ratio, 0.1, 0.0, None, None, None, None)


@pytest.mark.parametrize(("ratios", "median"), [((0.5, 0.1, 0.9), 0.5), ((0.1, 0.3, 0.5, 0.9), 0.4), ((0.2,), 0.2)])
def test_the_error_ratio_of_simulated_pairs_is_the_true_median(ratios, median):
    shares = SimulatedScores(tuple(map(pair_score, ratios))).shares()
    assert shares["median_error_ratio"] == pytest.approx(median)


def is_upper_or_lower_median(node):
    """`values[len(values) // 2]`, `torch.median` or a call of a tensor's own `median`, which take one of the two."""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.BinOp)
        and isinstance(node.slice.op, ast.FloorDiv)
    ):
        return ast.unparse(node.slice.right) == "2"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = ast.unparse(node.func)
        return name.endswith("median") and name.split(".")[0] not in ("statistics", "np", "numpy")
    return False


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("ranked[len(ranked) // 2]", True),
        ("values.median()", True),
        ("torch.nanmedian(values)", True),
        ("statistics.median(values)", False),
        ("np.median(values)", False),
        ("ranked[middle : middle + 3]", False),
    ],
)
def test_the_search_knows_a_wrong_median(source, wrong):
    assert any(map(is_upper_or_lower_median, ast.walk(ast.parse(source)))) is wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_takes_an_upper_or_lower_median(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if is_upper_or_lower_median(node)]


def test_the_recorded_medians_are_those_of_the_recorded_pairs():
    record = json.loads(read_text(ROOT / "models" / "demo" / "evaluation.json.gz"))
    groups = {("overall", ""): (record["overall"], record["pairs"])}
    for kind in ("finding", "operation"):
        for name, values in record[f"by_{kind}"].items():
            groups[kind, name] = (values, [pair for pair in record["pairs"] if pair[kind] == name])
    for values, pairs in groups.values():
        assert values["median_error_ratio"] == statistics.median(pair["error_ratio"] for pair in pairs)
    card = (ROOT / "models" / "demo" / "README.md").read_text(encoding="utf-8")
    for (_, name), (values, _) in groups.items():
        (line,) = [
            line for line in card.splitlines() if line.startswith(f"| {name or 'all pairs'} | {values['count']} |")
        ]
        assert line.split("|")[6].strip() == f"{values['median_error_ratio']:.2f}"
