"""Models that an edit can run on: an `EditBackbone` for each kind. The stages of an edit know the protocol alone.

- `protocol`: what an edit asks of a model, and of its noise schedule.
- `conditioning`: the record of what a model is given besides noisy latents.
- `diffusion`, `flow`: the two kinds of noise schedule.
- `instruct_pix2pix`, with `instruct_pix2pix_checks`, and `instruct_pix2pix_xl`: InstructPix2Pix on Stable Diffusion 1.5
  and XL.
- `inpainting`, `inpainting_xl`: inpainting models on Stable Diffusion 1.5 and XL; `stable_diffusion`: what models on
  Stable Diffusion share.
- `kontext`, `flux2_klein`, `qwen_image_edit`: FLUX.1 Kontext, FLUX.2 klein, Qwen-Image-Edit; `flow_models`: parts that
  they share.
- `refusals`: arguments that some models take no part in; `registry`: the backbone of a loaded pipeline.
"""
