"""Tests inside a ComfyUI checkout. Without one, each test is reported as skipped."""

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the tests' own helpers

from comfy_pack import why_not


class NotRun(pytest.Item):
    """A test that needs ComfyUI, which is missing."""

    def runtest(self) -> None:
        pytest.skip(f"{self.name} was not run: {why_not()}")

    def reportinfo(self):
        return self.path, 0, self.name


class NotRunFile(pytest.File):
    """A file of such tests, which is parsed but not imported."""

    def collect(self):
        for node in ast.walk(ast.parse(self.path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield NotRun.from_parent(self, name=node.name)


def pytest_pycollect_makemodule(module_path: Path, parent):
    if module_path.parent == Path(__file__).parent and needs_comfyui(module_path) and why_not() is not None:
        return NotRunFile.from_parent(parent, path=module_path)
    return None


def needs_comfyui(path: Path) -> bool:
    """Return True if a test file uses the pack inside ComfyUI."""
    return "comfy_pack" in path.read_text(encoding="utf-8") or "native_graph" in path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """Return a tiny random checkpoint with recommended settings, as X2XLoadPipeline outputs it. Do not modify it."""
    from comfy_pack import pack

    loaded = pack("work.checkpoints").load("tiny", tiny_folder, "float32")
    loaded.pipe.register_to_config(
        recommended={
            "num_inference_steps": 4,
            "guidance_scale": 3.0,
            "mask_rule": "adaptive",
            "relevance_samples": 2,
            "twin": True,
        }
    )
    return loaded


@pytest.fixture(scope="session")
def sample():
    """Return the sample radiograph, reduced, as IMAGE (1, 128, 128, 3)."""
    import torch
    from comfy_pack import run

    image = run("X2XLoadRadiograph", image="instructx2x-sample.png")[0]
    small = torch.nn.functional.interpolate(image.movedim(-1, 1), (128, 128), mode="area")
    return small.movedim(1, -1)


@pytest.fixture
def without_gradients():
    """Run a test as ComfyUI runs nodes."""
    import torch

    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def native(tiny_folder):
    """Return MODEL, CLIP and VAE of the tiny checkpoint, as Load Checkpoint (Native) outputs them."""
    from native_graph import load

    return load(tiny_folder)


@pytest.fixture
def latent(native, radiograph):
    """Return the encoded radiograph as LATENT."""
    from native_graph import to_image

    return {"samples": native[2].encode(to_image(radiograph))}
