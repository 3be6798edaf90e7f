"""Checkpoints in diffusers layout as ComfyUI's MODEL, CLIP and VAE."""

from __future__ import annotations

import json
import shutil

import comfy_pack  # noqa: F401  (puts ComfyUI within reach)
import pytest
import torch
from comfy_pack import pack
from native_graph import encode, load
from tiny_models import NATIVE, PROMPT, make_components, make_pipeline

pytestmark = pytest.mark.usefixtures("without_gradients")


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """Return a copy of the tiny checkpoint that a test can modify."""
    return shutil.copytree(tiny_folder, tmp_path / "copy")


def change(file, **values):
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, **values}))


def save(folder, **parts):
    from diffusers import StableDiffusionInstructPix2PixPipeline

    components = make_components(**parts)
    StableDiffusionInstructPix2PixPipeline(**components).save_pretrained(folder)
    return make_pipeline(**components)


def check_agreement(native, pipe, prompt=PROMPT):
    """Check that each part gives the same results as diffusers'."""
    model, clip, vae = native
    generator = torch.Generator().manual_seed(1)
    embeds = pipe._encode_prompt([prompt], torch.device("cpu"), 1, False)
    assert torch.allclose(encode(clip, prompt)[0][0], embeds, atol=1e-5)
    channels = pipe.unet.config.in_channels
    noisy = torch.randn(2, channels, 16, 24, generator=generator)
    timesteps = torch.tensor([801.0, 3.0])
    expected = pipe.unet(noisy, timesteps, embeds.repeat(2, 1, 1)).sample
    found = model.model.diffusion_model(noisy, timesteps, context=embeds.repeat(2, 1, 1))
    assert torch.allclose(found, expected, atol=1e-5)
    pixels = torch.rand(1, NATIVE, NATIVE, 3, generator=generator)
    latents = pipe.vae.encode(2 * pixels.movedim(-1, 1) - 1).latent_dist.mode()
    assert torch.allclose(vae.encode(pixels), latents, atol=1e-5)
    decoded = (pipe.vae.decode(latents).sample / 2 + 0.5).clamp(0, 1)
    assert torch.allclose(vae.decode(latents), decoded.movedim(1, -1), atol=1e-4)
    alphas = pipe.scheduler.alphas_cumprod
    sigmas = model.model.model_sampling.sigmas
    levels = alphas > 1e-4
    assert torch.allclose(sigmas[levels], ((1 - alphas[levels]) / alphas[levels]) ** 0.5, rtol=1e-4)
    if alphas[-1] == 0:  # pure noise: ComfyUI puts a large number for the infinite one
        assert sigmas[-1] > 1000


def test_tiny_checkpoint(tiny_folder, pipe):
    native = load(tiny_folder)
    check_agreement(native, pipe)
    model = native[0].model
    assert type(model).__name__ == "SD15_instructpix2pix" and model.model_type.name == "EPS"
    assert model.latent_format.scale_factor == pipe.vae.config.scaling_factor
    assert model.latent_format.latent_rgb_factors is None  # previews would show nothing of these latents


def test_the_native_nodes_agree_with_the_pipeline_on_the_demo_checkpoint():
    from x2x_core import InstructX2XPipeline
    from x2x_core.common.bundled import bundled_path

    native = load(bundled_path("demo"))
    pipe = InstructX2XPipeline.from_pretrained("demo", dtype=torch.float32)
    check_agreement(native, pipe, "Add the finding of moderate left pleural effusion.")
    assert native[0].model.model_type.name == "V_PREDICTION"
    assert native[0].get_attachment("x2x_settings").relevance_noise_level == 1.0


def unet(**changed):
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    config = {
        "in_channels": 8, "out_channels": 4, "block_out_channels": (32, 64), "layers_per_block": 2,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": 32, "attention_head_dim": 8, "norm_num_groups": 32,
    }  # fmt: skip
    return UNet2DConditionModel(**{**config, **changed}).eval()


@pytest.mark.parametrize(
    "shape",
    [
        {},  # as Stable Diffusion's, narrow
        {"block_out_channels": (48, 80), "norm_num_groups": 16},  # the second level is no whole multiple of the first
        {"attention_head_dim": [4, 8], "use_linear_projection": True},  # Stable Diffusion 2's heads of one width
        {"transformer_layers_per_block": 2},
        {"layers_per_block": 1, "block_out_channels": (32, 32, 64),
         "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
         "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")},
    ],
)  # fmt: skip
def test_other_unets(shape, tmp_path):
    pipe = save(tmp_path, unet=unet(**shape))
    check_agreement(load(tmp_path), pipe)


@pytest.mark.parametrize(
    "schedule",
    [
        {"prediction_type": "v_prediction"},
        {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
    ],
)
def test_other_noise_schedules(schedule, tmp_path):
    from diffusers import DDIMScheduler

    pipe = save(tmp_path, scheduler=DDIMScheduler(**schedule))
    native = load(tmp_path)
    check_agreement(native, pipe)
    assert (native[0].model.model_type.name == "V_PREDICTION") == ("prediction_type" in schedule)


def test_stable_diffusions_autoencoder_is_comfyuis(monkeypatch):
    """ComfyUI itself converts the names of its weights."""
    import comfy.sd

    seen, weights = {}, {"weight": torch.zeros(1)}
    monkeypatch.setattr(comfy.sd, "VAE", lambda **given: seen.update(given))
    config = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2}
    pack("comfy_native.vae").load_vae(weights, config, torch.float32)
    assert seen == {"sd": weights, "dtype": torch.float32}


def test_names_with_and_without_the_models_prefix(folder, pipe):
    from safetensors.torch import load_file, save_file

    file = folder / "text_encoder" / "model.safetensors"
    weights = load_file(file)
    prefix = "text_model."
    swapped = {
        name.removeprefix(prefix) if name.startswith(prefix) else prefix + name: value
        for name, value in weights.items()
    }
    swapped[next(iter(swapped)).split("embeddings")[0] + "embeddings.position_ids"] = torch.arange(77)[None]
    save_file(swapped, file)
    check_agreement(load(folder), pipe)


@pytest.mark.parametrize("kind", ["fp16 variant", "bin", "shards"])
def test_weights_in_other_files(folder, pipe, kind):
    from safetensors.torch import load_file, save_file

    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    file.unlink()
    if kind == "bin":
        torch.save(weights, folder / "unet" / "diffusion_pytorch_model.bin")
    elif kind == "shards":
        names, places = sorted(weights), {}
        for number, some in enumerate((names[::2], names[1::2]), start=1):
            part = folder / "unet" / f"diffusion_pytorch_model-0000{number}-of-00002.safetensors"
            save_file({name: weights[name] for name in some}, part)
            places.update(dict.fromkeys(some, part.name))
        index = {"metadata": {}, "weight_map": places}
        (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    else:
        save_file(weights, folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    check_agreement(load(folder), pipe)


def test_code_in_weights_is_not_run(folder):
    import pickle

    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("code in a weights file was run",))

    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps({"weight": Trap()}))
    with pytest.raises(ValueError, match="holds more than weights"):
        load(folder)


@pytest.mark.parametrize("dtype", ["auto", "bfloat16"])
def test_the_dtype_is_used(tiny_folder, dtype):
    model, clip, vae = load(tiny_folder, dtype)
    assert model.model.get_dtype() == (torch.float32 if dtype == "auto" else torch.bfloat16)  # on a CPU
    assert vae.vae_dtype == (torch.float32 if dtype == "auto" else torch.bfloat16)
    assert torch.isfinite(encode(clip, PROMPT)[0][0]).all()


def test_loras_find_their_layers(tiny_folder):
    """ComfyUI derives the layers of a LoRA from the shape of the model."""
    import comfy.lora

    model = load(tiny_folder)[0]
    keys = comfy.lora.model_lora_keys_unet(model.model, {})
    layer = keys["lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"]
    before = model.model.state_dict()[layer].clone()
    patched = model.clone()
    patched.add_patches({layer: ("diff", (torch.ones_like(before),))})
    patched.patch_model()
    assert torch.allclose(model.model.state_dict()[layer], before + 1)
    patched.unpatch_model()
    assert torch.equal(model.model.state_dict()[layer], before)


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("unet", {"in_channels": 4}, "this is not an InstructPix2Pix checkpoint"),
        (
            "unet",
            {"down_block_types": ["DownBlock2D", "AttnDownBlock2D"]},
            "ComfyUI's U-Net requires blocks of type DownBlock2D",
        ),
        ("unet", {"up_block_types": ["UpBlock2D", "UpBlock2D"]}, "with mirrored up blocks"),
        ("unet", {"mid_block_type": "UNetMidBlock2D"}, "`mid_block_type` to be 'UNetMidBlock2DCrossAttn'"),
        ("unet", {"time_embedding_type": "fourier"}, "`time_embedding_type` to be 'positional'"),
        ("unet", {"attention_head_dim": [4, 4, 2]}, "heads of one width"),
        ("scheduler", {"beta_schedule": "squaredcos_cap_v2"}, "`beta_schedule` to be one of scaled_linear"),
        ("scheduler", {"trained_betas": [0.1]}, "with trained betas"),
        ("scheduler", {"prediction_type": "sample"}, "`prediction_type` to be epsilon or v_prediction"),
        ("text_encoder", {"model_type": "t5"}, "requires a CLIP text model"),
        ("text_encoder", {"hidden_act": "relu"}, "`hidden_act` must be one of"),
        ("text_encoder", {"layer_norm_eps": 1e-3}, "`layer_norm_eps`"),
        (
            "vae",
            {"in_channels": 1, "out_channels": 1},
            "requires an autoencoder with 3 input and 3 output channels, got 1 and 1",
        ),
    ],
)
def test_unsupported_checkpoints_are_rejected_by_name(folder, part, values, message):
    change(folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json"), **values)
    with pytest.raises(ValueError, match=message):
        load(folder)


def test_unexpected_weights_are_rejected_by_name(folder):
    from safetensors.torch import load_file, save_file

    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(file), "lora.weight": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match=r"1 unexpected: lora\.weight"):
        load(folder)


def test_missing_weights_are_rejected_by_name(folder):
    from safetensors.torch import load_file, save_file

    for part, stem, name in (
        ("text_encoder", "model", "final_layer_norm.weight"),
        ("unet", "diffusion_pytorch_model", "conv_out.bias"),
    ):
        file = folder / part / f"{stem}.safetensors"
        weights = load_file(file)
        taken = next(one for one in weights if one.endswith(name))
        save_file({one: value for one, value in weights.items() if one != taken}, file)
        with pytest.raises(ValueError, match=f"1 missing: {name}"):
            load(folder)
        save_file(weights, file)


def test_missing_parts_are_named(folder):
    shutil.rmtree(folder / "vae")
    with pytest.raises(FileNotFoundError, match="lacks its vae"):
        load(folder)


def test_unreadable_configuration_is_named(folder):
    (folder / "unet" / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"unet/config.json` must be JSON"):
        load(folder)
