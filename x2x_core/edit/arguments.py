"""The arguments of the three public calls other than image, prompt and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

import torch

from .settings import EditSettingsKwargs, GuidanceSettingsKwargs, RelevanceSettingsKwargs

Generators = torch.Generator | int | Sequence[torch.Generator | int]
Callback = Callable[..., Any]  # diffusers' callback objects are callable too


@dataclass(frozen=True)
class CallArguments:
    """The arguments of a call, as the caller gave them.

    Args:
        negative_prompt: what to steer away from, one or one for each prompt.
        prompt_embeds: the encoded prompt `(P, tokens, width)`, instead of `prompt`. It does not say where to edit: give
            `pseudomask` or `guidance_mask` too, or it counts as free text.
        negative_prompt_embeds: the encoded negative prompt, instead of `negative_prompt`.
        num_images_per_prompt: edits of each pair of image and prompt, at least 1.
        generator: source of random numbers: one generator or seed, or one for each output. With one for each, a batch
            gives the same as single calls.
        relevance_noise: noise of the relevance map, standard normal, `(B, 4, h, w)` for one draw (used at every noise
            level) or `(B, K, 4, h, w)` for K draws, split evenly over the noise levels in order.
        ip_adapter_image: input of IP-Adapters, as in diffusers.
        ip_adapter_image_embeds: encoded input of IP-Adapters, as in diffusers.
        cross_attention_kwargs: passed to the attention processors.
        return_dict: ``False`` returns a plain tuple of all fields.
        strict: refuse a side, zone, level or verb of the prompt that was not understood; ``False`` leaves it out with a
            warning, as do a pseudomask or guidance mask of the caller and pictures that are no radiographs.
        pseudomask: where editing is allowed, instead of the atlas's pseudomask, [0, 1], of any size: an array, tensor
            or picture, one, or one for each pair or output.
        guidance_mask: where the image may change, instead of a mask that is found: of the image's size; one, or one for
            each pair or output.
        keep_mask: what must stay as it is (a pacemaker, a marker), in every kind of edit: of the image's size; one, or
            one for each pair or output. A pixel stays where the mask is above 0.
        restricted: ``False`` lets every pixel change, whatever the instruction: the stock pipeline's edit.
        eta: of DDIM, [0, 1]; other schedulers ignore it.
        latents: diffusion noise `(B, 4, h, w)`, standard normal, at the canvas's size in latents.
        output_type: "pil", "np", "pt" or "latent".
        callback_on_step_end: called as `callback(pipe, step, timestep, tensors)` after each step.
        callback_on_step_end_tensor_inputs: the tensors that it receives, of "latents", "prompt_embeds" and
            "image_latents".
        callback: diffusers' deprecated form of `callback_on_step_end`, called as `callback(step, timestep, latents)`.
        callback_steps: steps between calls of `callback`, at least 1.
    """

    negative_prompt: str | Sequence[str] | None = None
    prompt_embeds: torch.Tensor | None = None
    negative_prompt_embeds: torch.Tensor | None = None
    num_images_per_prompt: int = 1
    generator: Generators | None = None
    relevance_noise: torch.Tensor | None = None
    ip_adapter_image: Any = None
    ip_adapter_image_embeds: list[torch.Tensor] | None = None
    cross_attention_kwargs: dict[str, Any] | None = None
    return_dict: bool = True
    strict: bool = True
    pseudomask: Any = None
    guidance_mask: Any = None
    keep_mask: Any = None
    restricted: bool = True
    eta: float = 0.0
    latents: torch.Tensor | None = None
    output_type: str = "pil"
    callback_on_step_end: Callback | None = None
    callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",)
    callback: Callable[..., Any] | None = None
    callback_steps: int | None = None


class RelevanceKwargs(RelevanceSettingsKwargs, total=False):
    """Keyword arguments of `InstructX2XPipeline.relevance`."""

    negative_prompt: str | Sequence[str] | None
    prompt_embeds: torch.Tensor | None
    negative_prompt_embeds: torch.Tensor | None
    num_images_per_prompt: int
    generator: Generators | None
    relevance_noise: torch.Tensor | None
    ip_adapter_image: Any
    ip_adapter_image_embeds: list[torch.Tensor] | None
    cross_attention_kwargs: dict[str, Any] | None
    keep_mask: Any
    return_dict: bool
    strict: bool


class GuidanceKwargs(GuidanceSettingsKwargs, RelevanceKwargs, total=False):
    """Keyword arguments of `InstructX2XPipeline.guidance`."""

    pseudomask: Any


class EditKwargs(EditSettingsKwargs, GuidanceKwargs, total=False):
    """Keyword arguments of an edit, `InstructX2XPipeline.__call__`."""

    guidance_mask: Any
    restricted: bool
    eta: float
    latents: torch.Tensor | None
    output_type: str
    callback_on_step_end: Callback | None
    callback_on_step_end_tensor_inputs: Sequence[str]
    callback: Callable[..., Any] | None
    callback_steps: int | None


# The keyword arguments of the three calls.
CallKwargs = type[RelevanceKwargs] | type[GuidanceKwargs] | type[EditKwargs]


def names_of(call: CallKwargs) -> tuple[str, ...]:
    """Return the names of a call's keyword arguments."""
    return tuple(call.__annotations__)


def split_arguments(call: CallKwargs, keywords: Mapping[str, Any]) -> tuple[dict[str, Any], CallArguments]:
    """Split a call's keyword arguments into settings and all others.

    Args:
        call: the keyword arguments that it accepts.
        keywords: those given.

    Returns:
        The settings by name, without those that are ``None``, and the other arguments.

    Raises:
        TypeError: an unknown argument.
    """
    others = {argument.name for argument in fields(CallArguments)}
    for name in keywords:
        if name not in names_of(call):
            raise TypeError(_unknown(name, call))
    settings = {name: value for name, value in keywords.items() if name not in others and value is not None}
    return settings, CallArguments(**{name: value for name, value in keywords.items() if name in others})


def _unknown(name: str, call: CallKwargs) -> str:
    if name in names_of(EditKwargs):
        return f"`{name}` has no bearing on this map: leave it out, it is an argument of the edit."
    similar = get_close_matches(name, names_of(call), n=1)
    hint = f" Did you mean `{similar[0]}`?" if similar else ""
    return f"InstructX2XPipeline takes no argument `{name}`.{hint}"
