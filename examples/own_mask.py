"""Preview the guidance mask of an edit, restrict it to a box, and edit inside what is left.

python examples/own_mask.py [OUT]
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

radiograph = read_image(bundled_path("sample"))
image = radiograph.pixels  # (1, 1, H, W) in [0, 1]
prompt = "Add the finding of edema."
pipe = InstructX2XPipeline.from_pretrained("demo")

preview = pipe.guidance(image, prompt, generator=torch.Generator().manual_seed(0))

# Keep the half of the image with the patient's right lung; the patient's right is on the left of the image.
mask = preview.guidance_mask.clone()
mask[..., image.shape[-1] // 2 :] = False

for name, allowed in (("both-lungs", preview.guidance_mask), ("right-lung", mask)):
    generator = torch.Generator().manual_seed(0)
    result = pipe(image, prompt, guidance_mask=allowed, output_type="pt", generator=generator)
    mark = synthetic_metadata({"prompt": prompt, "seed": 0, "mask": name})
    write_png(out / f"{name}.png", result.images, radiograph.bit_depth, mark)
    print(f"{name}: {allowed.float().mean():.0%} of the image could change")
