"""InstructX2X's ComfyUI nodes: each converts its inputs, calls `x2x_core`, and converts the results back.

The arrows between modules go one way: node classes and routes import `work` and `comfy_native`, which import `sockets`
and `choices`. Imports inside functions only defer heavy libraries (diffusers, transformers, OpenCV), so that ComfyUI
starts without them.

In `custom_nodes` the pack is a clone and `x2x_core` is not installed: `nodes.library` makes it importable.
"""

from __future__ import annotations

from typing import Any


def node_classes() -> list[type]:
    """Return all nodes, in the order of a workflow."""
    from .candidates import X2XCandidates
    from .compare import X2XCompare
    from .edit import X2XEdit
    from .edit_settings import X2XSettings
    from .guidance import X2XGuidanceMap, X2XGuidancePreview
    from .instruction import X2XInstruction
    from .load_archive import X2XLoadArchive
    from .load_folder import X2XLoadFolder
    from .load_pipeline import X2XLoadPipeline
    from .load_pseudomask import X2XLoadPseudomask
    from .load_radiograph import X2XLoadRadiograph
    from .look import X2XPseudomask, X2XRelevanceMap
    from .native_compose import X2XNativeCompose
    from .native_crop import X2XCropToMask
    from .native_guider import X2XRegionGuider
    from .native_hint import X2XPlaceHint
    from .native_load import X2XLoadNative
    from .native_relevance import X2XNativeRelevanceMap
    from .save import X2XSave
    from .save_archive import X2XSaveArchive

    return [
        X2XLoadPipeline,
        X2XLoadRadiograph,
        X2XLoadFolder,
        X2XLoadArchive,
        X2XLoadPseudomask,
        X2XInstruction,
        X2XPseudomask,
        X2XRelevanceMap,
        X2XGuidanceMap,
        X2XGuidancePreview,
        X2XEdit,
        X2XCandidates,
        X2XSettings,
        X2XCompare,
        X2XSave,
        X2XSaveArchive,
        X2XLoadNative,
        X2XNativeRelevanceMap,
        X2XPlaceHint,
        X2XRegionGuider,
        X2XCropToMask,
        X2XNativeCompose,
    ]


def make_extension() -> Any:
    """Return the extension that ComfyUI asks for."""
    from . import library

    library.provide()  # first: the modules of this pack import it
    from comfy_api.latest import ComfyExtension

    from .routes import add_routes
    from .work.folders import add_model_folder, add_samples

    class InstructX2XExtension(ComfyExtension):
        """The pack as ComfyUI loads it."""

        async def get_node_list(self) -> list[type]:
            """Return the nodes, after making the pack's folders, routes and sample pictures known to ComfyUI."""
            add_model_folder()
            add_routes()
            classes = node_classes()
            add_samples()
            return classes

    return InstructX2XExtension()
