"""What a training run does: one frozen record, read from YAML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.pairs.augmentation import AugmentConfig

from .committed import committed_names, committed_path

TASKS = ("autoencoder", "edit", "lungs", "scorers")
PRECISIONS = ("no", "fp16", "bf16")
ATTENTION = ("sdpa", "xformers")
TRACKERS = ("tensorboard", "wandb")


@dataclass(frozen=True)
class CardConfig:
    """What the model card can't know by itself. Empty: the card says that it was not stated."""

    data_source: str = ""  # what the data set is, and what it was made from
    data_terms: str = ""  # its licence, and who may have it
    init_source: str = ""  # what the initial weights are
    init_terms: str = ""  # their licence
    licence: str = ""  # the trained weights' own


@dataclass(frozen=True)
class TrainingConfig:
    """One training run. What a field can be stands beside it."""

    task: str  # "autoencoder" (the VAE), "edit" (the U-Net that follows instructions), "lungs" (the lung finder) or
    # "scorers" (findings and attributes of simulated radiographs)
    data: str  # dataset folder in the published layout; "scorers": a simulated one; "lungs": that with lung fields
    out: str  # folder for checkpoints, samples, logs and the finished pipeline
    init: str = ""  # diffusers folder or original single file to start from; "lungs", "scorers": folder with their
    # weights; empty: the small models, from scratch
    tokenizer: str = ""  # CLIP tokenizer of an `init` that is a single file without one
    autoencoder: str = ""  # task "edit" from scratch: diffusers folder that holds the trained `vae`
    models: dict[str, Any] = field(default_factory=dict)  # sizes of the small models, see `x2x_core.training.models`
    size: int = 256  # pixels to a side
    crop: int = 0  # task "autoencoder": side of the random crops; 0: whole images
    steps: int = 1000  # optimiser steps
    batch_size: int = 16  # per process
    gradient_accumulation: int = 1  # batches per optimiser step and process, where `total_batch` is 0
    total_batch: int = 0  # samples per optimiser step of all processes; accumulation follows from it and their number
    learning_rate: float = 3e-4
    warmup_steps: int = 100
    schedule: str = "cosine"  # a name of diffusers' `get_scheduler`: cosine, constant_with_warmup, ...
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    ema_decay: float = 0.999
    mixed_precision: str = "no"  # "no", "fp16" or "bf16"
    train_text_encoder: bool = False  # frozen when fine-tuning, trained when from scratch
    gradient_checkpointing: bool = False
    attention: str = "sdpa"  # of the U-Net in training: PyTorch's own ("sdpa") or "xformers"
    lora_rank: int = 0  # task "edit": rank of low-rank adapters trained instead of the U-Net; 0: the U-Net itself
    lora_alpha: float = 0.0  # their scale is this over the rank; 0: the rank, so a scale of 1
    conditioning_dropout: float = 0.05  # chance to drop the text, the image, and both: each this much
    no_text: str = "any"  # what an image without text becomes: "any" target (InstructPix2Pix), or itself, "unchanged"
    timestep_bias: float = 1.0  # timesteps are drawn as 1000 (1 - u^bias): above 1, more of them at high noise
    change_weight: float = 0.0  # added weight of the loss where the pair differs
    change_balance: float = 0.0  # how far that weight favours faint changes: divided by their strength to this power
    prediction_type: str = "v_prediction"  # from scratch; a fine-tuned checkpoint keeps its own
    zero_snr: bool = False  # noise levels up to pure noise (Lin et al., 2024), for v_prediction
    latent_variants: int = 0  # augmented variants of each pair encoded beforehand; 0: encode in every step
    kl_weight: float = 1e-6  # task "autoencoder"
    gradient_weight: float = 1.0  # task "autoencoder": of the loss on image gradients
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    seed: int = 0
    workers: int = 0  # processes that load data
    checkpoint_every: int = 500  # steps
    keep_checkpoints: int = 2
    sample_every: int = 0  # steps between sample grids; 0: none
    sample_steps: int = 0  # denoising steps of a sample; 0: the checkpoint's recommendation, or the pipeline's default
    validate_every: int = 0  # task "edit": steps between validation losses; 0: none
    validation_pairs: int = 256  # of the split "val", the first so many
    log_every: int = 20
    trackers: tuple[str, ...] = ()  # where logs go beside log.jsonl: "tensorboard", "wandb"
    card: CardConfig = field(default_factory=CardConfig)

    def __post_init__(self) -> None:
        _one_of("task", self.task, TASKS)
        _one_of("mixed_precision", self.mixed_precision, PRECISIONS)
        _one_of("attention", self.attention, ATTENTION)
        for tracker in self.trackers:
            _one_of("trackers", tracker, TRACKERS)
        _one_of("no_text", self.no_text, ("any", "unchanged"))
        _one_of("prediction_type", self.prediction_type, ("v_prediction", "epsilon"))
        for name in _POSITIVE:
            if getattr(self, name) < 1:
                raise InputError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must not be negative, got {getattr(self, name)}.")
        if self.total_batch and self.gradient_accumulation != 1:
            raise InputError("`gradient_accumulation` follows from `total_batch`: state one of the two.")
        if not 0 <= self.conditioning_dropout <= 1 / 3:
            raise InputError(f"`conditioning_dropout` must lie in [0, 1/3], got {self.conditioning_dropout}.")
        if self.timestep_bias <= 0:
            raise InputError(f"`timestep_bias` must be above 0, got {self.timestep_bias}.")
        if self.latent_variants and self.task != "edit":
            raise InputError(f"`latent_variants` must be 0 when `task` is {self.task}: no latents are used.")
        if self.task != "edit" and (self.lora_rank or self.validate_every or self.zero_snr):
            names = "`lora_rank`, `validate_every` and `zero_snr`"
            raise InputError(f"{names} are for the task edit; `task` is {self.task}.")
        if self.lora_rank and (self.train_text_encoder or not self.init):
            raise InputError(
                "`lora_rank` needs an `init`, and leaves the text encoder as it is (`train_text_encoder`)."
            )
        if self.task == "edit" and not (self.init or self.autoencoder):
            raise InputError("`init` or `autoencoder` must name a diffusers folder when `task` is edit, got neither.")

    def accumulation(self, processes: int) -> int:
        """Batches per optimiser step of each of so many processes.

        Raises:
            InputError: `total_batch` can't be dealt to them evenly.
        """
        if not self.total_batch:
            return self.gradient_accumulation
        batches, rest = divmod(self.total_batch, self.batch_size * processes)
        if rest or not batches:
            raise InputError(
                f"`total_batch` must be a multiple of `batch_size` x processes ({self.batch_size} x {processes}), got "
                f"{self.total_batch}. Use another number of processes, or another `batch_size`."
            )
        return batches

    def as_dict(self) -> dict[str, Any]:
        """All fields, nested, as JSON and YAML can hold them."""
        return asdict(self)


_POSITIVE = (
    "size", "steps", "batch_size", "gradient_accumulation", "checkpoint_every", "keep_checkpoints", "log_every",
    "validation_pairs",
)  # fmt: skip
_NOT_NEGATIVE = (
    "total_batch", "lora_rank", "lora_alpha", "change_balance", "validate_every", "sample_every", "sample_steps",
)  # fmt: skip


def _one_of(name: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise InputError(f"`{name}` must be one of {', '.join(options)}, got {value!r}.")


def load_config(path: str | Path, **overrides: Any) -> TrainingConfig:
    """Read a configuration from a YAML file.

    Relative folders in the file are relative to where the program runs.

    Args:
        path: the file.
        overrides: fields that replace the file's, where not ``None``.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: no YAML mapping, an unknown field, or a value out of range.
    """
    import yaml

    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no configuration at `{path}`.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"`{path}` must be YAML: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"`{path}` must be a YAML mapping of the fields of a training run.")
    values |= {name: value for name, value in overrides.items() if value is not None}
    if values.get("mixed_precision") is False:
        values["mixed_precision"] = "no"  # YAML reads a bare no as false
    if "augment" in values:
        values["augment"] = _build(AugmentConfig, values["augment"], path)
    if "card" in values:
        values["card"] = _build(CardConfig, values["card"], path)
    if "trackers" in values:
        values["trackers"] = tuple(values["trackers"])
    return _build(TrainingConfig, values, path)


def _build(kind: type, values: dict[str, Any], path: Path) -> Any:
    known = {entry.name for entry in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError(
            f"`{path}` has the unknown field {unknown[0]!r}; the known ones are {', '.join(sorted(known))}."
        )
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"`{path}` can't be read: {error}.") from error


def find_config(name: str | Path) -> Path:
    """The path of a configuration: a file, or the name of a committed one ("demo").

    Raises:
        InputNotFoundError: neither; the message lists the committed ones.
    """
    for path in (Path(name), committed_path(str(name))):
        if path.is_file():
            return path
    names = ", ".join(committed_names())
    raise InputNotFoundError(f"`--config` must name a YAML file or one of {names}, but there is no `{name}`.")
