"""A tiny Qwen-Image-Edit: transformers' own vision-language text encoder and processor, of random weights."""

import importlib.util

import torch
from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImageEditPipeline,
    QwenImageTransformer2DModel,
)
from tiny_models import make_letters
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

MARKS = (
    "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
PIXELS = {"min_pixels": 28 * 28, "max_pixels": 2 * 28 * 28}  # of the picture that the text encoder sees


class PictureProcessor(Qwen2VLProcessor):
    """`Qwen2VLProcessor` without its part for videos, which can't be made without torchvision."""

    def __init__(self, image_processor, tokenizer):
        self.image_token, self.video_token = MARKS[-2:]
        self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids([self.image_token, self.video_token])
        super(Qwen2VLProcessor, self).__init__(image_processor, tokenizer)


def make_qwen_tokenizer():
    tokenizer = make_letters()
    tokenizer.model_max_length = 4096
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKS)})
    return tokenizer


def make_qwen_processor():
    if importlib.util.find_spec("torchvision") is None:
        return PictureProcessor(Qwen2VLImageProcessorPil(**PIXELS), make_qwen_tokenizer())
    from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    return Qwen2VLProcessor(Qwen2VLImageProcessor(**PIXELS), make_qwen_tokenizer(), Qwen2VLVideoProcessor())


def make_qwen_text_encoder(tokenizer):
    torch.manual_seed(0)
    start, end, image, video = tokenizer.convert_tokens_to_ids(MARKS[2:])
    sizes = {"hidden_size": 16, "intermediate_size": 16}
    config = Qwen2_5_VLConfig(
        text_config={
            **sizes, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
            "vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0,
            "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
        },
        vision_config={**sizes, "depth": 1, "num_heads": 2, "out_hidden_size": 16},
        vision_start_token_id=start,
        vision_end_token_id=end,
        image_token_id=image,
        video_token_id=video,
    )  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def make_qwen_pipeline():
    torch.manual_seed(0)
    transformer = QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
    ).eval()
    vae = AutoencoderKLQwenImage(
        base_dim=8, z_dim=4, dim_mult=[1, 2], num_res_blocks=1, temperal_downsample=[False],
        latents_mean=[0.1] * 4, latents_std=[1.2] * 4,
    ).eval()  # fmt: skip
    processor = make_qwen_processor()
    return QwenImageEditPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=make_qwen_text_encoder(processor.tokenizer),
        tokenizer=processor.tokenizer,
        processor=processor,
        transformer=transformer,
    )
