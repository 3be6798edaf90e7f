"""The configuration of a training run: one frozen, checked record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from x2x_core.common.errors import InputError
from x2x_core.pairs.augmentation import AugmentConfig

from .field_errors import first_error

Task = Literal["autoencoder", "edit", "extents", "lungs", "scorers"]
Schedule = Literal["linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"]
Precision = Literal["no", "fp16", "bf16"]
Tracker = Literal["tensorboard", "wandb"]
_POLYNOMIAL_END = 1e-7  # learning rate at which diffusers' polynomial schedule ends


def _not_a_boolean(value: Any) -> Any:
    """Refuse true and false where a number is required; pydantic alone reads them as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("boolean")
    return value


def _no_from_yaml(value: Any) -> Any:
    """Return "no" for False: YAML 1.1 reads a bare `no` as a boolean."""
    return "no" if value is False else value


Integer = Annotated[int, BeforeValidator(_not_a_boolean)]
Number = Annotated[float, BeforeValidator(_not_a_boolean)]
Count = Annotated[Integer, Field(ge=1)]
CountOrOff = Annotated[Integer, Field(ge=0)]
FolderName = Annotated[str, Field(min_length=1)]
Strength = Annotated[Number, Field(ge=0)]
Channels = tuple[Annotated[Integer, Field(ge=8, multiple_of=8)], ...]
WideChannels = tuple[Annotated[Integer, Field(ge=16, multiple_of=16)], ...]


class Section(BaseModel):
    """A frozen part of a configuration; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CardConfig(Section):
    """Statements for the model card that cannot be derived; an empty one appears there as not stated."""

    data_source: str = ""  # what the dataset is and what it was made from
    data_terms: str = ""  # licence of the dataset, and who may have it
    init_source: str = ""  # what the initial weights are
    init_terms: str = ""  # licence of the initial weights
    licence: str = ""  # licence of the trained weights


class AutoencoderSizes(Section):
    """Sizes of the small autoencoder; the defaults are those of `x2x_core.training.small_models.make_autoencoder`."""

    channels: Annotated[Channels, Field(min_length=1)] | None = None
    layers: Count | None = None


class TokenizerSizes(Section):
    """Size of the small tokenizer; see `x2x_core.training.small_tokenizer.make_tokenizer`."""

    length: Annotated[Integer, Field(ge=3)] | None = None


class TextEncoderSizes(Section):
    """Sizes of the small text encoder; see `x2x_core.training.small_models.make_text_encoder`."""

    width: Count | None = None
    layers: Count | None = None
    heads: Count | None = None


class UNetSizes(Section):
    """Sizes of the small U-Net; see `x2x_core.training.small_models.make_unet`."""

    channels: Annotated[WideChannels, Field(min_length=1)] | None = None
    layers: Count | None = None


class ModelSizes(Section):
    """Sizes of the small models that are trained from scratch; what is left out has its default."""

    vae: AutoencoderSizes = AutoencoderSizes()
    tokenizer: TokenizerSizes = TokenizerSizes()
    text_encoder: TextEncoderSizes = TextEncoderSizes()
    unet: UNetSizes = UNetSizes()
    channels: Annotated[Channels, Field(min_length=3)] | None = None  # tasks "extents", "lungs" and "scorers"


class TrainingConfig(Section):
    """One training run, checked when it is made.

    Raises:
        InputError: an unknown or missing field, a value of the wrong type or out of range, or fields that contradict
            each other; the message names the field, what it must be and what it was.
    """

    task: Task  # "autoencoder" (VAE), "edit" (instruction-following U-Net), "lungs" (lung finder), "extents"
    # (extent finder) or "scorers" (findings and attributes of simulated radiographs)
    data: FolderName | Annotated[tuple[FolderName, ...], Field(min_length=1)]  # dataset folder in the pair layout, or
    # several, whose pairs are pooled; "extents" and "scorers": simulated datasets; "lungs": those with lung fields
    out: Annotated[str, Field(min_length=1)]  # run folder: checkpoints, samples, log, finished pipeline
    init: str = ""  # diffusers folder or original single file to start from; "extents", "lungs" and "scorers": folder
    # with their weights ("extents": or with those of a lung finder); empty: small models from scratch
    tokenizer: str = ""  # CLIP tokenizer for an `init` that is a single file without one
    autoencoder: str = ""  # task "edit" from scratch: diffusers folder that holds the trained `vae`
    models: ModelSizes = ModelSizes()
    size: Annotated[Integer, Field(ge=8, multiple_of=8)] = 256  # image side in pixels
    crop: Annotated[Integer, Field(ge=0, multiple_of=8)] = 0  # task "autoencoder": side of the random crops; 0: whole
    steps: Count = 1000  # optimiser steps
    batch_size: Count = 16  # per process
    gradient_accumulation: Count = 1  # batches per optimiser step and process, if `total_batch` is 0
    total_batch: CountOrOff = 0  # samples per optimiser step over all processes; determines the accumulation
    learning_rate: Strength = 3e-4
    warmup_steps: CountOrOff = 100
    schedule: Schedule = "cosine"  # of the learning rate, by diffusers' name
    weight_decay: Strength = 0.01
    max_grad_norm: Annotated[Number, Field(gt=0)] = 1.0
    ema_decay: Annotated[Number, Field(ge=0, lt=1)] = 0.999
    mixed_precision: Annotated[Precision, BeforeValidator(_no_from_yaml)] = "no"
    train_text_encoder: bool = False  # frozen when fine-tuning, trained when from scratch
    gradient_checkpointing: bool = False
    attention: Literal["sdpa", "xformers"] = "sdpa"  # attention of the U-Net in training; "sdpa": PyTorch's own
    lora_rank: CountOrOff = 0  # task "edit": rank of low-rank adapters trained instead of the U-Net; 0: no adapters
    lora_alpha: Strength = 0.0  # adapter scale times rank; 0: equal to the rank, for a scale of 1
    conditioning_dropout: Annotated[Number, Field(ge=0, le=1 / 3)] = 0.05  # probability of dropping the text, the
    # image, and both: each this much
    no_text: Literal["any", "unchanged"] = "any"  # target of an image without text: that of the pair (InstructPix2Pix),
    # or the image itself
    timestep_bias: Annotated[Number, Field(gt=0)] = 1.0  # timesteps are drawn as 1000 (1 - u^bias): above 1, noisier
    noise_levels: tuple[Annotated[Number, Field(gt=0, le=1)], ...] = ()  # shares of the timesteps, drawn equally often
    # instead of all timesteps: those at which a model of few steps is used, (1.0,) for one step; empty: all timesteps
    place_hint: Annotated[Number, Field(ge=0, le=10)] = 0.0  # the noise is shifted by so much where the pair differs,
    # see `x2x_core.guidance.place_hint`; 0: no hint
    hint_dropout: Annotated[Number, Field(ge=0, le=1)] = 0.3  # share of pairs whose place is left open
    change_weight: Strength = 0.0  # additional loss weight where the pair differs
    change_balance: Strength = 0.0  # that weight is divided by the change's strength to this power
    prediction_type: Literal["v_prediction", "epsilon"] = "v_prediction"  # from scratch; otherwise that of `init`
    zero_snr: bool = False  # rescale noise levels to end in pure noise (Lin et al., 2024); for v_prediction
    latent_variants: CountOrOff = 0  # augmented variants of each pair encoded in advance; 0: encode in every step
    kl_weight: Strength = 1e-6  # task "autoencoder"
    gradient_weight: Strength = 1.0  # task "autoencoder": weight of the loss on image gradients
    augment: AugmentConfig = AugmentConfig()
    seed: Annotated[Integer, Field(ge=0, le=2**63 - 1)] = 0
    workers: CountOrOff = 0  # data loading processes
    checkpoint_every: Count = 500  # steps
    keep_checkpoints: Count = 2
    sample_every: CountOrOff = 0  # steps between sample grids; 0: off
    sample_steps: CountOrOff = 0  # denoising steps of a sample; 0: the pipeline's default
    validate_every: CountOrOff = 0  # task "edit": steps between validation losses; 0: off
    validation_pairs: Count = 256  # the first so many pairs of the split "val"
    log_every: Count = 20  # steps
    trackers: tuple[Tracker, ...] = ()  # where the log goes besides log.jsonl
    card: CardConfig = CardConfig()

    if not TYPE_CHECKING:  # type checkers use the signature that pydantic derives from the fields

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise InputError(first_error(type(self), error)) from None

    def model_post_init(self, context: Any) -> None:
        """Check that the fields agree with each other."""
        if self.total_batch and self.gradient_accumulation != 1:
            raise InputError("`gradient_accumulation` is derived from `total_batch`: set only one of the two.")
        if self.crop > self.size:
            raise InputError(f"`crop` must be at most `size` ({self.size}), got {self.crop}.")
        if self.schedule == "polynomial" and self.learning_rate <= _POLYNOMIAL_END:
            raise InputError(
                f"`learning_rate` must be above {_POLYNOMIAL_END:g} if `schedule` is polynomial, got "
                f"{self.learning_rate}."
            )
        if self.task == "edit":
            self._check_edit()
            return
        if self.latent_variants:
            raise InputError(f"`latent_variants` must be 0 if `task` is {self.task}, which uses no latents.")
        for name in ("lora_rank", "validate_every", "zero_snr", "noise_levels", "place_hint"):
            if getattr(self, name):
                raise InputError(f"`{name}` requires the task edit, but `task` is {self.task}. Leave it out.")

    def _check_edit(self) -> None:
        if self.lora_rank and (self.train_text_encoder or not self.init):
            raise InputError("`lora_rank` requires `init` and a frozen text encoder (`train_text_encoder: false`).")
        if self.noise_levels and self.timestep_bias != 1:
            raise InputError("`timestep_bias` has no effect with `noise_levels`: set only one of the two.")
        if not (self.init or self.autoencoder):
            raise InputError("`init` or `autoencoder` must name a diffusers folder if `task` is edit; both are empty.")

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like any other configuration."""
        return type(self)(**{**{name: getattr(self, name) for name in type(self).model_fields}, **changes})

    def accumulation(self, processes: int) -> int:
        """Return the number of batches per optimiser step of each process.

        Raises:
            InputError: `total_batch` cannot be divided evenly among the processes.
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

    @property
    def datasets(self) -> tuple[str, ...]:
        """The folders of `data`."""
        return (self.data,) if isinstance(self.data, str) else self.data

    def as_dict(self) -> dict[str, Any]:
        """Return all fields, nested, with values that JSON and YAML can hold."""
        values = self.model_dump(mode="json")
        return values | {"models": self.models.model_dump(mode="json", exclude_unset=True)}
