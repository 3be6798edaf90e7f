"""Exposure of line integrals."""

import torch

from x2x_core.simulation.film import Film, expose, meter


def test_denser_is_whiter():
    integrals = torch.linspace(40, 300, 64).expand(64, 64).clone()
    film = Film()
    grey = expose(integrals[None], film, meter(integrals, film))[0]
    assert grey.min() >= 0 and grey.max() <= 1
    assert (grey[32, 8:-8].diff() > 0).all()
