"""The cross-attention layers of a U-Net."""

import pytest
import torch

from x2x_core.guidance.attention.layers import cross_attention_layers, watched_level


def test_the_watched_layers_are_those_nearest_the_share(unet):
    layers = cross_attention_layers(unet)
    assert {layer.level for layer in layers} == {1}
    deeper = [type(layers[0])("x", layers[0].module, level) for level in (3, 1, 2)]
    assert [watched_level(deeper, share) for share in (1, 0.5, 0.3, 0.25, 0.1, 0.01)] == [1, 1, 2, 2, 3, 3]
    assert watched_level(deeper, 2**-1.5) == 1  # of two, the finer


def test_layers_are_checked(unet):
    with pytest.raises(ValueError, match=r"`unet` must have cross-attention layers .* Linear has none"):
        cross_attention_layers(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"`grid_share` must lie in \(0, 1\], got 0"):
        watched_level(cross_attention_layers(unet), 0)
