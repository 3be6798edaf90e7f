"""Contact sheets: pictures in rows with their labels."""

import numpy as np
import pytest
from PIL import Image

from x2x_core.imaging.contact_sheet import PER_SHEET, contact_sheet


def test_pictures_stand_in_rows_and_the_rest_is_black():
    greys = [Image.new("L", (50, 40), 100 + number) for number in range(6)]
    sheet = np.asarray(contact_sheet(greys, [str(number) for number in range(6)]))
    side = sheet.shape[1] // 5
    assert sheet.shape == (PER_SHEET // 5 * side, 5 * side, 3)
    middles = [sheet[side // 2, side // 2 + side * column, 0] for column in range(5)]
    assert middles == [100, 101, 102, 103, 104] and sheet[side + side // 2, side // 2, 0] == 105
    assert not sheet[2 * side :].any() and (sheet[:side, :side, :2].min(2) > 200).any()


def test_each_picture_has_a_label():
    with pytest.raises(ValueError, match="zip"):
        contact_sheet([Image.new("L", (4, 4))], [])
