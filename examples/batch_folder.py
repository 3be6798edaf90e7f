"""Edit every radiograph of a folder, each under its own name.

python examples/batch_folder.py [OUT] [FOLDER]
"""

import sys
from pathlib import Path

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else bundled_path("sample").parent
out.mkdir(parents=True, exist_ok=True)

prompt = "Add the finding of cardiomegaly."
pipe = InstructX2XPipeline.from_pretrained("demo")
for seed, path in enumerate(sorted(folder.glob("*.png"))):
    radiograph = read_image(path)
    result = pipe(
        radiograph.pixels,
        prompt,
        output_type="pt",
        generator=torch.Generator().manual_seed(seed),  # one seed for each file: order and interruptions don't matter
    )
    mark = synthetic_metadata({"prompt": prompt, "seed": seed})
    write_png(out / path.name, result.images, radiograph.bit_depth, mark)
    print(f"{path.name}: {result.guidance_mask.float().mean():.0%} of the image could change")
