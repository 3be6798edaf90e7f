"""Load a single file as `CheckpointLoaderSimple` does and compare every weight; run by ComfyUI's Python.

    python comfy_check.py COMFYUI_FOLDER FILE

Prints one line of JSON: the model's class and the number of equal weights of each part.
"""

import json
import logging
import sys

comfyui, file = sys.argv[1:]
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, comfyui)

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import comfy.sd  # noqa: E402
from safetensors.torch import load_file  # noqa: E402


class Messages(logging.Handler):
    """Keeps ComfyUI's messages on missing and left-over weights."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def count_same(model, weights, prefix, rename=lambda name: name):
    """Return the number of the file's weights under a prefix; an error if the model's differ in any bit."""
    loaded = model.state_dict()
    own = {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}
    for name, value in own.items():
        value_loaded = loaded[rename(name)]
        if not bool((value_loaded.to(value.dtype) == value).all()):
            raise SystemExit(f"{prefix}{name} differs from the file")
    return len(own)


messages = Messages()
logging.getLogger().addHandler(messages)
logging.getLogger().setLevel(logging.INFO)
model, clip, vae, _ = comfy.sd.load_checkpoint_guess_config(file, output_vae=True, output_clip=True)
weights = load_file(file)
counts = {
    "unet": count_same(model.model.diffusion_model, weights, "model.diffusion_model."),
    "vae": count_same(vae.first_stage_model, weights, "first_stage_model."),
    "text_encoder": count_same(
        clip.cond_stage_model.clip_l.transformer, weights, "cond_stage_model.transformer."
    ),
}  # fmt: skip
faults = [
    line for line in messages.lines if any(word in line.lower() for word in ("missing", "left over", "unexpected"))
]
sys.stdout.write(json.dumps({"class": type(model.model).__name__, "counts": counts, "faults": faults}) + "\n")
