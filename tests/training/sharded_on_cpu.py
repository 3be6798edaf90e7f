"""`x2x` with FSDP on CPU processes over gloo, which accelerate itself offers for GPUs alone; run by torchrun.

torchrun --nproc_per_node 2 tests/training/sharded_on_cpu.py train --config ...
"""

import os
import sys

from accelerate.state import DistributedType, PartialState

os.environ.pop("ACCELERATE_USE_CPU", None)  # with it, accelerate would look no further
os.environ |= {
    "ACCELERATE_TORCH_DEVICE": "cpu",
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "BasicTransformerBlock,ResnetBlock2D,CLIPEncoderLayer",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "false",
}
PartialState._prepare_backend = lambda self, cpu=False, sagemaker=False, backend=None: (
    "gloo",
    DistributedType.MULTI_GPU,
)

from x2x_core.cli import main  # noqa: E402

main(sys.argv[1:])
