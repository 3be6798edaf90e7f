"""Soft edges by finding: which width an instruction gets, and that an edit uses it."""

import pytest
import torch
from tiny_models import NATIVE, make_pipeline, make_radiograph, seeded

from x2x_core.anatomy.edges import SATURATING_EDGE, SATURATING_EDGES, SOFT_EDGE, SOFT_EDGES, soft_edge_of
from x2x_core.edit.settings import DEFAULT, PUBLISHED, EditSettings
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS

EFFUSION, AIR = "Add the finding of large right pleural effusion.", "Add the finding of large right pneumothorax."


def width(text):
    return soft_edge_of(Instruction.parse(text))


def test_findings_with_a_width_of_their_own_are_findings():
    assert set(SOFT_EDGES) <= set(FINDINGS)
    assert all(0 < one <= 0.5 for one in (SOFT_EDGE, *SOFT_EDGES.values()))


def test_the_widest_of_several_findings_counts():
    assert width(AIR) == SOFT_EDGE < width(EFFUSION) == SOFT_EDGES["pleural effusion"]
    both = Instruction(clauses=Instruction.parse(EFFUSION).clauses + Instruction.parse(AIR).clauses)
    assert soft_edge_of(both) == width(EFFUSION)


def test_free_text_has_the_usual_width():
    assert soft_edge_of(Instruction(text="Make it brighter.")) == SOFT_EDGE


def test_an_explicit_width_takes_precedence_over_the_findings():
    effusion = Instruction.parse(EFFUSION)
    assert DEFAULT.soft_edge_for(effusion) == width(EFFUSION)
    assert EditSettings(soft_edge=0.0).soft_edge_for(effusion) == PUBLISHED.soft_edge_for(effusion) == 0


@pytest.mark.parametrize("copies", [1, 2])
def test_each_edit_of_a_batch_has_its_own(copies):
    pipe, image = make_pipeline(), make_radiograph() / 255
    mask = torch.zeros(NATIVE, NATIVE)
    mask[16:48, 16:48] = 1

    def edits(prompts, **more):
        generators = [seeded(n) for n in range(len(prompts) * copies)]
        return pipe(
            [image] * len(prompts), prompts, guidance_mask=mask, num_inference_steps=2, num_images_per_prompt=copies,
            generator=generators, output_type="pt", **more,
        ).images  # fmt: skip

    usual, wide = (edits([EFFUSION, AIR], soft_edge=one) for one in (width(AIR), width(EFFUSION)))
    assert not torch.equal(usual, wide)
    assert torch.equal(edits([EFFUSION, AIR]), torch.cat([wide[:copies], usual[copies:]]))


def test_edges_within_a_lung_are_wider_under_the_saturating_composition():
    consolidation = Instruction.parse("Add the finding of consolidation in the left lower lung zone.")
    air = Instruction.parse(AIR)
    assert set(SATURATING_EDGES) <= set(FINDINGS) and set(SATURATING_EDGES.values()) == {SATURATING_EDGE}
    assert soft_edge_of(consolidation, saturating=True) == SATURATING_EDGE > soft_edge_of(consolidation)
    assert soft_edge_of(air, saturating=True) == soft_edge_of(air)
    saturating = EditSettings(composition="saturating")
    assert saturating.soft_edge_for(consolidation) == SATURATING_EDGE
    assert EditSettings(composition="saturating", soft_edge=0.01).soft_edge_for(consolidation) == 0.01
