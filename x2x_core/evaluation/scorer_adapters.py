"""Networks in several forms as `ImageScorer`: a torch module, a TorchScript or ONNX file, a torchxrayvision model.

A file brings its description as JSON beside it, `NAME.json` for `NAME.pt` or `NAME.onnx`::

    {"labels": ["pleural effusion", "edema"], "kind": "probability", "size": 224, "activation": "sigmoid",
     "low": -1024, "high": 1024, "channels": 1, "mean": [], "std": []}

Only "labels" and "kind" are needed; the rest are the fields of `Preparation`, and "activation".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from x2x_core.evaluation.bundled_scorers import attribute_scorer, finding_scorer
from x2x_core.evaluation.scorers import PROBABILITY, VALUE, ImageScorer, check_images, check_scorer
from x2x_core.findings import find_finding
from x2x_core.imaging.geometry import fit_to

BUNDLED, XRV = "bundled", "torchxrayvision:"
TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX = (".pt", ".pth", ".ts"), ".onnx"
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "none": lambda given: given,
    "sigmoid": torch.sigmoid,
    "softmax": lambda given: given.softmax(1),
    "exp": lambda given: given.exp().clamp(0, 1),  # of log-probabilities
}
_ONNX_EXTRA = "Scoring with an ONNX file needs onnxruntime: install the extra with `pip install 'instructx2x[onnx]'`."
_XRV_EXTRA = (
    "Scoring with torchxrayvision needs the library: install the extra with `pip install 'instructx2x[torchxrayvision]'`."
)


@dataclass(frozen=True)
class Preparation:
    """What a network wants its images to be."""

    size: int | None = None  # pixels to a side, padded to a square; None: as they are
    low: float = 0.0  # what black becomes
    high: float = 1.0  # what white becomes
    channels: int = 1  # 1, or 3 alike
    mean: tuple[float, ...] = ()  # of each channel, taken away after all that
    std: tuple[float, ...] = ()  # of each channel, divided by

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"`channels` must be 1 or 3, got {self.channels}.")
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if len(getattr(self, name)) not in (0, self.channels):
                raise ValueError(f"`{name}` must be left out or have {self.channels} numbers, got {getattr(self, name)}.")

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to what the network takes, `(B, channels, h, w)` float32."""
        ready = check_images(images).float()
        ready = fit_to(ready, self.size)[0] if self.size else ready
        ready = (self.low + (self.high - self.low) * ready).expand(-1, self.channels, -1, -1)
        for name, sign in (("mean", torch.sub), ("std", torch.div)):
            if numbers := getattr(self, name):
                ready = sign(ready, ready.new_tensor(numbers)[:, None, None])
        return ready


class ModuleScorer:
    """A torch module (or any function of images) as an `ImageScorer`.

    Example:
        >>> scorer = ModuleScorer(network, ["pleural effusion"], "probability", size=224, activation="sigmoid")
        >>> scorer(images)  # (B, 1, H, W) in [0, 1] to (B, 1)

    Args:
        module: `(B, channels, h, w)` to `(B, number of labels)`.
        labels, kind, name: see `x2x_core.evaluation.scorers.ImageScorer`. Names of findings in any wording are taken for
            the canonical ones.
        activation: one of `ACTIVATIONS`, on what the module gives.
        device: where the module is; images are moved there.
        preparation: fields of `Preparation`.

    Raises:
        ValueError: another activation, kind, or preparation.
    """

    def __init__(
        self,
        module: Callable[[torch.Tensor], torch.Tensor],
        labels: Sequence[str],
        kind: str,
        *,
        name: str | None = None,
        activation: str = "none",
        device: str | torch.device = "cpu",
        **preparation: Any,
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ValueError(f"`activation` must be one of {', '.join(ACTIVATIONS)}, got {activation!r}.")
        if isinstance(module, nn.Module):
            module = module.to(device).eval()
        self.module, self.kind, self.device = module, kind, torch.device(device)
        self.name = name or type(module).__name__
        self.labels = tuple(map(canonical, labels))
        self._prepare, self._activate = Preparation(**preparation), ACTIVATIONS[activation]
        check_scorer(self)

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """`(B, 1, H, W)` in [0, 1] to `(B, len(labels))`."""
        return self._activate(self.module(self._prepare(images).to(self.device)))

    def __repr__(self) -> str:
        return f"ModuleScorer({self.name!r}, {len(self.labels)} labels, {self.kind})"


def canonical(label: str) -> str:
    """A finding's canonical name ("Effusion" is "pleural effusion"); other labels in lower case."""
    words = label.strip().lower().replace("_", " ")
    finding = find_finding(words)
    return finding.name if finding else words


def load_scorer(spec: str, kind: str, device: str | torch.device = "cpu") -> ImageScorer:
    """A scorer by what the command line calls it.

    Args:
        spec: "bundled"; "torchxrayvision:NAME" with NAME "race", "age" or weights of the library
            ("densenet121-res224-all"); or the path of a TorchScript (.pt, .pth, .ts) or ONNX (.onnx) file.
        kind: what is wanted, "probability" or "value".
        device: where a torch network runs.

    Raises:
        FileNotFoundError: no such file, or no description beside it.
        ImportError: the library that reads it is missing; the message names the extra.
        ValueError: another spec, or a scorer of another kind.
    """
    if spec == BUNDLED:
        scorer: ImageScorer = finding_scorer() if kind == PROBABILITY else attribute_scorer()
    elif spec.startswith(XRV):
        scorer = load_torchxrayvision(spec.removeprefix(XRV), device)
    elif Path(spec).suffix.lower() in (*TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX):
        scorer = load_file(spec, device)
    else:
        raise ValueError(
            f"A scorer must be {BUNDLED!r}, '{XRV}NAME', or a file of {', '.join((*TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX))}, "
            f"got {spec!r}."
        )
    if scorer.kind != kind:
        raise ValueError(f"The scorer {spec!r} must give each label a {kind}, but gives it a {scorer.kind}.")
    return scorer


def load_file(path: str | Path, device: str | torch.device = "cpu") -> ModuleScorer:
    """A TorchScript or ONNX file with its description beside it; see the head of this module.

    Raises:
        FileNotFoundError: no such file, or no description beside it.
        ImportError: onnxruntime is missing.
        ValueError: a file or description that can't be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no network at `{path}`.")
    about = _description(path.with_suffix(".json"))
    module = _onnx(path) if path.suffix.lower() == ONNX_SUFFIX else _torchscript(path)
    device = "cpu" if path.suffix.lower() == ONNX_SUFFIX else device
    return ModuleScorer(module, name=about.pop("name", path.name), device=device, **about)


def _description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no `{path}`: it must say what the network scores, such as "
            '{"labels": ["pleural effusion"], "kind": "probability", "size": 224}.'
        )
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"`{path}` must be JSON: {error}.") from error
    known = {"labels", "kind", "name", "activation", *(field.name for field in fields(Preparation))}
    if not isinstance(about, dict) or not {"labels", "kind"} <= set(about) <= known:
        raise ValueError(f"`{path}` must have `labels` and `kind`, and of other fields only {', '.join(sorted(known))}.")
    return about


def _torchscript(path: Path) -> nn.Module:
    try:
        return torch.jit.load(str(path), map_location="cpu")
    except RuntimeError as error:
        raise ValueError(f"`{path}` must be a TorchScript file (torch.jit.save), but can't be read: {error}") from error


def _onnx(path: Path) -> Callable[[torch.Tensor], torch.Tensor]:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(_ONNX_EXTRA) from error
    session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    entry = session.get_inputs()[0].name
    return lambda images: torch.from_numpy(session.run(None, {entry: images.contiguous().numpy()})[0])


def load_torchxrayvision(name: str, device: str | torch.device = "cpu") -> ModuleScorer:
    """A model of torchxrayvision (Cohen et al., MIDL 2022), by name; the library fetches its weights if they are missing.

    Args:
        name: "race" (Gichoya et al., 2022), "age" (Ieki et al., 2022), or weights of its classifiers, such as
            "densenet121-res224-all".
        device: where it runs.

    Raises:
        ImportError: the library is missing.
    """
    try:
        import torchxrayvision
    except ImportError as error:
        raise ImportError(_XRV_EXTRA) from error
    grey = {"low": -1024.0, "high": 1024.0, "name": f"{XRV}{name}", "device": device}
    if name == "race":
        model = torchxrayvision.baseline_models.emory_hiti.RaceModel()
        return ModuleScorer(model, model.targets, PROBABILITY, activation="exp", size=320, **grey)
    if name == "age":
        model = torchxrayvision.baseline_models.riken.AgeModel()
        return ModuleScorer(model, model.targets, VALUE, size=320, **grey)
    model = torchxrayvision.models.get_model(name)
    # labels that the weights were not trained on have no name, and give no number
    trained = [n for n, label in enumerate(model.targets) if label]
    size = 512 if "res512" in name else 224
    return ModuleScorer(
        lambda images: model.to(device).eval()(images)[:, trained], [model.targets[n] for n in trained], PROBABILITY,
        size=size, **grey,
    )  # fmt: skip
