"""Cross-attention as a source of relevance, and gated by the guidance mask: functions and records on tensors.

In a text-conditioned U-Net every image position attends to every text token: softmax(Q K^T / sqrt(d)) V.

- `grids`: the grids of a U-Net's cross-attention layers.
- `record`: attention averaged over heads, layers of one resolution and noise draws, for groups of tokens (Hertz et al.,
  *Prompt-to-Prompt*, 2022; Tang et al., *What the DAAM*, 2022).
- `gate`: restricts the instruction to the guidance mask.
- `tokens`, `relevance`: from recorded attention to a relevance map.

`x2x_core.edit.attention` connects them to a U-Net.
"""
