"""Classifiers of torchxrayvision (Cohen et al., MIDL 2022) as scorers; the library downloads their weights."""

from __future__ import annotations

from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

from .adapters import ModuleScorer
from .scorer import PROBABILITY, VALUE

#: Prefix of a model's name on the command line.
XRV = "torchxrayvision:"
XRV_LOW, XRV_HIGH = -1024.0, 1024.0  # values of black and white in the library
_ATTRIBUTE_SIZE = 320  # pixels


def import_torchxrayvision() -> Any:
    """Import the library.

    Raises:
        MissingExtraError: it is not installed; the message names the extra.
    """
    with needs_extra("This network", "torchxrayvision", "torchxrayvision"):
        import torchxrayvision
    return torchxrayvision


def load_torchxrayvision(name: str, device: str | torch.device = "cpu") -> ModuleScorer:
    """Load a classifier of torchxrayvision.

    Args:
        name: "race" (Gichoya et al., 2022), "age" (Ieki et al., 2022), or the weights of a classifier, such as
            "densenet121-res224-all".
        device: where it runs.

    Raises:
        MissingExtraError: the library is not installed.
        InputError: the library has no classifier of this name.
    """
    library = import_torchxrayvision()
    about: dict[str, Any] = {"low": XRV_LOW, "high": XRV_HIGH, "name": f"{XRV}{name}", "device": device}
    if name == "race":
        model = library.baseline_models.emory_hiti.RaceModel()
        return ModuleScorer(model, model.targets, PROBABILITY, activation="exp", size=_ATTRIBUTE_SIZE, **about)
    if name == "age":
        model = library.baseline_models.riken.AgeModel()
        return ModuleScorer(model, model.targets, VALUE, size=_ATTRIBUTE_SIZE, **about)
    known = [key for key in library.models.model_urls if key.startswith(("densenet", "resnet"))]
    if name not in known:
        raise InputError(f"`{XRV}NAME` must be race, age or one of {', '.join(known)}, got {name!r}.")
    model = library.models.get_model(name)
    # Outputs that the weights were not trained on have an empty label and are ignored.
    return ModuleScorer(model, model.targets, PROBABILITY, size=model.input_resolution, **about)
