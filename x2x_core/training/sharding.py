"""Weights shared out over the processes by PyTorch's FSDP."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from torch import nn

from x2x_core.common.errors import InputError


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether every process holds only a share of each weight."""
    return _plugin(accelerator) is not None


def prepare_sharding(accelerator: Accelerator) -> None:
    """Settle what FSDP does with numbers: gradients are summed in float32, and inputs stay as they are.

    Latents and noise enter the module in float32 and are mixed there; cast to bfloat16 beforehand, small noise levels
    would be lost.

    Raises:
        InputError: the first version of FSDP, whose flattened weights the running average can't follow.
    """
    plugin = _plugin(accelerator)
    if plugin is None:
        return
    if plugin.fsdp_version != 2:
        raise InputError(
            f"FSDP must be of version 2 (`fsdp_version: 2` in accelerate's file), got {plugin.fsdp_version}."
        )
    from torch.distributed.fsdp import MixedPrecisionPolicy

    dtypes = {"fp16": torch.float16, "bf16": torch.bfloat16}
    plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=dtypes.get(accelerator.mixed_precision), reduce_dtype=torch.float32, cast_forward_inputs=False
    )


def reshard(module: nn.Module) -> None:
    """Let go of whole weights that were gathered for a forward pass, so that the next one gathers them anew.

    A pass without gradients leaves some of them whole; what is written to the shares would be passed over.
    """
    from torch.distributed.fsdp import FSDPModule

    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.reshard()


def _plugin(accelerator: Accelerator):
    return getattr(accelerator.state, "fsdp_plugin", None)  # only there in a sharded run
