"""Networks with a known answer: asked with the instruction, they want `STRENGTH` more in a rectangle of the picture.

They predict exactly: noise (or velocity) from which the solver reaches that picture. So the relevance map is 1 in the
rectangle and 0 elsewhere, and an edit is known to the number. The rectangle is not symmetric, so a transposed grid is
noticed.
"""

from contextlib import nullcontext

import torch
from diffusers import EulerDiscreteScheduler
from tiny_models import make_scheduler

STRENGTH = 0.5
ROWS, COLUMNS = (0.25, 1.0), (0.0, 0.5)  # shares of the grid; more than a quarter, or it would count as an outlier


def rectangle(height, width):
    """`(height, width)` of 0 and 1."""
    inside = torch.zeros(height, width)
    inside[int(ROWS[0] * height) : int(ROWS[1] * height), int(COLUMNS[0] * width) : int(COLUMNS[1] * width)] = 1
    return inside


class KnownTransformer(torch.nn.Module):
    """For Kontext, klein and Qwen: positions come from `img_ids`, and the picture is the second half of the tokens."""

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, config, side):
        super().__init__()
        self.config, self.side = config, side
        self.grid = torch.cartesian_prod(torch.tensor([0]), torch.arange(side), torch.arange(side))

    def cache_context(self, name):
        return nullcontext()

    def forward(self, hidden_states, timestep, encoder_hidden_states, img_ids=None, img_shapes=None, **_):
        if img_shapes is not None:  # Qwen-Image's: grids instead of positions
            assert img_shapes == [[(1, self.side, self.side)] * 2] * len(hidden_states)
            img_ids = torch.cat([self.grid, self.grid])
        noisy, picture = hidden_states.chunk(2, dim=1)
        positions = img_ids.reshape(-1, 2 * noisy.shape[1], img_ids.shape[-1])[0, : noisy.shape[1]].long()
        inside = rectangle(self.side, self.side)[positions[:, 1], positions[:, 2]]
        asked = encoder_hidden_states.flatten(1).amax(dim=1)
        target = picture + STRENGTH * asked[:, None, None] * inside[None, :, None]
        velocity = (noisy - target) / timestep[:, None, None]
        return (torch.cat([velocity, torch.zeros_like(picture)], dim=1),)


class KnownUNet(torch.nn.Module):
    """For U-Nets: the picture's latents are the last channels; an inpainting model's picture counts nothing."""

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, unet, scale):
        super().__init__()
        self.config, self.scale = unet.config, scale
        if hasattr(unet, "add_embedding"):
            self.add_embedding = unet.add_embedding

    def forward(self, sample, timestep, encoder_hidden_states, **_):
        noisy, picture = sample[:, :4], sample[:, -4:] * self.scale
        signal = make_scheduler().alphas_cumprod[timestep.long()][:, None, None, None]
        asked = encoder_hidden_states.flatten(1).amax(dim=1)
        target = picture + STRENGTH * asked[:, None, None, None] * rectangle(*sample.shape[-2:])
        return ((noisy - signal**0.5 * target) / (1 - signal) ** 0.5,)


def _flags(texts, copies, *shape):
    """States of 1 for texts and 0 for the empty text."""
    flags = torch.tensor([float(bool(text)) for text in texts]).repeat_interleave(copies)
    return flags.view(-1, *[1] * len(shape)).expand(-1, *shape)


def make_known(kind, pipe):
    """Give a tiny pipeline a network with a known answer, and text states that say whether anything is asked."""
    if kind in ("kontext", "klein", "qwen", "klein_distilled"):
        side = pipe.default_sample_size // 2
        pipe.transformer = KnownTransformer(pipe.transformer.config, side)
    else:
        scale = 0 if kind.startswith("inpainting") else pipe.vae.config.scaling_factor
        pipe.unet = KnownUNet(pipe.unet, scale)
        pipe.scheduler = EulerDiscreteScheduler.from_config(make_scheduler().config)
    name = "_encode_prompt" if kind == "instruct_pix2pix" else "encode_prompt"
    setattr(pipe, name, ENCODERS[kind])
    return pipe


def _encode_three(texts, device, copies, *_, **__):
    return torch.cat([_flags(texts, copies, 77, 32), torch.zeros(2 * copies * len(texts), 77, 32)])


def _encode_xl(texts, num_images_per_prompt, **_):
    states, pooled = _flags(texts, num_images_per_prompt, 77, 64), _flags(texts, num_images_per_prompt, 32)
    return states, torch.zeros_like(states), pooled, torch.zeros_like(pooled)


def _encode_two(texts, device, copies, *_, **__):
    states = _flags(texts, copies, 77, 32)
    return states, torch.zeros_like(states)


def _encode_kontext(texts, prompt_2, device):
    return _flags(texts, 1, 4, 32), _flags(texts, 1, 32), torch.zeros(4, 3)


def _encode_klein(texts, device):
    return _flags(texts, 1, 4, 48), torch.zeros(len(texts), 4, 4)


def _encode_qwen(prompt, **_):
    return _flags([text.strip() for text in prompt], 1, 4, 16), None


ENCODERS = {
    "instruct_pix2pix": _encode_three,
    "instruct_pix2pix_xl": _encode_xl,
    "inpainting": _encode_two,
    "inpainting_xl": _encode_xl,
    "kontext": _encode_kontext,
    "klein": _encode_klein,
    "klein_distilled": _encode_klein,
    "qwen": _encode_qwen,
}
