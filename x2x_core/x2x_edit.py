"""X2XEdit: the method on any edit model that diffusers can load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack, overload

import diffusers
import torch

from x2x_core.edit.arguments import EditKwargs, GuidanceKwargs, RelevanceKwargs
from x2x_core.edit.backbones.protocol import EditBackbone
from x2x_core.edit.backbones.registry import EDITED_AS, backbone_of, check_class
from x2x_core.edit.calling import answer
from x2x_core.edit.checkpoint_sizes import check_sizes
from x2x_core.edit.editor import Editor
from x2x_core.edit.loading import checkpoint_error, index_of, locate_checkpoint
from x2x_core.edit.outputs import InstructX2XGuidanceOutput, InstructX2XPipelineOutput, InstructX2XRelevanceOutput
from x2x_core.edit.recommended import recommendations_of
from x2x_core.edit.running import run_edit, run_guidance, run_relevance
from x2x_core.edit.saved_pseudomasks import as_atlas
from x2x_core.edit.scales import Scales, set_scales
from x2x_core.edit.settings import RECOMMENDABLE
from x2x_core.edit.signature import public_call
from x2x_core.imaging.canvases import Canvases
from x2x_core.pipeline import InstructX2XPipeline
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

Prompt = str | Sequence[str]

BUNDLED = "bundled"
# Without an atlas the mask is what the relevance map says, and what replaces a thing need not resemble it.
WITHOUT_ATLAS = {"mask_rule": "adaptive", "composition": "decoded"}


class X2XEdit:
    """Edit pictures with any edit model, changing only the region the instruction refers to.

    Example:
        >>> pipe = Flux2KleinPipeline.from_pretrained("black-forest-labs/FLUX.2-klein-4B", torch_dtype=torch.bfloat16)
        >>> edit = X2XEdit(pipe)
        >>> output = edit(Image.open("street.png"), "Make the car red.")
        >>> output.images[0], output.guidance_mask

    The pipeline stays as it is: its scheduler, LoRA layers, quantisation and offloading apply. Outside the guidance
    mask the result equals the input bit for bit, whatever the model does.

    Args:
        pipe: a loaded pipeline of one of the classes in `x2x_core.edit.backbones.registry.BACKBONES`.
        pseudomasks: the atlas of where findings can be, its path, or "bundled" for that of chest radiographs; ``None``:
            no atlas, so instructions are the model's alone to read, and the region is where the model would change
            the picture.
        recommended: defaults of settings, by name, instead of those that suit the model.
        backbone: the model's, if it is of a class of your own.

    Raises:
        InputError: a pipeline of another class, or `recommended` names something that can't be recommended.
    """

    def __init__(
        self,
        pipe: Any,
        pseudomasks: PseudomaskAtlas | str | Path | None = None,
        recommended: Mapping[str, Any] | None = None,
        backbone: EditBackbone | None = None,
    ) -> None:
        self.pipe = pipe
        self.backbone: EditBackbone = backbone_of(pipe) if backbone is None else backbone
        self.pseudomasks: PseudomaskAtlas = _atlas(pseudomasks)
        general = WITHOUT_ATLAS if not self.pseudomasks.names else {}
        settings = {**self.backbone.traits.recommended, **general, **(recommended or {})}
        self.config: dict[str, Any] = {
            "recommended": recommendations_of({"recommended": settings}, RECOMMENDABLE),
            "canonical_prompts": False,
            "trained_findings": None,
            "trained_levels": None,
        }
        self._canvases: Canvases | None = None

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        pseudomasks: PseudomaskAtlas | str | Path | None = None,
        recommended: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> X2XEdit:
        """Load a pipeline of any of the classes that can be edited with.

        Args:
            pretrained_model_name_or_path: a folder in diffusers layout, a repository of the Hugging Face Hub, or
                "demo". A checkpoint that makes pictures from a text alone (Stable Diffusion 1.5 or XL) is loaded as an
                inpainting pipeline.
            pseudomasks: as for the class.
            recommended: as for the class.
            kwargs: as for `DiffusionPipeline.from_pretrained`.

        Raises:
            InputNotFoundError: no such checkpoint.
            InputError: a pipeline of another class, or one that can't be loaded.
        """
        return cls(_load(pretrained_model_name_or_path, kwargs), pseudomasks, recommended)

    @property
    def canvases(self) -> Canvases | None:
        """The canvas of each output of the edit that runs, or ran last; ``None`` before the first."""
        return self._canvases

    @property
    def _editor(self) -> Editor:
        return Editor(self.backbone, self.pseudomasks, self.config)

    def _begin(self, canvases: Canvases, scales: Scales) -> None:
        """Set what callbacks read."""
        self._canvases = canvases
        set_scales(self.pipe, scales)

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
        """Find the relevance map of an instruction; see `InstructX2XPipeline.relevance`.

        Args:
            image: as for `InstructX2XPipeline`.
            prompt: as for `InstructX2XPipeline`.
            arguments: see `x2x_core.edit.arguments.RelevanceKwargs`.

        Returns:
            `InstructX2XRelevanceOutput`.

        Raises:
            InputError: an argument that can't be used, or that the model has no use for.
        """
        return answer(self._editor, run_relevance, RelevanceKwargs, _positional, image, prompt, arguments)

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
        """Find where an edit would be allowed to change the image; see `InstructX2XPipeline.guidance`.

        Args:
            image: as for `InstructX2XPipeline`.
            prompt: as for `InstructX2XPipeline`.
            arguments: see `x2x_core.edit.arguments.GuidanceKwargs`.

        Returns:
            `InstructX2XGuidanceOutput`.

        Raises:
            InputError: an argument that can't be used, or that the model has no use for.
        """
        return answer(self._editor, run_guidance, GuidanceKwargs, _positional, image, prompt, arguments)

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
        """Edit pictures from instructions; see `InstructX2XPipeline.__call__`.

        Args:
            image: as for `InstructX2XPipeline`.
            prompt: what to edit, or for inpainting models what the result shows.
            arguments: see `x2x_core.edit.arguments.EditKwargs`.

        Returns:
            `InstructX2XPipelineOutput`. Outside its `guidance_mask` the images equal the input bit for bit.

        Raises:
            InputError: an argument that can't be used, or that the model has no use for.
        """
        run = partial(run_edit, begin=self._begin)
        return answer(self._editor, run, EditKwargs, _positional, image, prompt, arguments)


def _load(name: str | Path, arguments: dict[str, Any]) -> Any:
    """Return the pipeline of a checkpoint."""
    checkpoint, local = locate_checkpoint(name)
    named = index_of(checkpoint, local, arguments).get("_class_name")
    kind = named if isinstance(named, str) else None
    if kind == InstructX2XPipeline.__name__:
        return InstructX2XPipeline.from_pretrained(name, **arguments)
    if kind is not None and "custom_pipeline" not in arguments:
        check_class(kind, checkpoint)
    if local:
        check_sizes(checkpoint)
    loader = getattr(diffusers, EDITED_AS.get(kind or "", "DiffusionPipeline"))
    try:
        return loader.from_pretrained(checkpoint, **{**arguments, **({"local_files_only": True} if local else {})})
    except Exception as error:  # damaged folders make the libraries raise errors of any type
        if (known := checkpoint_error(checkpoint, local, error)) is None:
            raise
        raise known from error


def _atlas(pseudomasks: PseudomaskAtlas | str | Path | None) -> PseudomaskAtlas:
    if pseudomasks is None:
        return PseudomaskAtlas({})
    return PseudomaskAtlas.bundled() if pseudomasks == BUNDLED else as_atlas(pseudomasks) or PseudomaskAtlas({})
