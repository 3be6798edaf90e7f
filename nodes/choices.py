"""Menu entries and defaults of the nodes.

Options and defaults that the library has too are the library's own. This module imports no other module of the pack.
"""

from __future__ import annotations

from types import SimpleNamespace

from x2x_core.anatomy.edges import SOFT_EDGE, SOFT_EDGES
from x2x_core.language.clauses import Operation
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES

__all__ = ["COMPOSITIONS", "DEFAULT", "FINDINGS", "LEVELS", "MASK_RULES", "SIDES", "SOFT_EDGE", "SOURCES", "ZONES"]
MASK_RULES = ("adaptive", "threshold")
COMPOSITIONS = ("difference", "decoded")
SOURCES = ("noise", "attention", "both")
DEFAULT = SimpleNamespace(
    num_inference_steps=20,
    guidance_scale=7.5,
    image_guidance_scale=1.5,
    mask_threshold=0.1,
    edit_strength=1.0,
    relevance_noise_level=0.8,
    relevance_samples=4,
    composition="difference",
    relevance_source="noise",
    attention_gating=False,
    align=True,
)

# Files and folders
DEMO = "demo (bundled)"  # checkpoint
SAMPLE = "instructx2x-sample.png"  # copied to ComfyUI's input folder, where its page and mask editor can open it
BUNDLED_SAMPLE = "sample (bundled)"  # the same file inside the pack, for servers with a read-only input folder
BUNDLED_SAMPLES = "samples (bundled)"  # folder of three radiographs
BUNDLED_ATLAS = "atlas (bundled)"
DTYPES = ("auto", "float32", "float16", "bfloat16")
BIT_DEPTHS = ("8-bit", "16-bit")

# Instruction
OPERATIONS = tuple(operation.value for operation in Operation)
ANY = "any"  # leaves a property of the finding open
EXAMPLE = "Add the finding of moderate right pleural effusion."

# Maps
STYLES = ("colour map", "red")  # of Guidance Preview

# Edit
PRESETS = ("recommended", "fast", "reference", "custom")
SOLVERS = ("checkpoint's", "DDIM", "Euler", "DPM++ 2M", "UniPC")
RECOMMENDED = "recommended"  # use the checkpoint's recommendation
SWITCH = (RECOMMENDED, "on", "off")
EDGE_BY_FINDING = -1.0  # soft edge width chosen from the finding
SOFT_EDGE_WORDS = ", ".join(
    [*(f"{width:g} for {finding}" for finding, width in SOFT_EDGES.items()), f"else {SOFT_EDGE:g}"]
)
LARGEST_SEED = 0xFFFFFFFFFFFFFFFF
