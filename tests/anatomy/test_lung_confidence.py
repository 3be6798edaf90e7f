"""The confidence of lung masks: 1 for two lungs on which all renderings agree, lower for each defect."""

import pytest
import torch

from x2x_core.anatomy.lung_confidence import lung_confidence


def views(*boxes, renderings=3):
    """Probabilities of right and left fields that are rectangles (top, bottom, left, right)."""
    masks = torch.zeros(renderings, 4, 128, 128)
    for number, (top, bottom, left, right) in enumerate(boxes):
        masks[:, number, top:bottom, left:right] = 1
    return masks


RIGHT, LEFT = (20, 90, 20, 50), (20, 90, 75, 105)


def test_two_similar_lungs_in_their_places_are_certain():
    assert lung_confidence(views(RIGHT, LEFT)) == 1


@pytest.mark.parametrize(
    ("right", "left"),
    [
        (LEFT, RIGHT),
        (RIGHT, (0, 0, 0, 0)),
        (RIGHT, (20, 26, 75, 80)),
        ((0, 40, 20, 50), (88, 128, 75, 105)),
    ],
    ids=["sides swapped", "one missing", "one tiny", "one above the other"],
)
def test_implausible_lungs_have_no_confidence(right, left):
    assert lung_confidence(views(right, left)) == 0


def test_renderings_that_disagree_lower_it():
    masks = views(RIGHT, LEFT)
    masks[2] = views((45, 115, 20, 50), (45, 115, 75, 105), renderings=1)[0]
    assert lung_confidence(masks) < 0.8


def test_undecided_probabilities_lower_it():
    assert lung_confidence(0.65 * views(RIGHT, LEFT)) == 0
    assert 0 < lung_confidence(0.85 * views(RIGHT, LEFT)) < 1


def test_a_ragged_shape_and_a_large_island_lower_it():
    ragged = views(RIGHT, LEFT)
    ragged[:, 0, 30:90, 30:40] = 0
    ragged[:, 0, 84:90, 20:110] = 1
    island = views(RIGHT, LEFT)
    island[:, 0, 100:124, 10:60] = 1
    assert lung_confidence(ragged) < 1 and lung_confidence(island) < 1
