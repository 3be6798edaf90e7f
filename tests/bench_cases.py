"""Small copies of other people's benchmarks, in their published layouts."""

import json

import numpy as np
import torch
from PIL import Image
from tiny_models import make_radiograph

SIZE = 64
BOX = (slice(36, 52), slice(36, 54))


def picture(seed=0, box=None, colour=None):
    """A grey picture as RGB, with a bright box or a box painted in a colour, half transparent."""
    grey = np.repeat(make_radiograph(SIZE, SIZE, seed)[..., None], 3, axis=2).astype(np.float64)
    if box is not None:
        paint = np.array([220.0] * 3 if colour is None else colour)
        grey[box] = 0.3 * grey[box] + 0.7 * paint
    return Image.fromarray(grey.round().astype(np.uint8))


def tensor(image):
    """A picture as `(3, H, W)` in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def save(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=95) if path.suffix == ".jpeg" else image.save(path)


def write_medebench(folder):
    """MedEBench of three samples; the target of one has another size, and a path has backslashes."""
    samples = []
    for number, organ in enumerate(("Chest", "Chest", "Teeth"), 1):
        target = picture(number, BOX)
        save(picture(number), folder / f"editing/previous/{number}.png")
        save(target if number != 2 else target.resize((80, 80)), folder / f"editing/changed/{number}.png")
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[BOX] = 255
        save(Image.fromarray(mask), folder / f"editing/previous_mask/{number}.png")
        samples.append(
            {
                "id": number, "Organ": organ, "Task": "Add something.",
                "prompt": "Add the finding of left pleural effusion." if organ == "Chest" else "Add braces.",
                "rephrased_prompt": "Put fluid there.", "detailed_prompt": "A radiograph with fluid at the left base.",
                "previous_image": f"editing\\previous\\{number}.png" if number == 1 else
                f"editing/previous/{number}.png",
                "changed_image": f"editing/changed/{number}.png",
                "previous_mask": f"editing/previous_mask/{number}.png",
                "url": "",
            }
        )  # fmt: skip
    (folder / "editing" / "editing_metadata.json").write_text(json.dumps({"samples": samples}))
    return folder


def write_miedb(folder):
    """MieDB of a painted, a modified and a transformed sample."""
    kinds = (("perception", (0, 0, 255)), ("Modification", None), ("Transformation", None))
    samples = []
    for number, (category, colour) in enumerate(kinds):
        name = f"{number}_blue.png" if colour else f"{number}.png"
        save(picture(number), folder / "input" / name)
        save(picture(number, BOX, colour), folder / "output" / name)
        samples.append(
            {"idx": number, "input_image": f"input/{name}", "output_image": f"output/{name}", "category": category,
             "prompt": "Add the finding of left pleural effusion."}
        )  # fmt: skip
    (folder / "metadata.json").write_text(json.dumps(samples))
    return folder


def write_med_banana(folder, originals, kind="edit"):
    """Med-Banana of one accepted edit and one whose attempts all failed."""
    place = folder / f"Chest-XRay-{kind}"
    prompts = {}
    for number, status in enumerate(("success", "failed")):
        stem, disease = f"s{number}", "Pleural_Effusion"
        save(picture(number), originals / f"{stem}.jpg")
        name = f"{stem}-{disease}"
        if status == "success":
            file = f"{disease}/{name}-edit.jpeg" if kind == "edit" else f"normal/{name}-remove.jpeg"
            save(picture(number, BOX), place / file)
        prompts[name] = {
            "image": f"{stem}.jpg", "disease": disease, "status": status, "rounds": 1,
            "final_prompt": "Add the finding of left pleural effusion.",
        }  # fmt: skip
    (place / "final_prompts.json").write_text(json.dumps(prompts))
    return place
