"""The running average of the weights, on one process or with every process holding a shard of each weight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch.distributed.tensor import DTensor, distribute_tensor


class WeightAverage(EMAModel):
    """diffusers' running average, which also knows weights that FSDP has sharded.

    Its state holds whole weights, so that a checkpoint can be read by any number of processes.
    """

    @contextmanager
    def in_place_of(self, parameters: Iterable[torch.nn.Parameter]) -> Iterator[None]:
        """Put the averages into the parameters for a while; on every process alike."""
        own = [_here(parameter) for parameter in parameters]
        kept = [value.detach().to("cpu", copy=True) for value in own]
        _copy(self.shadow_params, own)
        try:
            yield
        finally:
            _copy(kept, own)

    def state_dict(self) -> dict[str, Any]:
        """The state, with whole weights; a collective call where they are sharded."""
        state = super().state_dict()
        return state | {"shadow_params": [_whole(value) for value in state["shadow_params"]]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state, each process its share."""
        state_dict["shadow_params"] = [
            _share(value, own) for value, own in zip(state_dict["shadow_params"], self.shadow_params, strict=True)
        ]
        super().load_state_dict(state_dict)


def _here(value: torch.Tensor) -> torch.Tensor:
    """What this process holds of a weight; shares its memory."""
    return value.to_local() if isinstance(value, DTensor) else value


def _whole(value: torch.Tensor) -> torch.Tensor:
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def _share(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if not isinstance(like, DTensor):
        return value.to(like.device)
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


@torch.no_grad()
def _copy(sources: Iterable[torch.Tensor], targets: Iterable[torch.Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.detach().copy_(_here(source))
