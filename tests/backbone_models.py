"""Tiny random pipelines of each class that an edit can run on, built offline."""

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    QwenImageEditPipeline,
    QwenImageTransformer2DModel,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from tiny_models import make_components, make_scheduler, make_text_encoder, make_tokenizer, make_unet, make_vae
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

SIDE = 16  # pixels to a side of the transformers' canvas
LETTERS = [chr(number) for number in range(32, 127)]


def make_letters(**special):
    """A tokenizer of single letters, for T5 and Qwen."""
    vocab = {word: number for number, word in enumerate(["<pad>", "</s>", "<unk>", *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", **special}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)


def make_flow_vae(kind=AutoencoderKL, **more):
    torch.manual_seed(0)
    return kind(
        block_out_channels=(4,),
        down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",),
        latent_channels=1,
        norm_num_groups=1,
        use_quant_conv=False,
        use_post_quant_conv=False,
        **more,
    ).eval()


def make_t5():
    torch.manual_seed(0)
    return T5EncoderModel(T5Config(vocab_size=100, d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4)).eval()


def make_kontext():
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
        guidance_embeds=True,
    ).eval()
    pipe = FluxKontextPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=make_flow_vae(shift_factor=0.0609, scaling_factor=1.5035),
        text_encoder=make_text_encoder(),
        tokenizer=make_tokenizer(),
        text_encoder_2=make_t5(),
        tokenizer_2=make_letters(),
        transformer=transformer,
    )
    return tiny(pipe)


CHAT = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def make_klein(is_distilled=False):
    torch.manual_seed(0)
    transformer = Flux2Transformer2DModel(
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=48,
        timestep_guidance_channels=32,
        axes_dims_rope=[4, 4, 4, 4],
        guidance_embeds=False,
    ).eval()
    config = Qwen3Config(
        vocab_size=100, hidden_size=16, intermediate_size=16, num_hidden_layers=27, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8,
    )  # fmt: skip
    pipe = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=make_flow_vae(AutoencoderKLFlux2),
        text_encoder=Qwen3ForCausalLM(config).eval(),
        tokenizer=make_letters(chat_template=CHAT),
        transformer=transformer,
        is_distilled=is_distilled,
    )
    return tiny(pipe)


def tiny(pipe):
    """A transformer's pipeline on a small canvas, without a progress bar."""
    pipe.default_sample_size = SIDE // pipe.vae_scale_factor
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make_instruct_pix2pix():
    pipe = StableDiffusionInstructPix2PixPipeline(**make_components())
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make_inpainting(channels=9):
    parts = make_components(unet=make_unet(channels))
    pipe = StableDiffusionInpaintPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make_instruct_pix2pix_xl(kind=StableDiffusionXLInstructPix2PixPipeline, channels=8):
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        sample_size=16,
        in_channels=channels,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=4,
        norm_num_groups=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=32 + 6 * 8,
    ).eval()
    config = CLIPTextConfig(
        bos_token_id=188, eos_token_id=189, pad_token_id=189, hidden_size=32, intermediate_size=37,
        num_attention_heads=4, num_hidden_layers=2, vocab_size=190, projection_dim=32,
    )  # fmt: skip
    pipe = kind(
        vae=make_vae(),
        text_encoder=make_text_encoder(),
        text_encoder_2=CLIPTextModelWithProjection(config).eval(),
        tokenizer=make_tokenizer(),
        tokenizer_2=make_tokenizer(),
        unet=unet,
        scheduler=EulerDiscreteScheduler.from_config(make_scheduler().config),
        add_watermarker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def encode_letters(prompt, **_):
    """Stand for the text encoder of Qwen-Image-Edit, whose processor needs torchvision: a state for each letter."""
    prompts = [prompt] if isinstance(prompt, str) else prompt
    longest = max(len(text) for text in prompts) + 1
    mask = torch.tensor([[1] * (len(text) + 1) + [0] * (longest - len(text) - 1) for text in prompts])
    states = torch.zeros(len(prompts), longest, 16)
    for own, text in zip(states, prompts):
        for place, letter in enumerate(text):
            own[place] = torch.sin(torch.arange(16.0) * (1 + ord(letter) % 13))
    return states, None if mask.all() else mask


def make_qwen():
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
    pipe = QwenImageEditPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=None,
        tokenizer=None,
        processor=None,
        transformer=transformer,
    )
    pipe.encode_prompt = encode_letters
    return tiny(pipe)


MAKERS = {
    "instruct_pix2pix": make_instruct_pix2pix,
    "instruct_pix2pix_xl": make_instruct_pix2pix_xl,
    "inpainting": make_inpainting,
    "inpainting_xl": lambda: make_instruct_pix2pix_xl(StableDiffusionXLInpaintPipeline, 9),
    "kontext": make_kontext,
    "klein": make_klein,
    "qwen": make_qwen,
    "klein_distilled": lambda: make_klein(is_distilled=True),
}
