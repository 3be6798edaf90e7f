"""Pairs and provenance that the commands of `x2x evaluate` share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from x2x_core.common.errors import InputError

from . import evaluate_options as options
from .loading import load_pipeline, model_folder
from .options import Device, Model

if TYPE_CHECKING:
    from x2x_core import InstructX2XPipeline
    from x2x_core.evaluation.benchmark.pairs import TruePair

PAIRS = 200  # default number of simulated pairs


@dataclass(frozen=True)
class PairSource:
    """Options that name pairs: simulated from a CT, or read from a folder of simulated pairs."""

    ct: options.OptionalCt = None
    data: options.Data = None
    split: options.DataSplit = None
    count: options.PairCount = PAIRS
    seed: options.OptionalSeed = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"`--count` must be at least 1, got {self.count}.")
        if self.data is not None and self.ct is not None:
            raise InputError("`--ct` and `--data` cannot be combined: give one source of pairs.")
        if self.data is None and self.split is not None:
            raise InputError("`--split` requires `--data`: pairs simulated from a CT have no splits.")

    def open(self) -> OpenPairs:
        """Start reading or simulating.

        Raises:
            InputError: `data` is not a folder of pairs, or lacks the split.
        """
        from x2x_core.evaluation.benchmark.plan import EVALUATION_SEED, SIZE, read_pairs, simulate_pairs
        from x2x_core.pairs.layout import read_rows

        seed = EVALUATION_SEED if self.seed is None else self.seed
        if self.data is None:
            ct = self.ct or "phantom"
            return OpenPairs(simulate_pairs(ct, self.count, seed=seed), self.count, seed, {"ct": ct, "size": SIZE})
        split = self.split or "val"
        count = min(self.count, len(read_rows(self.data, split)))
        settings = {"data": str(self.data), "split": split, "size": SIZE}
        return OpenPairs(read_pairs(self.data, count, split=split), count, seed, settings)


@dataclass(frozen=True)
class EvaluatedModel:
    """Options that name the model that is evaluated."""

    model: Model = "demo"
    device: Device = None

    def load(self) -> InstructX2XPipeline:
        """Load the pipeline in float32."""
        return load_pipeline(self.model, None, self.device, "float32")

    def record(self) -> dict[str, Any]:
        """Return the entries of a record that name the model."""
        return model_record(self.model)


@dataclass(frozen=True)
class OpenPairs:
    """Pairs, their number, the seed of their edits, and a description for the record."""

    pairs: Iterator[TruePair]
    count: int
    seed: int
    settings: dict[str, Any]


def model_record(model: str) -> dict[str, Any]:
    """Return a model's name, the hash of its weights if they are local, and the versions of the libraries."""
    from x2x_core.imaging.provenance import sha256_weights, versions

    folder = model_folder(model)
    return {
        "model": model,
        "weights_sha256": sha256_weights(folder) if folder else None,
        "versions": versions(),
    }
