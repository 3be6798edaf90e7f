"""The chest on a film, and films that are left out."""

from dataclasses import replace

import numpy as np
import pytest

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.simulation.films.chest import LUNG_HEIGHT_MM, Unsuitable, UnsuitableFilmError, measure_chest
from x2x_core.simulation.films.tissue import touching_tissue


def test_right_and_left_are_the_patient_s(chest):
    columns = {side: np.flatnonzero(lung.mask.any(axis=0)).mean() for side, lung in chest.lungs.items()}
    assert columns["right"] < chest.shape[1] / 2 < columns["left"]
    assert chest.lungs["right"].hilum[1] < chest.lungs["left"].hilum[1]


def test_scale_and_grey_levels_are_those_of_the_film(chest):
    rows = np.flatnonzero((chest.lungs["right"].mask | chest.lungs["left"].mask).any(axis=1))
    assert (rows[-1] - rows[0]) * chest.mm == pytest.approx(LUNG_HEIGHT_MM)
    assert chest.air + 0.12 <= chest.tissue < 1
    assert chest.air < np.median(chest.grey[chest.mediastinum])


def test_the_tissue_s_grey_is_carried_into_the_lungs(chest):
    lungs = chest.lungs["right"].mask | chest.lungs["left"].mask
    assert np.median(chest.tissue_field[lungs]) == pytest.approx(chest.tissue, abs=0.12)
    assert np.isfinite(chest.tissue_field).all()


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_distance_to_the_wall_grows_from_the_wall_to_the_mediastinum(chest, side):
    distance, lung = chest.wall_distance(side), chest.lungs[side]
    row = lung.apex + lung.height // 2
    columns = np.flatnonzero(lung.mask[row])
    outer, inner = (columns[0], columns[-1]) if side == "right" else (columns[-1], columns[0])
    assert distance[row, outer] < 3 * chest.mm < distance[row, inner]


def test_the_scale_follows_the_size_of_the_film(film, chest):
    import cv2

    half = cv2.resize(film, (film.shape[1] // 2, film.shape[0] // 2), interpolation=cv2.INTER_AREA)
    assert measure_chest(half, LungFinder.bundled()).mm == pytest.approx(2 * chest.mm, rel=0.05)


def unsuitable(picture):
    with pytest.raises(UnsuitableFilmError) as error:
        measure_chest(np.ascontiguousarray(picture, dtype=np.float32), LungFinder.bundled())
    return error.value.reason


def test_a_blank_and_a_noisy_picture_have_no_lungs():
    assert unsuitable(np.full((128, 128), 0.5)) is Unsuitable.LUNGS
    assert unsuitable(np.random.default_rng(0).random((128, 128))) is Unsuitable.LUNGS


def test_a_turned_film_is_left_out(film):
    assert unsuitable(film[::-1]) in (Unsuitable.LUNGS, Unsuitable.PROPORTIONS)
    assert unsuitable(film.T) in (Unsuitable.LUNGS, Unsuitable.PROPORTIONS)


def test_a_film_without_contrast_is_left_out(film):
    assert unsuitable(0.5 + 0.1 * film) in (Unsuitable.LUNGS, Unsuitable.CONTRAST)


def test_what_lesions_share_is_computed_once(chest):
    lung = chest.lungs["left"]
    first = touching_tissue(chest, lung)
    assert touching_tissue(chest, lung) is first and touching_tissue(chest, lung, 0.3) is not first
    assert chest.depth("left") is chest.depth("left") and chest.depth("right") is not chest.depth("left")
    brighter = replace(chest, grey=chest.grey + 0.1)
    assert not np.array_equal(touching_tissue(brighter, lung), first)
