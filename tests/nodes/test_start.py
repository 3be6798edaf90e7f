"""ComfyUI's start with the pack: no heavy imports."""

import json
import os
import subprocess
import sys

from comfy_pack import ROOT, comfyui_path

HEAVY = {"cv2", "diffusers", "transformers", "einops", "accelerate", "scipy", "matplotlib", "pydicom"}
START = """
import json, sys
sys.path.insert(0, {tests!r})
import comfy_pack
sys.path.append(str(comfy_pack.comfyui_path()))
sys.argv = ["main.py", "--cpu"]
import comfy.options
comfy.options.enable_args_parsing()
import comfy.sd, folder_paths, comfy_api.latest
known = set(sys.modules)
comfy_pack.load_pack()
print(json.dumps(sorted({{name.split(".")[0] for name in set(sys.modules) - known}})))
"""


def test_the_pack_starts_without_an_installed_library_or_heavy_imports(tmp_path):
    environment = {**os.environ, "COMFYUI_PATH": str(comfyui_path()), "PYTHONPATH": ""}
    code = START.format(tests=str(ROOT / "tests" / "nodes"))
    run = [sys.executable, "-P", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "x2x_core" in loaded and not HEAVY & loaded
