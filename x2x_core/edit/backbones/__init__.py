"""Models that an edit can run on: an `EditBackbone` for each kind.

- `protocol`: what an edit asks of a model, and of its noise schedule.
- `conditioning`: the record of what a model is given besides noisy latents.
- `schedules`: diffusion (a noise schedule with `alphas_cumprod`) and flow matching.
- `instruct_pix2pix`: InstructPix2Pix on Stable Diffusion 1.5.

The stages of an edit know the protocol alone.
"""
