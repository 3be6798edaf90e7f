"""The scorers that ship: small networks that read findings and attributes off simulated radiographs.

They were trained on simulated radiographs alone and say nothing of real ones: every report that uses them says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from x2x_core.anatomy.lung_network import channels_of
from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.geometry import fit_to

from .network import AttributeNetwork, FindingNetwork
from .scorer import KINDS, PROBABILITY, check_images

FINDINGS_FILE, ATTRIBUTES_FILE = "findings.safetensors", "attributes.safetensors"
#: What the attribute scorer reads: of the numbers that the simulator draws, those that a picture shows.
ATTRIBUTES = (
    "field_mm", "shift_x", "shift_z", "yaw", "pitch", "roll", "scale_x", "scale_y", "scale_z",
    "level", "contrast", "toe", "scatter",
)  # fmt: skip
SIMULATED_NOTICE = (
    "Scored by networks trained on simulated radiographs alone: these figures say nothing about real radiographs."
)
_FORMAT = "x2x_scorer"


class BundledScorer:
    """A network of this project as an `ImageScorer`, with features; on the CPU, each image by itself.

    Args:
        network: with its weights.
        name, labels, kind: see `x2x_core.scorers.scorer.ImageScorer`.
        size: pixels to a side of the view.
        mean, spread: of each value; what the network gives is standardised by them. Left out for probabilities.
        turn: of each finding, the logit that becomes the probability 0.5, as it says "present" from 0.5 on. Left out for
            values.
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
            torch.tensor(plain if one is None else one) for one, plain in ((mean, 0.0), (spread, 1.0), (turn, 0.0))
        )

    @classmethod
    def load(cls, path: str | Path, name: str) -> BundledScorer:
        """Read a scorer (`.safetensors`) that `x2x train --config scorers` wrote.

        Raises:
            InputNotFoundError: there is no such file.
            InputError: it holds no scorer of this kind.
        """
        path = Path(path)
        if not path.is_file():
            raise InputNotFoundError(f"There are no weights of a scorer at `{path}`.")
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {})[_FORMAT])
                weights = {key: file.get_tensor(key).float() for key in file.keys()}
            make = FindingNetwork if about["kind"] == PROBABILITY else AttributeNetwork
            network = make(len(about["labels"]), channels_of(weights, "encoder."))
            network.load_state_dict(weights)
        except (SafetensorError, KeyError, RuntimeError, json.JSONDecodeError) as error:
            raise InputError(f"`{path}` must hold a scorer of this project, but can't be used: {error}.") from error
        return cls(network, name, **about)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1], of any size, to `(B, len(labels))`."""
        given = self.network(self._views(images))
        return (given - self._turn).sigmoid() if self.kind == PROBABILITY else given * self._spread + self._mean

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to `(B, D)`: what the last layer reads its answer from."""
        return self.network.features(self._views(images))

    def _views(self, images: torch.Tensor) -> torch.Tensor:
        return fit_to(check_images(images).detach().to("cpu", torch.float32), self.size)[0]

    def __repr__(self) -> str:
        return f"BundledScorer({self.name!r}, {len(self.labels)} labels, {self.kind})"


def scorer_metadata(labels: Sequence[str], kind: str, size: int, **scale: list[float]) -> dict[str, str]:
    """What a scorer's file says of it, as the metadata of safetensors."""
    if kind not in KINDS:
        raise InputError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}.")
    return {_FORMAT: json.dumps({"labels": list(labels), "kind": kind, "size": size, **scale})}


@lru_cache(maxsize=1)
def finding_scorer() -> BundledScorer:
    """The bundled scorer of findings: probabilities of the eight that the simulator draws."""
    return BundledScorer.load(bundled_path("scorers") / FINDINGS_FILE, "bundled findings (simulated radiographs)")


@lru_cache(maxsize=1)
def attribute_scorer() -> BundledScorer:
    """The bundled scorer of attributes: pose, body shape and exposure, each in its own unit."""
    return BundledScorer.load(bundled_path("scorers") / ATTRIBUTES_FILE, "bundled attributes (simulated radiographs)")
