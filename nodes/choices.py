"""Menu entries and defaults of the nodes.

Options and defaults that the library has too are the library's own. This module imports no other module of the pack.
"""

from __future__ import annotations

from x2x_core.anatomy.edges import EXTENT_EDGE, SATURATING_EDGE, SOFT_EDGE, SOFT_EDGES
from x2x_core.edit.presets import PRESETS as EDIT_PRESETS
from x2x_core.edit.settings import COMPOSITIONS, DEFAULT
from x2x_core.edit.solver_names import SOLVERS as EDIT_SOLVERS
from x2x_core.guidance.mask_settings import MASK_RULES
from x2x_core.guidance.relevance import SOURCES
from x2x_core.language.clauses import Operation
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES

__all__ = [
    "COMPOSITIONS",
    "DEFAULT",
    "EXTENT_EDGE",
    "FINDINGS",
    "LEVELS",
    "MASK_RULES",
    "SATURATING_EDGE",
    "SIDES",
    "SOFT_EDGE",
    "SOURCES",
    "ZONES",
]

# Files and folders
DEMO = "demo (bundled)"  # checkpoint
SAMPLE = "instructx2x-sample.png"  # copied to ComfyUI's input folder, where its page and mask editor can open it
LANDSCAPE = "instructx2x-landscape.jpg"  # the same, of the workflow for any picture
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
PRESETS = ("recommended", *EDIT_PRESETS, "reference", "custom")
SOLVERS = ("checkpoint's", *EDIT_SOLVERS)
RECOMMENDED = "recommended"  # use the checkpoint's recommendation
SWITCH = (RECOMMENDED, "on", "off")
EDGE_BY_FINDING = -1.0  # soft edge width chosen from the finding
SOFT_EDGE_WORDS = ", ".join(
    [*(f"{width:g} for {finding}" for finding, width in SOFT_EDGES.items()), f"else {SOFT_EDGE:g}"]
)
CROP_RECOMMENDED = -1  # the checkpoint's crop; 0 is no crop
HINT_RECOMMENDED = -1.0  # the checkpoint's place hint; 0 is no hint
CONTEXT_RECOMMENDED, WHOLE_CANVAS = -1, -2  # the checkpoint's or preset's context around the mask; no window
LARGEST_CROP_MARGIN = 1024
DRAW_PLACE = (
    "Draw a side and zone at random, by the seed, for a finding to add whose place the instruction leaves open. "
    "Off: the model chooses."
)
DRAW_EXTENT = (
    "Draw, by the seed, how far a finding to add reaches on the patient's own lungs, find where one to remove is seen, "
    "and take that for the region, as Edit Radiograph does with checkpoints that recommend it (the demo)."
)
CANDIDATE_SCORERS = ("pixels alone", "bundled (simulated radiographs)")  # what judges candidates
MOST_CANDIDATES = 16  # seeds in one batch
LARGEST_SEED = 0xFFFFFFFFFFFFFFFF
