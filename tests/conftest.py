"""Fixtures that all tests share."""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is ever downloaded: a look-up on the network is a failure
if "PYTEST_XDIST_WORKER" in os.environ:  # several workers share the cores; PyTorch reads this when it is imported
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(share, 1)))
sys.path.insert(0, str(Path(__file__).parent))  # for the tests' own `tiny_models`

import hypothesis
import pytest

# hooks of pytest, and fixtures
from apart import (  # noqa: F401
    figures,
    pytest_collection_modifyitems,
    pytest_ignore_collect,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from lungs_once import found_anew, lungs_once  # noqa: F401
from page_fixtures import browser, opened, shots, visit  # noqa: F401

# The same examples in each run, on a busy machine too.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")


@pytest.fixture
def one_thread():
    """PyTorch on one thread: how sums are rounded hangs on the threads."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def shared_components():
    """Parts of a tiny random pipeline, built once; don't change them."""
    from tiny_models import make_components

    return make_components()


@pytest.fixture
def pipe(shared_components):
    """A pipeline on the tiny model, with a scheduler of its own."""
    from tiny_models import make_pipeline, make_scheduler

    return make_pipeline(**{**shared_components, "scheduler": make_scheduler()})


@pytest.fixture(scope="session")
def tiny_folder(shared_components, tmp_path_factory):
    """The tiny model saved as a stock InstructPix2Pix checkpoint; don't change it."""
    from diffusers import StableDiffusionInstructPix2PixPipeline

    folder = tmp_path_factory.mktemp("tiny") / "checkpoint"
    StableDiffusionInstructPix2PixPipeline(**shared_components).save_pretrained(folder)
    return folder


@pytest.fixture
def radiograph():
    """A grey 8-bit picture of the tiny model's own size."""
    from PIL import Image
    from tiny_models import make_radiograph

    return Image.fromarray(make_radiograph())


@pytest.fixture(scope="session")
def coarse_thorax():
    """The segmented phantom of `coarse_phantom`, made once."""
    from x2x_core.simulation.phantom import phantom_ct
    from x2x_core.simulation.thorax import segment_thorax

    return segment_thorax(phantom_ct((8.0, 8.0, 8.0)), (8.0, 8.0, 8.0))


@pytest.fixture
def coarse_phantom(monkeypatch, coarse_thorax):
    """Simulate from a phantom whose voxels are 8 mm wide, for tests whose subject is not the picture."""
    from x2x_core.simulation import dataset, fields
    from x2x_core.simulation.phantom import phantom_ct

    monkeypatch.setattr(dataset, "phantom_ct", lambda: phantom_ct((8.0, 8.0, 8.0)))
    for module in (dataset, fields):
        monkeypatch.setattr(module, "segment_thorax", lambda volume: coarse_thorax)
