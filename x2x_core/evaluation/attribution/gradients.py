"""Explanations by gradients, computed by captum: integrated gradients and Grad-CAM."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.geometry import crop, fit_to, resize
from x2x_core.scorers.bundled import BundledScorer
from x2x_core.scorers.network import FindingNetwork

from .target import LogOdds, Target

STEPS = 32  # of the path of integrated gradients
_AT_ONCE = 8  # points of the path


def import_captum() -> Any:
    """Import captum's methods.

    Raises:
        MissingExtraError: it is not installed.
    """
    with needs_extra("Explaining by gradients", "captum", "attribution"):
        import captum.attr
    return captum.attr


def integrated_gradients(target: Target, image: torch.Tensor, steps: int = STEPS) -> torch.Tensor:
    """Return the absolute integrated gradients of the log-odds from a black image (Sundararajan et al., ICML 2017).

    Args:
        target: what is explained.
        image: `(1, 1, H, W)` in [0, 1].
        steps: points of the path.

    Returns:
        `(1, 1, H, W)` float32, at least 0.

    Raises:
        MissingExtraError: captum is not installed.
        InputError: the classifier has no derivatives.
    """
    method = import_captum().IntegratedGradients(LogOdds(target), multiply_by_inputs=True)
    inputs = image.detach().clone().requires_grad_(True)
    found = method.attribute(inputs, baselines=0.0, n_steps=steps, internal_batch_size=_AT_ONCE)
    return found.detach().abs().float()


def grad_cam(target: Target, image: torch.Tensor, layer: nn.Module | None = None) -> torch.Tensor:
    """Return the Grad-CAM map of the log-odds (Selvaraju et al., ICCV 2017), resized to the image.

    Args:
        target: what is explained.
        image: `(1, 1, H, W)` in [0, 1].
        layer: of the classifier's network; by default the bundled network's map of cells, or the last convolution.

    Returns:
        `(1, 1, H, W)` float32, at least 0.

    Raises:
        MissingExtraError: captum is not installed.
        InputError: the network has no layer that can be watched, as that of a TorchScript file.
    """
    captum = import_captum()
    method = captum.LayerGradCam(LogOdds(target), layer or default_layer(target.scorer))
    inputs = image.detach().clone().requires_grad_(True)
    cells = method.attribute(inputs, relu_attributions=True).detach().float()
    size = getattr(target.scorer, "size", None)
    if size is not None:  # the network saw a padded square
        cells = crop(resize(cells, (size, size)), fit_to(image, size)[1])
    return resize(cells, (image.shape[-2], image.shape[-1])).clamp_min(0)


def default_layer(scorer: Any) -> nn.Module:
    """Return the layer that Grad-CAM watches.

    Raises:
        InputError: there is none.
    """
    if isinstance(scorer, BundledScorer) and isinstance(scorer.network, FindingNetwork):
        return scorer.network.join
    module = getattr(scorer, "module", None)
    if isinstance(module, nn.Module) and not isinstance(module, torch.jit.ScriptModule):
        layers = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
        if layers:
            return layers[-1]
    raise InputError(
        f"`scorer` must be a torch module with convolutions for Grad-CAM, but {scorer.name!r} is not. Leave Grad-CAM "
        "out, or give its `layer`."
    )
