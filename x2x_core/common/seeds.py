"""Named streams of random numbers: every draw depends on the seed, its stream and its number alone."""

from __future__ import annotations

import numpy as np
import torch

# Independent streams.
ORDER, SAMPLE, STEP, CACHE, SAMPLES, BODY, EPOCH, VALIDATION, FILM, READING, PLACE, STUDY, EXTENT = range(13)


def seeded_generator(seed: int, stream: int, *numbers: int) -> torch.Generator:
    """Return the generator of one draw of a stream.

    Args:
        seed: seed of the run.
        stream: one of this module's constants.
        numbers: numbers that name the draw within its stream; trailing zeros do not count. They are hashed, because
            PyTorch's generator uses only the lowest 32 bits of its seed.
    """
    mixed = np.random.SeedSequence((seed, stream, *numbers)).generate_state(1)
    return torch.Generator().manual_seed(int(mixed[0]))
