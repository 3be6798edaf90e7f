"""Cross-attention of a U-Net: recorded to find where an instruction is attended to, and gated by the guidance mask.

In a text-conditioned U-Net every image position attends to every text token (`attn2`): softmax(Q K^T / sqrt(d)) V.

- `layers`: the cross-attention layers of a U-Net and their grids.
- `record`: attention averaged over heads, layers of one resolution and noise draws, for groups of tokens (Hertz et al.,
  *Prompt-to-Prompt*, 2022; Tang et al., *What the DAAM*, 2022).
- `gate`: restricts the instruction to the guidance mask.
- `processor`, `switching`: the attention processor that does both, and the context manager that installs it.
- `tokens`, `relevance`: from recorded attention to a relevance map.
"""
