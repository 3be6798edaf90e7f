"""InstructX2X as a folder in ComfyUI's `custom_nodes`: the repository root is this package there.

ComfyUI calls `comfy_entrypoint` for the nodes and serves `WEB_DIRECTORY` to its page. Nothing of ComfyUI, of the library
or of the nodes is imported before that, so that this file can be imported anywhere.
"""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """ComfyUI's door: the extension with all nodes."""
    from .nodes import make_extension

    return make_extension()
