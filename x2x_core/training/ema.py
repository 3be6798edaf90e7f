"""Exponential moving average (EMA) of the weights, on one process or sharded over several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch.distributed.tensor import DTensor, distribute_tensor


class ShardedEMA(EMAModel):
    """The EMA of diffusers, extended to weights that FSDP has sharded.

    The state holds whole weights, so any number of processes can read a checkpoint.
    """

    @contextmanager
    def applied_to(self, parameters: Iterable[torch.nn.Parameter]) -> Iterator[None]:
        """Replace the parameters by their averages inside the block; to be called on all processes."""
        local = [_local(parameter) for parameter in parameters]
        backup = [value.detach().to("cpu", copy=True) for value in local]
        _copy(self.shadow_params, local)
        try:
            yield
        finally:
            _copy(backup, local)

    def state_dict(self) -> dict[str, Any]:
        """Return the state with whole weights; a collective call if they are sharded."""
        state = super().state_dict()
        return state | {"shadow_params": [_gathered(value) for value in state["shadow_params"]]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state; each process takes its shard."""
        state_dict["shadow_params"] = [
            _sharded_like(value, own)
            for value, own in zip(state_dict["shadow_params"], self.shadow_params, strict=True)
        ]
        super().load_state_dict(state_dict)


def _local(value: torch.Tensor) -> torch.Tensor:
    """Return the part of a weight that this process holds; it shares memory with the weight."""
    return value.to_local() if isinstance(value, DTensor) else value


def _gathered(value: torch.Tensor) -> torch.Tensor:
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def _sharded_like(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if not isinstance(like, DTensor):
        return value.to(like.device)
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


@torch.no_grad()
def _copy(sources: Iterable[torch.Tensor], targets: Iterable[torch.Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.detach().copy_(_local(source))
