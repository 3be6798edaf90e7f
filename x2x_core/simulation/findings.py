"""Findings that the simulator can draw: where each may lie, and its levels with their severities."""

from __future__ import annotations

#: Canonical names. The order decides what a seed draws.
SIMULATED_FINDINGS = (
    "pleural effusion", "consolidation", "lung opacity", "pneumonia", "atelectasis", "edema", "cardiomegaly",
    "pneumothorax",
)  # fmt: skip

#: Findings that one look at a radiograph cannot tell apart.
ALIKE = (frozenset({"consolidation", "pneumonia", "lung opacity"}),)
#: Findings drawn in one zone of a lung.
ZONAL = frozenset({"consolidation", "lung opacity", "pneumonia", "atelectasis"})
#: Findings drawn on one side.
SIDED = ZONAL | {"pleural effusion", "pneumothorax"}
#: Zones of a lung, each as a range of heights from the apex (0) to the zone floor (1), see `lesion_shapes.zone_floor`.
ZONES = {"upper": (0.0, 0.36), "middle": (0.32, 0.68), "lower": (0.64, 1.0)}

#: Severity in (0, 1] of each level that is drawn.
SEVERITY = {"minimal": 0.10, "small": 0.28, "mild": 0.28, "moderate": 0.56, "large": 0.90, "severe": 0.90}

_SIZES = ("minimal", "small", "moderate", "large")
_GRADES = ("minimal", "mild", "moderate", "severe")
#: Collections of fluid or air.
MEASURED_BY_SIZE = frozenset({"pleural effusion", "pneumothorax"})
_NEVER_MINIMAL = frozenset({"cardiomegaly", "edema", "atelectasis", "lung opacity"})  # it would not be visible


def levels_of(finding: str) -> tuple[str, ...]:
    """Return the levels at which a finding is drawn, weakest first."""
    levels = _SIZES if finding in MEASURED_BY_SIZE else _GRADES
    return levels[1:] if finding in _NEVER_MINIMAL else levels
