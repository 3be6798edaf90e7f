"""Edits of several seeds as one batch, judged by a verifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.anatomy.change import Change
from x2x_core.common.errors import InputError
from x2x_core.edit.outputs import InstructX2XPipelineOutput
from x2x_core.edit.prepared import PreparedImage
from x2x_core.imaging.inputs import is_image_latents, read_images

from .verifier import Verdict, Verifier

Edit = Callable[..., InstructX2XPipelineOutput]


@dataclass(frozen=True)
class Candidate:
    """One seed's edit.

    Args:
        number: k, its place in the output.
        seed: ``pipe(image, prompt, generator=seed)`` gives the same edit.
        change: what changed and where, read off the pixels.
        verdict: its scores and failures.
    """

    number: int
    seed: int
    change: Change
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """Return seed, scores, reasons and change, for JSON."""
        return {
            "seed": self.seed,
            "passed": self.verdict.passed,
            "reasons": list(self.verdict.reasons),
            "scores": self.verdict.scores.as_dict(),
            "change": self.change.as_dict(),
        }


@dataclass(frozen=True)
class Candidates:
    """All candidates of an edit.

    Args:
        output: of the pipeline, with the candidates in the order of their seeds.
        all: the candidates, in the same order.
    """

    output: InstructX2XPipelineOutput
    all: tuple[Candidate, ...]

    @property
    def ranked(self) -> tuple[Candidate, ...]:
        """The candidates from the best: fewest reasons against it, then the highest total, then the lowest number."""
        return tuple(
            sorted(self.all, key=lambda own: (len(own.verdict.reasons), -own.verdict.scores.total, own.number))
        )

    @property
    def best(self) -> Candidate:
        """The best candidate, which may have failed, too: see its `verdict.passed`."""
        return self.ranked[0]

    @property
    def image(self) -> Any:
        """The edited picture of the best candidate, in the form of `output.images`."""
        return self.output.images[self.best.number]

    def as_dict(self) -> dict[str, Any]:
        """Return the best seed, and all candidates in the order of their seeds with their ranks, for JSON."""
        ranks = {candidate.number: rank for rank, candidate in enumerate(self.ranked, 1)}
        return {
            "best": self.best.seed,
            "all": [{**candidate.as_dict(), "rank": ranks[candidate.number]} for candidate in self.all],
        }

    @property
    def failed(self) -> tuple[Candidate, ...]:
        """The candidates with something against them."""
        return tuple(candidate for candidate in self.all if not candidate.verdict.passed)


def edit_candidates(
    pipe: Edit,
    image: Any,
    prompt: str,
    *,
    num_candidates: int = 4,
    seed: int = 0,
    verifier: Verifier | None = None,
    **arguments: Any,
) -> Candidates:
    """Edit one picture with several seeds as one batch, judge all, and choose the best.

    Candidate k is the edit of the seed ``seed + k``: a call with that seed alone gives it again.

    Example:
        >>> found = edit_candidates(pipe, image, "Add the finding of left pleural effusion.", num_candidates=8)
        >>> found.image.save("edited.png")
        >>> found.best.change.sentence(), [candidate.verdict.reasons for candidate in found.failed]

    Args:
        pipe: an `InstructX2XPipeline` or `X2XEdit`.
        image: one picture, as for the pipeline.
        prompt: one instruction.
        num_candidates: number of seeds, at least 1.
        seed: of the first candidate.
        verifier: judges the candidates; ``None``: by their pixels alone, see `Verifier`.
        arguments: of the pipeline's call.

    Raises:
        InputError: several pictures or prompts, no candidates, or an argument that can't be used.
    """
    _check(prompt, num_candidates, seed, arguments)
    before = _pixels(image)
    seeds = [seed + number for number in range(num_candidates)]
    output = pipe(image, prompt, num_images_per_prompt=num_candidates, generator=seeds, **arguments)
    assert output.changes is not None and output.guidance_mask is not None and output.instructions is not None
    after = read_images(output.images).pixels
    instructions = output.instructions * (num_candidates // len(output.instructions))
    judge = verifier or Verifier()
    verdicts = [
        judge.verify(before.expand_as(edited), edited.cpu(), mask.cpu(), instruction, change)
        for edited, mask, instruction, change in zip(after, output.guidance_mask, instructions, output.changes)
    ]
    found = zip(seeds, output.changes, verdicts)
    return Candidates(output, tuple(Candidate(number, *own) for number, own in enumerate(found)))


def _check(prompt: Any, num_candidates: Any, seed: Any, arguments: dict[str, Any]) -> None:
    if not isinstance(prompt, str):
        raise InputError(f"`prompt` must be one instruction, got {type(prompt).__name__}. Edit pictures one by one.")
    for name, value, lowest in (("num_candidates", num_candidates, 1), ("seed", seed, None)):
        if isinstance(value, bool) or not isinstance(value, int) or (lowest is not None and value < lowest):
            wanted = "a whole number" if lowest is None else f"a whole number of at least {lowest}"
            raise InputError(f"`{name}` must be {wanted}, got {value!r}.")
    for name in ("generator", "num_images_per_prompt", "return_dict", "latents", "relevance_noise"):
        if name in arguments:
            raise InputError(f"`{name}` must be left out: candidates are the edits of `seed`, `seed` + 1 and so on.")
    if arguments.get("output_type") == "latent":
        raise InputError("`output_type` must not be latent: candidates are judged by their pixels.")


def _pixels(image: Any) -> torch.Tensor:
    """Return the caller's picture `(C, H, W)` in [0, 1].

    Raises:
        InputError: several pictures, or image latents.
    """
    if is_image_latents(image):
        raise InputError("`image` must be a picture, not image latents: candidates are judged by their pixels.")
    pixels = image.pictures.pixels if isinstance(image, PreparedImage) else read_images(image).pixels
    assert pixels is not None  # `prepare` takes no latents
    if len(pixels) != 1:
        raise InputError(f"`image` must be one picture, got {len(pixels)}. Edit them one by one.")
    return pixels[0]
