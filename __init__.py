"""InstructX2X as a folder in ComfyUI's `custom_nodes`.

The repository root is this package there. It defines no nodes: ComfyUI finds no entry point here and says so. The
library is `x2x_core`, which works without ComfyUI.
"""
