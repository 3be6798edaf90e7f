"""InstructX2XPipeline: edit a radiograph from a text instruction, changing only the region the instruction refers to.

An edit runs through these stages (`edit/running`), each a function in a file of `edit/`; the records that they hand on
are in `state`:

1. `request`: check every argument (`reading`: pictures and instructions) and prepare each stage's `stage_inputs`.
2. `region`: the pseudomask of each instruction, aligned to the patient.
3. `placing`: the canvas of each output, with the whole picture or a crop around the region.
4. `encoding`: encode pictures and prompts, and draw the noise.
5. `looking`: relevance map, guidance map and guidance mask.
6. `denoising`: denoise, restricted to the mask.
7. `composing`: decode, and combine the edit with the original.

The stages know the model as an `EditBackbone` (`backbones`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Unpack, overload

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_instruct_pix2pix import (
    StableDiffusionInstructPix2PixPipeline,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from diffusers.schedulers import KarrasDiffusionSchedulers
from transformers import CLIPImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

import x2x_core
from x2x_core.common.checkpoint_layout import CUSTOM_PIPELINE
from x2x_core.common.errors import InputError
from x2x_core.common.values import optional, switch, text
from x2x_core.edit.arguments import EditKwargs, GuidanceKwargs, RelevanceKwargs
from x2x_core.edit.backbones.instruct_pix2pix import InstructPix2Pix
from x2x_core.edit.backbones.registry import is_other_model, refuse_other_pipes
from x2x_core.edit.calling import answer
from x2x_core.edit.checkpoint_sizes import check_sizes
from x2x_core.edit.editor import Editor
from x2x_core.edit.loading import (
    SINGLE_FILE_CONFIG,
    check_folder,
    check_named_parts,
    checkpoint_error,
    index_of,
    locate_checkpoint,
    saved_variant,
)
from x2x_core.edit.outputs import InstructX2XGuidanceOutput, InstructX2XPipelineOutput, InstructX2XRelevanceOutput
from x2x_core.edit.prepared import PreparedImage
from x2x_core.edit.preparing import prepare_image
from x2x_core.edit.recommended import recommendations_of, take_old_keywords, translate_config
from x2x_core.edit.running import run_edit, run_guidance, run_relevance
from x2x_core.edit.saved_pseudomasks import as_atlas, downloaded_pseudomasks, save_pseudomasks, saved_pseudomasks
from x2x_core.edit.scales import Scales, set_scales
from x2x_core.edit.settings import RECOMMENDABLE
from x2x_core.edit.signature import hide_keywords, public_call
from x2x_core.imaging.canvases import Canvases
from x2x_core.language.levels import check_levels
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

logger = logging.getLogger(__name__)

_CUSTOM_PIPELINE = (
    '"""The class of this checkpoint, for diffusers."""\n\nfrom x2x_core import InstructX2XPipeline  # noqa: F401\n'
)

Prompt = str | Sequence[str]
Atlas = PseudomaskAtlas | str | Path | None


class InstructX2XPipeline(StableDiffusionInstructPix2PixPipeline):
    """Instruction-driven, region-restricted editing of radiographs.

    Example:
        >>> pipe = InstructX2XPipeline.from_pretrained("demo")
        >>> output = pipe(Image.open("radiograph.png"), "Add the finding of moderate right pleural effusion.")
        >>> output.images[0].save("edited.png")

    It is a diffusers pipeline: what works with `StableDiffusionInstructPix2PixPipeline` (loading and saving,
    schedulers, LoRA, textual inversion, IP-Adapters, offloading, callbacks) works here. The image comes first; the
    order of the stock pipeline, `pipe(prompt, image=image)`, works too.

    Args:
        vae: as for `StableDiffusionInstructPix2PixPipeline`.
        text_encoder: as for `StableDiffusionInstructPix2PixPipeline`.
        tokenizer: as for `StableDiffusionInstructPix2PixPipeline`.
        unet: as for `StableDiffusionInstructPix2PixPipeline`.
        scheduler: as for `StableDiffusionInstructPix2PixPipeline`.
        safety_checker: as for `StableDiffusionInstructPix2PixPipeline`.
        feature_extractor: as for `StableDiffusionInstructPix2PixPipeline`.
        image_encoder: as for `StableDiffusionInstructPix2PixPipeline`.
        requires_safety_checker: as for `StableDiffusionInstructPix2PixPipeline`.
        recommended: the checkpoint's own defaults, by name: some of `x2x_core.edit.settings.RECOMMENDABLE`. Saved with
            it.
        canonical_prompts: True if the text encoder gets an instruction in its canonical wording (``str(instruction)``)
            instead of the user's: for checkpoints trained on that alone. Saved with the checkpoint.
        trained_findings: names of the findings that the checkpoint was trained on, separated by commas; a call that
            names another one warns. ``None``: not known, no warning. Saved with the checkpoint.
        trained_levels: levels that the checkpoint was trained on, by finding: with `canonical_prompts`, a call that
            names another one asks for the nearest of them and warns. ``None``: not known, levels stay as they are.
            Saved with the checkpoint.
        own_pseudomasks: True if the checkpoint's folder holds pseudomasks of its own. Set by `save_pretrained`.
        pseudomasks: the atlas of where findings can be, or its path; ``None``: the bundled one.
        deprecated: "recommended_<name>" for entries of `recommended`, until version 0.3.

    Raises:
        InputError: `recommended` names something that is not a setting that can be recommended, or an argument is of
            another type.
    """

    @hide_keywords
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
        recommended: Mapping[str, Any] | None = None,
        canonical_prompts: bool = False,
        trained_findings: str | None = None,
        trained_levels: Mapping[str, Sequence[str]] | None = None,
        own_pseudomasks: bool = False,
        pseudomasks: Atlas = None,
        **deprecated: Any,
    ) -> None:
        new = recommendations_of({"recommended": recommended}, RECOMMENDABLE)
        recommended = {**take_old_keywords(deprecated), **new}
        if deprecated:
            raise TypeError(f"InstructX2XPipeline takes no argument `{next(iter(deprecated))}`.")
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
            recommended=recommendations_of({"recommended": recommended}, RECOMMENDABLE),
            canonical_prompts=switch("canonical_prompts", canonical_prompts),
            trained_findings=optional(text)("trained_findings", trained_findings),
            trained_levels=None if trained_levels is None else check_levels("trained_levels", trained_levels),
            own_pseudomasks=switch("own_pseudomasks", own_pseudomasks),
        )
        self._pseudomasks = as_atlas(pseudomasks)
        self._interrupt = False
        self._guidance_scale = self._image_guidance_scale = 1.0
        self._scale_shares: torch.Tensor | None = None
        self._num_timesteps = 0
        self._canvases: Canvases | None = None

    # -- loading and saving -------------------------------------------------------------------------------------------

    @overload
    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Literal["demo"], pseudomasks: Atlas = ..., **kwargs: Any
    ) -> InstructX2XPipeline: ...

    @overload
    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path, pseudomasks: Atlas = ..., **kwargs: Any
    ) -> InstructX2XPipeline | Any: ...

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path, pseudomasks: Atlas = None, **kwargs: Any
    ) -> InstructX2XPipeline | Any:
        """Load a checkpoint.

        Args:
            pretrained_model_name_or_path: "demo" (the bundled checkpoint), a folder in diffusers layout (also one
                whose index names the stock `StableDiffusionInstructPix2PixPipeline`), or a repository of the Hugging
                Face Hub as "owner/name". Only the last uses the network.
            pseudomasks: the atlas, or its path; ``None``: the checkpoint's own, or the bundled one; of another kind of
                model, as for `X2XEdit`.
            kwargs: as for `DiffusionPipeline.from_pretrained`; the default `dtype` is float32. Of another kind of
                model, as for `X2XEdit.from_pretrained`.

        Returns:
            The pipeline of an InstructPix2Pix checkpoint. Of another kind of model that can be edited with, which the
            checkpoint's index names (FLUX.2 klein, FLUX.1 Kontext, Qwen-Image-Edit, SDXL InstructPix2Pix, inpainting
            models), its `X2XEdit`, which has the same three calls, and the loaded pipeline as `pipe`.

        Raises:
            InputNotFoundError: no such checkpoint, or a missing part; the message names it.
            InputError: not a checkpoint, one of a kind of model that is not known, or weights that can't be read
                safely.
        """
        checkpoint, local = locate_checkpoint(pretrained_model_name_or_path)
        index = index_of(checkpoint, local, kwargs)
        if is_other_model(index.get("_class_name")):
            return x2x_core.X2XEdit.from_pretrained(checkpoint, pseudomasks, **kwargs)
        atlas = as_atlas(pseudomasks)
        if local:
            for part in check_folder(checkpoint, given=kwargs.keys()):
                logger.info("The checkpoint %s has no %s: it is left out.", checkpoint, part)
                kwargs[part] = None
            check_sizes(checkpoint)
            kwargs["local_files_only"] = True
            kwargs.setdefault("variant", saved_variant(checkpoint))
            atlas = atlas or saved_pseudomasks(index, checkpoint)
        elif index:
            check_named_parts(index, checkpoint)
        if not {"dtype", "torch_dtype"} & kwargs.keys():
            kwargs["dtype"] = torch.float32  # otherwise transformers' parts keep the precision that they were saved in
        hub_arguments, recommended = dict(kwargs), take_old_keywords(kwargs)
        try:
            pipe = super().from_pretrained(checkpoint, **kwargs)
        except InputError:
            raise
        except Exception as error:  # damaged folders make the libraries raise errors of any type
            if (known := checkpoint_error(checkpoint, local, error)) is None:
                raise
            raise known from error
        if recommended:
            combined = {**pipe.config["recommended"], **recommended}
            pipe.register_to_config(recommended=recommendations_of({"recommended": combined}, RECOMMENDABLE))
        if atlas is None and not local:
            atlas = downloaded_pseudomasks(pipe.config, checkpoint, hub_arguments)
        pipe.pseudomasks = atlas
        return pipe

    @classmethod
    def from_single_file(
        cls, pretrained_model_link_or_path: str | Path, pseudomasks: Atlas = None, **kwargs: Any
    ) -> InstructX2XPipeline:
        """Load a single-file checkpoint (.safetensors or .ckpt), as `FromSingleFileMixin.from_single_file` does.

        Args:
            pretrained_model_link_or_path: the file, or its address on the Hugging Face Hub.
            pseudomasks: the atlas, or its path; ``None``: that of the folder `config`, or the bundled one.
            kwargs: as for diffusers; `config` names a folder or repository with the parts' configurations. Without
                it, they are downloaded from the original InstructPix2Pix's repository.
        """
        atlas = as_atlas(pseudomasks)
        if kwargs.get("original_config") is None:
            kwargs.setdefault("config", SINGLE_FILE_CONFIG)
        pipe = super().from_single_file(str(pretrained_model_link_or_path), **kwargs)
        pipe.pseudomasks = atlas or saved_pseudomasks(pipe.config, kwargs.get("config") or "")
        return pipe

    @classmethod
    def from_pipe(cls, pipeline: Any, pseudomasks: Atlas = None, **kwargs: Any) -> InstructX2XPipeline:
        """Make a pipeline from the parts of another one, as `DiffusionPipeline.from_pipe` does.

        Args:
            pipeline: any pipeline with the same parts.
            pseudomasks: the atlas, or its path; ``None``: that of `pipeline`, or the bundled one.
            kwargs: as for diffusers.

        Raises:
            InputError: another kind of model: edit with `X2XEdit(pipeline)`.
        """
        atlas = as_atlas(pseudomasks)
        refuse_other_pipes(pipeline)
        pipe = super().from_pipe(pipeline, **kwargs)
        pipe.pseudomasks = atlas or getattr(pipeline, "_pseudomasks", None)
        return pipe

    @classmethod
    def extract_init_dict(
        cls, config_dict: Mapping[str, Any], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Split a config as diffusers does; recommendations in the old form are translated."""
        return super().extract_init_dict(translate_config(config_dict), **kwargs)

    def save_pretrained(self, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:
        """Save the pipeline, with its pseudomasks if they are not the bundled ones.

        The folder has a file with which `DiffusionPipeline.from_pretrained(folder, custom_pipeline=folder,
        trust_remote_code=True)` finds this class too.

        Args:
            save_directory: the folder.
            args: as for `DiffusionPipeline.save_pretrained`.
            kwargs: as for `DiffusionPipeline.save_pretrained`.
        """
        own = save_pseudomasks(self._pseudomasks, Path(save_directory))
        self.register_to_config(own_pseudomasks=own)
        super().save_pretrained(save_directory, *args, **kwargs)
        (Path(save_directory) / CUSTOM_PIPELINE).write_text(_CUSTOM_PIPELINE, encoding="utf-8")

    @property
    def pseudomasks(self) -> PseudomaskAtlas:
        """The atlas of where findings can be. Set it to another one, its path, or ``None`` for the bundled one."""
        if self._pseudomasks is None:
            self._pseudomasks = PseudomaskAtlas.bundled()
        return self._pseudomasks

    @pseudomasks.setter
    def pseudomasks(self, atlas: Atlas) -> None:
        self._pseudomasks = as_atlas(atlas)

    # -- state that callbacks read ------------------------------------------------------------------------------------

    @property
    def do_classifier_free_guidance(self) -> bool:
        """True if classifier-free guidance is active: either scale differs from 1."""
        return self._scale_shares is not None or not (self.guidance_scale == 1 and self.image_guidance_scale == 1)

    @property
    def output_guidance_scale(self) -> float | torch.Tensor:
        """`guidance_scale`, or `(B, 1, 1, 1)` if the outputs of a call have different scales.

        `guidance_scale` is then the largest of them; changing it in a callback scales all of them.
        """
        return self.guidance_scale if self._scale_shares is None else self.guidance_scale * self._scale_shares

    @property
    def interrupt(self) -> bool:
        """True to end denoising after the current step; set `pipe._interrupt = True` in a callback."""
        return self._interrupt

    @property
    def canvases(self) -> Canvases | None:
        """The canvas of each output of the edit that runs, or ran last; ``None`` before the first."""
        return self._canvases

    # -- what edits of one picture share ------------------------------------------------------------------------------

    @torch.no_grad()
    def prepare(self, image: Any, *, reference: bool = False, align: bool = True) -> PreparedImage:
        """Read pictures, encode them, find the lungs in them and measure the chest, once for all edits of them.

        The calls take the result instead of `image` and give the same results, bit for bit, for less:
        ``prepared = pipe.prepare(image)``, then ``pipe(prepared, prompt)`` with any prompts, seeds and settings. (With
        `mask_context` and the caller's `guidance_mask` nearly the same: a picture that is not prepared is then encoded
        around the mask alone, where that costs less than half as much.) Edits on a crop and edits without restriction
        still encode what they see of the picture. Warnings about the lungs are given here, once.

        Args:
            image: as for the call, but not image latents.
            reference: prepare for calls with `reference=True`.
            align: find the lungs; ``False`` leaves them to the calls that need them, which those with the caller's own
                masks do not.

        Raises:
            InputError: pictures that can't be used.
        """
        prepared = prepare_image(_editor(self), image, reference, align)
        self.maybe_free_model_hooks()
        return prepared

    # -- maps before an edit ------------------------------------------------------------------------------------------

    @overload
    def relevance(
        self, image: Any, prompt: Prompt | None = ..., **arguments: Unpack[RelevanceKwargs]
    ) -> InstructX2XRelevanceOutput: ...

    @overload
    def relevance(
        self, prompt: Prompt, /, *, image: Any, **arguments: Unpack[RelevanceKwargs]
    ) -> InstructX2XRelevanceOutput: ...

    @public_call(RelevanceKwargs)
    @torch.no_grad()
    def relevance(self, *_positional: Any, image: Any = None, prompt: Any = None, **arguments: Any) -> Any:
        """Find the relevance map of an instruction: where the model would change the image.

        The same arguments and seed give the same map as the full call. With `padding_mask_crop`, it is computed on a
        crop around the atlas's region.

        Args:
            image: as for the call.
            prompt: as for the call.
            arguments: see `x2x_core.edit.arguments.RelevanceKwargs`.

        Returns:
            `InstructX2XRelevanceOutput`.

        Raises:
            InputError: an argument that can't be used; the message names it and says what to do.
        """
        return answer(_editor(self), run_relevance, RelevanceKwargs, _positional, image, prompt, arguments)

    @overload
    def guidance(
        self, image: Any, prompt: Prompt | None = ..., **arguments: Unpack[GuidanceKwargs]
    ) -> InstructX2XGuidanceOutput: ...

    @overload
    def guidance(
        self, prompt: Prompt, /, *, image: Any, **arguments: Unpack[GuidanceKwargs]
    ) -> InstructX2XGuidanceOutput: ...

    @public_call(GuidanceKwargs)
    @torch.no_grad()
    def guidance(self, *_positional: Any, image: Any = None, prompt: Any = None, **arguments: Any) -> Any:
        """Find where an edit would be allowed to change the image, without making it.

        The same arguments and seed give the same maps as the full call, and passing `guidance_mask` to it gives the
        same edit. (With `padding_mask_crop`, the crop is then around the mask, and the edit differs; with
        `mask_context`, so does a first step at noise level 1, which is then predicted in the window. Where a place was
        drawn, pass ``str(output.instructions[0])`` as the prompt with it: with a mask, none is drawn. Free text on a
        picture that is not a radiograph is edited without restriction; here its map is computed all the same, and
        passing the mask restricts the edit to it.)

        Args:
            image: as for the call.
            prompt: as for the call.
            arguments: see `x2x_core.edit.arguments.GuidanceKwargs`.

        Returns:
            `InstructX2XGuidanceOutput`.

        Raises:
            InputError: an argument that can't be used; the message names it and says what to do.
        """
        return answer(_editor(self), run_guidance, GuidanceKwargs, _positional, image, prompt, arguments)

    # -- the edit -----------------------------------------------------------------------------------------------------

    @overload
    def __call__(
        self, image: Any, prompt: Prompt | None = ..., **arguments: Unpack[EditKwargs]
    ) -> InstructX2XPipelineOutput: ...

    @overload
    def __call__(
        self, prompt: Prompt, /, *, image: Any, **arguments: Unpack[EditKwargs]
    ) -> InstructX2XPipelineOutput: ...

    @public_call(EditKwargs)
    @torch.no_grad()
    def __call__(self, *_positional: Any, image: Any = None, prompt: Any = None, **arguments: Any) -> Any:
        """Edit radiographs from text instructions, changing only the regions the instructions refer to.

        One image is used with several prompts, and one prompt with several images; otherwise they are paired. A setting
        of ``None`` is the checkpoint's recommendation, or the default of `x2x_core.edit.settings.EditSettings`.

        An instruction changes only the region where its findings can be. Free text that names no finding edits the
        whole thorax of a radiograph; other pictures (coloured or uniform) it edits without restriction, with exactly
        the stock pipeline's arithmetic (in a batch with restricted edits: where their relevance map passes the
        threshold). The output's `instructions` say what was understood.

        Where an instruction to add a finding leaves its side or zone open, each output gets one plausible place, by a
        stream of random numbers of its own that depends on the generator's seed alone; `draw_place=False` leaves the
        place to the model.

        Noise is drawn from `generator` in this order: diffusion noise, relevance noise (level by level; no two levels
        share a draw, because maps of one draw at two levels are nearly the same), then what the scheduler draws. Both
        are drawn even if they are given or not needed, so that a seed has one relevance map, and passing a guidance
        mask gives the same edit. (Edits without restriction draw as the stock pipeline does.)

        Args:
            image: a radiograph or several of one size: Pillow pictures, arrays, tensors or paths, of any size and depth
                (see `x2x_core.imaging.inputs`), or image latents `(B, 4, h, w)`, which are edited as the picture that
                they decode to; or the result of `prepare`.
            prompt: what to edit, for example "Add the finding of moderate left pleural effusion."
            arguments: see `x2x_core.edit.arguments.EditKwargs`.

        Returns:
            `InstructX2XPipelineOutput`. Outside its `guidance_mask` the images equal the input bit for bit.

        Raises:
            InputError: an argument that can't be used; the message names it and says what to do.
        """
        run = partial(run_edit, begin=partial(_begin, self))
        return answer(_editor(self), run, EditKwargs, _positional, image, prompt, arguments)


def _editor(pipe: InstructX2XPipeline) -> Editor:
    return Editor(InstructPix2Pix(pipe), pipe.pseudomasks, pipe.config)


def _begin(pipe: InstructX2XPipeline, canvases: Canvases, scales: Scales) -> None:
    """Set what callbacks read."""
    pipe._canvases = canvases
    set_scales(pipe, scales)
    pipe._scale_shares = scales.shares
