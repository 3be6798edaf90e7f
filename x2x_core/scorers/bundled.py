"""Bundled scorers: small networks that read findings and attributes of simulated radiographs.

They were trained on simulated radiographs alone and say nothing about real ones; every report that uses them states it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from x2x_core.anatomy.view_unet import channels_of
from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.geometry import fit_to

from .network import AttributeNetwork, FindingNetwork
from .scorer import KINDS, PROBABILITY, check_images

BUNDLED = "bundled"  # the bundled scorers' name on the command line
FINDINGS_FILE, ATTRIBUTES_FILE = "findings.safetensors", "attributes.safetensors"
#: Labels of the attribute scorer: the numbers drawn by the simulator that a picture shows.
ATTRIBUTES = (
    "field_mm", "shift_x", "shift_z", "yaw", "pitch", "roll", "scale_x", "scale_y", "scale_z",
    "level", "contrast", "toe", "scatter",
)  # fmt: skip
SIMULATED_NOTICE = (
    "Scored by networks trained on simulated radiographs alone: these figures say nothing about real radiographs."
)
_FORMAT = "x2x_scorer"


class BundledScorer:
    """A network of this project as an `ImageScorer` with features; it runs on the CPU.

    Args:
        network: with its weights.
        name: name in reports.
        labels: of the outputs.
        kind: "probability" or "value".
        size: side of the view in pixels.
        mean: of each value, whose outputs are standardised; ``None`` for probabilities.
        spread: standard deviation of each value; ``None`` for probabilities.
        turn: logit of each finding that becomes probability 0.5, the decision threshold; ``None`` for values.
    """

    def __init__(
        self,
        network: AttributeNetwork | FindingNetwork,
        name: str,
        labels: Sequence[str],
        kind: str,
        size: int,
        mean: Sequence[float] | None = None,
        spread: Sequence[float] | None = None,
        turn: Sequence[float] | None = None,
    ) -> None:
        self.network = network.float().eval().requires_grad_(False)
        self.name, self.labels, self.kind, self.size = name, tuple(labels), kind, size
        self._mean, self._spread, self._turn = (
            torch.tensor(default if values is None else values)
            for values, default in ((mean, 0.0), (spread, 1.0), (turn, 0.0))
        )

    @classmethod
    def load(cls, path: str | Path, name: str) -> BundledScorer:
        """Load a scorer (`.safetensors`) written by `x2x train --config scorers`.

        Raises:
            InputNotFoundError: the file does not exist.
            InputError: the file is not a scorer of this project.
        """
        path = Path(path)
        if not path.is_file():
            raise InputNotFoundError(f"There are no weights of a scorer at `{path}`.")
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {})[_FORMAT])
                weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118  not a dict
            network_class = FindingNetwork if about["kind"] == PROBABILITY else AttributeNetwork
            network = network_class(len(about["labels"]), channels_of(weights, "encoder."))
            network.load_state_dict(weights)
        except (SafetensorError, KeyError, RuntimeError, json.JSONDecodeError) as error:
            raise InputError(f"`{path}` is not a scorer of this project: {error}.") from error
        return cls(network, name, **about)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores `(B, len(labels))` of images `(B, 1, H, W)` in [0, 1], of any size."""
        return self.with_gradients(images.detach())

    def with_gradients(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores with their derivatives by the images."""
        outputs = self.network(self._views(images))
        return (outputs - self._turn).sigmoid() if self.kind == PROBABILITY else outputs * self._spread + self._mean

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the input of the last layer, `(B, D)`, for images `(B, 1, H, W)` in [0, 1]."""
        return self.network.features(self._views(images.detach()))

    def _views(self, images: torch.Tensor) -> torch.Tensor:
        return fit_to(check_images(images).to("cpu", torch.float32), self.size)[0]

    def __repr__(self) -> str:
        return f"BundledScorer({self.name!r}, {len(self.labels)} labels, {self.kind})"


def scorer_metadata(labels: Sequence[str], kind: str, size: int, **scale: list[float]) -> dict[str, str]:
    """Return the safetensors metadata of a scorer's file.

    Args:
        labels: of the outputs.
        kind: "probability" or "value".
        size: side of the view in pixels.
        scale: `mean` and `spread`, or `turn`, see `BundledScorer`.

    Raises:
        InputError: an unknown kind.
    """
    if kind not in KINDS:
        raise InputError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}.")
    return {_FORMAT: json.dumps({"labels": list(labels), "kind": kind, "size": size, **scale})}


@lru_cache(maxsize=1)
def finding_scorer() -> BundledScorer:
    """Return the bundled finding scorer: probabilities of the eight findings that the simulator draws."""
    return BundledScorer.load(bundled_path("scorers") / FINDINGS_FILE, "bundled findings (simulated radiographs)")


@lru_cache(maxsize=1)
def attribute_scorer() -> BundledScorer:
    """Return the bundled attribute scorer: pose, body shape and exposure, each in its own unit."""
    return BundledScorer.load(bundled_path("scorers") / ATTRIBUTES_FILE, "bundled attributes (simulated radiographs)")
