"""Edits with the tiny model, for the tests of the pipeline."""

import numpy as np
from tiny_models import CELL, NATIVE, PROMPT, seeded

CELLS = NATIVE // CELL
# The guidance map's level alone, without cleaning up the mask.
BARE = {"mask_rule": "threshold", "remove_islands": False, "close_holes": False, "limit_area": False}
PROMPTS = [PROMPT, "Remove the finding of cardiomegaly.", "Add the finding of left pneumothorax."]


def edit(pipe, image, prompt=PROMPT, **arguments):
    return pipe(image, prompt, **{"num_inference_steps": 2, "generator": seeded(), **arguments})


def same(first, second):
    return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(first, second, strict=True))


def generators(count, start=0):
    return [seeded(start + number) for number in range(count)]
