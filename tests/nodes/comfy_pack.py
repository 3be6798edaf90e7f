"""Load the pack from a ComfyUI checkout in this process, as ComfyUI does."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
NAME = "instructx2x_pack"


def comfyui_path() -> Path:
    """Return the path of the ComfyUI checkout."""
    return Path(os.environ.get("COMFYUI_PATH", "~/ComfyUI")).expanduser()


@lru_cache(maxsize=1)
def why_not() -> str | None:
    """Return the reason why the pack cannot be tested here, or ``None`` if it can."""
    path = comfyui_path()
    if not (path / "comfy_api").is_dir():
        return f"there is no ComfyUI checkout at {path} (COMFYUI_PATH)"
    try:
        load_pack()
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in (NAME, "x2x_core"):
            raise
        return f"this Python lacks {error.name}, which ComfyUI at {path} needs"
    return None


@lru_cache(maxsize=1)
def load_pack() -> dict[str, type]:
    """Return the pack's nodes by id, with ComfyUI on the CPU and its folders in a temporary directory."""
    if str(comfyui_path()) not in sys.path:
        sys.path.append(str(comfyui_path()))  # at the end: it has modules named `nodes`, `utils` and `tests`
    base = tempfile.mkdtemp(prefix="x2x-comfyui-")
    for folder in ("input", "output", "temp", "user", "models/checkpoints", "models/diffusers", "models/instructx2x"):
        Path(base, folder).mkdir(parents=True)
    arguments, sys.argv = sys.argv, ["main.py", "--cpu", "--base-directory", base]
    try:
        import comfy.options

        comfy.options.enable_args_parsing()
        import comfy.cli_args
        import folder_paths  # noqa: F401
    finally:
        sys.argv = arguments
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return asyncio.run(_nodes(module))


async def _nodes(module: ModuleType) -> dict[str, type]:
    extension = await module.comfy_entrypoint()
    return {node.GET_SCHEMA().node_id: node for node in await extension.get_node_list()}


def pack(name: str) -> ModuleType:
    """Return a module of the pack's `nodes`."""
    load_pack()
    return importlib.import_module(f"{NAME}.nodes.{name}")


def run(node_id: str, **inputs) -> tuple:
    """Run a node as ComfyUI's executor does, and return its outputs."""
    return load_pack()[node_id].execute(**inputs).result
