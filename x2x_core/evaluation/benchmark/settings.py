"""Settings of the simulated benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.simulation.settings import PAIRS_PER_BODY

from .plan import EVALUATION_SEED, SIZE
from .rows import Row
from .standard_rows import benchmark_rows


@dataclass(frozen=True)
class BenchmarkSettings:
    """Settings that decide the numbers of a benchmark."""

    model: str = "demo"
    ct: str = "phantom"
    count: int = 500  # pairs
    peers_count: int | None = None  # pairs for the peers; None: all
    seed: int = EVALUATION_SEED
    size: int = SIZE
    published_masks: str | None = None  # folder of published masks
    call: dict[str, Any] = field(default_factory=dict)  # arguments of the pipeline's call

    def __post_init__(self) -> None:
        for name, value in (("count", self.count), ("peers_count", self.peers_count)):
            if value is not None and (value < PAIRS_PER_BODY or value % PAIRS_PER_BODY):
                raise InputError(
                    f"`{name}` must be a multiple of {PAIRS_PER_BODY}, the pairs of one simulated body, got {value}."
                )
        if self.peers_count is not None and self.peers_count > self.count:
            raise InputError(f"`peers_count` must be at most `count`, {self.count}, got {self.peers_count}.")

    @property
    def bodies(self) -> int:
        """Number of simulated bodies."""
        return self.count // PAIRS_PER_BODY

    def includes(self, row: Row, body: int) -> bool:
        """Return True if a row is edited for a body: peers for the first ones only, other rows for all."""
        if not row.is_peer or self.peers_count is None:
            return True
        return body < self.peers_count // PAIRS_PER_BODY

    def rows(self, pipeline) -> tuple[Row, ...]:
        """Return the rows that edit, with the published masks of these settings.

        Raises:
            InputError: a setting out of range, or a folder without published masks.
        """
        masks = PseudomaskAtlas.load(self.published_masks) if self.published_masks else None
        return benchmark_rows(pipeline, self.call, published_masks=masks)
