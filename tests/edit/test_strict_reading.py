"""Strict reading of a request: only where the atlas decides on the region."""

import pytest

from x2x_core.edit.reading import read_subject

AZYGOS = "add opacity in the azygos lobe"


def read(radiograph=True, **options):
    options = {"reference": False, "region_given": False, **options}
    return read_subject([AZYGOS], [radiograph], 1, **options).instructions[0]


def test_a_place_that_is_not_understood_stops_the_edit_of_a_radiograph():
    with pytest.raises(ValueError, match="'azygos'"):
        read()


@pytest.mark.parametrize(
    "options", [{"strict": False}, {"region_given": True}, {"radiograph": False}, {"reference": True}]
)
def test_strict_reading_is_off_with_the_callers_mask_and_for_other_pictures(options):
    assert read(**options).unplaced == ("azygos",)
