"""One finding at three levels, from one seed, side by side.

python examples/severity_series.py [OUT]
"""

import sys
from pathlib import Path

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
out.mkdir(parents=True, exist_ok=True)

image = read_image(bundled_path("sample")).pixels  # (1, 1, H, W) in [0, 1]
pipe = InstructX2XPipeline.from_pretrained("demo")
prompts = [f"Add the finding of {level} left pleural effusion." for level in ("small", "moderate", "large")]
generators = [torch.Generator().manual_seed(0) for _ in prompts]
result = pipe(image, prompts, output_type="pt", generator=generators)

strip = torch.cat([image, *result.images.split(1)], dim=-1)  # side by side: the original, then the levels
write_png(out / "series.png", strip, 8, synthetic_metadata({"prompts": prompts, "seed": 0}))
print(out / "series.png")
