"""Tiny random models, built offline, and pictures to edit: the plumbing's test bed."""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, PreTrainedTokenizerFast

FIXTURES = Path(__file__).parent / "fixtures"
PROMPT = "Add the finding of moderate right pleural effusion."
NATIVE = 64  # pixels to a side that the tiny model works on
CELL = 4  # pixels to a side of its latent cells


def make_tokenizer():
    """A CLIP tokenizer of single letters."""
    letters = [*map(chr, range(33, 127))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)


def make_letters(**special):
    """A tokenizer of single letters, for T5 and Qwen."""
    vocab = {word: number for number, word in enumerate(["<pad>", "</s>", "<unk>", *map(chr, range(32, 127))])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", **special}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)


def make_unet(channels=8, seed=0):
    torch.manual_seed(seed)
    return UNet2DConditionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        sample_size=NATIVE // CELL,
        in_channels=channels,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    ).eval()


def make_vae(channels=3, seed=0):
    torch.manual_seed(seed)
    return AutoencoderKL(
        block_out_channels=[8, 8, 8],
        in_channels=channels,
        out_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3,
        latent_channels=4,
        norm_num_groups=4,
    ).eval()


def make_text_encoder(seed=0):
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        bos_token_id=188,
        eos_token_id=189,
        pad_token_id=189,
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        vocab_size=190,
    )
    return CLIPTextModel(config).eval()


def make_scheduler(prediction_type="epsilon"):
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )


def make_components(**replaced):
    """Everything that an InstructPix2Pix pipeline is made of; keyword arguments replace parts."""
    parts = {
        "vae": make_vae,
        "text_encoder": make_text_encoder,
        "tokenizer": make_tokenizer,
        "unet": make_unet,
        "scheduler": make_scheduler,
    }
    components = {name: replaced[name] if name in replaced else make() for name, make in parts.items()}
    none = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return {**none, **components, **replaced}


def make_pipeline(**components):
    """An `InstructX2XPipeline` on the tiny model, without a progress bar."""
    from x2x_core.pipeline import InstructX2XPipeline

    pipe = InstructX2XPipeline(**(components if "unet" in components else make_components(**components)))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make_radiograph(height=NATIVE, width=NATIVE, seed=0):
    """Something grey with soft structure, `(H, W)` uint8."""
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / (max(height, width) - 1)
    lungs = np.exp(-(((x - 0.3) / 0.15) ** 2) - ((y - 0.45) / 0.3) ** 2)
    lungs += np.exp(-(((x - 0.7) / 0.15) ** 2) - ((y - 0.45) / 0.3) ** 2)
    grey = 200 - 130 * lungs + draws.normal(0, 4, (height, width))
    return np.clip(grey, 0, 255).astype(np.uint8)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)
