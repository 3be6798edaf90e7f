"""Description of a measure: its title, which direction is better, and how its values are written."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

HIGHER, LOWER, NEITHER = "higher", "lower", "neither"  # which values are better


@dataclass(frozen=True)
class Measure:
    """A measure as tables, figures and records show it."""

    key: str
    title: str
    group: str  # heading that a report shows it under
    better: str  # HIGHER or LOWER; anything else: neither
    meaning: str
    percent: bool = False  # shown as a percentage
    digits: int = 3  # after the decimal point
    statistic: str = "mean"  # over pairs: "mean" or "median"

    @property
    def scale(self) -> int:
        """Factor from a value to the number that is shown."""
        return 100 if self.percent else 1

    @property
    def heading(self) -> str:
        """Title with its unit."""
        return f"{self.title} (%)" if self.percent else self.title

    @property
    def arrow(self) -> str:
        """Arrow towards better values; empty if no direction is better."""
        return {HIGHER: "↑", LOWER: "↓"}.get(self.better, "")

    def described(self, *left_out: str) -> dict[str, Any]:
        """Return the fields but the key and some others, for records that list measures by their keys."""
        return {name: value for name, value in asdict(self).items() if name not in ("key", *left_out)}

    def text(self, value: float | None) -> str:
        """Return a value as it is shown under the heading."""
        return "-" if value is None else f"{self.scale * value:.{self.digits}f}"
