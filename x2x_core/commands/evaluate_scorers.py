"""Options of `x2x evaluate dataset` that name networks, and how they are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import torch

    from x2x_core.evaluation.on_dataset.evidence import Scorers
    from x2x_core.scorers.scorer import ImageScorer

FindingsScorer = Annotated[
    str | None,
    typer.Option(
        help="bundled, torchxrayvision:NAME, or a TorchScript or ONNX file.", show_default="bundled on simulated data"
    ),
]
RaceScorer = Annotated[str | None, typer.Option(help="torchxrayvision:race, or a file.", show_default="none")]
AgeScorer = Annotated[str | None, typer.Option(help="torchxrayvision:age, or a file.", show_default="none")]
AttributesScorer = Annotated[
    str | None, typer.Option(help="bundled, or a file.", show_default="bundled on simulated data")
]
FidFeatures = Annotated[
    str | None,
    typer.Option(help="bundled, inception:FILE, or a TorchScript file.", show_default="bundled on simulated data"),
]
Segmenter = Annotated[
    str | None,
    typer.Option(help="torchxrayvision:pspnet (lungs, heart), or a file.", show_default="the lung finder alone"),
]


Identity = Annotated[
    str | None,
    typer.Option(
        help="Features that identify patients: transformers:FOLDER, or a TorchScript file.", show_default="none"
    ),
]
ImageText = Annotated[
    str | None, typer.Option(help="Folder of a CLIP or SigLIP model, for image-text fit.", show_default="none")
]
Radiomics = Annotated[bool, typer.Option("--radiomics", help="Frechet radiomics distance; needs pyradiomics.")]


def load_scorers(names: Mapping[str, str | None], simulated: bool, device: torch.device | str = "cpu") -> Scorers:
    """Load the networks that take part.

    Args:
        names: of "findings", "race", "age", "attributes", "features", "segmenter", "identity", "image_text" and
            "radiomics"; ``None``: not given.
        simulated: the dataset is simulated, so the bundled networks stand in for those that were not given.
        device: of the networks.

    Raises:
        InputError: a name that is not a network.
    """
    from x2x_core.evaluation.on_dataset.evidence import Scorers
    from x2x_core.scorers.bundled import BUNDLED
    from x2x_core.scorers.features import load_features
    from x2x_core.scorers.image_text import DualEncoder
    from x2x_core.scorers.loading import load_scorer
    from x2x_core.scorers.radiomics import RadiomicFeatures
    from x2x_core.scorers.scorer import PROBABILITY, VALUE
    from x2x_core.scorers.segmenters import load_segmenter

    given = {kind: name for kind, name in names.items() if name}
    if simulated:
        given = {"findings": BUNDLED, "attributes": BUNDLED, "features": BUNDLED, **given}

    def load(kind: str, scale: str) -> ImageScorer | None:
        return load_scorer(given[kind], scale, device) if kind in given else None

    findings = load("findings", PROBABILITY)
    values = tuple(scorer for scorer in (load("age", VALUE), load("attributes", VALUE)) if scorer)
    features = load_features(given["features"], device) if "features" in given else None
    segmenter = load_segmenter(given["segmenter"], device) if "segmenter" in given else None
    return Scorers(
        findings,
        load("race", PROBABILITY),
        values,
        features,
        segmenter,
        identity=load_features(given["identity"], device) if "identity" in given else None,
        radiomics=RadiomicFeatures() if "radiomics" in given else None,
        image_text=DualEncoder.load(given["image_text"], device) if "image_text" in given else None,
    )
