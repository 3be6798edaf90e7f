"""Digests of pixels and packed masks."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2x_core.imaging.fingerprint import pack_mask, pixel_digest, record_digest, unpack_mask


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_a_mask_is_unpacked_as_it_was(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert np.array_equal(unpack_mask(pack_mask(mask)), mask)


def test_smooth_masks_are_short():
    rows, columns = np.mgrid[:2000, :2000]
    assert len(pack_mask((rows - 900) ** 2 + (columns - 1000) ** 2 < 400**2)) < 10_000


def test_the_digest_is_of_shape_and_values_alone():
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = hashlib.sha256(b"2x3\n" + np.arange(6, dtype="<i4").tobytes()).hexdigest()
    assert pixel_digest(values) == pixel_digest(values.astype(np.int16)) == expected
    assert pixel_digest(values.T) != expected != pixel_digest(values.reshape(3, 2))


@pytest.mark.parametrize("text", ["", "3x3", "3x3:!!", "0x0:", "3x3:eJwDAAAAAAE="])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(ValueError, match="guidance mask"):
        unpack_mask(text)


def test_the_digest_of_a_record_does_not_depend_on_the_order_of_its_keys():
    assert record_digest({"a": 1, "b": "ł"}) == record_digest({"b": "ł", "a": 1}) != record_digest({"a": 1, "b": "l"})
