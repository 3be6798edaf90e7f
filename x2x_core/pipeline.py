"""InstructX2XPipeline: edit a radiograph by an instruction, and only where the instruction is about.

Conventions of InstructPix2Pix, kept throughout: the guidance batch is [text, image, unconditional]; `image_latents`
are the unscaled mode of the VAE's posterior; noisy `latents` are scaled.

An edit goes through five stages: reading (`edit_reading`), encoding (`edit_encoding`), guidance (`edit_guidance`),
denoising (`edit_denoising`), composition. What they hand on stands in `edit_state`.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from diffusers.schedulers import KarrasDiffusionSchedulers
from safetensors import SafetensorError
from transformers import CLIPImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from x2x_core.common.errors import InputError
from x2x_core.edit.composition import compose_decoded, compose_difference, interpolate_latents, is_grey, match_channels
from x2x_core.edit.denoising import EditDenoising
from x2x_core.edit.encoding import EditEncoding
from x2x_core.edit.loading import SINGLE_FILE_CONFIG, check_folder, locate_checkpoint, unreadable_weights
from x2x_core.edit.looking import EditGuidance
from x2x_core.edit.outputs import InstructX2XGuidanceOutput, InstructX2XPipelineOutput, InstructX2XRelevanceOutput
from x2x_core.edit.reading import (
    Reading,
    align_pictures,
    given_guidance_mask,
    parts_of,
    read_request,
    region_of,
    warn_of_untrained,
)
from x2x_core.edit.request import EditRequest
from x2x_core.edit.settings import EditSettings, resolve_settings
from x2x_core.edit.state import Edit, Edited, Guidance, StepCallback, everywhere, to_image, to_view
from x2x_core.guidance.attention.switching import check_processors
from x2x_core.imaging.soft import soft_edges
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

logger = logging.getLogger(__name__)


class InstructX2XPipeline(EditEncoding, EditGuidance, EditDenoising, StableDiffusionInstructPix2PixPipeline):
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
            of `x2x_core.edit.settings.EditSettings`.
        canonical_prompts: whether the text encoder gets an instruction in its canonical words (``str(instruction)``)
            instead of the user's: for checkpoints trained on those alone. Saved with the checkpoint.
        trained_findings: names of the findings that the checkpoint was trained on, separated by commas; a call that
            names another one warns. ``None``: not known, no warning. Saved with the checkpoint.
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
        recommended_guidance_scale: float | Mapping[str, float] | None = None,
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
        trained_findings: str | None = None,
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
            trained_findings=trained_findings,
        )
        self._pseudomasks: PseudomaskAtlas | None = None
        self._interrupt = False
        self._guidance_scale = self._image_guidance_scale = 1.0
        self._scale_shares: torch.Tensor | None = None
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
            InputNotFoundError: there is no such checkpoint, or it lacks a part; the message names it.
            InputError: text that is no checkpoint, or weights that can't be read safely.
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
            raise InputError(
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
        return self._scale_shares is not None or not (self.guidance_scale == 1 and self.image_guidance_scale == 1)

    @property
    def output_guidance_scale(self) -> float | torch.Tensor:
        """`guidance_scale`; where the outputs of a call have scales of their own, each one's, `(B, 1, 1, 1)`.

        `guidance_scale` is then the strongest of them, and who changes it in a callback changes all alike.
        """
        return self.guidance_scale if self._scale_shares is None else self.guidance_scale * self._scale_shares

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
            to_image(found.map, edit.canvas),
            found.map.cpu(),
            edit.instructions,
            to_image(found.uncertainty, edit.canvas),
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
        guidance_scale: float | Mapping[str, float] | None = None,
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
        the checkpoint's recommendation, or those of `x2x_core.edit.settings.EditSettings`.

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
                `x2x_core.imaging.inputs`), or image latents `(B, 4, h, w)`, which are edited as the picture that they
                decode to.
            prompt: what to edit, for example "Add the finding of moderate left pleural effusion."
            num_inference_steps: steps of denoising.
            guidance_scale: how strongly the instruction is followed: a number, or a number for each of some findings and
                for "other", such as ``{"pneumothorax": 1.2, "other": 0.8}``; of several findings the lowest counts.
            image_guidance_scale: how strongly the image is. Guidance is always on; only at scales of 1 and 1 it makes
                no difference and is left out.
            mask_threshold: the guidance map's level from which the image may change, [0, 1]; 0 is all of the
                pseudomask (unless `limit_area` finds that too much). To give one is to ask for that rule.
            mask_rule: "threshold" (the published rule) or "adaptive", which finds the level in the map itself; see
                `x2x_core.guidance.mask_rules`.
            remove_islands: whether small islands of the mask are dropped.
            close_holes: whether its holes are closed, within the pseudomask.
            limit_area: whether the level is moved until the mask has a size that the finding can have
                (`x2x_core.anatomy.areas`); not with a `pseudomask` of your own.
            pseudomask: where editing is allowed, instead of the atlas: an array, tensor or picture of any size in
                [0, 1], one or one for each output.
            guidance_mask: where the image may change, instead of what would be found: of the image's size, one or one
                for each output.
            relevance_noise_level: noise at which the relevance map is read, share of the schedule, [0, 1]: one number,
                or several levels that are averaged over (see `x2x_core.guidance.relevance.balance_levels`).
            relevance_samples: noise draws that the relevance map is averaged over, at each level.
            relevance_source: what the relevance map is read from: "noise" (where the instruction changes the predicted
                noise), "attention" (where the U-Net looks at the instruction) or "both" (where they agree).
            attention_gating: whether, while denoising, cross-attention follows the instruction inside the guidance mask
                only, and the negative prompt (or none) outside; see `x2x_core.guidance.attention`.
            composition: "difference" lays the change between two decodings over the original; "decoded" lays the
                decoding itself.
            twin: whether the difference is taken to a twin of the edit, the same noise denoised without the
                instruction, instead of to the original's decoding. What the model gets wrong about the picture is then
                in both and cancels, and a `guidance_scale` of 0 changes nothing. For checkpoints that were trained to
                change nothing without a text; costs one or two U-Net items more a step.
            soft_edge: width of the mask's soft inner edge, share of the image's longer side; in a thin mask at most half
                of its depth. ``None``: as suits the finding, see `x2x_core.anatomy.edges`; free text and embeddings
                name none and get the usual width.
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
            InputError: an argument that can't be used; the message names it and says what to do.
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
        self._interrupt = False

        given_mask = given_guidance_mask(request, reading)
        region = parts = alignments = None
        if given_mask is None and reading.restricted:
            alignments, region, parts = self._region(request, reading, settings)

        # 2. Encode prompts and pictures, draw the noise
        edit = self._encode(request, reading, settings)
        self._set_scales(edit, settings)

        # 3. Find where the pictures may change
        if given_mask is not None:
            found = Guidance(given_mask.float(), given_mask, edit.canvas.cells_of(given_mask).to(edit.noise.device))
        elif reading.restricted:
            found = self._guidance(edit, settings, region, parts)
        else:
            found = everywhere(edit)

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

    def _check_callback(self, function: Any, tensors: Sequence[str], deprecated: dict[str, Any]) -> StepCallback:
        legacy, steps = deprecated.pop("callback", None), deprecated.pop("callback_steps", None)
        if deprecated:
            raise TypeError(f"InstructX2XPipeline takes no argument `{next(iter(deprecated))}`.")
        if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
            raise InputError(f"`callback_steps` must be a whole number of at least 1, got {steps!r}.")
        if isinstance(function, (PipelineCallback, MultiPipelineCallbacks)):
            tensors = function.tensor_inputs
        unknown = [name for name in tensors if name not in self._callback_tensor_inputs]
        if unknown:
            raise InputError(
                f"`callback_on_step_end_tensor_inputs` must name some of {', '.join(self._callback_tensor_inputs)}, "
                f"got {', '.join(map(repr, unknown))}."
            )
        return StepCallback(function, tuple(tensors), legacy, steps or 1)

    def _check_attention(self, request: EditRequest, settings: EditSettings) -> None:
        """See that what is asked of attention can be had."""
        if settings.relevance_source != "noise" and request.prompt is None:
            raise InputError(
                f'`relevance_source="{settings.relevance_source}"` needs the words of the prompt, but `prompt_embeds` '
                "have none. Give `prompt` instead, or leave `relevance_source` out."
            )
        if settings.relevance_source != "noise" or settings.attention_gating:
            check_processors(self.unet)

    # -- 1. reading ---------------------------------------------------------------------------------------------------

    def _read(self, request: EditRequest, reference: bool) -> Reading:
        reading = read_request(request, self.vae.config.latent_channels, self.vae_scale_factor, reference)
        warn_of_untrained(reading.instructions, self.config.trained_findings)
        return reading

    def _set_scales(self, edit: Edit, settings: EditSettings) -> None:
        each = [settings.guidance_scale_for(one) for one in edit.wanted]
        self._guidance_scale, self._image_guidance_scale = max(each, key=abs), settings.image_guidance_scale
        self._scale_shares = None
        if len(set(each)) > 1:
            self._scale_shares = torch.tensor(each).view(-1, 1, 1, 1) / self._guidance_scale

    def _region(
        self, request: EditRequest, reading: Reading, settings: EditSettings
    ) -> tuple[list | None, torch.Tensor, list[torch.Tensor | None] | None]:
        """How the pictures are aligned, the pseudomask, and the parts of it that each keep a piece of the mask."""
        alignments = align_pictures(request, reading, self.pseudomasks, settings.align)
        region = region_of(request, reading, self.pseudomasks, not settings.reference, alignments)
        if settings.reference:
            return alignments, region, None
        return alignments, region, parts_of(request, reading, self.pseudomasks, alignments)

    # -- 5. composition -----------------------------------------------------------------------------------------------

    def _compose(
        self, edit: Edit, made: Edited, found: Guidance, settings: EditSettings, restricted: bool
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
        longer = max(images.size)
        soft_mask = soft_edges(mask, [settings.soft_edge_for(one) * longer for one in edit.wanted])
        if settings.composition == "difference":
            if made.twin is None:
                unchanged = self._decode(edit.image_latents)[edit.owners]
            else:
                unchanged = self._decode(made.twin / self.vae.config.scaling_factor)
            change = (decoded.float() - unchanged.float()) / 2
            change = match_channels(edit.canvas.cut(change.cpu()), original.shape[1], grey)
            edited = compose_difference(original, change, soft_mask, settings.edit_strength)
        else:
            picture = match_channels(edit.canvas.cut(to_view(decoded)), original.shape[1], grey)
            edited = compose_decoded(original, picture, soft_mask, settings.edit_strength)
        for number in [number for number, bad in enumerate(flagged or ()) if bad]:
            logger.warning("The safety checker objected to edit %d: it is not given back.", number)
            edited[number] = original[number] if restricted else 0
        return images.give_back(edited, mask, edit.owners, edit.request.output_type), flagged


def _as_atlas(atlas: PseudomaskAtlas | str | Path | None) -> PseudomaskAtlas | None:
    if atlas is None or isinstance(atlas, PseudomaskAtlas):
        return atlas
    if isinstance(atlas, (str, Path)):
        return PseudomaskAtlas.load(atlas)
    raise InputError(f"`pseudomasks` must be a PseudomaskAtlas or its path, got {type(atlas).__name__}.")
