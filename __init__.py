"""InstructX2X as a folder in ComfyUI's `custom_nodes`: there, the root of the repository is this package.

ComfyUI calls `comfy_entrypoint` for the nodes and serves `WEB_DIRECTORY` to its page. Until then nothing of ComfyUI, of
the library or of the nodes is imported, so this file can be imported anywhere.
"""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """Return the extension with all nodes."""
    from .nodes import make_extension

    return make_extension()
