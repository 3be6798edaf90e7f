"""Facts about InstructPix2Pix checkpoints that several parts of the library share."""

from __future__ import annotations

#: File in a diffusers folder that names the parts of the pipeline.
MODEL_INDEX = "model_index.json"
#: File in a diffusers folder with which `DiffusionPipeline.from_pretrained` finds a class outside diffusers.
CUSTOM_PIPELINE = "pipeline.py"
#: Channels of the autoencoder's latents; the U-Net takes twice as many (noisy latents and image latents).
LATENT_CHANNELS = 4
#: Pixels along a side of a latent cell of Stable Diffusion's autoencoder.
CELL_PIXELS = 8
#: Parts of the stock pipeline that a checkpoint may lack and that this project does not use.
OPTIONAL_PARTS = ("safety_checker", "feature_extractor", "image_encoder")
SAFETENSORS_SUFFIX = ".safetensors"
PICKLE_SUFFIXES = (".ckpt", ".pt", ".pth", ".bin")
#: Suffixes of a checkpoint in a single file.
SINGLE_FILE_SUFFIXES = (SAFETENSORS_SUFFIX, *PICKLE_SUFFIXES)
