"""Recording and gating a diffusers U-Net's cross-attention: what `x2x_core.guidance.attention` computes, installed.

- `layers`: the cross-attention layers of a U-Net.
- `processor`, `switching`: the attention processor that records and gates, and the context manager that installs it.

With `x2x_core.edit.backbones`, the only place that knows diffusers' U-Net.
"""
