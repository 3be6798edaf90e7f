"""The repository as a ComfyUI node pack: what can be seen of it without ComfyUI."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import x2x_core
from x2x_core.common.bundled import BUNDLED

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("en", "ko", "zh", "ja")


def read_project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def words(language):
    return json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))


def test_the_registry_gets_the_packages_version():
    project = read_project()
    assert project["project"]["version"] == x2x_core.__version__
    assert "web" not in project["tool"]["comfy"]  # beside WEB_DIRECTORY it would load the page's files twice


def test_requirements_leave_comfyuis_own_alone():
    names = [line.split(">=")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if line]
    assert not {"torch", "torchvision", "torchaudio", "numpy", "pillow"} & set(names)
    project = read_project()["project"]
    known = {*project["dependencies"], *project["optional-dependencies"]["dicom"]}
    assert all(line in known for line in (ROOT / "requirements.txt").read_text().splitlines() if line)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_every_text(language):
    english, own = words("en"), words(language)
    assert set(own) == set(english)
    for node, texts in english.items():
        assert own[node]["display_name"] and own[node]["description"]
        for kind in ("inputs", "outputs"):
            assert set(own[node].get(kind, {})) == set(texts.get(kind, {})), f"{node}.{kind}"
            for socket in own[node].get(kind, {}).values():
                assert socket["name"] and socket["tooltip"], node


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_hold_nothing_that_the_page_reads_as_code(language):
    for node in words(language).values():
        sockets = [*node["inputs"].values(), *node.get("outputs", {}).values()]
        texts = [value for socket in sockets for value in socket.values()]
        for one in (node["display_name"], node["description"], *texts):
            assert not set("{}|@") & set(one), one


def test_the_page_is_where_the_pack_says():
    spec = importlib.util.spec_from_file_location("pack_seen", ROOT / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert list((ROOT / module.WEB_DIRECTORY).glob("*.js"))
    assert not hasattr(module, "NODE_CLASS_MAPPINGS")  # it would make ComfyUI pass over the entry point


# The registry's archive: what ComfyUI loads, what the registry reads, and what the licence asks for.
PACKED = {
    ".comfyignore", "CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "SECURITY.md", "__init__.py",
    "example_workflows", "locales", "models", "nodes", "pyproject.toml", "requirements.txt", "subgraphs", "web",
    "x2x_core",
}  # fmt: skip
MOST_PACKED_BYTES = 80_000_000


@cache
def packed_files():
    """Return the files that `comfy node publish` packs: those in Git that `.comfyignore` does not name."""

    def listed(*options):
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", *options]
        return set(subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")) - {""}

    return listed() - listed("--ignored", f"--exclude-from={ROOT / '.comfyignore'}")


def test_the_archive_holds_what_the_nodes_need_and_nothing_else():
    files = packed_files()
    assert {name.split("/")[0] for name in files} == PACKED
    assert sum((ROOT / name).stat().st_size for name in files) < MOST_PACKED_BYTES
    assert all(any(name.startswith(f"models/{place}") for name in files) for place in BUNDLED.values())
    helped = {Path(name).stem for name in files if name.startswith("web/docs/")}
    assert set(words("en")) <= helped


def test_no_code_of_the_archive_names_a_file_outside_it():
    outside = re.compile(r"""["'](docs|examples|benchmarks|tools|tests)["'/]""")
    for name in packed_files():
        if name.endswith(".py"):
            assert outside.findall((ROOT / name).read_text(encoding="utf-8")) == [], name


def load_library(code):
    """Run code in a Python that has the pack's `nodes.library` as `library`, and nothing else of the repository."""
    start = (
        "import importlib.util, sys, logging; logging.basicConfig(level=logging.WARNING, format='%(message)s')\n"
        f"spec = importlib.util.spec_from_file_location('library', {str(ROOT / 'nodes' / 'library.py')!r})\n"
        "library = importlib.util.module_from_spec(spec); spec.loader.exec_module(library)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + code], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_library_is_found_and_nothing_else():
    done = load_library(
        "library.provide(); import x2x_core.language.vocabulary; print(x2x_core.__file__)\n"
        "assert importlib.util.find_spec('tests') is None\n"
        f"assert {str(ROOT)!r} not in sys.path\n"
    )
    assert done.stdout.strip() == str(ROOT / "x2x_core" / "__init__.py") and not done.stderr


def test_another_library_that_is_installed_is_named(tmp_path):
    (tmp_path / "x2x_core").mkdir()
    (tmp_path / "x2x_core" / "__init__.py").write_text("")
    done = load_library(
        f"sys.path.append({str(tmp_path)!r}); library.provide(); import x2x_core; print(x2x_core.__file__)"
    )
    assert done.stdout.strip() == str(ROOT / "x2x_core" / "__init__.py")
    assert str(tmp_path) in done.stderr and "the nodes use the pack's own" in done.stderr


def test_another_library_that_is_in_use_stays_and_is_named(tmp_path):
    (tmp_path / "x2x_core").mkdir()
    (tmp_path / "x2x_core" / "__init__.py").write_text("")
    done = load_library(f"sys.path.append({str(tmp_path)!r}); import x2x_core; print(library.provide().__file__)")
    assert done.stdout.strip().startswith(str(tmp_path)) and "the nodes use that one" in done.stderr
