"""Small models of the demo checkpoint, made from scratch: autoencoder, U-Net and text encoder."""

from __future__ import annotations

from collections.abc import Sequence

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from x2x_core.common.checkpoint_layout import LATENT_CHANNELS


def make_autoencoder(channels: Sequence[int] = (16, 32, 64, 128), layers: int = 1, size: int = 256) -> AutoencoderKL:
    """Make a convolutional autoencoder whose latents are smaller than the image by `2 ** (len(channels) - 1)`.

    Args:
        channels: of each resolution, finest first; multiples of 8.
        layers: residual layers at each resolution.
        size: image side in pixels, for the record.
    """
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
    channels: Sequence[int] = (48, 96, 192, 256), layers: int = 1, latent_size: int = 32, text_width: int = 128
) -> UNet2DConditionModel:
    """Make a U-Net in the manner of InstructPix2Pix: noisy latents and image latents in, predicted noise out.

    The finest resolution has no attention; the others have self-attention and cross-attention to the text.

    Args:
        channels: of each resolution, finest first; multiples of 16.
        layers: residual layers at each resolution.
        latent_size: latent side, for the record.
        text_width: width of the text encoder.
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
    """Make a CLIP text encoder for a tokenizer.

    Args:
        tokenizer: gives the vocabulary, the prompt length and the special tokens.
        width: of the hidden states; a multiple of `heads`.
        layers: transformer layers.
        heads: attention heads.
    """
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
    """Return the number of pixels per latent, along one side."""
    return 2 ** (len(vae.config.block_out_channels) - 1)
