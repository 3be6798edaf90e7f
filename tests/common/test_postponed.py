"""Packages that are filled at the first use of a name."""

import importlib
import json
import subprocess
import sys
from types import ModuleType

import pytest

from x2x_core.common import postponed

NAMES = "{name: dir(importlib.import_module(name)) for name in %r}"


def run(code):
    """Run code in a fresh Python; return what it prints, read as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def postponing():
    """Return what a Python that postpones loads with the pipeline, parts of packages that it uses then, all names."""
    return run(f"""
import importlib, json
from x2x_core.common import postponed
postponed.install()
import x2x_core.pipeline
from diffusers.pipelines.pipeline_loading_utils import get_class_obj_and_candidates, LOADABLE_CLASSES
get_class_obj_and_candidates("diffusers", "AutoencoderKL", LOADABLE_CLASSES["diffusers"], None, False)
loaded = [name for name, loader in postponed._loaders.items() if loader.filled is not None]
from diffusers import AutoGuidance, EulerDiscreteScheduler, FluxTransformer2DModel, LMSDiscreteScheduler
from scipy.optimize import linear_sum_assignment, minimize
import transformers.models
schedulers = [EulerDiscreteScheduler(use_beta_sigmas=True), LMSDiscreteScheduler()]
for scheduler in schedulers:
    scheduler.set_timesteps(4)
LMSDiscreteScheduler.get_lms_coefficient(schedulers[1], 1, 0, 0)
used = [FluxTransformer2DModel.__module__, [len(scheduler.sigmas) for scheduler in schedulers],
        AutoGuidance.__module__, linear_sum_assignment([[2, 1], [1, 2]])[1].tolist(),
        round(minimize(lambda x: (x - 3) ** 2, 0).x[0]), transformers.models.clip.CLIPTextModel.__name__]
names = {NAMES % (postponed.POSTPONED,)}
print(json.dumps({{"loaded": loaded, "used": used, "names": names}}))
""")


def test_the_pipeline_loads_no_other_models_and_each_is_there_when_it_is_used(postponing):
    assert postponing["loaded"] == []
    assert postponing["used"] == [
        "diffusers.models.transformers.transformer_flux", [5, 5], "diffusers.guiders.auto_guidance", [1, 0], 3,
        "CLIPTextModel",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def without():
    """Names of the packages in a Python without this library, and its finders once the pipeline is imported."""
    return run(f"""
import importlib, json, sys
names = {NAMES % (postponed.POSTPONED,)}
import x2x_core.pipeline
print(json.dumps({{"names": names, "finders": [type(finder).__name__ for finder in sys.meta_path]}}))
""")


def test_packages_have_the_names_that_they_have_without_this_library(without, postponing):
    for name in postponed.POSTPONED:
        assert {member for member in without["names"][name] if member[0] != "_"} <= set(postponing["names"][name])


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of an importable package "collected" that is postponed."""
    folder = tmp_path / "collected"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .part import value\nfrom .other import more\n__all__ = ['value']\n")
    (folder / "part.py").write_text("value = 1\n")
    (folder / "other.py").write_text("more = 2\n")
    monkeypatch.setattr(postponed, "POSTPONED", ("collected",))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    postponed.install()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "collected"]:
        del sys.modules[name]


def test_a_part_is_imported_without_the_rest(package):
    part = importlib.import_module("collected.part")
    assert part.value == 1 and "collected.other" not in sys.modules
    assert importlib.import_module("collected").part is part and "collected.other" not in sys.modules


def test_the_first_missing_name_fills_the_package(package):
    collected = importlib.import_module("collected")
    assert "collected.part" not in sys.modules
    assert collected.value == 1 and collected.more == 2 and type(collected) is ModuleType
    assert importlib.reload(collected).more == 2


def test_its_names_can_be_listed_and_imported_all_at_once(package):
    names = {}
    exec("from collected import *", names)
    assert names["value"] == 1 and "more" not in names
    del sys.modules["collected"]
    assert {"value", "more"} <= set(dir(importlib.import_module("collected")))


def test_a_name_can_be_taken_from_its_part_alone(package, monkeypatch):
    monkeypatch.setattr(postponed, "_NAMES", {"collected": {"value": "part", "nowhere": "part", "more": "gone"}})
    collected = importlib.import_module("collected")
    assert collected.value == 1 and "collected.other" not in sys.modules
    with pytest.raises(AttributeError, match="'collected' has no attribute 'nowhere'"):
        _ = collected.nowhere
    assert collected.more == 2 and type(collected) is ModuleType


def test_what_an_init_puts_in_its_place_is_used(package):
    source = "import sys\nfrom types import ModuleType\n"
    source += "new = sys.modules[__name__] = ModuleType(__name__)\nnew.value = 5\n"
    (package / "__init__.py").write_text(source)
    collected = importlib.import_module("collected")
    assert collected.value == 5 and "value" in dir(collected)
    assert importlib.import_module("collected") is not collected
    with pytest.raises(AttributeError, match="'collected' has no attribute 'more'"):
        _ = collected.more


def test_its_version_is_found(package):
    (package / "__init__.py").write_text("__version__ = '1.2'\n")
    assert importlib.import_module("collected").__version__ == "1.2"


def test_a_name_that_it_lacks_is_an_attribute_error(package):
    collected = importlib.import_module("collected")
    with pytest.raises(AttributeError, match="'collected' has no attribute 'nothing'"):
        _ = collected.nothing
    assert not hasattr(importlib.import_module("collected"), "__wrapped__")


def test_an_init_that_fails_is_run_again_at_the_next_use(package):
    source = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text("raise ValueError('not yet')\n")
    collected = importlib.import_module("collected")
    with pytest.raises(ValueError, match="not yet"):
        _ = collected.value
    (package / "__init__.py").write_text(source + "# of another size, so that no cache of it is used\n")
    assert collected.value == 1


def test_importing_the_package_postpones_nothing(without):
    assert without["finders"] and "_PostponingFinder" not in without["finders"]


def test_the_finder_is_installed_once(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    postponed.install()
    postponed.install()
    kinds = [type(finder).__name__ for finder in sys.meta_path]
    assert kinds.count("_PostponingFinder") == 1
