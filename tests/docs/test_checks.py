"""Each measure of other people's benchmarks, the axioms and the audits has a second source, which the page names."""

import re
from pathlib import Path

import pytest

from x2x_core.evaluation.attribution import summary as attribution
from x2x_core.evaluation.benches import axioms, measures

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
SETS = (
    "fid",
    "kid",
    "precision",
    "recall",
    "density",
    "coverage",
    "frd",
    "image_text",
    "patient_kept",
    "effectiveness",
)


def checked():
    """Return the measures that the table of checks names, in backticks."""
    table = PAGE.read_text(encoding="utf-8").split("## Checks")[1]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    "key",
    dict.fromkeys(
        (
            *SETS,
            *(measure.key for measure in axioms.MEASURES),
            *(measure.key for measure in measures.MEASURES),
            *(measure.key for measure in attribution.ATTRIBUTION_MEASURES),
        )
    ),
)
def test_a_measure_has_a_second_source(key):
    assert key in checked()
