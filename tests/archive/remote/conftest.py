"""Tests of archives: what pynetdicom leaves behind ends with the tests of its module."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def collected_sockets():
    """Collect the sockets that pynetdicom leaves open while the module's filter of their warnings holds."""
    yield
    gc.collect()
