"""ComfyUI loads the single files that are written here; run where COMFYUI_PATH names a checkout.

COMFYUI_PYTHON is the Python that has ComfyUI's requirements; without it, the one that runs the tests.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from x2x_core.conversion.checkpoint import CONFIGS, Checkpoint, expected_shapes
from x2x_core.conversion.single_file import write_single_file
from x2x_core.conversion.standard_configs import stable_diffusion_files

COMFYUI = os.environ.get("COMFYUI_PATH")


@pytest.mark.skipif(not COMFYUI, reason="not run: ComfyUI reading a single file needs COMFYUI_PATH, a ComfyUI checkout")
def test_comfyui_reads_the_single_file(tmp_path):
    """A U-Net of Stable Diffusion's widths with two levels (so that it is found out as one), all else at full size."""
    files = stable_diffusion_files(8, torch.float16)
    small = {
        "block_out_channels": [320, 320],
        "layers_per_block": 1,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    }
    small |= {"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "mid_block_type": "UNetMidBlock2DCrossAttn"}
    files[CONFIGS["unet"]] = json.dumps(json.loads(files[CONFIGS["unet"]]) | small)
    generator = torch.Generator().manual_seed(0)
    weights = {
        part: {name: (0.02 * torch.randn(shape, generator=generator)).half() for name, shape in shapes.items()}
        for part, shapes in expected_shapes(files).items()
    }
    file = tmp_path / "model.safetensors"
    write_single_file(Checkpoint(weights, files), file)
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    script = Path(__file__).with_name("comfy_check.py")
    done = subprocess.run([python, script, COMFYUI, file], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["class"] == "SD15_instructpix2pix" and told["faults"] == []
    assert told["counts"] == {part: len(values) for part, values in weights.items()}
