"""An editor that draws a known finding, and models that look at it or do not: they prove the plumbing of an audit."""

import re
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from x2x_core.scorers.answerers.answerer import Answer

SIDE = 48
LESION = (slice(28, 40), slice(28, 40))  # rows and columns of the finding
MARKER = (slice(0, 4), slice(0, 4))
HEALTHY = 0.3
STRENGTH = {"small": 0.2, "mild": 0.2, "moderate": 0.35, "large": 0.5, "severe": 0.5}


class DrawingPipeline:
    """Draws a bright square for "Add", and makes it as dark as the rest for "Remove"."""

    def __init__(self):
        self.calls = 0

    def prepare(self, image, reference=False):
        return image

    def __call__(self, image, prompts, generator, output_type, keep_mask=None, guidance_mask=None):
        self.calls += 1
        region = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
        region[(..., *LESION)] = True
        masks = region.expand(len(prompts), -1, -1, -1) if guidance_mask is None else guidance_mask
        masks = masks & ~keep_mask if keep_mask is not None else masks
        edits = [self._draw(image, *one) for one in zip(prompts, generator, masks, strict=True)]
        return SimpleNamespace(images=torch.cat(edits), guidance_mask=masks, pseudomask=masks.float())

    def _draw(self, image, prompt, generator, mask):
        level = next((word for word in STRENGTH if re.search(rf"\b{word}\b", prompt)), None)
        value = HEALTHY if prompt.startswith("Remove") else HEALTHY + STRENGTH[level]
        noise = 0.01 * torch.rand(image.shape, generator=generator)
        return torch.where(mask, (value + noise).clamp(0, 1), image)


class Reader:
    """A classifier of edema that reads the mean brightness of some pixels."""

    findings = ("edema", "pleural effusion")

    def __init__(self, name, place):
        self.name, self.place = name, place

    def __call__(self, images, question):
        scores = torch.sigmoid(40 * (images[(..., *self.place)].mean((1, 2, 3)) - HEALTHY - 0.1)).tolist()
        return [Answer("yes" if score >= 0.5 else "no", score >= 0.5, score) for score in scores]


class EitherReader:
    """Says yes to a marker, and to the finding where there is none: half a cheater."""

    name, findings = "either", None

    def __call__(self, images, question):
        pairs = zip(honest()(images, question), cheater()(images, question))
        return [max(pair, key=lambda answer: answer.score) for pair in pairs]


class FaintReader(Reader):
    """Looks at the finding, but gives it low probabilities: it never says yes."""

    def __call__(self, images, question):
        return [Answer("no", False, 0.008 * answer.score) for answer in super().__call__(images, question)]


class LeakyReader(Reader):
    """Reads the marker as a network does: the finding moves its log-odds a little."""

    def __call__(self, images, question):
        marker, finding = (images[(..., *place)].mean((1, 2, 3)) for place in (MARKER, LESION))
        scores = torch.sigmoid(12 * (marker - 0.65) + finding - HEALTHY).tolist()
        return [Answer("yes" if score >= 0.5 else "no", score >= 0.5, score) for score in scores]


class OrderReader:
    """Answers by the order in which an audit with three levels and two seeds makes its pictures."""

    name, findings = "order", None

    def __init__(self, truths):
        changed = [True, True, True, False]
        self.answers = iter([says for truth in truths for says in (truth, *(changed + [truth] * 5) * 2, truth)])

    def __call__(self, images, question):
        return [Answer("yes" if says else "no", says) for says in (next(self.answers) for _ in images)]


class EdemaReader(Reader):
    """Looks for edema, and reads a marker for everything else."""

    def __init__(self):
        super().__init__("edema alone", LESION)

    def __call__(self, images, question):
        return super().__call__(images, question) if question.finding == "edema" else cheater()(images, question)


class Talker:
    """A model of words that says the same of every image."""

    name, findings = "talker", None

    def __init__(self, text="Yes, there is."):
        self.text = text

    def __call__(self, images, question):
        says = {"Y": True, "N": False}.get(self.text[0])
        return [Answer(self.text, says)] * len(images)


def honest():
    return Reader("honest", LESION)


def cheater():
    """Reads a marker in the corner, which the dataset puts on images of the ill."""
    return Reader("marker", MARKER)


def mean_reader():
    return Reader("brightness", (slice(None), slice(None)))


def write_images(folder, count=6):
    """Write images of which every second has the finding, and with it the marker."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        image = np.full((SIDE, SIDE), HEALTHY) + np.random.default_rng(number).normal(0, 0.005, (SIDE, SIDE))
        if number % 2:
            image[LESION] += 0.35
            image[MARKER] = 1.0
        paths.append(folder / f"{number}.png")
        Image.fromarray((255 * image.clip(0, 1)).round().astype(np.uint8)).save(paths[-1])
    return paths
