"""Checks of prompts, their embeddings, and IP-Adapter inputs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.levels import at_known_levels
from x2x_core.language.writing import write_clauses

from .arguments import CallArguments
from .reading import Subject
from .unet import PromptInputs, ip_adapter_count, text_width

if TYPE_CHECKING:
    from x2x_core.pipeline import InstructX2XPipeline

logger = logging.getLogger(__name__)


def read_prompts(prompt: Any, arguments: CallArguments) -> list[str | None]:
    """Check the prompts, and return their texts; ``None`` for each of the prompt embeddings.

    Raises:
        InputError: no prompt, two kinds of prompt or negative prompt, or one of another type or shape.
    """
    embeds, negative_embeds = arguments.prompt_embeds, arguments.negative_prompt_embeds
    if prompt is None and embeds is None:
        raise InputError(
            '`prompt` must say what to edit, for example "Add the finding of moderate left pleural effusion." Call '
            "`pipe(image, prompt)`."
        )
    if prompt is not None and embeds is not None:
        raise InputError("`prompt` and `prompt_embeds` must not both be given: leave one out.")
    if arguments.negative_prompt is not None and negative_embeds is not None:
        raise InputError("`negative_prompt` and `negative_prompt_embeds` must not both be given: leave one out.")
    if arguments.negative_prompt is not None:
        _check_text("negative_prompt", arguments.negative_prompt)
    for name, given in (("prompt_embeds", embeds), ("negative_prompt_embeds", negative_embeds)):
        if given is not None:
            _check_embeds(name, given)
    if embeds is not None and negative_embeds is not None and embeds.shape != negative_embeds.shape:
        raise InputError(
            "`prompt_embeds` and `negative_prompt_embeds` must be of one shape, got "
            f"{tuple(embeds.shape)} and {tuple(negative_embeds.shape)}."
        )
    if embeds is not None:
        if arguments.negative_prompt is not None:
            raise InputError(
                "`negative_prompt` must be given as `negative_prompt_embeds` with `prompt_embeds`: encode it too."
            )
        return [None] * len(embeds)
    _check_text("prompt", prompt)
    return [prompt] if isinstance(prompt, str) else list(prompt)


def _check_text(name: str, text: Any) -> None:
    if isinstance(text, str):
        return
    if not isinstance(text, (list, tuple)):
        raise InputError(f"`{name}` must be text or a list of texts, got {type(text).__name__}.")
    if not text or not all(isinstance(item, str) for item in text):
        raise InputError(f"`{name}` must be text or a list of at least one text, got {list(text)!r:.80}.")


def _check_embeds(name: str, embeds: Any) -> None:
    if not isinstance(embeds, torch.Tensor) or embeds.ndim != 3 or 0 in embeds.shape:
        shape = tuple(embeds.shape) if isinstance(embeds, torch.Tensor) else type(embeds).__name__
        raise InputError(f"`{name}` must be a tensor (B, tokens, width), got {shape}.")
    if not torch.isfinite(embeds).all():
        raise InputError(f"`{name}` must hold finite numbers, got NaN or infinity.")


def prepare_prompts(
    pipe: InstructX2XPipeline, texts: Sequence[str | None], arguments: CallArguments, subject: Subject
) -> PromptInputs:
    """Return the prompts of each pair, as they are to be encoded.

    Raises:
        InputError: a number of negative prompts that does not match, a missing text encoder or embeddings of another
            width.
    """
    indices = [prompt for _, prompt in subject.pairs]
    embeds = arguments.prompt_embeds
    negative_embeds = _negative_embeds(arguments.negative_prompt_embeds, len(texts), indices)
    _check_encoder(pipe, embeds, negative_embeds)
    return PromptInputs(
        wordings=_wordings(texts, subject, pipe.config["canonical_prompts"], pipe.config["trained_levels"] or {}),
        embeds=None if embeds is None else embeds[indices],
        negative=_negative_prompts(arguments.negative_prompt, len(texts), indices),
        negative_embeds=negative_embeds,
        copies=subject.copies,
        ip_adapter_image=arguments.ip_adapter_image,
        ip_adapter_image_embeds=arguments.ip_adapter_image_embeds,
        cross_attention_kwargs=arguments.cross_attention_kwargs,
    )


def _wordings(
    texts: Sequence[str | None], subject: Subject, canonical: bool, levels: Mapping[str, Sequence[str]]
) -> list[str] | None:
    """Return the prompt of each pair as the text encoder reads it.

    It is the user's words; the canonical ones if the checkpoint asks for them, then with the levels that it was trained
    with; and the canonical ones with a place that was drawn, unless that would lose words that were not understood,
    such as a learned token.
    """
    wordings = []
    for (_, prompt), instruction in zip(subject.pairs, subject.instructions):
        text = texts[prompt]
        if text is None:
            return None
        if canonical and instruction.clauses:
            wordings.append(_at_trained_levels(instruction, levels))
        else:
            wordings.append(str(instruction) if instruction.drawn and not instruction.unplaced else text)
    return wordings


def _at_trained_levels(instruction: Instruction, levels: Mapping[str, Sequence[str]]) -> str:
    """Return the canonical wording with the levels that the model knows, and warn where they are not the user's."""
    clauses = at_known_levels(instruction.clauses, levels)
    for clause, told in zip(instruction.clauses, clauses, strict=True):
        if told != clause:
            logger.warning(
                "This model was not trained on %s %s; it is asked for the nearest level, %s.",
                *(_levels(clause), clause.finding, _levels(told)),
            )
    return write_clauses(clauses, "v2")


def _levels(clause: Clause) -> str:
    """Return the level of a clause in words, or both levels of a change."""
    return f"{clause.level_from} to {clause.level}" if clause.level_from else str(clause.level)


def _negative_prompts(negative: Any, prompt_count: int, indices: list[int]) -> list[str] | None:
    """Return the negative prompt of each pair."""
    if negative is None:
        return None
    if isinstance(negative, str):
        return [negative] * len(indices)
    if len(negative) not in (1, prompt_count):
        raise InputError(
            f"`negative_prompt` must be one, or one for each of the {prompt_count} prompts, got {len(negative)}."
        )
    return [negative[index if len(negative) > 1 else 0] for index in indices]


def _negative_embeds(negative: torch.Tensor | None, prompt_count: int, indices: list[int]) -> torch.Tensor | None:
    """Return the encoded negative prompt of each pair."""
    if negative is None:
        return None
    if len(negative) not in (1, prompt_count):
        raise InputError(
            f"`negative_prompt_embeds` must be for one prompt or for each of the {prompt_count}, got {len(negative)}."
        )
    return negative[indices if len(negative) > 1 else [0] * len(indices)]


def _check_encoder(
    pipe: InstructX2XPipeline, embeds: torch.Tensor | None, negative_embeds: torch.Tensor | None
) -> None:
    """Check that all that is not given encoded can be encoded, and that the rest fits it."""
    if pipe.text_encoder is None and (embeds is None or negative_embeds is None):
        missing = "prompt_embeds" if embeds is None else "negative_prompt_embeds"
        raise InputError(f"`{missing}` must be given: this pipeline has no text encoder.")
    width = text_width(pipe.unet)
    for name, given in (("prompt_embeds", embeds), ("negative_prompt_embeds", negative_embeds)):
        if given is not None and width is not None and given.shape[-1] != width:
            raise InputError(f"`{name}` must be of width {width}, as this checkpoint's, got {given.shape[-1]}.")
    if embeds is None and negative_embeds is not None and negative_embeds.shape[1] != pipe.tokenizer.model_max_length:
        raise InputError(
            f"`negative_prompt_embeds` must hold {pipe.tokenizer.model_max_length} tokens, as the prompt, got "
            f"{negative_embeds.shape[1]}."
        )


def check_ip_adapters(pipe: InstructX2XPipeline, arguments: CallArguments) -> None:
    """Check that IP-Adapters get one kind of input, one for each adapter, and only if they are loaded.

    Raises:
        InputError: they don't.
    """
    image, embeds = arguments.ip_adapter_image, arguments.ip_adapter_image_embeds
    if image is not None and embeds is not None:
        raise InputError("`ip_adapter_image` and `ip_adapter_image_embeds` must not both be given: leave one out.")
    if embeds is not None:
        if not isinstance(embeds, list) or not embeds or not all(isinstance(own, torch.Tensor) for own in embeds):
            raise InputError(
                "`ip_adapter_image_embeds` must be a list of tensors, one for each adapter, got "
                f"{type(embeds).__name__}."
            )
        if any(own.ndim not in (3, 4) for own in embeds):
            shape = next(tuple(own.shape) for own in embeds if own.ndim not in (3, 4))
            raise InputError(f"`ip_adapter_image_embeds` must hold tensors of 3 or 4 dimensions, got {shape}.")
    loaded = ip_adapter_count(pipe.unet)
    if image is None and embeds is None:
        if loaded:
            raise InputError(
                f"`ip_adapter_image` must be given, one for each of {loaded} loaded IP-Adapters. Call "
                "`unload_ip_adapter()` to edit without."
            )
        return
    given, name = (image, "ip_adapter_image") if embeds is None else (embeds, "ip_adapter_image_embeds")
    count = len(given) if isinstance(given, list) else 1
    if count != loaded:
        raise InputError(f"`{name}` must be one for each of the {loaded} loaded IP-Adapters, got {count}.")
