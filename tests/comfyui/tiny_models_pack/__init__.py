"""A node pack for tests alone: tiny random models of ComfyUI's architectures, with texts that need no text encoder."""

import importlib.util
import sys
from pathlib import Path

_FILE = Path(__file__).resolve().parents[2] / "comfy_models.py"
_SPEC = importlib.util.spec_from_file_location("x2x_comfy_models", _FILE)
comfy_models = sys.modules["x2x_comfy_models"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(comfy_models)


class TinyModel:
    """Make a MODEL and its VAE."""

    RETURN_TYPES = ("MODEL", "VAE", "TINY")
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"name": (sorted(comfy_models.MAKERS),)}}

    def make(self, name):
        tiny = comfy_models.MAKERS[name]()
        return tiny.model, tiny.vae, tiny


class TinyText:
    """Encode a text."""

    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "encode"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"tiny": ("TINY",), "text": ("STRING", {"default": ""})}}

    def encode(self, tiny, text):
        return (tiny.text(text),)


NODE_CLASS_MAPPINGS = {"TinyModel": TinyModel, "TinyText": TinyText}
