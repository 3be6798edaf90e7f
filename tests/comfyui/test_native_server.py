"""The native graph on a real server: a tiny random checkpoint and the demo, Cancel, rejected inputs."""

import time

import numpy as np
import pytest
from native_prompt import graph
from PIL import Image
from tiny_models import NATIVE, PROMPT, make_components, make_radiograph

from x2x_core.anatomy.edges import EXTENT_EDGE

TINY = "diffusers/nested/tiny-random"


@pytest.fixture(scope="module")
def tiny(server):
    """Save a tiny random checkpoint in the server's models folder, and return its name in the menu."""
    from diffusers import StableDiffusionInstructPix2PixPipeline

    StableDiffusionInstructPix2PixPipeline(**make_components()).save_pretrained(server.folder / "models" / TINY)
    return TINY


@pytest.fixture(scope="module")
def radiograph(server):
    """Save a picture in the server's input folder, and return its name and pixels `(H, W, 3)`."""
    pixels = np.repeat(make_radiograph()[..., None], 3, axis=-1)
    Image.fromarray(pixels).save(server.folder / "input" / "native.png")
    return "native.png", pixels


@pytest.fixture(scope="module")
def sample(server):
    """Save the bundled sample at the demo's resolution, and return its name and pixels."""
    from x2x_core.common.bundled import bundled_path

    picture = Image.open(bundled_path("sample")).convert("RGB").resize((256, 256), Image.LANCZOS)
    picture.save(server.folder / "input" / "native-sample.png")
    return "native-sample.png", np.asarray(picture)


def finished(server, prompt):
    status, answer = server.queue(prompt)
    assert status == 200 and not answer["node_errors"], answer
    entry = server.wait(answer["prompt_id"])
    assert entry["status"]["status_str"] == "success", entry["status"]
    return {name: server.pixels(output["images"][0]) for name, output in entry["outputs"].items() if "images" in output}


def held_to_a_mask(prompt):
    """Use the left half of the picture as mask."""
    side = {"width": NATIVE, "height": NATIVE}
    prompt["black"] = {"class_type": "SolidMask", "inputs": {"value": 0.0, **side}}
    prompt["white"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": NATIVE // 2, "height": NATIVE}}
    prompt["half"] = {
        "class_type": "MaskComposite",
        "inputs": {"destination": ["black", 0], "source": ["white", 0], "x": 0, "y": 0, "operation": "add"},
    }
    for name in ("guider", "twin guider", "compose"):
        prompt[name]["inputs"]["guidance_mask"] = ["half", 0]
    return prompt


def test_tiny_checkpoint(server, tiny, radiograph):
    name, original = radiograph
    made = finished(server, held_to_a_mask(graph(tiny, name, PROMPT, scales=(5.0, 1.5), seed=1)))
    changed = (made["save"] != original).any(axis=-1)
    assert changed[:, : NATIVE // 2 - 2].mean() > 0.5 and not changed[:, NATIVE // 2 :].any()
    assert made["map"].max() > 200 and np.median(made["map"]) < 200


def test_demo_edits_as_the_pipeline_node_does(server, sample):
    name, original = sample
    text = "Add the finding of large right pleural effusion."
    prompt = graph("demo (bundled)", name, text, seed=2, soft_edge=EXTENT_EDGE)
    prompt["compose"]["inputs"]["composition"] = "saturating"
    prompt["pipeline"] = {
        "class_type": "X2XLoadPipeline",
        "inputs": {"checkpoint": "demo (bundled)", "dtype": "float32"},
    }
    required = server.get("/object_info/X2XSettings")["X2XSettings"]["input"]["required"]
    defaults = {name: spec[1]["default"] for name, spec in required.items()}
    prompt["pipeline settings"] = {"class_type": "X2XSettings", "inputs": {**defaults, "padding_mask_crop": 0}}
    prompt["pipeline edit"] = {
        "class_type": "X2XEdit",
        "inputs": {
            "pipeline": ["pipeline", 0], "image": ["image", 0], "instruction": text, "preset": "recommended",
            "settings": ["pipeline settings", 0],
            "steps": 4, "guidance_scale": 0.8, "image_guidance_scale": 1.0, "mask_rule": "adaptive", "threshold": 0.1,
            "solver": "checkpoint's", "edit_strength": 1.0, "seed": 2,
        },
    }  # fmt: skip
    prompt["pipeline save"] = {
        "class_type": "SaveImage",
        "inputs": {"images": ["pipeline edit", 0], "filename_prefix": "pipeline"},
    }
    made = finished(server, prompt)
    native, pipeline = (made[one].astype(int) for one in ("save", "pipeline save"))
    assert np.abs(native - pipeline).max() <= 6  # grey levels
    assert np.abs(native - original).max() > 30


def test_cancelling_ends_a_run(server, tiny, radiograph):
    prompt = held_to_a_mask(graph(tiny, radiograph[0], PROMPT, steps=1000, scales=(5.0, 1.5), seed=3))
    _, answer = server.queue(prompt)
    end = time.monotonic() + 60
    while not server.get("/queue")["queue_running"] and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(2)  # into the steps
    server.post("/interrupt", {})
    entry = server.wait(answer["prompt_id"], 60)
    assert entry["status"]["status_str"] == "error"
    assert any(kind == "execution_interrupted" for kind, _ in entry["status"]["messages"])
    finished(server, held_to_a_mask(graph(tiny, radiograph[0], PROMPT, scales=(5.0, 1.5), seed=4)))


@pytest.mark.parametrize(
    ("node", "name", "value"),
    [
        ("load", "checkpoint", "diffusers/nowhere"),
        ("load", "dtype", "int8"),
        ("relevance", "noise_level", "1.4"),
        ("relevance", "draws", -1),
        ("guider", "guidance_scale", -1.0),
        ("compose", "strength", 2.0),
        ("guider", "model", ["load", 1]),
    ],
)
def test_invalid_graphs_are_rejected_by_name(server, tiny, radiograph, node, name, value):
    prompt = graph(tiny, radiograph[0], PROMPT)
    prompt[node]["inputs"][name] = value
    _, answer = server.queue(prompt)
    assert name in str(answer["node_errors"][node]["errors"])


def test_a_latent_of_another_size_is_rejected_with_a_sentence(server, tiny, radiograph):
    prompt = held_to_a_mask(graph(tiny, radiograph[0], PROMPT))
    prompt["empty latent"] = {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 512, "batch_size": 1},
    }
    prompt["edit"]["inputs"]["latent_image"] = ["empty latent", 0]
    entry = server.wait(server.queue(prompt)[1]["prompt_id"])
    errors = [detail for kind, detail in entry["status"]["messages"] if kind == "execution_error"]
    assert "The sampler's `latent_image` must have the shape" in errors[0]["exception_message"]
