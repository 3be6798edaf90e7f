"""Checks of prompts and their embeddings, and the wording that the model reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.levels import at_known_levels
from x2x_core.language.writing import write_clauses

from .arguments import CallArguments
from .backbones.conditioning import PromptInputs
from .reading import Subject

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
    config: Mapping[str, Any], texts: Sequence[str | None], arguments: CallArguments, subject: Subject
) -> PromptInputs:
    """Return the prompts of each pair, as they are to be encoded.

    Args:
        config: of the checkpoint: "canonical_prompts" and "trained_levels".
        texts: the caller's prompts.
        arguments: of the call.
        subject: of the call.

    Raises:
        InputError: a number of negative prompts that does not match.
    """
    indices = [prompt for _, prompt in subject.pairs]
    embeds = arguments.prompt_embeds
    negative_embeds = _negative_embeds(arguments.negative_prompt_embeds, len(texts), indices)
    return PromptInputs(
        wordings=_wordings(texts, subject, config["canonical_prompts"], config["trained_levels"] or {}),
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
