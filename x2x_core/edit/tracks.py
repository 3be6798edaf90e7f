"""Tracks: the ways of latents from the noised original to a result, denoised side by side.

An edit is one track, its twin another. Tracks of one run take the same steps; what they are predicted from goes through
the network in one call, and before their first step, where their latents are the same, each branch is predicted once
for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from .backbones.conditioning import THREE_BRANCHES, Conditioning, joined
from .backbones.protocol import EditBackbone, Generators, Schedule
from .background import blend
from .guiding import Guide
from .scales import Scales, image_scale_of, text_scale_of
from .state import KnownPredictions

Predictions = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Start:
    """The common start of all tracks of a run, and the original that they are restricted to.

    A restricted edit starts from the noised original, as the published code does. After every step the original, at the
    noise level of the coming step (published code: of the step just taken), is blended in outside the mask.
    """

    clean: torch.Tensor  # (B, C, h, w), scaled: the original's latents
    noise: torch.Tensor  # (B, C, h, w)
    cells: torch.Tensor  # (B, 1, h, w) bool: the guidance mask
    canvas: tuple[int, int]  # sides in latent cells
    steps: int
    eta: float
    restricted: bool
    published: bool


@dataclass
class Track:
    """One way from noise to a result.

    Args:
        start: where it starts.
        schedule: of its own; solvers keep what they predicted.
        generator: of what the solver draws.
        conditioning: of the branches that its steps predict.
        guide: which branches they are.
        combine: from the predictions of the branches of a step, with the step's number, to the one that is followed.
    """

    start: Start
    schedule: Schedule
    generator: Generators
    conditioning: Conditioning
    guide: Guide
    combine: Callable[[Predictions, int], torch.Tensor]
    latents: torch.Tensor = field(init=False)  # (B, C, h, w), from `begin` on

    def begin(self) -> torch.Tensor:
        """Set the first latents, and return the timesteps."""
        start = self.start
        timesteps = self.schedule.start(start.steps, start.canvas, start.clean.device)
        self.latents = self._background(0) if start.restricted else self.schedule.initial(start.noise)
        return timesteps

    def model_input(self, timestep: torch.Tensor) -> torch.Tensor:
        """Return the latents as the network expects them."""
        return self.schedule.model_input(self.latents, timestep)

    def advance(self, step: int, timestep: torch.Tensor, predictions: Predictions) -> None:
        """Take a step."""
        start = self.start
        prediction = self.combine(predictions, step)
        latents = self.schedule.step(prediction, timestep, self.latents, start.eta, self.generator)
        if start.restricted:
            latents = blend(latents, self._background(step if start.published else step + 1), start.cells)
        self.latents = latents

    def _background(self, index: int) -> torch.Tensor:
        return self.schedule.background(self.start.clean, self.start.noise, index)


def run(
    backbone: EditBackbone,
    scales: Scales,
    tracks: Sequence[Track],
    conditioning: Conditioning,
    after_step: Callable[[int, torch.Tensor], None] | None = None,
    steps: int | None = None,
    known: KnownPredictions | None = None,
) -> int:
    """Denoise tracks, and return the number of steps taken.

    Args:
        backbone: the model.
        scales: the guidance scales.
        tracks: one or several.
        conditioning: of all branches.
        after_step: called with step and timestep after each step.
        steps: take so many of the scheduler's steps; ``None``: all, or until `_interrupt` is set.
        known: predictions that the first step uses if they are for its latents.
    """
    pipe, taken = backbone.pipe, 0
    timesteps, *_ = [track.begin() for track in tracks]
    pipe._num_timesteps = len(timesteps)
    for i, t in enumerate(timesteps[:steps]):
        if steps is None and pipe._interrupt:
            break
        scale = image_scale_of(pipe, scales)
        wanted = [track.guide.branches(i, len(timesteps), scale) for track in tracks]
        noisy = [track.model_input(t) for track in tracks]
        step = _Step(backbone, t, text_scale_of(pipe, scales))
        if i == 0:
            predictions = step.first(conditioning, noisy[0], wanted, known)
        else:
            predictions = step.each([track.conditioning for track in tracks], noisy, wanted)
        for track, own in zip(tracks, predictions, strict=True):
            track.advance(i, t, own)
        taken = i + 1
        if after_step:
            after_step(i, t)
    return taken


@dataclass(frozen=True)
class _Step:
    """Predictions for one step of all tracks."""

    backbone: EditBackbone
    timestep: torch.Tensor
    text_scale: float | torch.Tensor

    def first(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        wanted: Sequence[tuple[str, ...]],
        known: KnownPredictions | None,
    ) -> list[Predictions]:
        """Return each track's predictions for the latents that all of them start from."""
        found = dict(known.branches) if known is not None and known.fits(noisy, self.timestep) else {}
        missing = [branch for branch in THREE_BRANCHES if any(branch in own for own in wanted) and branch not in found]
        if missing:
            own = conditioning.of(*missing)
            found |= zip(missing, self._predict(own, noisy, self.text_scale), strict=True)
        return [tuple(found[branch] for branch in branches) for branches in wanted]

    def each(
        self,
        conditionings: Sequence[Conditioning],
        noisy: Sequence[torch.Tensor],
        wanted: Sequence[tuple[str, ...]],
    ) -> list[Predictions]:
        """Return each track's predictions for its own latents, in one call if the network takes so many items."""
        chosen = [
            own if own.branches == branches else own.of(*branches) for own, branches in zip(conditionings, wanted)
        ]
        items = sum(len(own) * len(branches) for own, branches in zip(noisy, wanted))
        if len(noisy) == 1 or items > self.backbone.traits.joined_batch:
            return [self._predict(own, latents, self.text_scale) for own, latents in zip(chosen, noisy)]
        latents = torch.cat([own for own, branches in zip(noisy, wanted) for _ in branches])
        scale = self.text_scale
        if isinstance(scale, torch.Tensor):
            scale = scale.repeat(items // len(scale), 1, 1, 1)
        predicted = iter(self._predict(joined(chosen), latents, scale)[0].split(len(noisy[0])))
        return [tuple(next(predicted) for _ in branches) for branches in wanted]

    def _predict(
        self, conditioning: Conditioning, noisy: torch.Tensor, text_scale: float | torch.Tensor
    ) -> Predictions:
        return self.backbone.predict(conditioning, noisy, self.timestep.expand(len(noisy)), text_scale)
