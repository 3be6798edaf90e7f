"""Drafts of parts: cases with their pictures and truths, before names and orders are drawn."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from x2x_core.evaluation.reading.sheet import read_beside
from x2x_core.imaging.files import read_image
from x2x_core.study.definition import Question

CASE, TRAINING, CHECK, REPEAT = "case", "training", "check", "repeat"  # kinds of cases
_TEXT_SHARE = 1 / 22  # height of a check's letters, as a share of the picture's shorter side


@dataclass(frozen=True)
class Source:
    """Pixels of a picture: a file, or one half of a file of a reading sheet.

    Args:
        path: the file.
        half: 0 for the left half, 1 for the right one; ``None`` for the whole file.
        mark: text that is written across the picture (attention checks).
    """

    path: Path
    half: int | None = None
    mark: str = ""

    def pixels(self) -> torch.Tensor:
        """Read the picture: grey, `(1, H, W)` in [0, 1]."""
        if self.half is None:
            pixels = read_image(self.path).pixels[0].mean(0, keepdim=True)
        else:
            pixels = read_beside(self.path)[self.half]
        return _marked(pixels, self.mark) if self.mark else pixels


@dataclass(frozen=True)
class Draft:
    """A case before it has a name.

    Args:
        pictures: one for each pane.
        source: cases of equal sources are kept apart in the orders.
        truth: what the key says of it.
        kind: "case", "training", "check" or "repeat".
        caption: shown with it.
        answers: right answers of a training case, or those that a check asks for.
        explanation: shown after a training case.
        of: index of the case that a repeat repeats.
    """

    pictures: tuple[Source, ...]
    source: Hashable
    truth: Mapping[str, Any] = field(default_factory=dict)
    kind: str = CASE
    caption: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    explanation: str = ""
    of: int | None = None


@dataclass(frozen=True)
class PartDraft:
    """A part before its cases have names.

    Args:
        name: as it is recorded.
        title: as it is shown.
        task: instructions to the reader.
        questions: in their order.
        cases: of all kinds.
        panes: pictures shown at once.
        repeats: largest number of answers to a case.
        turned: whether the two pictures change sides in half of the cases.
        check: answers that an attention check asks for.
    """

    name: str
    title: str
    task: str
    questions: tuple[Question, ...]
    cases: tuple[Draft, ...]
    panes: int = 1
    repeats: int = 1
    turned: bool = False
    check: Mapping[str, Any] = field(default_factory=dict)

    def labels(self, answers: Mapping[str, Any]) -> str:
        """Return answers as they are shown."""
        return ", ".join(
            option.label
            for question in self.questions
            for option in question.options
            if option.value in _listed(answers.get(question.name))
        )


def _listed(answer: Any) -> tuple[Any, ...]:
    return tuple(answer) if isinstance(answer, (list, tuple)) else (answer,)


def _marked(pixels: torch.Tensor, text: str) -> torch.Tensor:
    """Return a blurred picture with a text across it."""
    grey = (pixels[0].clamp(0, 1).numpy() * 255).astype(np.uint8)
    side = min(grey.shape)
    picture = Image.fromarray(cv2.GaussianBlur(grey, (0, 0), side / 60))
    font = ImageFont.load_default(max(10, side * _TEXT_SHARE))
    draw = ImageDraw.Draw(picture)
    middle = (picture.width / 2, picture.height / 2)
    left, top, right, bottom = draw.multiline_textbbox(middle, text, font, "mm", align="center")
    rim = side * _TEXT_SHARE
    draw.rectangle((left - rim, top - rim, right + rim, bottom + rim), fill=0)
    draw.multiline_text(middle, text, 230, font, "mm", align="center")
    return torch.from_numpy(np.asarray(picture).astype(np.float32) / 255)[None]
