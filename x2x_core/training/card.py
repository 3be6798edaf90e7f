"""The model card that is written beside a trained editor: what, from what, on what terms, how good, and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import x2x_core
from x2x_core.imaging.provenance import sha256_weights, versions

from .config import TrainingConfig
from .tracking import read_log

CARD = "README.md"
_NOT_STATED = "not stated in the run's configuration (`card:`)"
_SHOWN = 12  # rows of the table of figures


def write_card(config: TrainingConfig, folder: Path, pairs: int) -> None:
    """Write `README.md` into the folder of a trained editor, from its configuration, its log and its weights.

    Args:
        config: the run.
        folder: the finished pipeline.
        pairs: of the split "train".
    """
    parts = [
        _head(config),
        _making(config, pairs),
        _figures(read_log(config.out)),
        _terms(config),
        _limits(),
        _use(folder),
    ]
    (folder / CARD).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _head(config: TrainingConfig) -> str:
    kind = f"low-rank adapters (rank {config.lora_rank}) merged into it" if config.lora_rank else "trained throughout"
    return f"""# {Path(config.out).name}

An InstructX2X model: it edits a chest radiograph by an instruction, where the instruction is about. {config.size}x{config.size} pixels; a U-Net of Stable Diffusion's kind with 8 input channels, {kind}; text encoder {"trained with it" if config.train_text_encoder else "and autoencoder left as they were"}. float16 safetensors in the diffusers layout.

**Everything that it makes is synthetic and for research. It is not a medical device, and not for diagnosis.**"""  # fmt: skip


def _making(config: TrainingConfig, pairs: int) -> str:
    effective = config.total_batch or f"{config.batch_size} x processes x {config.gradient_accumulation}"
    augment = ", ".join(f"{name} {value:g}" for name, value in config.as_dict()["augment"].items() if value)
    rows = {
        "Start": f"`{config.init}`" if config.init else "from scratch",
        "Data": f"`{config.data}`, {pairs} pairs for training",
        "What the start is": config.card.init_source or ("from scratch" if not config.init else _NOT_STATED),
        "What the data are": config.card.data_source or _NOT_STATED,
        "Steps": f"{config.steps} of {effective} pairs",
        "Learning rate": f"{config.learning_rate:g}, {config.schedule}, {config.warmup_steps} warm-up steps",
        "Averaging (EMA)": f"{config.ema_decay:g}",
        "Conditioning dropout": f"{config.conditioning_dropout:g} each of text, image, and both",
        "Augmentation": augment or "none",
        "Precision": config.mixed_precision if config.mixed_precision != "no" else "float32",
        "Seed": config.seed,
        "Software": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"## How it was made\n\n`x2x train` of InstructX2X {x2x_core.__version__}.\n\n| | |\n|---|---|\n{table}"


def _figures(log: list[dict[str, Any]]) -> str:
    """Losses by step: the last of training, and the validation losses, the first and last ones and some between."""
    trained = [line for line in log if "loss" in line]
    checked = [line for line in log if "validation_error" in line]
    text = "## Figures\n\n"
    if trained:
        paces = sorted(line["samples_per_second"] for line in trained if "samples_per_second" in line)
        pace = f", {paces[len(paces) // 2]:.3g} samples a second (median)" if paces else ""
        text += f"Loss of the last logged steps: {trained[-1]['loss']:.5f}{pace}.\n\n"
    if not checked:
        return (
            text
            + "No validation loss was asked for (`validate_every`), and the paper's metrics are not measured by training."
        )
    every = max(1, -(-len(checked) // _SHOWN))
    shown = [*checked[:-1:every], checked[-1]]
    rows = "\n".join(
        f"| {line['step']} | {line['validation_error']:.5f} | {line['validation_change']:.5f} |" for line in shown
    )
    return text + (
        'Squared error of the prediction on the split "val" with the averaged weights, over the whole image and where '
        f"the pair differs:\n\n| Step | Error | Where it differs |\n|---|---|---|\n{rows}\n\n"
        "These say whether training went on well, not how good the edits are: that is for `x2x evaluate`."
    )


def _terms(config: TrainingConfig) -> str:
    card = config.card
    return f"""## Licence and who may have it

- Initial weights: {card.init_terms or _NOT_STATED}
- Data: {card.data_terms or _NOT_STATED}
- These weights: {card.licence or _NOT_STATED}

A model can give back something of what it was trained on. Whoever passes these weights on keeps to the terms of the data and of the initial weights, also where this card doesn't state them. The run's folder holds the data themselves, not just weights: `samples/` shows pairs of the split "val", `latents/` is the pairs encoded, and trackers' logs hold the pictures too. The data's terms hold for all of these."""  # fmt: skip


def _limits() -> str:
    return """## Limits

- It knows the findings, words and views of its data, and carries over what is uneven in them (devices, hospitals, patients).
- An edit shows what the model has learnt that a finding looks like. It is no forecast of a patient's course, and no evidence about a patient.
- Outside the guidance mask the picture stays as it was, bit for bit; inside it, nothing says that the edit is right. Look at the guidance map.
- What was not measured is not known: losses are no measure of edits on real radiographs."""  # fmt: skip


def _use(folder: Path) -> str:
    return f"""## Use

```python
from x2x_core import InstructX2XPipeline

pipe = InstructX2XPipeline.from_pretrained("{folder.name}")
result = pipe(image, "Add the finding of moderate left pleural effusion.")
```

SHA-256 of the weights: `{sha256_weights(folder)}`"""
