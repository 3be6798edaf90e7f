"""Settings of a simulated dataset with their defaults, which the command line and the evaluation read too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from x2x_core.common.errors import InputError

from .findings import SIMULATED_FINDINGS

#: Pairs simulated of one body (a pose and body shape); a body belongs to one split as a whole.
PAIRS_PER_BODY = 5
#: Version whose pairs are planned for testing (`x2x_core.simulation.plan`) instead of drawn.
BENCHMARK = "benchmark"
#: Wordings "v1" (findings only), "v2" (levels, sides and zones) and "mixed" (mostly v2), and the planned version.
VERSIONS = ("v1", "v2", "mixed", BENCHMARK)

_FORMAT = "x2x-simulated-1"


@dataclass(frozen=True)
class Resting:
    """Findings present in both images of a pair, beside the one that the instruction changes.

    Raises:
        InputError: a finding that is not simulated, no findings, or a share out of range.
    """

    findings: tuple[str, ...] = SIMULATED_FINDINGS  # one of these is drawn
    share: float = 0.3  # of the pairs that have such a finding, in [0, 1]

    def __post_init__(self) -> None:
        unknown = [finding for finding in self.findings if finding not in SIMULATED_FINDINGS]
        if unknown or not self.findings:
            got = f"{unknown[0]!r}" if unknown else "none"
            raise InputError(
                f"`resting` must name findings that are simulated ({', '.join(SIMULATED_FINDINGS)}), got {got}."
            )
        if not 0 <= self.share <= 1:
            raise InputError(f"`resting_share` must lie in [0, 1], got {self.share}.")


ANY_RESTING = Resting()


@dataclass(frozen=True)
class SimulationSettings:
    """Everything beside the CT that determines the bytes of a simulated dataset.

    Raises:
        InputError: a setting out of range.
    """

    count: int = 100  # pairs
    seed: int = 0
    size: int = 256  # width and height in pixels
    version: str = "mixed"  # one of `VERSIONS`
    bits: int = 8  # bits per pixel of the images: 8 or 16
    validation_share: float = 0.03  # share of the bodies in the split "val"; the rest is "train"
    resting: Resting = ANY_RESTING

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"`count` must be at least 1, got {self.count}.")
        if self.size < 32:
            raise InputError(f"`size` must be at least 32 pixels, got {self.size}.")
        if self.version not in VERSIONS:
            raise InputError(f"`version` must be one of {', '.join(VERSIONS)}, got {self.version!r}.")
        if self.bits not in (8, 16):
            raise InputError(f"`bits` must be 8 or 16, got {self.bits}.")
        if not 0 <= self.validation_share < 1:
            raise InputError(f"`validation_share` must lie in [0, 1), got {self.validation_share}.")
        if self.version == BENCHMARK and self.resting != ANY_RESTING:
            raise InputError(
                "`resting` does not apply to the version benchmark, whose pairs are planned. Leave it out."
            )

    @property
    def bodies(self) -> int:
        """Number of bodies needed for `count` pairs."""
        return -(-self.count // PAIRS_PER_BODY)

    def pairs_of(self, body: int) -> int:
        """Return the number of pairs of a body; the last body may have fewer than `PAIRS_PER_BODY`."""
        return min(PAIRS_PER_BODY, self.count - body * PAIRS_PER_BODY)

    def split(self, body: int) -> str:
        """Return the split of a body: every n-th one is "val"; planned pairs are all "test"."""
        if self.version == BENCHMARK:
            return "test"
        every = round(1 / self.validation_share) if self.validation_share else 0
        return "val" if every and body % every == every - 1 else "train"

    def as_record(self, ct: str) -> dict[str, Any]:
        """Return the content of `simulation.json`: these settings and the source of the CT, in JSON's own types."""
        record = {"format": _FORMAT, "synthetic": True, "ct": ct, **asdict(self)}
        return json.loads(json.dumps(record))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> SimulationSettings:
        """Read settings from the content of `simulation.json`; missing entries have their defaults.

        Raises:
            InputError: a setting out of range.
        """
        values = {field.name: record[field.name] for field in fields(cls) if field.name in record}
        resting = values.pop("resting", None)
        if resting:
            values["resting"] = Resting(tuple(resting["findings"]), resting["share"])
        return cls(**values)


#: The defaults.
DEFAULTS = SimulationSettings()
