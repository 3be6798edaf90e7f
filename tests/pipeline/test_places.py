"""Edits whose instruction leaves the place open."""

import pytest
import torch
from edit_cases import edit, generators, same
from tiny_models import seeded

OPEN = "Add the finding of pneumothorax."


def test_the_same_seed_gives_the_same_place_in_all_three_calls(pipe, radiograph):
    made = edit(pipe, radiograph, OPEN, num_images_per_prompt=3)
    found = pipe.guidance(radiograph, OPEN, generator=seeded(), num_images_per_prompt=3)
    relevant = pipe.relevance(radiograph, OPEN, generator=seeded(), num_images_per_prompt=3)
    assert len(made.instructions) == 3 and all(own.drawn for own in made.instructions)
    assert made.instructions == found.instructions == relevant.instructions
    assert torch.equal(made.guidance_map, found.guidance_map)
    assert torch.equal(made.relevance_map, relevant.relevance_map)


def test_an_edit_with_a_drawn_place_is_the_edit_of_the_text_that_names_it(pipe, radiograph):
    made = edit(pipe, radiograph, OPEN)
    named = edit(pipe, radiograph, str(made.instructions[0]))
    assert made.instructions[0].clauses[0].side in ("left", "right")
    assert same(made.images, named.images) and torch.equal(made.pseudomask, named.pseudomask)


def test_each_image_has_its_own_pseudomask(pipe, radiograph):
    made = edit(pipe, radiograph, OPEN, num_images_per_prompt=6)
    sides = [own.clauses[0].side for own in made.instructions]
    assert set(sides) == {"left", "right"}
    for side, mask in zip(sides, made.pseudomask):
        left_of_picture, right_of_picture = mask.chunk(2, dim=-1)
        assert (right_of_picture.sum() > left_of_picture.sum()) == (side == "left")


def test_a_batch_of_generators_gives_the_places_of_single_calls(pipe, radiograph):
    made = edit(pipe, radiograph, OPEN, num_images_per_prompt=4, generator=generators(4))
    single = [edit(pipe, radiograph, OPEN, generator=own).instructions[0] for own in generators(4)]
    assert made.instructions == single


def test_nothing_is_drawn_with_a_mask_of_the_caller_or_without_the_setting(pipe, radiograph):
    whole = torch.ones(1, 1, *radiograph.size[::-1])
    for arguments in ({"pseudomask": whole}, {"guidance_mask": whole > 0}, {"draw_place": False}, {"reference": True}):
        made = edit(pipe, radiograph, OPEN, num_images_per_prompt=2, **arguments)
        assert len(made.instructions) == 1 and not made.instructions[0].drawn
    assert not edit(pipe, radiograph, OPEN, restricted=False).instructions[0].drawn


@pytest.mark.parametrize("other", ["pseudomask", "reference"])
def test_a_draw_is_refused_where_it_has_no_use(pipe, radiograph, other):
    given = {"pseudomask": torch.ones(1, 1, *radiograph.size[::-1]), "reference": True}[other]
    with pytest.raises(ValueError, match="`draw_place` must be left out"):
        edit(pipe, radiograph, OPEN, draw_place=True, **{other: given})
