"""InstructX2XPipeline: edit a radiograph by an instruction, and only where the instruction is about.

Conventions of InstructPix2Pix, kept throughout: the guidance batch is [text, image, unconditional]; `image_latents`
are the unscaled mode of the VAE's posterior; noisy `latents` are scaled.
"""

from __future__ import annotations

import inspect
import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from diffusers.schedulers import KarrasDiffusionSchedulers
from diffusers.utils import USE_PEFT_BACKEND, scale_lora_layers, unscale_lora_layers
from diffusers.utils.torch_utils import randn_tensor
from safetensors import SafetensorError
from transformers import CLIPImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from . import guidance as lead
from . import mask_rules
from . import relevance as interest
from .attention import AttentionGate, AttentionRecord, check_processors, rse_attention
from .attention_relevance import attention_record, join_relevance, relevance_from_attention
from .canvas import Canvas
from .composition import compose_decoded, compose_difference, interpolate_latents, is_grey, match_channels
from .edit_reading import Reading, align_pictures, given_guidance_mask, parts_of, read_request, region_of
from .edit_request import EditRequest
from .edit_settings import EditSettings, resolve_settings
from .finding_areas import area_limits
from .image_inputs import ImageBatch
from .instructions import Instruction
from .pipeline_loading import SINGLE_FILE_CONFIG, check_folder, locate_checkpoint, unreadable_weights
from .pipeline_output import InstructX2XGuidanceOutput, InstructX2XPipelineOutput, InstructX2XRelevanceOutput
from .pseudomasks import PseudomaskAtlas
from .published import published_scheduler

logger = logging.getLogger(__name__)

# Items of one U-Net call for the relevance map; more draws are made in several calls.
RELEVANCE_BATCH = 24
# The U-Net's canvas in latent cells where its config does not say.
USUAL_CELLS = 64


@dataclass(frozen=True)
class _Edit:
    """A request's pictures and prompts, encoded, and its noise: B outputs, `num_images_per_prompt` of each pair."""

    request: EditRequest
    scheduler: Any  # the pipeline's, or the published one
    images: ImageBatch
    canvas: Canvas
    instructions: list[Instruction]  # P
    owners: list[int]  # B: the picture of each output
    image_latents: torch.Tensor  # (N, C, h, w), unscaled, of the pictures
    prompt_embeds: torch.Tensor  # (3B, tokens, width)
    image_embeds: list[torch.Tensor] | None  # of IP-Adapters, each (3B, ...)
    noise: torch.Tensor  # (B, C, h, w): the diffusion noise
    relevance_noise: torch.Tensor  # (B, L * K, C, h, w): K draws for each of L noise levels, level by level
    wordings: list[str] | None = None  # P: the prompts as they were encoded; None for embeddings

    @property
    def condition(self) -> torch.Tensor:
        """The image latents of each output, `(B, C, h, w)`, unscaled."""
        return self.image_latents[self.owners]


@dataclass(frozen=True)
class _Guidance:
    """Where an edit may change the image: `(B, 1, H, W)` at the image's size on the CPU."""

    map: torch.Tensor
    mask: torch.Tensor  # bool
    cells: torch.Tensor  # the mask on the canvas: (B, 1, h, w) bool
    relevance: torch.Tensor | None = None
    pseudomask: torch.Tensor | None = None
    uncertainty: torch.Tensor | None = None  # of the relevance


@dataclass(frozen=True)
class _Relevance:
    """Where an instruction matters to the model, on the canvas: `(B, 1, h, w)` float32 in [0, 1]."""

    map: torch.Tensor
    uncertainty: torch.Tensor | None  # of the noise predictions; None for a single draw, or where attention counts too


@dataclass(frozen=True)
class _Edited:
    """Denoised latents `(B, C, h, w)`, scaled."""

    latents: torch.Tensor
    twin: torch.Tensor | None = None  # what the same noise becomes without the instruction


@dataclass(frozen=True)
class _Callback:
    """What is told of each step."""

    function: Callable | None = None
    tensors: Sequence[str] = ("latents",)
    legacy: Callable | None = None  # diffusers' deprecated `callback`
    legacy_steps: int = 1


class InstructX2XPipeline(StableDiffusionInstructPix2PixPipeline):
    """Instruction-driven, region-restricted editing of radiographs.

    Example:
        >>> pipe = InstructX2XPipeline.from_pretrained("demo")
        >>> output = pipe(Image.open("radiograph.png"), "Add the finding of moderate right pleural effusion.")
        >>> output.images[0].save("edited.png")

    A diffusers pipeline: what works with `StableDiffusionInstructPix2PixPipeline` (loading and saving, schedulers,
    LoRA, textual inversion, IP-Adapters, offloading, callbacks) works here.

    Args:
        vae, text_encoder, tokenizer, unet, scheduler, safety_checker, feature_extractor, image_encoder,
        requires_safety_checker: as for `StableDiffusionInstructPix2PixPipeline`.
        recommended_num_inference_steps, recommended_guidance_scale, recommended_image_guidance_scale,
        recommended_mask_threshold, recommended_relevance_noise_level, recommended_relevance_samples,
        recommended_mask_rule, recommended_remove_islands, recommended_close_holes, recommended_limit_area,
        recommended_twin: the checkpoint's own defaults for calls that don't say otherwise; saved with it. ``None``: those
            of `x2x_core.edit_settings.EditSettings`.
        canonical_prompts: whether the text encoder gets an instruction in its canonical words (``str(instruction)``)
            instead of the user's: for checkpoints trained on those alone. Saved with the checkpoint.
    """

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: KarrasDiffusionSchedulers,
        safety_checker: StableDiffusionSafetyChecker,
        feature_extractor: CLIPImageProcessor,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        requires_safety_checker: bool = True,
        recommended_num_inference_steps: int | None = None,
        recommended_guidance_scale: float | None = None,
        recommended_image_guidance_scale: float | None = None,
        recommended_mask_threshold: float | None = None,
        recommended_relevance_noise_level: float | Sequence[float] | None = None,
        recommended_relevance_samples: int | None = None,
        recommended_mask_rule: str | None = None,
        recommended_remove_islands: bool | None = None,
        recommended_close_holes: bool | None = None,
        recommended_limit_area: bool | None = None,
        recommended_twin: bool | None = None,
        canonical_prompts: bool = False,
    ) -> None:
        super().__init__(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=scheduler,
            safety_checker=safety_checker,
            feature_extractor=feature_extractor,
            image_encoder=image_encoder,
            requires_safety_checker=requires_safety_checker,
        )
        self.register_to_config(
            recommended_num_inference_steps=recommended_num_inference_steps,
            recommended_guidance_scale=recommended_guidance_scale,
            recommended_image_guidance_scale=recommended_image_guidance_scale,
            recommended_mask_threshold=recommended_mask_threshold,
            recommended_relevance_noise_level=recommended_relevance_noise_level,
            recommended_relevance_samples=recommended_relevance_samples,
            recommended_mask_rule=recommended_mask_rule,
            recommended_remove_islands=recommended_remove_islands,
            recommended_close_holes=recommended_close_holes,
            recommended_limit_area=recommended_limit_area,
            recommended_twin=recommended_twin,
            canonical_prompts=canonical_prompts,
        )
        self._pseudomasks: PseudomaskAtlas | None = None
        self._interrupt = False
        self._guidance_scale = self._image_guidance_scale = 1.0
        self._num_timesteps = 0

    # -- loading ------------------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        pseudomasks: PseudomaskAtlas | str | Path | None = None,
        **kwargs: Any,
    ) -> InstructX2XPipeline:
        """Load a checkpoint.

        Args:
            pretrained_model_name_or_path: "demo" (the checkpoint that ships), a folder in diffusers layout (also one
                whose index names the stock `StableDiffusionInstructPix2PixPipeline`), or a repository of the Hugging
                Face Hub as "owner/name". Only the last touches the network.
            pseudomasks: the atlas, or where it is; ``None``: the one that ships.
            kwargs: as for `DiffusionPipeline.from_pretrained`; without `dtype` it is float32.

        Raises:
            FileNotFoundError: there is no such checkpoint, or it lacks a part; the message names it.
            ValueError: text that is no checkpoint, or weights that can't be read safely.
        """
        checkpoint, local = locate_checkpoint(pretrained_model_name_or_path)
        atlas = _as_atlas(pseudomasks)
        if local:
            for part in check_folder(checkpoint, given=kwargs.keys()):
                logger.info("The checkpoint %s has no %s: it is left out.", checkpoint, part)
                kwargs[part] = None
            kwargs["local_files_only"] = True
        if not {"dtype", "torch_dtype"} & kwargs.keys():
            kwargs["dtype"] = torch.float32  # else transformers' parts keep the precision that they were saved in
        try:
            pipe = super().from_pretrained(checkpoint, **kwargs)
        except (OSError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
            bad = unreadable_weights(checkpoint) if local else None
            if bad is None:
                raise
            raise ValueError(
                f"`{bad}` must hold weights and nothing else, but it is damaged or holds more, which is never loaded. "
                "Download the checkpoint again, from a source that you trust."
            ) from error
        pipe.pseudomasks = atlas
        return pipe

    @classmethod
    def from_single_file(
        cls,
        pretrained_model_link_or_path: str | Path,
        pseudomasks: PseudomaskAtlas | str | Path | None = None,
        **kwargs: Any,
    ) -> InstructX2XPipeline:
        """Load a single-file checkpoint (.safetensors or .ckpt), as `FromSingleFileMixin.from_single_file` does.

        Args:
            pretrained_model_link_or_path: the file, or its address on the Hugging Face Hub.
            pseudomasks: the atlas, or where it is; ``None``: the one that ships.
            kwargs: as for diffusers; `config` names a folder or repository with the parts' configurations. Without
                it, they are downloaded from the original InstructPix2Pix's repository.
        """
        atlas = _as_atlas(pseudomasks)
        if kwargs.get("original_config") is None:
            kwargs.setdefault("config", SINGLE_FILE_CONFIG)
        pipe = super().from_single_file(str(pretrained_model_link_or_path), **kwargs)
        pipe.pseudomasks = atlas
        return pipe

    @property
    def pseudomasks(self) -> PseudomaskAtlas:
        """The atlas that says where findings can be. Set it to another one, its path, or ``None`` for the bundled."""
        if self._pseudomasks is None:
            self._pseudomasks = PseudomaskAtlas.bundled()
        return self._pseudomasks

    @pseudomasks.setter
    def pseudomasks(self, atlas: PseudomaskAtlas | str | Path | None) -> None:
        self._pseudomasks = _as_atlas(atlas)

    # -- state that callbacks read ------------------------------------------------------------------------------------

    @property
    def do_classifier_free_guidance(self) -> bool:
        """Whether any guidance is needed: at scales of 1 and 1, it is the text's prediction alone."""
        return not (self.guidance_scale == 1 and self.image_guidance_scale == 1)

    @property
    def interrupt(self) -> bool:
        """Set `pipe._interrupt = True` in a callback to end the denoising after this step."""
        return self._interrupt

    # -- looking before editing ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def relevance(
        self,
        image: Any,
        prompt: str | Sequence[str] | None = None,
        *,
        relevance_noise_level: float | Sequence[float] | None = None,
        relevance_samples: int | None = None,
        relevance_source: str | None = None,
        reference: bool = False,
        return_dict: bool = True,
        **request: Any,
    ) -> InstructX2XRelevanceOutput | tuple:
        """The relevance map of an instruction: where the model would change the image, wherever that is.

        The same arguments and seed give the same map as the full call.

        Args:
            image, prompt, relevance_noise_level, relevance_samples, relevance_source, reference: as for the call.
            return_dict: ``False`` gives a plain tuple.
            request: `negative_prompt`, `prompt_embeds`, `negative_prompt_embeds`, `num_images_per_prompt`,
                `generator`, `relevance_noise`, `ip_adapter_image`, `ip_adapter_image_embeds`,
                `cross_attention_kwargs`, as for the call.
        """
        asked = EditRequest.to_look(image, prompt, request)
        given = {
            "relevance_noise_level": relevance_noise_level,
            "relevance_samples": relevance_samples,
            "relevance_source": relevance_source,
        }
        settings = resolve_settings(given, self.config, reference)
        self._check_attention(asked, settings)
        reading = replace(self._read(asked, reference), restricted=True)
        edit = self._encode(asked, reading, settings)
        found = self._relevance(edit, settings)
        self.maybe_free_model_hooks()
        output = InstructX2XRelevanceOutput(
            _to_image(found.map, edit.canvas),
            found.map.cpu(),
            edit.instructions,
            _to_image(found.uncertainty, edit.canvas),
        )
        return output if return_dict else output.all_fields()

    @torch.no_grad()
    def guidance(
        self,
        image: Any,
        prompt: str | Sequence[str] | None = None,
        *,
        mask_threshold: float | None = None,
        mask_rule: str | None = None,
        remove_islands: bool | None = None,
        close_holes: bool | None = None,
        limit_area: bool | None = None,
        pseudomask: Any = None,
        relevance_noise_level: float | Sequence[float] | None = None,
        relevance_samples: int | None = None,
        relevance_source: str | None = None,
        align: bool | None = None,
        reference: bool = False,
        return_dict: bool = True,
        **request: Any,
    ) -> InstructX2XGuidanceOutput | tuple:
        """Where an edit would be allowed to change the image, before paying for it.

        The same arguments and seed give the same maps as the full call, and `guidance_mask` handed back to it gives
        the same edit. (Free text on a picture that is no radiograph is edited without restriction; here its map is
        computed all the same, and handing the mask back holds the edit to it.)

        Args:
            image, prompt, mask_threshold, mask_rule, remove_islands, close_holes, limit_area, pseudomask,
            relevance_noise_level, relevance_samples, relevance_source, align, reference: as for
                the call.
            return_dict: ``False`` gives a plain tuple.
            request: as for `relevance`.
        """
        asked = EditRequest.to_look(image, prompt, {**request, "pseudomask": pseudomask})
        given = {
            "mask_threshold": mask_threshold,
            "mask_rule": mask_rule,
            "remove_islands": remove_islands,
            "close_holes": close_holes,
            "limit_area": limit_area,
            "relevance_noise_level": relevance_noise_level,
            "relevance_samples": relevance_samples,
            "relevance_source": relevance_source,
            "align": align,
        }
        settings = resolve_settings(given, self.config, reference)
        self._check_attention(asked, settings)
        reading = replace(self._read(asked, reference), restricted=True)
        alignments, region, parts = self._region(asked, reading, settings)
        edit = self._encode(asked, reading, settings)
        found = self._guidance(edit, settings, region, parts)
        self.maybe_free_model_hooks()
        output = InstructX2XGuidanceOutput(
            found.map, found.mask, found.relevance, found.pseudomask, edit.instructions, found.uncertainty, alignments
        )
        return output if return_dict else output.all_fields()

    # -- the edit -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def __call__(
        self,
        image: Any = None,
        prompt: str | Sequence[str] | None = None,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        mask_threshold: float | None = None,
        mask_rule: str | None = None,
        remove_islands: bool | None = None,
        close_holes: bool | None = None,
        limit_area: bool | None = None,
        pseudomask: Any = None,
        guidance_mask: Any = None,
        relevance_noise_level: float | Sequence[float] | None = None,
        relevance_samples: int | None = None,
        relevance_source: str | None = None,
        attention_gating: bool | None = None,
        composition: str | None = None,
        twin: bool | None = None,
        soft_edge: float | None = None,
        edit_strength: float | None = None,
        align: bool | None = None,
        reference: bool = False,
        restricted: bool = True,
        negative_prompt: str | Sequence[str] | None = None,
        num_images_per_prompt: int = 1,
        eta: float = 0.0,
        generator: torch.Generator | list[torch.Generator] | None = None,
        latents: torch.Tensor | None = None,
        relevance_noise: torch.Tensor | None = None,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        ip_adapter_image: Any = None,
        ip_adapter_image_embeds: list[torch.Tensor] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable | PipelineCallback | MultiPipelineCallbacks | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        cross_attention_kwargs: dict[str, Any] | None = None,
        **deprecated: Any,
    ) -> InstructX2XPipelineOutput | tuple:
        """Edit radiographs by instructions.

        One image serves several prompts and one prompt several images; else they go in pairs. Defaults of ``None`` are
        the checkpoint's recommendation, or those of `x2x_core.edit_settings.EditSettings`.

        An instruction edits only where its findings can be. Free text that names no finding edits the whole thorax of
        a radiograph; other pictures (coloured, or of a single grey) it edits without restriction, by exactly the
        arithmetic of the stock pipeline (in a batch with restricted edits: where their relevance map passes the
        threshold). What was understood is in the output's `instructions`.

        Noise is drawn from `generator` in this order: diffusion noise, relevance noise (level by level: no two levels
        share a draw, for maps of one draw at two levels say nearly the same), then what the scheduler draws.
        Both are drawn even where they are given or not needed, so that a seed has one relevance map, and a guidance
        mask that is handed back gives the same edit. (Edits without restriction draw as the stock pipeline does.)

        Args:
            image: a radiograph or several of one size: Pillow pictures, arrays or tensors of any size and depth (see
                `x2x_core.image_inputs`), or image latents `(B, 4, h, w)`, which are edited as the picture that they
                decode to.
            prompt: what to edit, for example "Add the finding of moderate left pleural effusion."
            num_inference_steps: steps of denoising.
            guidance_scale: how strongly the instruction is followed.
            image_guidance_scale: how strongly the image is. Guidance is always on; only at scales of 1 and 1 it makes
                no difference and is left out.
            mask_threshold: the guidance map's level from which the image may change, [0, 1]; 0 is all of the
                pseudomask (unless `limit_area` finds that too much). To give one is to ask for that rule.
            mask_rule: "threshold" (the published rule) or "adaptive", which finds the level in the map itself; see
                `x2x_core.mask_rules`.
            remove_islands: whether small islands of the mask are dropped.
            close_holes: whether its holes are closed, within the pseudomask.
            limit_area: whether the level is moved until the mask has a size that the finding can have
                (`x2x_core.finding_areas`); not with a `pseudomask` of your own.
            pseudomask: where editing is allowed, instead of the atlas: an array, tensor or picture of any size in
                [0, 1], one or one for each output.
            guidance_mask: where the image may change, instead of what would be found: of the image's size, one or one
                for each output.
            relevance_noise_level: noise at which the relevance map is read, share of the schedule, [0, 1]: one number,
                or several levels that are averaged over (see `x2x_core.relevance.balance_levels`).
            relevance_samples: noise draws that the relevance map is averaged over, at each level.
            relevance_source: what the relevance map is read from: "noise" (where the instruction changes the predicted
                noise), "attention" (where the U-Net looks at the instruction) or "both" (where they agree).
            attention_gating: whether, while denoising, cross-attention follows the instruction inside the guidance mask
                only, and the negative prompt (or none) outside; see `x2x_core.attention`.
            composition: "difference" lays the change between two decodings over the original; "decoded" lays the
                decoding itself.
            twin: whether the difference is taken to a twin of the edit, the same noise denoised without the
                instruction, instead of to the original's decoding. What the model gets wrong about the picture is then
                in both and cancels, and a `guidance_scale` of 0 changes nothing. For checkpoints that were trained to
                change nothing without a text; costs one or two U-Net items more a step.
            soft_edge: width of the mask's soft inner edge, share of the image's longer side.
            edit_strength: how much of the edit is laid over the original, [0, 1]: 0 gives the image back, 1 is the full
                edit, and between them it goes over continuously. With `output_type="latent"` the latents are
                interpolated.
            align: find the patient's lungs and lay the atlas's pseudomasks over them; ``False`` takes the image for the
                typical radiograph. Masks of the caller's and published ones stay as they are.
            reference: the published code's arithmetic and settings, to the number: DDIM on Stable Diffusion's schedule
                whatever the scheduler, one relevance draw, findings without their side and zone, a hard mask, the
                decoding laid over the image. Works on, and returns, colour.
            restricted: ``False`` lets every pixel change, whatever the instruction: the stock pipeline's edit, to
                compare with.
            negative_prompt: what to lead away from.
            num_images_per_prompt: edits of each pair of image and prompt.
            eta: of DDIM; other schedulers ignore it.
            generator: one, or one for each output. One for each makes a batch give the same as single calls.
            latents: the diffusion noise `(B, 4, h, w)`, standard normal, at the canvas's size in latents.
            relevance_noise: the relevance noise, `(B, 4, h, w)` for one draw (at every noise level the same) or
                `(B, K, 4, h, w)` for K, dealt out to the levels in their order, each as many.
            prompt_embeds: the prompt, encoded. They say nothing of where: give `pseudomask` or `guidance_mask` too,
                or they count as free text.
            negative_prompt_embeds: the negative prompt, encoded.
            ip_adapter_image, ip_adapter_image_embeds: input of IP-Adapters, as for diffusers.
            output_type: "pil", "np", "pt" or "latent".
            return_dict: ``False`` gives a plain tuple of all fields.
            callback_on_step_end: called as `callback(pipe, step, timestep, tensors)` after each step.
            callback_on_step_end_tensor_inputs: which tensors it gets: "latents", "prompt_embeds", "image_latents".
            cross_attention_kwargs: passed on to the attention processors.
            deprecated: diffusers' `callback` and `callback_steps`.

        Returns:
            `InstructX2XPipelineOutput`. Outside its `guidance_mask` the images are the input's, bit for bit.

        Raises:
            ValueError: an argument that can't be used; the message names it and says what to do.
        """
        # 0. Check the arguments
        callback = self._check_callback(callback_on_step_end, callback_on_step_end_tensor_inputs, deprecated)
        request = EditRequest(
            image=image,
            prompt=prompt,
            negative_prompt=negative_prompt,
            prompt_embeds=prompt_embeds,
            negative_prompt_embeds=negative_prompt_embeds,
            pseudomask=pseudomask,
            guidance_mask=guidance_mask,
            num_images_per_prompt=num_images_per_prompt,
            generator=generator,
            latents=latents,
            relevance_noise=relevance_noise,
            ip_adapter_image=ip_adapter_image,
            ip_adapter_image_embeds=ip_adapter_image_embeds,
            cross_attention_kwargs=cross_attention_kwargs,
            output_type=output_type,
        )

        # 1. Read the pictures, understand the prompts, settle the settings
        reading = self._read(request, reference)
        if not restricted:
            request.check_unrestricted(reference)
            reading = replace(reading, restricted=False)
        given = {
            "num_inference_steps": num_inference_steps,
            "guidance_scale": guidance_scale,
            "image_guidance_scale": image_guidance_scale,
            "mask_threshold": mask_threshold,
            "mask_rule": mask_rule,
            "remove_islands": remove_islands,
            "close_holes": close_holes,
            "limit_area": limit_area,
            "relevance_noise_level": relevance_noise_level,
            "relevance_samples": relevance_samples,
            "relevance_source": relevance_source,
            "attention_gating": attention_gating,
            "composition": composition,
            "twin": twin,
            "soft_edge": soft_edge,
            "edit_strength": edit_strength,
            "align": align,
        }
        settings = resolve_settings(given, self.config, reference, reading.restricted)
        self._check_attention(request, settings)
        self._guidance_scale, self._image_guidance_scale = settings.guidance_scale, settings.image_guidance_scale
        self._interrupt = False

        given_mask = given_guidance_mask(request, reading)
        region = parts = alignments = None
        if given_mask is None and reading.restricted:
            alignments, region, parts = self._region(request, reading, settings)

        # 2. Encode prompts and pictures, draw the noise
        edit = self._encode(request, reading, settings)

        # 3. Find where the pictures may change
        if given_mask is not None:
            found = _Guidance(given_mask.float(), given_mask, edit.canvas.cells_of(given_mask).to(edit.noise.device))
        elif reading.restricted:
            found = self._guidance(edit, settings, region, parts)
        else:
            found = _everywhere(edit)

        # 4. Denoise, held to the original outside the mask
        edited = self._denoise(edit, found, settings, reading.restricted, eta, callback)

        # 5. Lay the edit over the original
        if output_type == "latent":
            clean = edit.condition * self.vae.config.scaling_factor
            images, flagged = interpolate_latents(clean, edited.latents, settings.edit_strength), None
        else:
            images, flagged = self._compose(edit, edited, found, settings, reading.restricted)

        self.maybe_free_model_hooks()
        output = InstructX2XPipelineOutput(
            images=images,
            nsfw_content_detected=flagged,
            guidance_map=found.map,
            guidance_mask=found.mask,
            relevance_map=found.relevance,
            pseudomask=found.pseudomask,
            instructions=edit.instructions,
            relevance_uncertainty=found.uncertainty,
            alignments=alignments,
        )
        return output if return_dict else output.all_fields()

    # -- 0. checks ----------------------------------------------------------------------------------------------------

    def _check_callback(self, function: Any, tensors: Sequence[str], deprecated: dict[str, Any]) -> _Callback:
        legacy, steps = deprecated.pop("callback", None), deprecated.pop("callback_steps", None)
        if deprecated:
            raise TypeError(f"InstructX2XPipeline takes no argument `{next(iter(deprecated))}`.")
        if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
            raise ValueError(f"`callback_steps` must be a whole number of at least 1, got {steps!r}.")
        if isinstance(function, (PipelineCallback, MultiPipelineCallbacks)):
            tensors = function.tensor_inputs
        unknown = [name for name in tensors if name not in self._callback_tensor_inputs]
        if unknown:
            raise ValueError(
                f"`callback_on_step_end_tensor_inputs` must name some of {', '.join(self._callback_tensor_inputs)}, "
                f"got {', '.join(map(repr, unknown))}."
            )
        return _Callback(function, tuple(tensors), legacy, steps or 1)

    def _check_attention(self, request: EditRequest, settings: EditSettings) -> None:
        """See that what is asked of attention can be had."""
        if settings.relevance_source != "noise" and request.prompt is None:
            raise ValueError(
                f'`relevance_source="{settings.relevance_source}"` needs the words of the prompt, but `prompt_embeds` '
                "have none. Give `prompt` instead, or leave `relevance_source` out."
            )
        if settings.relevance_source != "noise" or settings.attention_gating:
            check_processors(self.unet)

    # -- 1. reading ---------------------------------------------------------------------------------------------------

    def _read(self, request: EditRequest, reference: bool) -> Reading:
        return read_request(request, self.vae.config.latent_channels, self.vae_scale_factor, reference)

    def _region(
        self, request: EditRequest, reading: Reading, settings: EditSettings
    ) -> tuple[list | None, torch.Tensor, list[torch.Tensor | None] | None]:
        """How the pictures are aligned, the pseudomask, and the parts of it that each keep a piece of the mask."""
        alignments = align_pictures(request, reading, self.pseudomasks, settings.align)
        region = region_of(request, reading, self.pseudomasks, not settings.reference, alignments)
        if settings.reference:
            return alignments, region, None
        return alignments, region, parts_of(request, reading, self.pseudomasks, alignments)

    # -- 2. encoding --------------------------------------------------------------------------------------------------

    def _encode(self, request: EditRequest, reading: Reading, settings: EditSettings) -> _Edit:
        """Encode pictures and prompts, and draw the noise: the diffusion noise first, the relevance noise second."""
        copies = request.num_images_per_prompt
        owners = [picture for picture in reading.owners for _ in range(copies)]
        device = self._execution_device
        canvas = self._canvas(reading)
        channels = self.vae.config.latent_channels
        self._check_channels(channels)
        scheduler = self._scheduler(reading, settings)
        request.check_draws(len(owners), channels, canvas.cells, settings.relevance_levels)
        prompt_embeds = self._encode_prompts(request, reading, device)
        image_embeds = None
        if request.ip_adapter_image is not None or request.ip_adapter_image_embeds is not None:
            image_embeds = self.prepare_ip_adapter_image_embeds(
                request.ip_adapter_image, request.ip_adapter_image_embeds, device, len(owners), True
            )
        image_latents = self._encode_images(request, reading, canvas, device)
        images = reading.images or ImageBatch(_to_view(self._decode(image_latents)), torch.float32)
        noise, relevance_noise = self._draw(request, reading, settings, canvas, len(owners), prompt_embeds.dtype)
        return _Edit(
            request,
            scheduler,
            images.in_colour() if settings.reference else images,
            canvas,
            reading.instructions,
            owners,
            image_latents,
            prompt_embeds,
            image_embeds,
            noise,
            relevance_noise,
            None if request.prompt is None else self._wordings(request, reading),
        )

    def _scheduler(self, reading: Reading, settings: EditSettings) -> Any:
        if settings.reference:
            return published_scheduler(self.scheduler)
        if reading.restricted and not hasattr(self.scheduler, "alphas_cumprod"):
            raise ValueError(
                "`scheduler` must be one for a noise schedule with `alphas_cumprod`, such as DDIM, Euler or "
                f"DPMSolverMultistep, got {type(self.scheduler).__name__}."
            )
        return self.scheduler

    def _canvas(self, reading: Reading) -> Canvas:
        cell = self.vae_scale_factor
        if reading.images is None:
            return Canvas.own(reading.size, max(reading.size), cell)
        cells = self.unet.config.sample_size or USUAL_CELLS
        resolution = cell * (cells if isinstance(cells, int) else max(cells))
        lay = Canvas.square if reading.restricted else Canvas.own
        return lay(reading.images.size, resolution, cell)

    def _check_channels(self, latent_channels: int) -> None:
        expected = self.unet.config.in_channels
        if expected != 2 * latent_channels:
            raise ValueError(
                f"`unet` must take {2 * latent_channels} channels, the noisy latents and the image's, but it takes "
                f"{expected}: this is no InstructPix2Pix checkpoint."
            )

    def _encode_prompts(self, request: EditRequest, reading: Reading, device: torch.device) -> torch.Tensor:
        """`(3B, tokens, width)`: the branches [text, image, unconditional]."""
        pairs = reading.pairs
        numbers = [prompt for _, prompt in pairs]
        negative = request.negative_prompts(pairs)
        embeds, negative_embeds = request.prompt_embeds, request.negative_prompt_embeds
        if negative_embeds is not None and len(negative_embeds) not in (1, request.prompt_count):
            raise ValueError(
                f"`negative_prompt_embeds` must be for one prompt or for each of the {request.prompt_count}, got "
                f"{len(negative_embeds)}."
            )
        if negative_embeds is not None:
            negative_embeds = negative_embeds[numbers if len(negative_embeds) > 1 else [0] * len(numbers)]
        with _lora_scaled(self.text_encoder, (request.cross_attention_kwargs or {}).get("scale")):
            return self._encode_prompt(
                None if request.prompt is None else self._wordings(request, reading),
                device,
                request.num_images_per_prompt,
                True,
                [negative] * len(pairs) if isinstance(negative, str) else negative,
                prompt_embeds=None if embeds is None else embeds[numbers],
                negative_prompt_embeds=negative_embeds,
            )

    def _wordings(self, request: EditRequest, reading: Reading) -> list[str]:
        """The prompts as the text encoder gets them: the user's words, or the canonical ones."""
        texts = [request.prompts[number] for _, number in reading.pairs]
        if not self.config.canonical_prompts:
            return texts
        return [str(one) if one.clauses else text for one, text in zip(reading.instructions, texts)]

    def _encode_images(
        self, request: EditRequest, reading: Reading, canvas: Canvas, device: torch.device
    ) -> torch.Tensor:
        """The unscaled mode of the posterior of each picture, `(N, C, h, w)`: one encoding serves every use."""
        if reading.images is None:
            return request.image.to(device, self.vae.dtype)
        pixels = match_channels(canvas.place(reading.images.pixels), self.vae.config.in_channels)
        if self.image_processor.config.do_normalize:
            pixels = self.image_processor.normalize(pixels)
        return self.vae.encode(pixels.to(device, self.vae.dtype)).latent_dist.mode()

    def _draw(
        self,
        request: EditRequest,
        reading: Reading,
        settings: EditSettings,
        canvas: Canvas,
        outputs: int,
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Diffusion noise `(B, C, h, w)` and relevance noise `(B, L * K, C, h, w)`, K draws for each of L levels."""
        device, shape = self._execution_device, (self.vae.config.latent_channels, *canvas.cells)
        generator = list(request.generator) if isinstance(request.generator, tuple) else request.generator
        noise = relevance_noise = None
        if request.latents is None or reading.restricted:
            noise = randn_tensor((outputs, *shape), generator, device, dtype)
        if reading.restricted:
            samples = settings.relevance_levels * settings.relevance_samples
            relevance_noise = randn_tensor((outputs, samples, *shape), generator, device, dtype)
        if request.latents is not None:
            noise = request.latents.to(device, dtype).expand(outputs, *shape)
        if request.relevance_noise is not None:
            given = request.relevance_noise.to(device, dtype)
            if given.ndim == 4:  # one draw, at every level
                given = given[:, None].expand(-1, settings.relevance_levels, -1, -1, -1)
            relevance_noise = given.expand(outputs, *given.shape[1:])
        return noise, relevance_noise

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Unscaled latents to pixels `(B, C, h, w)`, about [-1, 1]."""
        return self.vae.decode(latents, return_dict=False)[0]

    # -- 3. guidance --------------------------------------------------------------------------------------------------

    def _relevance(self, edit: _Edit, settings: EditSettings) -> _Relevance:
        """R and its uncertainty, from one batch of all draws at all noise levels."""
        scheduler = edit.scheduler
        schedule = scheduler.alphas_cumprod, scheduler.config.num_train_timesteps
        levels = interest.noise_levels(settings.relevance_noise_level, *schedule)
        clean = edit.condition * self.vae.config.scaling_factor
        noise = edit.relevance_noise.chunk(len(levels), dim=1)  # each level has draws of its own
        noisy = torch.cat(
            [interest.add_noise(clean[:, None], some, level.alpha_cumprod) for some, level in zip(noise, levels)], dim=1
        )
        of_each = [level for some, level in zip(noise, levels) for _ in range(some.shape[1])]
        draws = max(1, RELEVANCE_BATCH // (2 * len(noisy)))
        record = self._attention_record(edit, settings)
        with rse_attention(self.unet, record):
            parts = [
                self._disagreement(edit, some, of_each[first : first + draws], scheduler.config.prediction_type)
                for first, some in zip(range(0, len(of_each), draws), noisy.split(draws, dim=1))
            ]
        valid = edit.canvas.shown_cells().to(clean.device)
        maps = interest.balance_levels(torch.cat(parts, dim=1).unflatten(1, (len(levels), -1)), valid)
        relevance_map, flat = interest.relevance_from_disagreement(maps, valid)
        uncertainty = interest.relevance_uncertainty(maps, valid)
        if record is not None:
            from_noise, uncertainty = relevance_map, None
            relevance_map, flat = relevance_from_attention(record.maps, edit.canvas.cells, valid)
            if settings.relevance_source == "both":
                relevance_map, flat = join_relevance(from_noise, relevance_map, valid)
        for number in flat.nonzero().flatten().tolist():
            logger.warning(
                "The relevance map of image %d is flat: the instruction makes no difference to the model, so there is "
                "nothing to edit.",
                number,
            )
        return _Relevance(relevance_map, uncertainty)

    def _attention_record(self, edit: _Edit, settings: EditSettings) -> AttentionRecord | None:
        """What watches the text branch of the relevance map's U-Net calls."""
        if settings.relevance_source == "noise":
            return None
        texts = self.maybe_convert_prompt(edit.wordings, self.tokenizer)  # as they are encoded: textual inversion
        copies = edit.request.num_images_per_prompt
        return attention_record(
            self.unet, self.tokenizer, texts, edit.instructions, edit.canvas.cells, edit.noise.device, copies
        )

    def _disagreement(
        self, edit: _Edit, noisy: torch.Tensor, levels: list[interest.NoiseLevel], prediction_type: str
    ) -> torch.Tensor:
        """One U-Net call on noisy latents `(B, K, C, h, w)`, each of the K at its own noise level.

        Returns how far text and image branch differ, `(B, K, h, w)`.
        """
        outputs, draws = noisy.shape[:2]
        flat = noisy.flatten(0, 1)
        condition = edit.condition.repeat_interleave(draws, dim=0)
        two_branches = [
            values[: 2 * outputs].repeat_interleave(draws, dim=0)
            for values in (edit.prompt_embeds, *(edit.image_embeds or ()))
        ]
        prediction = self.unet(
            torch.cat([torch.cat([flat, condition], dim=1)] * 2),
            torch.tensor([level.timestep for level in levels], device=flat.device).repeat(2 * outputs),
            encoder_hidden_states=two_branches[0],
            added_cond_kwargs={"image_embeds": two_branches[1:]} if edit.image_embeds else None,
            cross_attention_kwargs=edit.request.cross_attention_kwargs,
            return_dict=False,
        )[0]
        text, image = (branch.unflatten(0, (outputs, draws)) for branch in prediction.chunk(2))
        found = []
        for k, level in enumerate(levels):
            noise = [
                interest.predicted_noise(branch[:, k], noisy[:, k], level.alpha_cumprod, prediction_type)
                for branch in (text, image)
            ]
            found.append(interest.noise_disagreement(*noise))
        return torch.cat(found, dim=1)

    def _guidance(
        self,
        edit: _Edit,
        settings: EditSettings,
        pseudomask: torch.Tensor,
        parts: list[torch.Tensor | None] | None = None,
    ) -> _Guidance:
        """Relevance map, guidance map and guidance mask within a pseudomask `(B, 1, H, W)`.

        `parts`: for each output the regions that each keep a piece of the mask, see `x2x_core.mask_rules`.
        """
        found = self._relevance(edit, settings)
        latent_map = found.map
        relevance_map = _to_image(latent_map, edit.canvas)
        guidance_map = lead.guidance_map(relevance_map, pseudomask)
        if settings.reference:
            mask = lead.guidance_mask(guidance_map, settings.mask_threshold)
            latent_pseudomask = lead.to_published_latents(edit.canvas.place(pseudomask), edit.canvas.cells)
            latent_guidance = lead.guidance_map(latent_map.cpu(), latent_pseudomask)
            cells = lead.guidance_mask(latent_guidance, settings.mask_threshold)
        else:
            copies, limits = edit.request.num_images_per_prompt, None
            if edit.request.pseudomask is None:  # else the caller says how much may change
                limits = [area_limits(one) for one in edit.instructions for _ in range(copies)]
            mask = mask_rules.find_mask(guidance_map, pseudomask, settings, limits, parts)
            cells = edit.canvas.cells_of(mask)
        _warn_of_empty(mask, settings)
        uncertainty = _to_image(found.uncertainty, edit.canvas)
        return _Guidance(guidance_map, mask, cells.to(latent_map.device), relevance_map, pseudomask, uncertainty)

    # -- 4. denoising -------------------------------------------------------------------------------------------------

    def _denoise(
        self,
        edit: _Edit,
        found: _Guidance,
        settings: EditSettings,
        restricted: bool,
        eta: float,
        callback: _Callback,
    ) -> _Edited:
        """The edited latents, and those of the twin where the settings ask for one.

        The twin is what the same noise becomes without the instruction, by the image branch alone, so that what the
        model gets wrong about the picture is wrong in both (twin networks: Balke and Pearl, *Probabilistic evaluation
        of counterfactual queries*, 1994). It is denoised for as many steps as the edit was.
        """
        clean = edit.condition * self.vae.config.scaling_factor
        self._num_timesteps = 0
        if not found.mask.any() or settings.edit_strength == 0:
            return _Edited(clean)
        guided = self.do_classifier_free_guidance
        tensors = self._branches(edit, slice(lead.BRANCHES) if guided else slice(1))
        again = _same_draws(edit.request.generator, clean.device) if settings.twin else None
        gate = _gate(edit, found, guided) if settings.attention_gating and restricted else None
        taken = 0

        def predict(latents: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return self._predict_noise(edit, latents, t, tensors, guided)

        with rse_attention(self.unet, gate=gate), self.progress_bar(total=settings.num_inference_steps) as progress_bar:

            def after(i: int, t: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
                nonlocal taken
                latents, taken = self._tell(callback, i, t, latents, tensors), i + 1
                if taken == self._num_timesteps or taken % edit.scheduler.order == 0:
                    progress_bar.update()
                return latents

            latents = self._walk(edit, found, settings, restricted, eta, edit.request.generator, predict, after)
        if not (settings.twin and restricted):
            return _Edited(latents)
        # at an image scale of 1 the unconditional branch counts nothing and is left out
        without = self._branches(edit, slice(1, 2 if self.image_guidance_scale == 1 else lead.BRANCHES))
        twin = self._walk(
            edit, found, settings, restricted, eta, again,
            lambda latents, t: self._predict_without_text(edit, latents, t, without), steps=taken,
        )  # fmt: skip
        return _Edited(latents, twin)

    def _walk(
        self,
        edit: _Edit,
        found: _Guidance,
        settings: EditSettings,
        restricted: bool,
        eta: float,
        generator: Any,
        predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        after: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
        steps: int | None = None,
    ) -> torch.Tensor:
        """Denoise from the edit's noise: latents `(B, C, h, w)`, scaled; outside the mask's cells the original's.

        A restricted edit starts from the noised original, as the published code does, and is laid into the original at
        the noise of the coming step after every step (the published code: of the step just taken).

        Args:
            predict: latents and timestep to the predicted noise.
            after: called with step, timestep and latents after each step; gives the latents to go on with.
            steps: stop after so many of the scheduler's steps; ``None``: all, or until `interrupt` is set.
        """
        scheduler, clean = edit.scheduler, edit.condition * self.vae.config.scaling_factor
        scheduler.set_timesteps(settings.num_inference_steps, device=clean.device)
        timesteps = scheduler.timesteps
        self._num_timesteps = len(timesteps)
        if restricted:
            latents = lead.noised_background(scheduler, clean, edit.noise, timesteps, 0)
        else:
            latents = edit.noise * scheduler.init_noise_sigma
        step_kwargs = self._step_kwargs(scheduler, generator, eta)
        for i, t in enumerate(timesteps[:steps]):
            if steps is None and self.interrupt:
                break
            latents = scheduler.step(predict(latents, t), t, latents, **step_kwargs, return_dict=False)[0]
            if restricted:
                index = i if settings.reference else i + 1
                background = lead.noised_background(scheduler, clean, edit.noise, timesteps, index)
                latents = lead.blend(latents, background, found.cells)
            latents = after(i, t, latents) if after else latents
        return latents

    def _branches(self, edit: _Edit, chosen: slice) -> dict[str, Any]:
        """What the U-Net is led by in some of the branches [text, image, unconditional]."""
        condition = edit.condition
        images = [condition, condition, torch.zeros_like(condition)]
        embeds, *more = (
            torch.cat(one.chunk(lead.BRANCHES)[chosen]) for one in (edit.prompt_embeds, *(edit.image_embeds or ()))
        )
        return {"prompt_embeds": embeds, "image_latents": torch.cat(images[chosen]), "image_embeds": more or None}

    def _predict_noise(
        self, edit: _Edit, latents: torch.Tensor, t: torch.Tensor, tensors: dict[str, Any], guided: bool
    ) -> torch.Tensor:
        noise_pred = self._call_unet(edit, torch.cat([latents] * lead.BRANCHES) if guided else latents, t, tensors)
        if not guided:
            return noise_pred
        return lead.guided_noise(noise_pred, self.guidance_scale, self.image_guidance_scale)

    def _predict_without_text(
        self, edit: _Edit, latents: torch.Tensor, t: torch.Tensor, tensors: dict[str, Any]
    ) -> torch.Tensor:
        copies = len(tensors["image_latents"]) // len(latents)
        noise_pred = self._call_unet(edit, torch.cat([latents] * copies), t, tensors)
        if copies == 1:
            return noise_pred
        image, unconditional = noise_pred.chunk(2)
        return unconditional + self.image_guidance_scale * (image - unconditional)

    def _call_unet(self, edit: _Edit, latents: torch.Tensor, t: torch.Tensor, tensors: dict[str, Any]) -> torch.Tensor:
        """What the U-Net predicts for latents, one set for each branch in `tensors`."""
        scaled = edit.scheduler.scale_model_input(latents, t)
        return self.unet(
            torch.cat([scaled, tensors["image_latents"]], dim=1),
            t,
            encoder_hidden_states=tensors["prompt_embeds"],
            added_cond_kwargs={"image_embeds": tensors["image_embeds"]} if tensors["image_embeds"] else None,
            cross_attention_kwargs=edit.request.cross_attention_kwargs,
            return_dict=False,
        )[0]

    def _step_kwargs(self, scheduler: Any, generator: Any, eta: float) -> dict[str, Any]:
        """Those of `eta` and `generator` that this scheduler's step takes."""
        taken = inspect.signature(scheduler.step).parameters
        return {name: value for name, value in (("eta", eta), ("generator", generator)) if name in taken}

    def _tell(
        self, callback: _Callback, i: int, t: torch.Tensor, latents: torch.Tensor, tensors: dict[str, Any]
    ) -> torch.Tensor:
        """Call the callbacks; what they change is taken over."""
        if callback.function is not None:
            known = {"latents": latents, **tensors}
            answer = callback.function(self, i, t, {name: known[name] for name in callback.tensors}) or {}
            latents = answer.get("latents", latents)
            tensors.update({name: answer[name] for name in ("prompt_embeds", "image_latents") if name in answer})
        if callback.legacy is not None and i % callback.legacy_steps == 0:
            callback.legacy(i // self.scheduler.order, t, latents)
        return latents

    # -- 5. composition -----------------------------------------------------------------------------------------------

    def _compose(
        self, edit: _Edit, made: _Edited, found: _Guidance, settings: EditSettings, restricted: bool
    ) -> tuple[Any, list[bool] | None]:
        """The edited pictures in the caller's form, and what the safety checker says."""
        images, mask = edit.images, found.mask
        if settings.edit_strength == 0:
            mask = torch.zeros_like(mask)
        if not mask.any():
            return images.give_back(images.pixels[edit.owners], mask, edit.owners, edit.request.output_type), None
        decoded = self._decode(made.latents / self.vae.config.scaling_factor)
        decoded, flagged = self.run_safety_checker(decoded, decoded.device, edit.prompt_embeds.dtype)
        original = images.pixels[edit.owners]
        grey = is_grey(original) & (restricted and not settings.reference)
        soft_mask = lead.soft_edges(mask, settings.soft_edge * max(images.size))
        if settings.composition == "difference":
            if made.twin is None:
                unchanged = self._decode(edit.image_latents)[edit.owners]
            else:
                unchanged = self._decode(made.twin / self.vae.config.scaling_factor)
            change = (decoded.float() - unchanged.float()) / 2
            change = match_channels(edit.canvas.cut(change.cpu()), original.shape[1], grey)
            edited = compose_difference(original, change, soft_mask, settings.edit_strength)
        else:
            picture = match_channels(edit.canvas.cut(_to_view(decoded)), original.shape[1], grey)
            edited = compose_decoded(original, picture, soft_mask, settings.edit_strength)
        for number in [number for number, bad in enumerate(flagged or ()) if bad]:
            logger.warning("The safety checker objected to edit %d: it is not given back.", number)
            edited[number] = original[number] if restricted else 0
        return images.give_back(edited, mask, edit.owners, edit.request.output_type), flagged


@contextmanager
def _lora_scaled(text_encoder: Any, scale: float | None) -> Iterator[None]:
    """LoRA layers of the text encoder weighted by `scale`, as `cross_attention_kwargs` does for the U-Net's."""
    if scale is None or text_encoder is None or not USE_PEFT_BACKEND:
        yield
        return
    scale_lora_layers(text_encoder, scale)
    try:
        yield
    finally:
        unscale_lora_layers(text_encoder, scale)


def _as_atlas(atlas: PseudomaskAtlas | str | Path | None) -> PseudomaskAtlas | None:
    if atlas is None or isinstance(atlas, PseudomaskAtlas):
        return atlas
    if isinstance(atlas, (str, Path)):
        return PseudomaskAtlas.load(atlas)
    raise ValueError(f"`pseudomasks` must be a PseudomaskAtlas or its path, got {type(atlas).__name__}.")


def _to_view(decoded: torch.Tensor) -> torch.Tensor:
    """A decoding `(B, C, h, w)`, about [-1, 1], as a picture in [0, 1] on the CPU."""
    return (decoded.float().cpu() / 2 + 0.5).clamp(0, 1)


def _to_image(latent_map: torch.Tensor | None, canvas: Canvas) -> torch.Tensor | None:
    """A map on the canvas's latent cells `(B, 1, h, w)` at the picture's own size, on the CPU, in [0, 1]."""
    if latent_map is None:
        return None
    return canvas.cut(interest.upsample(latent_map.cpu(), canvas.pixels)).clamp(0, 1)


def _everywhere(edit: _Edit) -> _Guidance:
    """No restriction: every pixel may change."""
    whole = torch.ones(len(edit.owners), 1, *edit.images.size)
    cells = torch.ones(len(edit.owners), 1, *edit.canvas.cells, dtype=torch.bool, device=edit.noise.device)
    return _Guidance(whole, whole > 0, cells, pseudomask=whole.clone())


def _gate(edit: _Edit, found: _Guidance, guided: bool) -> AttentionGate:
    """Holds the text branch to the mask; the guidance batch brings the null text, the text branch alone does not."""
    return AttentionGate(found.cells, None if guided else edit.prompt_embeds.chunk(lead.BRANCHES)[1])


def _same_draws(generator: Any, device: torch.device) -> Any:
    """Generators that will draw what these (or, for ``None``, PyTorch's own) draw next; those stay as they are."""
    if isinstance(generator, (list, tuple)):
        return [_same_draws(one, device) for one in generator]
    if generator is not None:
        return torch.Generator(generator.device).set_state(generator.get_state())
    state = torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state()
    return torch.Generator(device).set_state(state)


def _warn_of_empty(mask: torch.Tensor, settings: EditSettings) -> None:
    reason, remedy = "near 0", "check what was understood"
    if settings.mask_rule == "threshold":
        reason, remedy = f"under `mask_threshold` {settings.mask_threshold:g}", "lower the threshold"
    for number, empty in enumerate(~mask.flatten(1).any(dim=1)):
        if empty:
            logger.warning(
                "The guidance mask of image %d is empty: the guidance map stays %s everywhere. The image is given back "
                "unchanged; %s, or give a `pseudomask`.",
                number,
                reason,
                remedy,
            )
