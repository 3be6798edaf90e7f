"""The frame: a map to the image and back, and what is no frame."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.anatomy.frame import Frame
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

PNEUMONIA = Instruction(clauses=(Clause(Operation.ADD, "pneumonia"),))


def turned(degrees, scale=1.0, shift=(0.0, 0.0)):
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return Frame(((cos, -sin, shift[0]), (sin, cos, shift[1])))


def test_the_default_is_the_whole_image():
    points = torch.rand(5, 7, 2, generator=torch.Generator().manual_seed(0))
    assert Frame().is_identity and Frame().determinant == 1
    assert torch.equal(Frame().to_image(points), points) and torch.equal(Frame().to_frame(points), points)


@settings(max_examples=40, deadline=None)
@given(
    degrees=st.floats(-170, 170), scale=st.floats(0.1, 4), x=st.floats(-2, 2), y=st.floats(-2, 2),
)  # fmt: skip
def test_there_and_back_again(degrees, scale, x, y):
    frame = turned(degrees, scale, (x, y))
    points = torch.tensor([[0.0, 0.0], [1.0, 0.3], [0.2, 0.9]], dtype=torch.float64)
    assert torch.allclose(frame.to_frame(frame.to_image(points)), points, atol=1e-9)
    assert frame.determinant == pytest.approx(scale**2)


def test_a_rectangle_lays_the_corners_on_its_corners():
    frame = Frame.rectangle(left=0.25, top=0.1, right=0.75, bottom=0.9)
    corners = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    assert torch.allclose(frame.to_image(corners), torch.tensor([[0.25, 0.1], [0.75, 0.9]]))
    assert Frame.rectangle() == Frame()


def test_a_frame_within_a_part_of_the_image_is_one_in_the_whole():
    inner, part = turned(10, 0.8, (0.1, 0.05)), Frame.rectangle(0.5, 0, 1, 0.5)
    points = torch.rand(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(inner.within(part).to_image(points), part.to_image(inner.to_image(points)))


def test_a_turned_frame_turns_the_masks():
    atlas = PseudomaskAtlas.bundled()
    plain = atlas.for_instruction(PNEUMONIA, (96, 96), Frame())
    quarter = Frame(((0.0, -1.0, 1.0), (1.0, 0.0, 0.0)))  # the anatomy's top is the image's right
    mask = atlas.for_instruction(PNEUMONIA, (96, 96), quarter)
    assert (mask - plain.rot90(-1, (-2, -1))).abs().max() < 1e-4


def test_nothing_is_outside_the_frame():
    mask = PseudomaskAtlas.bundled().for_instruction(PNEUMONIA, (80, 80), turned(20, 0.4, (0.4, 0.3)))
    axis = (torch.arange(80) + 0.5) / 80
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    there = turned(20, 0.4, (0.4, 0.3)).to_frame(torch.stack([x, y], -1))
    outside = ((there < 0) | (there > 1)).any(-1)
    assert mask.max() > 0.5 and mask[0, 0][outside].max() == 0


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (((1, 0), (0, 1)), "`matrix` must be two rows of three"),
        (((1, 0, 0),), "`matrix` must be two rows of three"),
        (((1, 0, math.nan), (0, 1, 0)), "finite"),
        (((-1, 0, 1), (0, 1, 0)), "neither mirror nor flatten"),
        (((1, 1, 0), (1, 1, 0)), "neither mirror nor flatten"),
    ],
)
def test_an_invalid_frame_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        Frame(matrix)


def test_an_empty_rectangle_and_wrong_points_are_refused():
    with pytest.raises(ValueError, match="`frame` must have left < right"):
        Frame.rectangle(left=1, right=0)
    for points in (torch.zeros(3), torch.zeros(2, 3), torch.zeros(4, 2, dtype=torch.long)):
        with pytest.raises(ValueError, match="`points` must be floating point"):
            Frame().to_image(points)
