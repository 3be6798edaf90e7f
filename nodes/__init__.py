"""InstructX2X's ComfyUI nodes: thin; each converts, calls `x2x_core`, and converts back.

They work in a clone in `custom_nodes`, where `x2x_core` is not installed: `nodes.library` makes it importable.
"""

from __future__ import annotations


def node_classes() -> list[type]:
    """Every node of the pack, in the order of its work."""
    from .compare import X2XCompare
    from .edit import X2XEdit, X2XSettings
    from .guidance import X2XGuidanceMap, X2XGuidancePreview
    from .instruction import X2XInstruction
    from .load_folder import X2XLoadFolder
    from .load_pipeline import X2XLoadPipeline
    from .load_pseudomask import X2XLoadPseudomask
    from .load_radiograph import X2XLoadRadiograph
    from .look import X2XPseudomask, X2XRelevanceMap
    from .native import NATIVE_NODES
    from .save import X2XSave

    return [
        X2XLoadPipeline,
        X2XLoadRadiograph,
        X2XLoadFolder,
        X2XLoadPseudomask,
        X2XInstruction,
        X2XPseudomask,
        X2XRelevanceMap,
        X2XGuidanceMap,
        X2XGuidancePreview,
        X2XEdit,
        X2XSettings,
        X2XCompare,
        X2XSave,
        *NATIVE_NODES,
    ]


def make_extension():
    """The extension that ComfyUI asks for."""
    from . import library

    library.provide()  # first: the modules of this pack import it
    from comfy_api.latest import ComfyExtension

    from .routes import add_routes
    from .work.folders import add_model_folder, add_sample

    class InstructX2XExtension(ComfyExtension):
        async def get_node_list(self) -> list[type]:
            add_model_folder()
            add_routes()
            classes = node_classes()
            add_sample()
            return classes

    return InstructX2XExtension()
