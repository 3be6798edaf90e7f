"""Tiny random pipelines of each class that an edit can run on, built offline."""

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from tiny_models import (
    make_components,
    make_letters,
    make_scheduler,
    make_text_encoder,
    make_tokenizer,
    make_unet,
    make_vae,
)
from tiny_qwen import PictureProcessor, make_qwen_pipeline
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

SIDE = 16  # pixels to a side of the transformers' canvas


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


MAKERS = {
    "instruct_pix2pix": make_instruct_pix2pix,
    "instruct_pix2pix_xl": make_instruct_pix2pix_xl,
    "inpainting": make_inpainting,
    "inpainting_xl": lambda: make_instruct_pix2pix_xl(StableDiffusionXLInpaintPipeline, 9),
    "kontext": make_kontext,
    "klein": make_klein,
    "qwen": lambda: tiny(make_qwen_pipeline()),
    "klein_distilled": lambda: make_klein(is_distilled=True),
}


def saved_and_loaded(pipe, folder, load):
    """Save a tiny pipeline, and load it with `load(folder, **arguments)`; an editor is returned.

    Qwen's processor can't be loaded without torchvision: the saved one's is taken.
    """
    pipe.save_pretrained(folder)
    own = type(getattr(pipe, "processor", None)) is PictureProcessor
    edit = load(folder, **({"processor": None} if own else {}))
    if own:
        edit.pipe.register_modules(processor=pipe.processor)
    return edit
