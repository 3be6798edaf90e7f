"""Pictures that one pipeline's nodes prepare once."""

import torch
from comfy_pack import pack, run


def edit(tiny, image, instruction, seed=0, **inputs):
    widgets = {
        "preset": "recommended", "steps": 2, "guidance_scale": 3.0, "image_guidance_scale": 1.5,
        "mask_rule": "threshold", "threshold": 0.1, "solver": "checkpoint's", "edit_strength": 1.0, "seed": seed,
    }  # fmt: skip
    return run("X2XEdit", pipeline=tiny, image=image, instruction=instruction, **{**widgets, **inputs})


def test_a_picture_is_encoded_once_for_all_its_edits(tiny, sample, monkeypatch):
    seen, encode = [], tiny.pipe.vae.encode
    monkeypatch.setattr(tiny.pipe.vae, "encode", lambda pixels: seen.append(len(pixels)) or encode(pixels))
    image = 0.97 * sample.flip(2)  # not edited by other tests
    first = edit(tiny, image, "Add the finding of moderate left pleural effusion.")
    again = edit(tiny, image, "Add the finding of moderate left pleural effusion.")
    edit(tiny, image, "Add the finding of cardiomegaly.", seed=1)
    assert seen == [1] and torch.equal(first[0], again[0])
    assert first[3] == again[3]  # the report, with its warnings
    edit(tiny, 0.97 * sample.flip(1, 2), "Add the finding of cardiomegaly.")
    assert seen == [1, 1]


def test_only_some_pictures_are_kept(tiny, monkeypatch):
    prepared = pack("work.prepared")
    monkeypatch.setattr(prepared, "MOST_PIXELS", 2 * 64 * 64)
    made = []

    class Pipe:
        def prepare(self, pixels, **options):
            made.append(options)
            return object()

    kept, pictures = prepared.PreparedImages(), [torch.full((1, 1, 64, 64), number / 4) for number in range(3)]
    first = kept.of(Pipe(), pictures[0], reference=False)
    assert kept.of(Pipe(), pictures[0].clone(), reference=False) is first
    second = kept.of(Pipe(), pictures[0], reference=True)
    assert second is not first and kept.of(Pipe(), pictures[0], reference=True) is second
    kept.of(Pipe(), pictures[1], reference=False)
    assert len(made) == 3 and kept.of(Pipe(), pictures[0], reference=False) is not first
