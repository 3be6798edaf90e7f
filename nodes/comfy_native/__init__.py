"""The method in ComfyUI's own samplers."""
