"""Edit a radiograph and save the edit with the guidance map that shows where it could change.

python examples/first_edit.py [OUT]
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

radiograph = read_image(bundled_path("sample"))  # or the path of yours: PNG, JPEG, TIFF, DICOM
prompt = "Add the finding of moderate left pleural effusion."
pipe = InstructX2XPipeline.from_pretrained("demo")
result = pipe(
    radiograph.pixels,
    prompt,
    output_type="pt",
    generator=torch.Generator().manual_seed(0),
)

mark = synthetic_metadata({"prompt": prompt, "seed": 0})  # text in the file that says: synthetic, and how it was made
write_png(out / "edited.png", result.images, radiograph.bit_depth, mark)
write_png(out / "guidance_map.png", result.guidance_map, 8, mark)

changed = (result.images != radiograph.pixels) & ~result.guidance_mask
print(f"Understood: {result.instructions[0]}")
print(f"{result.guidance_mask.float().mean():.0%} of the image could change, {int(changed.sum())} pixels outside did.")
