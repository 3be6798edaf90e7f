"""Settings of the benchmarks: what decides their numbers, and where their pairs come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.simulation.dataset import simulate_dataset
from x2x_core.simulation.plan import TRIPLE
from x2x_core.simulation.settings import BENCHMARK, PAIRS_PER_BODY, SimulationSettings

from .about import NOTICE
from .measures import MEASURES
from .plan import EVALUATION_SEED, PAIRS, SIZE
from .rows import Row
from .scores import NOT_READ
from .standard_rows import benchmark_rows

_BITS = 16  # of the pairs


@dataclass(frozen=True)
class BenchmarkText:
    """Words of a benchmark in its record."""

    kind: str
    title: str
    notice: str
    body: str  # name of what `PAIRS_PER_BODY` pairs are made from
    drawn: str  # what the intervals resample
    triple: int | str = TRIPLE  # levels of a triple
    shown: tuple[str, ...] = ()  # keys of the measures in summary and groups; empty: the report's choice
    compared: tuple[str, ...] = ()  # rows that are compared by finding; empty: the report's choice


@dataclass(frozen=True)
class PairSettings(ABC):
    """Settings that decide the numbers of a benchmark, whatever its pairs are made from."""

    text: ClassVar[BenchmarkText]
    fewest_peers: ClassVar[int] = PAIRS_PER_BODY  # pairs that the peers must have
    measures: ClassVar[tuple[Measure, ...]] = MEASURES
    unread: ClassVar[str] = NOT_READ
    wilson: ClassVar[bool] = False  # shares have Wilson's intervals instead of the bootstrap's

    model: str = "demo"
    count: int = 500  # pairs
    peers_count: int | None = None  # pairs for the peers; None: all
    seed: int = EVALUATION_SEED
    size: int = SIZE
    published_masks: str | None = None  # folder of published masks
    call: dict[str, Any] = field(default_factory=dict)  # arguments of the pipeline's call

    def __post_init__(self) -> None:
        limits = (("count", self.count, PAIRS_PER_BODY), ("peers_count", self.peers_count, self.fewest_peers))
        for name, value, fewest in limits:
            if value is not None and (value < fewest or value % PAIRS_PER_BODY):
                raise InputError(
                    f"`{name}` must be a multiple of {PAIRS_PER_BODY}, the pairs of one {self.text.body}, got {value}."
                )
        if self.peers_count is not None and self.peers_count > self.count:
            raise InputError(f"`peers_count` must be at most `count`, {self.count}, got {self.peers_count}.")

    @property
    def bodies(self) -> int:
        """Number of bodies."""
        return self.count // PAIRS_PER_BODY

    @property
    def simulation(self) -> SimulationSettings:
        """Settings of the planned pairs."""
        return SimulationSettings(self.count, self.seed, self.size, version=BENCHMARK, bits=_BITS)

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

    @abstractmethod
    def make_pairs(self, out: Path, workers: int | None, progress: Callable[..., None]) -> None:
        """Write the planned pairs to `out / "pairs"`, or continue.

        Args:
            out: the run's folder.
            workers: number of processes; ``None`` uses one per core.
            progress: called with the pairs done and in all.

        Raises:
            InputError: the pairs cannot be made.
        """


@dataclass(frozen=True)
class BenchmarkSettings(PairSettings):
    """Settings of the benchmark on pairs simulated from a CT."""

    text: ClassVar[BenchmarkText] = BenchmarkText(
        kind="simulated benchmark",
        title="Simulated benchmark",
        notice=NOTICE,
        body="simulated body",
        drawn=f"simulated bodies ({PAIRS_PER_BODY} pairs each)",
    )

    ct: str = "phantom"

    def make_pairs(self, out: Path, workers: int | None, progress: Callable[..., None]) -> None:
        """Simulate the pairs, see `PairSettings.make_pairs`."""
        simulate_dataset(self.ct, out / PAIRS, self.simulation, workers=workers, progress=progress)
