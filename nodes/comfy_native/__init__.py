"""The method for ComfyUI's own samplers."""
