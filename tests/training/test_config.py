"""Configurations: what ships is valid, numbers may be text, and every wrong value is refused in one sentence."""

import re
from pathlib import Path

import pytest
import yaml

from x2x_core.common.errors import InputError
from x2x_core.training.config import CardConfig, TrainingConfig
from x2x_core.training.config_files import find_config, load_config
from x2x_core.training.shipped_configs import shipped_config_names

BASE = {"task": "autoencoder", "data": "data", "out": "run"}
EDIT = {**BASE, "task": "edit", "init": "model"}


ROOT = Path(__file__).parents[2]


def test_the_configurations_of_the_documents_ship():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("README.md")]
    named = {name for page in pages for name in re.findall(r"x2x train --config ([\w-]+)", page.read_text("utf-8"))}
    assert {"demo", "demo-autoencoder", "lungs", "scorers", "paper-v1", "paper-v2"} < set(shipped_config_names())
    assert {"demo", "lungs", "scorers", "paper-v1"} <= named <= set(shipped_config_names())


@pytest.mark.parametrize("name", shipped_config_names())
def test_shipped_configurations_are_valid(name):
    config = load_config(find_config(name), steps=7, data=None)
    assert config.steps == 7 and all(folder.startswith("runs/") for folder in config.datasets)


@pytest.mark.parametrize("name", shipped_config_names())
def test_a_configuration_survives_yaml(name, tmp_path):
    config = load_config(find_config(name))
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(config.as_dict()))
    assert load_config(tmp_path / "again.yaml") == config


def test_sizes_are_recorded_as_they_were_set():
    models = {"vae": {"channels": [16, 32], "layers": 1}, "tokenizer": {"length": 48}}
    assert TrainingConfig(**BASE, models=models).as_dict()["models"] == models
    assert TrainingConfig(**BASE).as_dict()["models"] == {}


@pytest.mark.parametrize(("text", "value"), [("1e-4", 1e-4), ("5E-6", 5e-6), ("0.5", 0.5), ("1", 1.0)])
def test_numbers_that_yaml_reads_as_text_are_numbers(tmp_path, text, value):
    file = tmp_path / "run.yaml"
    file.write_text(f"task: autoencoder\ndata: data\nout: out\nlearning_rate: {text}\n")
    assert load_config(file).learning_rate == value
    assert TrainingConfig(**BASE, learning_rate=text).learning_rate == value


def test_a_bare_no_is_a_word_although_yaml_reads_false(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("task: edit\ninit: folder\ndata: data\nout: out\nmixed_precision: no\n")
    assert load_config(file).mixed_precision == "no"


@pytest.mark.parametrize(
    ("field", "value", "requirement"),
    [
        ("learning_rate", "fast", "a number of at least 0"),
        ("learning_rate", -1e-4, "a number of at least 0"),
        ("learning_rate", float("nan"), "a number of at least 0"),
        ("learning_rate", float("inf"), "a number of at least 0"),
        ("max_grad_norm", -1, "a number above 0"),
        ("max_grad_norm", 0, "a number above 0"),
        ("ema_decay", 1.5, "a number in [0, 1)"),
        ("ema_decay", 1, "a number in [0, 1)"),
        ("change_weight", -3, "a number of at least 0"),
        ("weight_decay", -0.1, "a number of at least 0"),
        ("kl_weight", -1, "a number of at least 0"),
        ("gradient_weight", True, "a number of at least 0"),
        ("warmup_steps", -5, "a whole number of at least 0"),
        ("steps", 2.5, "a whole number of at least 1"),
        ("steps", 0, "a whole number of at least 1"),
        ("steps", True, "a whole number of at least 1"),
        ("batch_size", "many", "a whole number of at least 1"),
        ("seed", -1, "a whole number in [0, 9223372036854775807]"),
        ("seed", 2**63, "a whole number in [0, 9223372036854775807]"),
        ("workers", -1, "a whole number of at least 0"),
        ("size", 100, "a whole number of at least 8 that is a multiple of 8"),
        ("crop", 12, "a whole number of at least 0 that is a multiple of 8"),
        (
            "schedule",
            "cosinus",
            "one of linear, cosine, cosine_with_restarts, polynomial, constant, constant_with_warmup",
        ),
        ("task", "cook", "one of autoencoder, edit, extents, lungs, scorers"),
        ("mixed_precision", "fp8", "one of no, fp16, bf16"),
        ("no_text", "nothing", "one of any, unchanged"),
        ("prediction_type", "sample", "one of v_prediction, epsilon"),
        ("attention", "flash", "one of sdpa, xformers"),
        ("conditioning_dropout", 0.5, "a number in [0, 1/3]"),
        ("timestep_bias", 0, "a number above 0"),
        ("noise_levels", 1.0, "a list, each a number in (0, 1]"),
        ("train_text_encoder", "maybe", "true or false"),
        ("trackers", "tensorboard", "a list, each one of tensorboard, wandb"),
        ("out", "", "text that is not empty"),
        ("data", 3, "text that is not empty, or a list of at least 1, each text that is not empty"),
        ("augment", 3, "a mapping of fields"),
        ("card", "mine", "a mapping of fields"),
        ("models", [1], "a mapping of fields"),
    ],
)
def test_a_wrong_value_is_refused_with_the_field_the_requirement_and_the_value(field, value, requirement):
    with pytest.raises(InputError) as caught:
        TrainingConfig(**{**BASE, field: value})
    assert str(caught.value) == f"`{field}` must be {requirement}, got {value!r}."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"models": {"unet": {"channels": [24]}}},
            "`models.unet.channels` must be a whole number of at least 16 that is",
        ),
        ({"models": {"channels": [8]}}, "`models.channels` must be a list of at least 3, each a whole number of"),
        (
            {"models": {"text_encoder": {"heads": 0}}},
            "`models.text_encoder.heads` must be a whole number of at least 1",
        ),
        ({"models": {"unett": {}}}, "`models.unett` is not a field of the configuration. `models` has vae,"),
        ({"augment": {"rotation": "far"}}, "`augment.rotation` must be a number, got 'far'"),
        ({"augment": {"noise": float("nan")}}, "`augment.noise` must be a number, got nan"),
        ({"augment": {"flop": 1}}, "`augment.flop` is not a field of the configuration. `augment` has flip,"),
        ({"augment": {"flip": 2}}, "`flip` must lie in [0, 1], got 2"),
        ({"augment": {"noise": -1}}, "`noise` must not be negative, got -1"),
        ({"card": {"licence": 3}}, "`card.licence` must be text, got 3"),
        ({"trackers": ["paper"]}, "`trackers` must be one of tensorboard, wandb, got 'paper'"),
        ({"speed": 3}, "`speed` is not a field of the configuration. Its fields are attention, augment,"),
    ],
)
def test_nested_and_unknown_fields_are_named_by_their_path(fields, message):
    with pytest.raises(InputError) as caught:
        TrainingConfig(**BASE, **fields)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({**BASE, "task": "edit"}, "`init` or `autoencoder` must name a diffusers folder if `task` is edit"),
        ({**BASE, "zero_snr": True}, "`zero_snr` requires the task edit, but `task` is autoencoder"),
        ({**BASE, "lora_rank": 4}, "`lora_rank` requires the task edit, but `task` is autoencoder"),
        ({**BASE, "validate_every": 4}, "`validate_every` requires the task edit, but `task` is autoencoder"),
        ({**BASE, "latent_variants": 2}, "`latent_variants` must be 0 if `task` is autoencoder"),
        ({**BASE, "size": 64, "crop": 128}, "`crop` must be at most `size` (64), got 128"),
        ({**BASE, "noise_levels": [1.0]}, "`noise_levels` requires the task edit, but `task` is autoencoder"),
        ({**EDIT, "noise_levels": [1.0], "timestep_bias": 2.0}, "`timestep_bias` has no effect with `noise_levels`"),
        ({**EDIT, "lora_rank": 4, "train_text_encoder": True}, "`lora_rank` requires `init` and a frozen text encoder"),
        (
            {**EDIT, "total_batch": 8, "gradient_accumulation": 2},
            "`gradient_accumulation` is derived from `total_batch`",
        ),
        (
            {**EDIT, "schedule": "polynomial", "learning_rate": 0},
            "`learning_rate` must be above 1e-07 if `schedule` is",
        ),
        ({"task": "edit", "out": "run"}, "`data` is required: set it to text that is not empty"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields, message):
    with pytest.raises(InputError) as caught:
        TrainingConfig(**fields)
    assert str(caught.value).startswith(message)


def test_a_replaced_field_is_checked_like_any_other():
    config = TrainingConfig(**BASE, card=CardConfig(licence="mine"))
    assert config.replace(steps=3) == TrainingConfig(**BASE, steps=3, card=CardConfig(licence="mine"))
    with pytest.raises(InputError, match="`steps` must be a whole number of at least 1, got -3"):
        config.replace(steps=-3)


def test_files_that_are_not_configurations_are_named(tmp_path):
    file = tmp_path / "config.yaml"
    for text, message in (
        ("- a", "must be a YAML mapping"),
        ("3: x", "must be a YAML mapping"),
        ("a: [", "must be YAML"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            load_config(file)
    with pytest.raises(FileNotFoundError, match="There is no configuration"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(FileNotFoundError, match="demo, demo-autoencoder"):
        find_config("none")
