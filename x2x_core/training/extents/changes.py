"""Lessons of a pair for the extent finder: the change of the one finding that only one of its images shows."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from x2x_core.pseudomasks.extent_network import OUTPUTS, PLEURA
from x2x_core.simulation.attributes import PairAttributes
from x2x_core.simulation.films.extents import DARKER_FINDINGS
from x2x_core.simulation.findings import ALIKE


@dataclass(frozen=True)
class OneFinding:
    """The finding that one image of a pair shows and the other does not."""

    finding: str
    after: bool  # the later image shows it
    unknown: frozenset[str]  # findings that are there too, but not where

    @property
    def known(self) -> torch.Tensor:
        """1 for each of `OUTPUTS` whose extent in both images is known, `(F,)`."""
        unknown = self.unknown | ({PLEURA} if self.unknown & DARKER_FINDINGS else frozenset())
        return torch.tensor([float(name not in unknown) for name in OUTPUTS])


def one_finding(truth: PairAttributes) -> OneFinding | None:
    """Return the only finding by which the images of a pair differ; ``None`` if it is a level, or there are several."""
    different = truth.before ^ truth.after
    if truth.changes != 1 or len(different) != 1:
        return None
    finding = next(iter(different))
    shown = truth.shown.union(*(group for group in ALIKE if group & truth.shown))
    return OneFinding(finding, finding in truth.after, (truth.before & truth.after | shown) - {finding})


def shown_changes(without: torch.Tensor, shown: torch.Tensor, finding: str) -> dict[str, torch.Tensor]:
    """Return by how much a finding changes each pixel, by output of the network, `(h, w)` each, at least 0.

    Args:
        without: a view `(h, w)` in [0, 1] without the finding.
        shown: the same view with it.
        finding: its name.
    """
    change = shown - without
    if finding not in DARKER_FINDINGS:
        return {finding: change.clamp_min(0)}
    return {finding: (-change).clamp_min(0), PLEURA: change.clamp_min(0)}
