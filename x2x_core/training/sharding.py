"""Weights sharded over the processes by PyTorch's FSDP."""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy

from x2x_core.common.errors import InputError


def is_sharded(accelerator: Accelerator) -> bool:
    """Return True if every process holds only a shard of each weight."""
    return _plugin(accelerator) is not None


def prepare_sharding(accelerator: Accelerator) -> None:
    """Set the precision of FSDP: gradients are summed in float32, and inputs are not cast.

    Latents and noise enter the module in float32 and are mixed there; cast to bfloat16 before, small noise levels would
    be lost.

    Raises:
        InputError: FSDP 1 is configured, whose flattened weights the EMA cannot follow.
    """
    plugin = _plugin(accelerator)
    if plugin is None:
        return
    if plugin.fsdp_version != 2:
        raise InputError(f"`fsdp_version` must be 2 in accelerate's configuration file, got {plugin.fsdp_version}.")
    dtypes = {"fp16": torch.float16, "bf16": torch.bfloat16}
    plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=dtypes.get(accelerator.mixed_precision), reduce_dtype=torch.float32, cast_forward_inputs=False
    )


def reshard(module: nn.Module) -> None:
    """Release whole weights that a forward pass has gathered, so that the next pass gathers them again.

    A pass without gradients leaves some weights whole; it would then not see what has been written to the shards.
    """
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.reshard()


def _plugin(accelerator: Accelerator) -> Any:
    return getattr(accelerator.state, "fsdp_plugin", None)  # exists only in a sharded run
