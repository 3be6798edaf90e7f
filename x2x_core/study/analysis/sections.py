"""Sections of an analysis: tables for people, and a record of the same figures for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from x2x_core.evaluation.results import Metric
from x2x_core.study.statistics.equivalence import Equivalence
from x2x_core.study.statistics.obuchowski_rockette import Estimate

NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """A table: headings and rows of texts."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A section of an analysis.

    Args:
        name: in the record.
        title: as it is shown.
        tables: of it.
        record: the same figures.
        notes: sentences for readers.
    """

    name: str
    title: str
    tables: tuple[Table, ...]
    record: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def share_text(metric: Metric | None) -> str:
    """Return a share as "12/40, 30 % (18 to 45)"."""
    if metric is None or metric.value is None:
        return NOTHING
    hits = round(metric.value * metric.n)
    return f"{hits}/{metric.n}, {_percent(metric.value)} % ({_percent(metric.low)} to {_percent(metric.high)})"


def number_text(metric: Metric | None) -> str:
    """Return a number with its interval."""
    if metric is None or metric.value is None:
        return NOTHING
    return f"{metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def estimate_text(estimate: Estimate | None) -> str:
    """Return an estimate with its interval."""
    if estimate is None:
        return NOTHING
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def equivalence_text(found: Equivalence) -> str:
    """Return the result of two one-sided tests as a sentence."""
    verdict = "shown" if found.equivalent else "not shown"
    inner = f"90 % interval {found.low:.3f} to {found.high:.3f}, {p_text(found.p)}"
    return f"equivalence to chance ± {found.margin:g}: {verdict} ({inner})"


def p_text(p: float | None) -> str:
    """Return a p-value."""
    if p is None:
        return NOTHING
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: records as mappings, infinity as a text."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {" - ".join(key) if isinstance(key, tuple) else str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.0f}"
