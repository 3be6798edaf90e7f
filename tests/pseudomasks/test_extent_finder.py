"""The extent finder: what it returns, and that it sees what the simulator draws."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.pseudomasks.extent_finder import ExtentFinder
from x2x_core.pseudomasks.extent_network import OUTPUTS, PLEURA, ExtentNetwork


@pytest.fixture(scope="module")
def finder():
    torch.manual_seed(0)
    network = ExtentNetwork((8, 16, 16))
    torch.nn.init.normal_(network.draw.weight, std=0.5)
    return ExtentFinder(network)


def grey(height=80, width=60, seed=0):
    return torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed))


def test_each_finding_has_an_extent_of_the_pictures_size(finder):
    found = finder.find(grey())
    assert set(found) == set(OUTPUTS) - {PLEURA}
    for finding, extent in found.items():
        assert extent.shape == (1, 1, 80, 60) and extent.abs().max() <= 1
        assert (extent < 0).any() == (finding == "pneumothorax")


def test_brightness_does_not_matter_and_contrast_scales_the_change(finder):
    picture = grey()
    plain, dim = finder.find(picture), finder.find(0.3 + 0.5 * picture)
    for finding in plain:
        assert torch.allclose(0.5 * plain[finding], dim[finding], atol=2e-3)


class Known:
    """A network that sees one disk of edema, with faint surroundings and the grid of its upsampling."""

    def __init__(self, grid=0.0):
        change = torch.full((192, 192), 0.02)
        change[60:120, 60:120] = 0.2
        change[:, ::2] *= 1 + grid
        change[:, 1::2] *= 1 - grid
        self.change = change[None, None]

    def float(self):
        return self

    def eval(self):
        return self

    def requires_grad_(self, on):
        return self

    def changes(self, view):
        return torch.cat([self.change if name == "edema" else torch.zeros_like(self.change) for name in OUTPUTS], dim=1)


def test_what_is_much_fainter_than_the_most_is_left_out():
    extent = ExtentFinder(Known()).find(torch.zeros(1, 1, 192, 192))["edema"][0, 0]
    assert (extent[:50] == 0).all() and (extent[:, 130:] == 0).all()
    assert torch.allclose(extent[65:115, 65:115], torch.tensor(0.2), atol=1e-3)


def test_the_grid_of_the_networks_upsampling_is_hidden():
    extent = ExtentFinder(Known(grid=0.4)).find(torch.zeros(1, 1, 192, 192))["edema"][0, 0]
    assert float(extent[65:115, 65:115].std()) < 0.005  # 0.08 in what the network returns


def test_the_same_picture_gives_the_same_extents(finder):
    first, again = finder.find(grey()), finder.find(grey())
    assert all(torch.equal(first[finding], again[finding]) for finding in first)


def test_weights_of_another_network_are_refused(tmp_path):
    with pytest.raises(InputNotFoundError, match="There are no weights of an extent finder at"):
        ExtentFinder.load(tmp_path / "none.safetensors")
    weights = load_file(bundled_path("lungs"))
    save_file(weights, tmp_path / "lungs.safetensors")
    with pytest.raises(InputError, match="must hold weights of the extent finder"):
        ExtentFinder.load(tmp_path / "lungs.safetensors")
