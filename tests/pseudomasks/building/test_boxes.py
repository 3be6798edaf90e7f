"""Boxes: cut to the image, with the side and the zones of their centre unless stated otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from x2x_core.pseudomasks.building.boxes import Box


def test_a_box_is_in_the_zones_that_hold_its_centre_unless_stated_otherwise():
    box = Box("Mass", 0.3, 0.31, 0.1, 0.1, "i", "p")
    assert box.zones == ("upper", "middle") and box.side == "right"
    told = box.with_place("bilateral", "basal")
    assert told.zones == ("basal",) and told.side is None
    assert box.with_place("left", None).side == "left"


@given(
    left=st.floats(-50, 900), top=st.floats(-50, 900), width=st.floats(60, 500), height=st.floats(60, 500)
)  # every one of them meets the image
def test_boxes_are_cut_to_the_image(left, top, width, height):
    box = Box.from_pixels("Mass", (left, top, width, height), (1024, 1024), "i", "p")
    edges = box.edges
    assert all(-1e-9 <= edge <= 1 + 1e-9 for edge in edges)
    assert edges[0] < edges[2] and edges[1] < edges[3]
