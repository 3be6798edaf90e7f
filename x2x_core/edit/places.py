"""Places that instructions leave open: one is drawn for each output.

The draws have a stream of their own, seeded from the seed of the call's generator: nothing is drawn from the generator
itself, so that its noise is the same with and without. A generator that is used for several calls keeps its seed, and
gives each of them the same places.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import torch

from x2x_core.common.seeds import PLACE, seeded_generator
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.open_places import write_drawn
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.drawing import draw_place

from .backbones.protocol import Generators
from .reading import Subject

logger = logging.getLogger(__name__)


def draw_places(subject: Subject, atlas: PseudomaskAtlas, generator: Generators) -> Subject:
    """Draw a place for each output whose instruction leaves one open.

    Args:
        subject: of the call.
        atlas: its frequencies.
        generator: of the call: one, one for each output, or ``None``, which draws places that cannot be repeated.

    Returns:
        The subject with a pair for each output if anything was drawn, else as it was.
    """
    if not any(instruction.open_clauses for instruction in subject.instructions):
        return subject
    streams = place_streams(generator, len(subject.image_index))
    instructions = [_draw(own, atlas, stream) for own, stream in zip(subject.output_instructions, streams, strict=True)]
    if not any(instruction.drawn for instruction in instructions):
        return subject
    for note in dict.fromkeys(write_drawn(instruction.drawn) for instruction in instructions if instruction.drawn):
        logger.info(note)
    pairs = [pair for pair in subject.pairs for _ in range(subject.copies)]
    return replace(subject, pairs=pairs, instructions=instructions, copies=1)


def place_streams(generator: Generators, outputs: int, stream: int = PLACE) -> list[torch.Generator]:
    """Return the generator that each output's place is drawn from; with one generator for each, as for single calls."""
    if isinstance(generator, list):
        return [seeded_generator(own.initial_seed(), stream) for own in generator]
    seed = torch.Generator().seed() if generator is None else generator.initial_seed()
    return [seeded_generator(seed, stream, number) for number in range(outputs)]


def _draw(instruction: Instruction, atlas: PseudomaskAtlas, generator: torch.Generator) -> Instruction:
    places: dict[Clause, Clause] = {}
    for clause in instruction.open_clauses:
        others = [places.get(other, other) for other in instruction.clauses if other is not clause]
        placed = draw_place(atlas, clause, others, generator)
        if placed is None:
            logger.warning(
                "No place was drawn for %s: the atlas records no frequencies of places, or all are taken. It may "
                "change wherever it can be; name a side and a zone.",
                clause.finding,
            )
        else:
            places[clause] = placed
    return instruction.with_places(places)
