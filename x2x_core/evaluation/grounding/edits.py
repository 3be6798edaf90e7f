"""The edits of a case: of the finding, of the same amount elsewhere, and none of it left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.archive.keep_mask import KeepMaskFile
from x2x_core.evaluation.audit.plan import levels_of
from x2x_core.imaging.changed import grown
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

from .elsewhere import MARGIN, amount, as_written, match_written, moved_change, pixels_elsewhere, region_of
from .plan import GROUNDING, MODEL, POPULATION, AuditCase, GroundingSettings

FOREGROUND, BACKGROUND, NORMAL, BLANK, SHIFTED = "foreground", "background", "normal", "blank", "shifted"
SECOND_BACKGROUND = "second background"
YES, NO, SAME = "yes", "no", "same"  # what an answer should be after an edit
SEED_STEP = 1000  # between the seeds of one case
BORDER = 0.1  # share of each side near the border, where markers and collimators are: no region is drawn there
_REGION_FROM = 0.5  # pseudomask above which a pixel is the finding's region


@dataclass(frozen=True)
class CaseEdit:
    """An edit of a case.

    Args:
        kind: FOREGROUND (the finding added), BACKGROUND or SECOND_BACKGROUND (the amount of another edit, elsewhere),
            NORMAL (the finding removed), BLANK (a uniform image) or SHIFTED (a test of a shift).
        expects: YES, NO or SAME; empty if nothing is expected.
        level: at which the finding is added, or of the edit whose amount this one has; "" if removed.
        seed: of the edit.
        instruction: given to the pipeline; empty for a uniform image.
        image: `(1, 1, H, W)` in [0, 1], in 8 bits.
        region: `(1, 1, H, W)` bool, where it could change.
        amount: mean absolute difference to the image, as models see both.
        gain: factor by which its change was scaled.
        matches: whether `amount` is that of the edit that it is compared with.
    """

    kind: str
    expects: str
    level: str
    seed: int
    instruction: str
    image: torch.Tensor
    region: torch.Tensor
    amount: float
    gain: float = 1.0
    matches: bool = True


class CaseEditor:
    """Makes the edits of cases.

    Args:
        pipeline: an `InstructX2XPipeline`.
        settings: of the audit.
        call: arguments of the pipeline's call.
    """

    def __init__(self, pipeline: Any, settings: GroundingSettings, call: dict[str, Any]) -> None:
        self.pipeline, self.settings, self.call = pipeline, settings, call

    def edits(self, before: torch.Tensor, case: AuditCase, number: int) -> Iterator[CaseEdit]:
        """Yield the edits of the n-th case, whose image is `before`, `(1, 1, H, W)` in [0, 1].

        Raises:
            InputError: a keep mask of another size, or one that leaves nothing to edit.
        """
        prepared = self.pipeline.prepare(before, reference=self.call.get("reference", False))
        before = as_written(before)
        keep = _keep_mask(case, before)
        for index in range(self.settings.seeds):
            seed = self.settings.seed + number + SEED_STEP * index
            if self.settings.mode == GROUNDING:
                yield from self._grounding(before, prepared, case, keep, seed)
            else:
                yield from self._shifts(before, prepared, case, keep, seed)
        if self.settings.mode == GROUNDING:
            uniform = as_written(torch.full_like(before, float(before.mean())))
            everywhere = torch.ones_like(before, dtype=torch.bool)
            yield CaseEdit(BLANK, "", "", 0, "", uniform, everywhere, amount(before, uniform))

    def _grounding(
        self, before: torch.Tensor, prepared: Any, case: AuditCase, keep: torch.Tensor, seed: int
    ) -> Iterator[CaseEdit]:
        finding = case.question.finding
        weak, moderate, strong = levels_of(finding)
        levels = (weak, moderate, strong) if self.settings.levels == 3 else (moderate,)
        removal = _instruction(Operation.REMOVE, finding, case.side)
        prompts = [*(_instruction(Operation.ADD, finding, case.side, level) for level in levels), removal]
        output = self._edit(prepared, prompts, seed, keep_mask=keep)
        made = []
        for prompt, level, image, region in zip(prompts, (*levels, ""), _images(output), output.guidance_mask.split(1)):
            kind, expects = (FOREGROUND, YES) if level else (NORMAL, NO)
            made.append(CaseEdit(kind, expects, level, seed, prompt, image, region, amount(before, image)))
        yield from made
        own = (output.guidance_mask | (output.pseudomask >= _REGION_FROM)).any(0, keepdim=True)
        kept = grown(own, MARGIN) | keep
        yield from self._backgrounds(before, prepared, made, kept, case)

    def _backgrounds(
        self, before: torch.Tensor, prepared: Any, made: Sequence[CaseEdit], keep: torch.Tensor, case: AuditCase
    ) -> Iterator[CaseEdit]:
        """Yield for each edit one elsewhere, of its amount; a second one of the last, for the filter."""
        generator = torch.Generator().manual_seed(made[0].seed)
        kinds = [BACKGROUND] * len(made) + [SECOND_BACKGROUND] * self.settings.medground
        edits = [*made, *(made[-1:] if self.settings.medground else ())]
        orders = [pixels_elsewhere(keep, interior(before), generator) for _ in edits]
        pixels = [order[: int((edit.image != before).sum())] for order, edit in zip(orders, edits)]
        regions = [region_of(of_edit, before.shape) for of_edit in pixels]
        if self.settings.background == MODEL:
            prompt = _instruction(Operation.REMOVE, case.question.finding, case.side)
            masks = {"guidance_mask": torch.cat(regions), "keep_mask": keep}
            images = list(_images(self._edit(prepared, [prompt] * len(edits), made[0].seed, **masks)))
        else:
            prompt = ""
            images = [moved_change(before, edit.image, order) for edit, order in zip(edits, orders)]
        for kind, edit, image, region in zip(kinds, edits, images, regions):
            matched = match_written(before, image, edit.amount)
            yield CaseEdit(
                kind, SAME, edit.level, edit.seed, prompt, matched.image, region, matched.amount, matched.gain,
                matched.matches,
            )  # fmt: skip

    def _shifts(
        self, before: torch.Tensor, prepared: Any, case: AuditCase, keep: torch.Tensor, seed: int
    ) -> Iterator[CaseEdit]:
        if self.settings.mode == POPULATION:
            others = [name for name in self.settings.added if name != case.question.finding]
            prompts = [_instruction(Operation.ADD, name, None, levels_of(name)[1]) for name in others]
        else:
            prompts = [_instruction(Operation.REMOVE, case.question.finding, case.side)]
        expects = SAME if self.settings.mode == POPULATION else NO
        output = self._edit(prepared, prompts, seed, keep_mask=keep)
        for prompt, image, region in zip(prompts, _images(output), output.guidance_mask.split(1)):
            yield CaseEdit(SHIFTED, expects, "", seed, prompt, image, region, amount(before, image))

    def _edit(self, prepared: Any, prompts: list[str], seed: int, keep_mask: torch.Tensor, **more: Any) -> Any:
        generators = [torch.Generator().manual_seed(seed) for _ in prompts]
        kept = {"keep_mask": keep_mask} if keep_mask.any() else {}
        return self.pipeline(prepared, prompts, generator=generators, output_type="pt", **kept, **more, **self.call)


def interior(image: torch.Tensor) -> torch.Tensor:
    """Return the pixels of `(1, 1, H, W)` away from the border, bool."""
    height, width = image.shape[-2:]
    inside = torch.zeros_like(image, dtype=torch.bool)
    top, left = round(BORDER * height), round(BORDER * width)
    inside[..., top : height - top, left : width - left] = True
    return inside


def _instruction(operation: Operation, finding: str, side: str | None, level: str | None = None) -> str:
    side = side if FINDINGS[finding].lateral else None
    return str(Instruction(clauses=(Clause(operation, finding, side, level=level),)))


def _images(output: Any) -> tuple[torch.Tensor, ...]:
    return as_written(output.images.cpu().float().mean(1, keepdim=True)).split(1)


def _keep_mask(case: AuditCase, before: torch.Tensor) -> torch.Tensor:
    if case.keep is None:
        return torch.zeros_like(before, dtype=torch.bool)
    return KeepMaskFile.read(case.keep, (before.shape[-2], before.shape[-1])).mask
