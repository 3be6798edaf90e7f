"""Options that are settings of an edit, for the commands that edit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

from .app import PARAMETERS
from .options import Strict

_ARGUMENTS = {option: argument for argument, option in PARAMETERS.items()}


def _read_margin(text: str) -> int:
    """Read the margin of a crop; False for "off"."""
    if text == "off":
        return False
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be a whole number or off, got {text!r}.") from None


@dataclass(frozen=True)
class ScaleOptions:
    """The settings that evaluations can change, too; ``None``: the model's."""

    steps: Annotated[int | None, typer.Option(help="Denoising steps.", show_default="the model's")] = None
    guidance_scale: Annotated[
        float | None,
        typer.Option(help="Weight of the instruction (classifier-free guidance).", show_default="the model's"),
    ] = None
    image_guidance_scale: Annotated[
        float | None,
        typer.Option(help="Weight of the input image (classifier-free guidance).", show_default="the model's"),
    ] = None
    mask_threshold: Annotated[
        float | None,
        typer.Option(
            help="Threshold of the guidance map above which pixels may change, 0 to 1.", show_default="the model's"
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the pipeline's call that were given."""
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        defaults = {option.name: option.default for option in fields(self)}
        return {
            _ARGUMENTS.get(name, name): value
            for name, value in values.items()
            if value is not defaults[name] and value != []
        }


@dataclass(frozen=True)
class EditOptions(ScaleOptions):
    """The settings of `x2x edit`."""

    mask_rule: Annotated[
        str | None,
        typer.Option(help="Rule from guidance map to mask: threshold or adaptive.", show_default="the model's"),
    ] = None
    relevance_samples: Annotated[
        int | None, typer.Option(help="Noise draws per noise level of the relevance map.", show_default="the model's")
    ] = None
    relevance_noise_level: Annotated[
        list[float] | None,
        typer.Option(
            help="Noise level of the relevance map, 0 to 1; repeat it for several.", show_default="the model's"
        ),
    ] = None
    edit_strength: Annotated[
        float | None, typer.Option(help="Opacity of the edit over the input, 0 to 1.", show_default="1")
    ] = None
    relevance_source: Annotated[
        str | None, typer.Option(help="Source of the relevance map: noise, attention or both.", show_default="noise")
    ] = None
    attention_gating: Annotated[
        bool, typer.Option("--attention-gating", help="Restrict cross-attention to the instruction to the mask.")
    ] = False
    composition: Annotated[
        str | None,
        typer.Option(
            help="How the edit is combined with the input: difference, saturating or decoded.",
            show_default="the model's",
        ),
    ] = None
    align: Annotated[
        bool | None,
        typer.Option("--align/--no-align", help="Fit the pseudomasks to this patient's lungs.", show_default="on"),
    ] = None
    draw_place: Annotated[
        bool | None,
        typer.Option(
            "--draw-place/--no-draw-place",
            help="Draw a side and zone of a finding to add if the instruction names none.",
            show_default="on",
        ),
    ] = None
    padding_mask_crop: Annotated[
        int | None,
        typer.Option(
            parser=_read_margin,
            metavar="INTEGER|off",
            help="Compute the edit on a crop around the region, with this margin in pixels of the model's canvas.",
            show_default="the model's",
        ),
    ] = None
    mask_context: Annotated[
        int | None,
        typer.Option(
            parser=_read_margin,
            metavar="INTEGER|off",
            help="Denoise a window around the mask alone, with this context in pixels of the model's canvas.",
            show_default="the model's",
        ),
    ] = None
    preset: Annotated[
        str | None, typer.Option(help="fast, balanced or best: what an edit may cost.", show_default="none")
    ] = None
    reference: Annotated[bool, typer.Option("--reference", help="Reproduce the published code exactly.")] = False
    strict: Strict = True
