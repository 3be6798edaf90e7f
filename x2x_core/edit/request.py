"""What a caller asks of the pipeline, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.inputs import OUTPUT_TYPES

# Arguments of a call, besides image and prompt, that bear on the maps.
LOOK_ARGUMENTS = (
    "negative_prompt",
    "prompt_embeds",
    "negative_prompt_embeds",
    "pseudomask",
    "num_images_per_prompt",
    "generator",
    "relevance_noise",
    "ip_adapter_image",
    "ip_adapter_image_embeds",
    "cross_attention_kwargs",
)


@dataclass(frozen=True)
class EditRequest:
    """The arguments of a call that say what is edited, by their names there; see `InstructX2XPipeline.__call__`."""

    image: Any
    prompt: str | Sequence[str] | None = None
    negative_prompt: str | Sequence[str] | None = None
    prompt_embeds: torch.Tensor | None = None
    negative_prompt_embeds: torch.Tensor | None = None
    pseudomask: Any = None
    guidance_mask: Any = None
    num_images_per_prompt: int = 1
    generator: torch.Generator | list[torch.Generator] | None = None
    latents: torch.Tensor | None = None
    relevance_noise: torch.Tensor | None = None
    ip_adapter_image: Any = None
    ip_adapter_image_embeds: list[torch.Tensor] | None = None
    cross_attention_kwargs: dict[str, Any] | None = None
    output_type: str = "pil"

    def __post_init__(self) -> None:
        if self.image is None:
            raise InputError("`image` must be given: a radiograph to edit.")
        if self.output_type not in OUTPUT_TYPES:
            raise InputError(f"`output_type` must be one of {', '.join(OUTPUT_TYPES)}, got {self.output_type!r}.")
        count = self.num_images_per_prompt
        if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
            raise InputError(f"`num_images_per_prompt` must be a whole number of at least 1, got {count!r}.")
        if self.pseudomask is not None and self.guidance_mask is not None:
            raise InputError(
                "`pseudomask` and `guidance_mask` must not both be given: a guidance mask is used as it stands, "
                "without a pseudomask."
            )
        check_prompts(self.prompt, self.prompt_embeds, self.negative_prompt, self.negative_prompt_embeds)
        check_ip_adapter(self.ip_adapter_image, self.ip_adapter_image_embeds)

    @classmethod
    def to_look(cls, image: Any, prompt: Any, more: Mapping[str, Any]) -> EditRequest:
        """A request that only looks at maps, with further arguments by their names.

        Raises:
            TypeError: an argument that has no bearing on the maps.
        """
        for name in more:
            if name not in LOOK_ARGUMENTS:
                raise TypeError(f"`{name}` has no bearing on the maps: leave it out, it is an argument of the edit.")
        return cls(image, prompt, **more)

    def check_unrestricted(self, reference: bool) -> None:
        """See that nothing speaks against an edit without restriction.

        Raises:
            InputError: a region is given, or the published arithmetic is asked for, which is always restricted.
        """
        given = {"pseudomask": self.pseudomask, "guidance_mask": self.guidance_mask, "reference": reference or None}
        for name, value in given.items():
            if value is not None:
                raise InputError(f"`{name}` must be left out with `restricted=False`: it restricts the edit.")

    @property
    def prompts(self) -> list[str] | None:
        """The prompts as a list; ``None`` where embeddings were given in their place."""
        if self.prompt is None:
            return None
        return [self.prompt] if isinstance(self.prompt, str) else list(self.prompt)

    @property
    def prompt_count(self) -> int:
        """How many prompts (or embeddings of prompts) there are."""
        return self.prompt_embeds.shape[0] if self.prompt is None else len(self.prompts)

    def pairs(self, image_count: int) -> list[tuple[int, int]]:
        """Which picture goes with which prompt, by their numbers.

        One of either serves all of the other; else the first goes with the first, and so on.

        Raises:
            InputError: their numbers don't fit.
        """
        prompt_count = self.prompt_count
        if image_count != prompt_count and 1 not in (image_count, prompt_count):
            raise InputError(f"`prompt` must be one, or one for each of the {image_count} images, got {prompt_count}.")
        total = max(image_count, prompt_count)
        return [(n if image_count > 1 else 0, n if prompt_count > 1 else 0) for n in range(total)]

    def negative_prompts(self, pairs: Sequence[tuple[int, int]]) -> str | list[str] | None:
        """The negative prompt of each pair.

        Raises:
            InputError: there is neither one nor one for each prompt.
        """
        negative = self.negative_prompt
        if negative is None or isinstance(negative, str):
            return negative
        if len(negative) not in (1, self.prompt_count):
            raise InputError(
                f"`negative_prompt` must be one, or one for each of the {self.prompt_count} prompts, got "
                f"{len(negative)}."
            )
        return [negative[number if len(negative) > 1 else 0] for _, number in pairs]

    def check_draws(self, outputs: int, channels: int, cells: tuple[int, int], levels: int = 1) -> None:
        """See that generators and given noise fit the number and the size of the outputs.

        Args:
            outputs: how many edits are made.
            channels: of the latents.
            cells: `(height, width)` of the latents.
            levels: noise levels of the relevance map, which several draws of its noise are dealt out to.

        Raises:
            InputError: they don't.
        """
        if isinstance(self.generator, (list, tuple)) and len(self.generator) != outputs:
            raise InputError(
                f"`generator` must be one, or one for each of the {outputs} edited images, got {len(self.generator)}."
            )
        shape = (channels, *cells)
        if self.latents is not None:
            check_noise("latents", self.latents, outputs, shape, draws=False)
        if self.relevance_noise is not None:
            check_noise("relevance_noise", self.relevance_noise, outputs, shape, draws=True)
            if self.relevance_noise.ndim == 5 and self.relevance_noise.shape[1] % levels:
                raise InputError(
                    f"`relevance_noise` must hold as many draws for each of {levels} noise levels, got "
                    f"{self.relevance_noise.shape[1]}."
                )


def check_noise(name: str, noise: Any, outputs: int, shape: tuple[int, ...], draws: bool) -> None:
    """See that given noise is `(B, *shape)`, or with `draws` also `(B, K, *shape)`, B being 1 or `outputs`."""
    wanted = f"({outputs}, {', '.join(str(side) for side in shape)})"
    if not isinstance(noise, torch.Tensor):
        raise InputError(f"`{name}` must be a tensor {wanted}, got {type(noise).__name__}.")
    fits = noise.ndim in ((4, 5) if draws else (4,)) and tuple(noise.shape[-3:]) == shape
    if not fits or noise.shape[0] not in (1, outputs) or 0 in noise.shape:
        raise InputError(f"`{name}` must be of shape {wanted}, got {tuple(noise.shape)}.")


def check_prompts(prompt: Any, prompt_embeds: Any, negative_prompt: Any, negative_prompt_embeds: Any) -> None:
    """See that there is one kind of prompt and at most one kind of negative prompt.

    Raises:
        InputError: there isn't.
    """
    if prompt is None and prompt_embeds is None:
        raise InputError(
            '`prompt` must say what to edit, for example "Add the finding of moderate left pleural effusion."'
        )
    if prompt is not None and prompt_embeds is not None:
        raise InputError("`prompt` and `prompt_embeds` must not both be given: leave one out.")
    if prompt is not None:
        _check_text("prompt", prompt)
    if negative_prompt is not None and negative_prompt_embeds is not None:
        raise InputError("`negative_prompt` and `negative_prompt_embeds` must not both be given: leave one out.")
    if negative_prompt is not None:
        _check_text("negative_prompt", negative_prompt)
    for name, embeds in (("prompt_embeds", prompt_embeds), ("negative_prompt_embeds", negative_prompt_embeds)):
        if embeds is not None and (not isinstance(embeds, torch.Tensor) or embeds.ndim != 3):
            got = tuple(embeds.shape) if isinstance(embeds, torch.Tensor) else type(embeds).__name__
            raise InputError(f"`{name}` must be a tensor (B, tokens, width), got {got}.")
    if prompt_embeds is not None and negative_prompt_embeds is not None:
        if prompt_embeds.shape != negative_prompt_embeds.shape:
            raise InputError(
                "`prompt_embeds` and `negative_prompt_embeds` must be of one shape, got "
                f"{tuple(prompt_embeds.shape)} and {tuple(negative_prompt_embeds.shape)}."
            )


def _check_text(name: str, text: Any) -> None:
    if isinstance(text, str):
        return
    if not isinstance(text, (list, tuple)):
        raise InputError(f"`{name}` must be text or a list of texts, got {type(text).__name__}.")
    if not text or not all(isinstance(one, str) for one in text):
        raise InputError(f"`{name}` must be text or a list of at least one text, got {list(text)!r:.80}.")


def check_ip_adapter(ip_adapter_image: Any, ip_adapter_image_embeds: Any) -> None:
    """See that an IP-Adapter gets at most one kind of input, in its form.

    Raises:
        InputError: it doesn't.
    """
    if ip_adapter_image is not None and ip_adapter_image_embeds is not None:
        raise InputError("`ip_adapter_image` and `ip_adapter_image_embeds` must not both be given: leave one out.")
    if ip_adapter_image_embeds is None:
        return
    if not isinstance(ip_adapter_image_embeds, list) or not ip_adapter_image_embeds:
        raise InputError(
            "`ip_adapter_image_embeds` must be a list of tensors, one for each adapter, got "
            f"{type(ip_adapter_image_embeds).__name__}."
        )
    if ip_adapter_image_embeds[0].ndim not in (3, 4):
        raise InputError(
            "`ip_adapter_image_embeds` must hold tensors of 3 or 4 dimensions, got "
            f"{tuple(ip_adapter_image_embeds[0].shape)}."
        )
