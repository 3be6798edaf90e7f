"""The small models of the demo checkpoint, made from scratch: autoencoder, text encoder, U-Net, tokenizer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from x2x_core.imaging.inputs import LATENT_CHANNELS


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


def latent_factor(vae: AutoencoderKL) -> int:
    """Pixels to a side of a latent."""
    return 2 ** (len(vae.config.block_out_channels) - 1)


def make_tokenizer(texts: Iterable[str], length: int = 40) -> CLIPTokenizer:
    """A CLIP tokenizer whose tokens are the words of `texts`; other words are spelt in pieces.

    Args:
        texts: what is to be covered.
        length: tokens of a prompt, start and end included.
    """
    words = sorted({word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower())})
    letters = sorted("abcdefghijklmnopqrstuvwxyz0123456789.,;:-'()")
    merges = _learn_merges(words)
    tokens = [*letters, *(letter + _WORD_END for letter in letters), *("".join(pair) for pair in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=length)


_WORD_END = "</w>"


def _learn_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Byte-pair merges (Sennrich et al., ACL 2016) until every word is one token.

    The trainer of the tokenizers library breaks ties at random, and so gives another vocabulary every time.
    """
    pieces = [[*word[:-1], word[-1] + _WORD_END] for word in words]
    merges: list[tuple[str, str]] = []
    while any(len(parts) > 1 for parts in pieces):
        pairs = Counter(pair for parts in pieces for pair in zip(parts, parts[1:]))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces = [_merge(parts, best) for parts in pieces]
    return merges


def _merge(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return merged
