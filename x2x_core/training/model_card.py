"""Model card of a trained editing model: how it was made, its losses, its terms, its limits, and its use."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import x2x_core
from x2x_core.imaging.provenance import sha256_weights, versions

from .config import TrainingConfig
from .run_log import read_log

CARD_FILE = "README.md"
_NOT_STATED = "not stated in the run's configuration (`card:`)"
_MAX_ROWS = 12  # of the table of validation losses

_HEAD = """\
# {name}

An InstructX2X model: it edits a chest radiograph from a text instruction, changing only the region the instruction \
refers to. {size}x{size} pixels; a U-Net in the manner of Stable Diffusion with 8 input channels, {training}; text \
encoder {text_encoder}. float16 safetensors in the diffusers layout.

**Everything it generates is synthetic and for research. It is not a medical device, and not for diagnosis.**"""

_TERMS = """\
## Licence and redistribution

- Initial weights: {init_terms}
- Data: {data_terms}
- These weights: {licence}

A model can reproduce parts of its training data. Whoever redistributes these weights must follow the terms of the \
data and of the initial weights, even where this card does not state them. The run folder contains the data \
themselves, not only weights: `samples/` shows pairs of the split "val", `latents/` holds encoded pairs, and the \
trackers' logs contain pictures. The terms of the data apply to all of these."""

_LIMITS = """\
## Limits

- It knows the findings, words and views of its data, and inherits their biases (devices, hospitals, patients).
- An edit shows what the model has learnt about the appearance of a finding. It is neither a forecast of a patient's \
course nor evidence about a patient.
- Outside the guidance mask the image is unchanged, bit for bit; inside it, nothing guarantees that the edit is right. \
Check the guidance map.
- Losses do not measure the quality of edits on real radiographs; what was not measured is unknown."""

_USE = """\
## Use

```python
from x2x_core import InstructX2XPipeline

pipe = InstructX2XPipeline.from_pretrained("{name}")
result = pipe(image, "Add the finding of moderate left pleural effusion.")
```

SHA-256 of the weights: `{sha256}`"""


def write_card(config: TrainingConfig, folder: Path, pairs: int) -> None:
    """Write `README.md` into the folder of a trained editing model, from its configuration, log and weights.

    Args:
        config: the run.
        folder: the finished pipeline.
        pairs: number of training pairs.
    """
    parts = [
        _head(config),
        _making(config, pairs),
        _losses(read_log(config.out)),
        _terms(config),
        _LIMITS,
        _USE.format(name=folder.name, sha256=sha256_weights(folder)),
    ]
    (folder / CARD_FILE).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _head(config: TrainingConfig) -> str:
    adapters = f"trained through low-rank adapters (rank {config.lora_rank}), which are merged"
    return _HEAD.format(
        name=Path(config.out).name,
        size=config.size,
        training=adapters if config.lora_rank else "trained completely",
        text_encoder="trained with it" if config.train_text_encoder else "and autoencoder unchanged",
    )


def _making(config: TrainingConfig, pairs: int) -> str:
    batch = config.total_batch or f"{config.batch_size} x processes x {config.gradient_accumulation}"
    augmentation = ", ".join(f"{name} {value:g}" for name, value in config.as_dict()["augment"].items() if value)
    rows = {
        "Initial weights": f"`{config.init}`" if config.init else "from scratch",
        "Data": f"{', '.join(f'`{folder}`' for folder in config.datasets)}, {pairs} pairs for training",
        "Source of the initial weights": config.card.init_source
        or ("from scratch" if not config.init else _NOT_STATED),
        "Source of the data": config.card.data_source or _NOT_STATED,
        "Steps": f"{config.steps} of {batch} pairs",
        "Learning rate": f"{config.learning_rate:g}, {config.schedule}, {config.warmup_steps} warm-up steps",
        "EMA decay": f"{config.ema_decay:g}",
        "Conditioning dropout": f"{config.conditioning_dropout:g} each of text, image, and both",
        "Augmentation": augmentation or "none",
        "Precision": config.mixed_precision if config.mixed_precision != "no" else "float32",
        "Seed": config.seed,
        "Software": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"## Training\n\n`x2x train` of InstructX2X {x2x_core.__version__}.\n\n| | |\n|---|---|\n{table}"


def _losses(log: list[dict[str, Any]]) -> str:
    """Return the section on losses: the last training loss, and the validation losses at evenly spaced steps."""
    training = [line for line in log if "loss" in line]
    validation = [line for line in log if "validation_error" in line]
    text = "## Losses\n\n"
    if training:
        paces = [line["samples_per_second"] for line in training if "samples_per_second" in line]
        pace = f", {median(paces):.3g} samples a second (median)" if paces else ""
        text += f"Mean loss of the last logged steps: {training[-1]['loss']:.5f}{pace}.\n\n"
    if not validation:
        return (
            f"{text}Validation losses were not computed (`validate_every` is 0). Training does not compute the metrics "
            "of the paper."
        )
    stride = max(1, -(-len(validation) // _MAX_ROWS))
    rows = "\n".join(
        f"| {line['step']} | {line['validation_error']:.5f} | {line['validation_change']:.5f} |"
        for line in [*validation[:-1:stride], validation[-1]]
    )
    return (
        f'{text}Squared error of the prediction on the split "val" with the averaged weights, over the whole image and '
        f"where the images of the pair differ:\n\n| Step | Error | Where they differ |\n|---|---|---|\n{rows}\n\n"
        "These losses show the progress of training, not the quality of edits, which `x2x evaluate` measures."
    )


def _terms(config: TrainingConfig) -> str:
    card = config.card
    return _TERMS.format(
        init_terms=card.init_terms or _NOT_STATED,
        data_terms=card.data_terms or _NOT_STATED,
        licence=card.licence or _NOT_STATED,
    )
