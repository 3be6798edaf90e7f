"""A real Orthanc."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def installed():
    """Skip a test where Orthanc is not installed."""
    from orthanc_process import why_not

    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return a self-made authority and a certificate."""
    from orthanc_process import Certificates

    return Certificates(tmp_path_factory.mktemp("certificates"))
