"""Networks in several forms as `ImageScorer`: a torch module, a TorchScript or ONNX file, a torchxrayvision model.

What a file must bring beside it is said in `x2x_core.scorers.network_files`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import find_finding

from .bundled import attribute_scorer, finding_scorer
from .network_files import (
    BUNDLED,
    NETWORK_SUFFIXES,
    XRV,
    XRV_RANGE,
    Network,
    Preparation,
    activation_of,
    import_torchxrayvision,
    named,
    on_device,
    read_network,
)
from .scorer import PROBABILITY, VALUE, ImageScorer, check_scorer


class ModuleScorer:
    """A torch module (or any function of images) as an `ImageScorer`.

    Example:
        >>> scorer = ModuleScorer(network, ["pleural effusion"], "probability", size=224, activation="sigmoid")
        >>> scorer(images)  # (B, 1, H, W) in [0, 1] to (B, 1)

    Args:
        module: `(B, channels, h, w)` to `(B, number of labels)`.
        labels: of what the module gives; see `canonical_labels` for names of findings. An output whose label is "" is
            left out.
        kind, name: see `x2x_core.scorers.scorer.ImageScorer`.
        activation: one of `x2x_core.scorers.network_files.ACTIVATIONS`, on what the module gives.
        device: where the module is; images are moved there.
        preparation: fields of `Preparation`.

    Raises:
        InputError: another activation, kind, or preparation.
    """

    def __init__(
        self,
        module: Network,
        labels: Sequence[str],
        kind: str,
        *,
        name: str | None = None,
        activation: str = "none",
        device: str | torch.device = "cpu",
        **preparation: Any,
    ) -> None:
        self.module, self.kind, self.device = on_device(module, device), kind, torch.device(device)
        self.name = name or type(module).__name__
        self._places, self._outputs = named(labels), len(labels)
        self.labels = canonical_labels([labels[place] for place in self._places])
        self._prepare, self._activate = Preparation(**preparation), activation_of(activation)
        check_scorer(self)

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to `(B, len(labels))`."""
        given = self._activate(self.module(self._prepare(images).to(self.device)))
        if given.shape[1:] != (self._outputs,):
            raise InputError(
                f"The network {self.name!r} must give {self._outputs} numbers an image, as it has labels, got "
                f"{tuple(given.shape)}."
            )
        return given[:, self._places]

    def __repr__(self) -> str:
        return f"ModuleScorer({self.name!r}, {len(self.labels)} labels, {self.kind})"


def canonical(label: str) -> str:
    """A finding's canonical name ("Effusion" is "pleural effusion"); other labels in lower case."""
    words = _words(label)
    finding = find_finding(words)
    return finding.name if finding else words


def canonical_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels by the canonical names of their findings, each its own.

    Classifiers tell apart what the vocabulary takes for one finding: of "Infiltration" and "Lung Opacity" the latter is
    the finding's own name, and the former keeps its own; "Nodule" and "Mass" both keep theirs.
    """
    names = [canonical(label) for label in labels]
    times = Counter(names)
    return tuple(name if times[name] == 1 else _words(label) for name, label in zip(names, labels))


def _words(label: str) -> str:
    return label.strip().lower().replace("_", " ")


def load_scorer(spec: str, kind: str, device: str | torch.device = "cpu") -> ImageScorer:
    """A scorer by what the command line calls it.

    Args:
        spec: "bundled"; "torchxrayvision:NAME" with NAME "race", "age" or weights of the library
            ("densenet121-res224-all"); or the path of a TorchScript (.pt, .pth, .ts) or ONNX (.onnx) file.
        kind: what is wanted, "probability" or "value".
        device: where a torch network runs.

    Raises:
        InputNotFoundError: no such file, or no description beside it.
        MissingExtraError: the library that reads it is missing; the message names the extra.
        InputError: another spec, or a scorer of another kind.
    """
    if spec == BUNDLED:
        scorer: ImageScorer = finding_scorer() if kind == PROBABILITY else attribute_scorer()
    elif spec.startswith(XRV):
        scorer = load_torchxrayvision(spec.removeprefix(XRV), device)
    elif Path(spec).suffix.lower() in NETWORK_SUFFIXES:
        scorer = load_file(spec, device)
    else:
        raise InputError(
            f"A scorer must be {BUNDLED!r}, '{XRV}NAME', or a file of {', '.join(NETWORK_SUFFIXES)}, got {spec!r}."
        )
    if scorer.kind != kind:
        raise InputError(f"The scorer {spec!r} must give each label a {kind}, but gives it a {scorer.kind}.")
    return scorer


def load_file(path: str | Path, device: str | torch.device = "cpu") -> ModuleScorer:
    """A TorchScript or ONNX file with its description beside it.

    Raises:
        InputNotFoundError, MissingExtraError, InputError: see `x2x_core.scorers.network_files.read_network`.
    """
    module, about = read_network(path, ("labels", "kind"), device=device)
    return ModuleScorer(module, **about)


def load_torchxrayvision(name: str, device: str | torch.device = "cpu") -> ModuleScorer:
    """A model of torchxrayvision (Cohen et al., MIDL 2022), by name; the library fetches its weights if they are missing.

    Args:
        name: "race" (Gichoya et al., 2022), "age" (Ieki et al., 2022), or weights of its classifiers, such as
            "densenet121-res224-all".
        device: where it runs.

    Raises:
        MissingExtraError: the library is missing.
        InputError: it has no classifier of this name.
    """
    library = import_torchxrayvision()
    about: dict[str, Any] = {**XRV_RANGE, "name": f"{XRV}{name}", "device": device}
    if name == "race":
        model = library.baseline_models.emory_hiti.RaceModel()
        return ModuleScorer(model, model.targets, PROBABILITY, activation="exp", size=320, **about)
    if name == "age":
        model = library.baseline_models.riken.AgeModel()
        return ModuleScorer(model, model.targets, VALUE, size=320, **about)
    known = [one for one in library.models.model_urls if one.startswith(("densenet", "resnet"))]
    if name not in known:
        raise InputError(f"`{XRV}NAME` must be race, age or one of {', '.join(known)}, got {name!r}.")
    model = library.models.get_model(name)
    # labels that the weights were not trained on have no name; their numbers say nothing
    return ModuleScorer(model, model.targets, PROBABILITY, size=model.input_resolution, **about)
