"""The cross-attention layers of a U-Net."""

import pytest
import torch

from x2x_core.edit.attention.layers import attention_levels, cross_attention_layers


def test_layers_have_the_level_of_their_grid(unet):
    assert {layer.level for layer in cross_attention_layers(unet)} == attention_levels(unet) == {1}


def test_a_network_without_cross_attention_is_refused():
    with pytest.raises(ValueError, match=r"`unet` must have cross-attention layers .* Linear has none"):
        cross_attention_layers(torch.nn.Linear(2, 2))
