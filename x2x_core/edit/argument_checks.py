"""Checks of single arguments, and of arguments that contradict each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback

from x2x_core.common.errors import InputError
from x2x_core.common.values import number, one_of, switch, whole_number
from x2x_core.imaging.inputs import OUTPUT_TYPES

from .arguments import CallArguments
from .backbones.protocol import EditBackbone
from .denoising import StepCallback
from .settings import MASK_FINDING

# Values that mean the same as leaving the setting out where it is not used.
_SWITCHED_OFF = (
    "twin", "attention_gating", "align", "draw_place", "draw_extent", "find_extent", "place_hint", "padding_mask_crop",
    "mask_context",
)  # fmt: skip
_OFF = dict.fromkeys(_SWITCHED_OFF, False)


def check_simple_arguments(arguments: CallArguments) -> None:
    """Check the arguments that need no other.

    Raises:
        InputError: one of another type, or out of range.
    """
    one_of(OUTPUT_TYPES)("output_type", arguments.output_type)
    whole_number("num_images_per_prompt", arguments.num_images_per_prompt)
    number(0, 1)("eta", arguments.eta)
    switch("restricted", arguments.restricted)
    switch("return_dict", arguments.return_dict)
    kwargs = arguments.cross_attention_kwargs
    if kwargs is not None and not (isinstance(kwargs, dict) and all(isinstance(name, str) for name in kwargs)):
        raise InputError(f"`cross_attention_kwargs` must be a dict of arguments by name, got {kwargs!r:.80}.")
    if kwargs and kwargs.get("scale") is not None:
        number()("cross_attention_kwargs['scale']", kwargs["scale"])


def check_contradictions(arguments: CallArguments, given: Mapping[str, Any]) -> None:
    """Check that no argument is given that another one makes useless.

    Args:
        arguments: of the call.
        given: the settings that the caller gave; recommendations of the checkpoint contradict nothing.

    Raises:
        InputError: there is one.
    """
    if arguments.pseudomask is not None and arguments.guidance_mask is not None:
        raise InputError(
            "`pseudomask` and `guidance_mask` must not both be given: a guidance mask is used as it is, without a "
            "pseudomask."
        )
    if not arguments.restricted:
        masks = {name: getattr(arguments, name) for name in ("pseudomask", "guidance_mask", "keep_mask")}
        for name, value in {**masks, "reference": given.get("reference") or None}.items():
            if value is not None:
                raise InputError(f"`{name}` must be left out with `restricted=False`: it restricts the edit.")
        if arguments.relevance_noise is not None:
            raise InputError(
                "`relevance_noise` must be left out with `restricted=False`: no relevance map is computed."
            )
        regional = ("twin", "attention_gating", "place_hint", "padding_mask_crop", "mask_context", *MASK_FINDING)
        _refuse(given, regional, "restricted=False", "it applies to a region")
    if arguments.pseudomask is not None:
        _refuse(given, ("draw_place", "draw_extent", "find_extent", "place_hint"), "pseudomask", "the mask says where")
    if arguments.guidance_mask is not None:
        reason = "the mask is used as it is, and none is computed"
        _refuse(given, MASK_FINDING, "guidance_mask", reason)


def check_refused(backbone: EditBackbone, given: Mapping[str, Any]) -> None:
    """Check that no argument is given that has no meaning for a model.

    Raises:
        InputError: there is one.
    """
    for name, reason in backbone.traits.refused.items():
        value = given.get(name)
        if value is not None and value is not False:
            raise InputError(f"`{name}` must be left out with {type(backbone.pipe).__name__}: {reason}.")


def _refuse(given: Mapping[str, Any], names: Sequence[str], other: str, reason: str) -> None:
    for name in names:
        if name in given and not (name in _OFF and given[name] == _OFF[name]):
            raise InputError(f"`{name}` must be left out with `{other}`: {reason}.")


def read_callback(arguments: CallArguments, known: Sequence[str]) -> StepCallback:
    """Return the callbacks of a call.

    Args:
        arguments: of the call.
        known: the tensors that a callback can receive.

    Raises:
        InputError: something that can't be called, an unknown tensor, or a number of steps out of range.
    """
    function, tensors = arguments.callback_on_step_end, arguments.callback_on_step_end_tensor_inputs
    for name, value in (("callback_on_step_end", function), ("callback", arguments.callback)):
        if value is not None and not callable(value):
            raise InputError(f"`{name}` must be callable, got {type(value).__name__}.")
    if arguments.callback_steps is not None:
        whole_number("callback_steps", arguments.callback_steps)
    if isinstance(function, (PipelineCallback, MultiPipelineCallbacks)):
        tensors = function.tensor_inputs
    if isinstance(tensors, str) or not isinstance(tensors, Sequence):
        raise InputError(f"`callback_on_step_end_tensor_inputs` must be a list of names, got {tensors!r:.80}.")
    unknown = [name for name in tensors if name not in known]
    if unknown:
        raise InputError(
            f"`callback_on_step_end_tensor_inputs` must name some of {', '.join(known)}, "
            f"got {', '.join(map(repr, unknown))}."
        )
    return StepCallback(function, tuple(tensors), arguments.callback, arguments.callback_steps or 1)
