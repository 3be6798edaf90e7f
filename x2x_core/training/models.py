"""The small models of the demo checkpoint, made from scratch: autoencoder, text encoder, U-Net, tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import contextmanager

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LATENT_CHANNELS = 4


@contextmanager
def seeded(seed: int):
    """Initialise modules from `seed`; the global generator is put back afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def make_autoencoder(channels: tuple[int, ...] = (16, 32, 64, 128), layers: int = 1, size: int = 256) -> AutoencoderKL:
    """A small convolutional autoencoder with 4 latent channels at 1 / 2**(len(channels) - 1) of the size."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=tuple(channels),
        layers_per_block=layers,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=size,
        scaling_factor=1.0,
    )


def make_unet(
    channels: tuple[int, ...] = (48, 96, 192, 256), layers: int = 1, latent_size: int = 32, text_width: int = 128
) -> UNet2DConditionModel:
    """A U-Net in InstructPix2Pix's manner: noisy latents and image latents in (8 channels), 4 channels out.

    Its finest level has no attention; the others attend to themselves and to the text.
    """
    down = ("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (len(channels) - 1)
    return UNet2DConditionModel(
        sample_size=latent_size,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=tuple(channels),
        layers_per_block=layers,
        down_block_types=down,
        up_block_types=tuple(name.replace("Down", "Up") for name in reversed(down)),
        cross_attention_dim=text_width,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def make_text_encoder(tokenizer: CLIPTokenizer, width: int = 128, layers: int = 3, heads: int = 4) -> CLIPTextModel:
    """A small CLIP text encoder for a tokenizer."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=tokenizer.model_max_length,
            projection_dim=width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def make_scheduler(prediction_type: str = "v_prediction") -> DDIMScheduler:
    """Stable Diffusion's noise schedule for training and DDIM."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )


def make_tokenizer(texts: Iterable[str], length: int = 40) -> CLIPTokenizer:
    """A CLIP tokenizer whose tokens are the words of `texts`; other words are spelt in pieces.

    Args:
        texts: what is to be covered.
        length: tokens of a prompt, start and end included.
    """
    from tokenizers import trainers

    blank = CLIPTokenizer(model_max_length=length)
    trainer = trainers.BpeTrainer(
        vocab_size=4096,
        min_frequency=1,
        show_progress=False,
        end_of_word_suffix="</w>",
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
    )
    bpe = blank.backend_tokenizer
    alphabet = " ".join("abcdefghijklmnopqrstuvwxyz0123456789.,;:-'()")  # each at a word's end ...
    bpe.train_from_iterator([*sorted(set(texts)), alphabet, alphabet.replace(" ", "") + "a"], trainer)  # ... and within
    model = json.loads(bpe.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    return CLIPTokenizer(vocab=model["vocab"], merges=merges, model_max_length=length)
