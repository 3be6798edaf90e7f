"""Fine-tuning as the paper's configuration does it: where it starts, what it trains, what it writes and logs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from accelerate import Accelerator
from accelerate.commands.config.config_args import load_config_from_file
from safetensors.torch import load_file
from typer.testing import CliRunner

from x2x_core import InstructX2XPipeline
from x2x_core.cli import app
from x2x_core.common.checkpoint_layout import MODEL_INDEX
from x2x_core.common.seeds import seeded_generator
from x2x_core.conversion import single_file
from x2x_core.conversion.checkpoint import CONFIGS, SCHEDULER
from x2x_core.conversion.convert import convert, read_checkpoint
from x2x_core.conversion.names import ema_name
from x2x_core.training import config, model_card, run_log
from x2x_core.training.config import CardConfig
from x2x_core.training.config_files import find_config, load_config
from x2x_core.training.data_loader import ProcessShare
from x2x_core.training.editing import unet as unet_module
from x2x_core.training.editing.latent_cache import LatentCache
from x2x_core.training.ema import ShardedEMA
from x2x_core.training.tasks import make_task
from x2x_core.training.trainer import train
from x2x_core.training.validation import validation_losses

UNET = "unet/diffusion_pytorch_model.safetensors"
CONFIG_FOLDER = Path(config.__file__).parent / "configs"


class StoppedError(Exception):
    """The run was interrupted."""


def stop_at(step):
    def progress(done, total, means):
        if done == step:
            raise StoppedError

    return progress


def unet(folder):
    return load_file(folder / UNET)


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def log(run):
    return [json.loads(line) for line in (Path(run.out) / "log.jsonl").read_text().splitlines()]


# -- where it starts --------------------------------------------------------------------------------------------------


def test_a_run_starts_from_a_single_file_as_from_its_folder(tuning, tiny_folder, tmp_path):
    convert(tiny_folder, tmp_path / "one.safetensors")
    plain = train(tuning.replace(steps=1))
    single = train(tuning.replace(steps=1, out=str(tmp_path / "single"), init=str(tmp_path / "one.safetensors")))
    assert same(unet(plain), unet(single))


def test_a_run_starts_from_the_averaged_weights_of_an_original_checkpoint(tuning, tiny_folder, tmp_path, monkeypatch):
    """As from InstructPix2Pix's published .ckpt; only that the sizes taken for granted are the tiny model's."""
    convert(tiny_folder, tmp_path / "one.safetensors")
    state = load_file(tmp_path / "one.safetensors")
    averages = {ema_name(name): 2 * value for name, value in state.items() if name.startswith("model.diffusion_model.")}
    torch.save({"state_dict": state | averages, "global_step": 22000}, tmp_path / "original.ckpt")
    files = {
        name: text
        for name, text in read_checkpoint(tiny_folder).files.items()
        if name in (MODEL_INDEX, SCHEDULER, *CONFIGS.values())
    }
    monkeypatch.setattr(single_file, "_standard_files", lambda found, file: files)
    start = tuning.replace(init=str(tmp_path / "original.ckpt"))
    with pytest.raises(ValueError, match="needs a tokenizer"):
        make_task(start)
    task = make_task(start.replace(tokenizer=str(tiny_folder / "tokenizer")))
    doubled = {name: 2 * value for name, value in unet(tiny_folder).items()}
    assert same(task.module.unet.state_dict(), doubled)
    assert (Path(tuning.out) / "init" / UNET).is_file()
    with pytest.raises(FileNotFoundError, match="`init` must be a diffusers folder or a single file"):
        make_task(tuning.replace(init=str(tmp_path / "nowhere")))


# -- the same whatever is looked at on the way ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_weights_with_every_option(tuning, tmp_path):
    options = {
        "mixed_precision": "bf16", "gradient_checkpointing": True, "lora_rank": 2, "validate_every": 1,
        "sample_every": 2, "sample_steps": 2, "trackers": ("tensorboard",), "latent_variants": 2,
    }  # fmt: skip
    whole = train(tuning.replace(**options))
    again = tuning.replace(**options, out=str(tmp_path / "again"))
    with pytest.raises(StoppedError):
        train(again, progress=stop_at(2))
    assert same(unet(train(again)), unet(whole))


def test_a_run_killed_while_writing_a_checkpoint_resumes_from_the_previous_one(tuning, tmp_path, monkeypatch):
    """With adapters; batches that don't divide the nine pairs evenly, so that a step crosses the end of an epoch."""
    lora = tuning.replace(lora_rank=2, steps=4)
    whole = train(lora)
    again = lora.replace(out=str(tmp_path / "again"), keep_checkpoints=1)
    save, calls = Accelerator.save_state, []

    def cut(accelerator, folder):
        calls.append(folder)
        save(accelerator, folder)
        if len(calls) == 3:
            (Path(folder) / "model.safetensors").write_bytes(b"half")
            raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(Accelerator, "save_state", cut)
        with pytest.raises(StoppedError):
            train(again)
    assert sorted(path.name for path in Path(again.out).glob("checkpoint*")) == [
        "checkpoint-0000002",
        "checkpoint.partial",
    ]
    assert same(unet(train(again)), unet(whole))
    assert [path.name for path in Path(again.out).glob("checkpoint*")] == ["checkpoint-0000004"]


def test_what_was_logged_after_the_checkpoint_is_not_logged_twice(tuning):
    with pytest.raises(StoppedError):
        train(tuning, progress=stop_at(3))
    file = Path(tuning.out) / "log.jsonl"
    assert [line["step"] for line in log(tuning)] == [1, 2, 3]
    with file.open("a") as opened:
        opened.write('{"step": 4, "lo')  # a line that was being written when the process was killed
    folder = train(tuning)
    assert [line["step"] for line in log(tuning)] == [1, 2, 3] and (folder / model_card.CARD_FILE).is_file()


def test_killed_while_latents_are_encoded_the_rest_is_encoded(tuning, tmp_path, monkeypatch):
    cached = tuning.replace(latent_variants=2, steps=1)
    whole = train(cached)
    again = cached.replace(out=str(tmp_path / "again"))
    encode_row, done = LatentCache._encode_row, []

    def cut(cache, *arguments):
        done.append(arguments[-1])
        if len(done) == 5:
            raise StoppedError
        return encode_row(cache, *arguments)

    (Path(again.out) / "latents").mkdir(parents=True)
    (Path(again.out) / "latents" / "latents.tmp").write_bytes(b"half a file")
    with monkeypatch.context() as patch:
        patch.setattr(LatentCache, "_encode_row", cut)
        with pytest.raises(StoppedError):
            train(again)
    assert same(unet(train(again)), unet(whole))
    for name in ("latents.npy", "weights.npy", "instructions.json"):
        assert (Path(again.out) / "latents" / name).read_bytes() == (Path(cached.out) / "latents" / name).read_bytes()


def test_looking_at_a_run_does_not_change_it(tuning, tmp_path):
    plain = train(tuning)
    watched = tuning.replace(out=str(tmp_path / "watched"), validate_every=1, sample_every=1, sample_steps=2)
    assert same(unet(train(watched)), unet(plain))


def test_accumulation_keeps_the_total_batch_of_a_step(tuning):
    assert tuning.replace(total_batch=1024, batch_size=4).accumulation(1) == 256
    assert tuning.replace(total_batch=1024, batch_size=4).accumulation(8) == 32
    assert tuning.replace(total_batch=0, gradient_accumulation=3).accumulation(8) == 3
    with pytest.raises(ValueError, match=r"multiple of `batch_size` x processes \(4 x 3\), got 1024"):
        tuning.replace(total_batch=1024, batch_size=4).accumulation(3)
    with pytest.raises(
        ValueError, match="`gradient_accumulation` is derived from `total_batch`: set only one of the two"
    ):
        tuning.replace(gradient_accumulation=2)


# -- low-rank adapters ------------------------------------------------------------------------------------------------


def test_adapters_train_alone_and_come_back_merged_and_by_themselves(tuning, tiny_folder, tmp_path):
    lora = tuning.replace(lora_rank=4, lora_alpha=8)
    task = make_task(lora)
    trainable = [name for name, value in task.module.named_parameters() if value.requires_grad]
    assert trainable and all(".lora_" in name for name in trainable)
    folder = train(lora)
    before, after = unet(tiny_folder), unet(folder)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name].half(), after[name])}
    assert changed and all(".attn" in name and ".to_" in name for name in changed)
    pipe = InstructX2XPipeline.from_pretrained(tiny_folder)
    pipe.load_lora_weights(str(Path(lora.out) / "lora"))
    pipe.fuse_lora()
    assert pipe.unet.peft_config["default_0"].lora_alpha == 8
    for name, value in pipe.unet.state_dict().items():
        plain = name.replace(".base_layer.", ".")
        if plain in after:
            assert torch.allclose(value, after[plain].float(), atol=2e-3, rtol=2e-3), name


def test_adapters_need_an_instruct_pix2pix(tuning, tmp_path):
    from diffusers import StableDiffusionInstructPix2PixPipeline
    from tiny_models import make_components, make_unet

    StableDiffusionInstructPix2PixPipeline(**make_components(unet=make_unet(channels=4))).save_pretrained(
        tmp_path / "sd"
    )
    with pytest.raises(ValueError, match="`lora_rank` needs an InstructPix2Pix U-Net"):
        make_task(tuning.replace(init=str(tmp_path / "sd"), lora_rank=4))
    with pytest.raises(ValueError, match="`lora_rank` requires `init` and a frozen text encoder"):
        tuning.replace(lora_rank=4, train_text_encoder=True)


def test_xformers_is_missed_in_a_sentence(tuning, monkeypatch):
    monkeypatch.setattr(unet_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"instructx2x\[xformers\]"):
        make_task(tuning.replace(attention="xformers"))
    monkeypatch.setattr(unet_module.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(unet_module.torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="needs a CUDA device"):
        make_task(tuning.replace(attention="xformers"))


# -- validation and logs ----------------------------------------------------------------------------------------------


def test_validation_losses_are_logged_and_fall(tuning):
    train(tuning.replace(validate_every=1, steps=6))
    losses = [line["validation_error"] for line in log(tuning) if "validation_error" in line]
    assert len(losses) == 6 and losses[-1] < losses[0]
    assert all(line["samples_per_second"] > 0 and line["peak_memory_gb"] > 0 for line in log(tuning) if "loss" in line)


def test_validation_is_the_same_for_any_number_of_processes():
    calls = []

    def loss(batch, generator):
        calls.append(len(batch["x"]))
        draw = torch.rand((), generator=generator)
        return {"error": batch["x"].mean() + draw, "change": batch["x"].mean() * draw}

    def make(index):
        return {"x": torch.tensor(float(index))}

    alone = validation_losses(make, 7, 2, loss, seed=3)
    assert calls == [2, 2, 2, 1] and alone[2] == 7
    for world in (2, 3, 5):
        calls.clear()
        shares = [validation_losses(make, 7, 2, loss, 3, ProcessShare(rank, world)) for rank in range(world)]
        assert torch.allclose(sum(shares), alone) and len(calls) == world * -(-4 // world)
    assert not torch.allclose(validation_losses(make, 7, 2, loss, seed=4), alone)


def test_validation_drops_no_text_and_no_image(tuning):
    task = make_task(tuning.replace(validate_every=1, conditioning_dropout=1 / 3))
    batch = {name: value[None] for name, value in task.validation_sample(0).items()}
    seen = []

    def module(*arguments):
        seen.append(arguments[-1])
        return {}

    task.loss(module, batch, seeded_generator(0, 0, 0), dropout=0.0)
    task.loss(module, batch, seeded_generator(0, 0, 0))
    assert seen == [0.0, 1 / 3]
    assert task.validation_length == 3


def test_tensorboard_gets_figures_and_pictures(tuning):
    train(tuning.replace(steps=2, validate_every=2, sample_every=2, sample_steps=2, trackers=("tensorboard",)))
    written = b"".join(file.read_bytes() for file in Path(tuning.out).rglob("events.out.tfevents.*"))
    for name in (b"loss", b"learning_rate", b"samples_per_second", b"validation_error", b"samples", b"PNG"):
        assert name in written


def test_trackers_that_are_missing_are_named_before_any_work(tuning, monkeypatch):
    monkeypatch.setattr(run_log.importlib.util, "find_spec", lambda name: None)
    for name, match in (("tensorboard", r"instructx2x\[tensorboard\]"), ("wandb", "pip install wandb")):
        with pytest.raises(ImportError, match=match):
            train(tuning.replace(trackers=(name,)))
    assert not Path(tuning.out).exists()
    with pytest.raises(ValueError, match="`trackers` must be one of tensorboard, wandb, got 'paper'"):
        tuning.replace(trackers=("paper",))


def test_averages_are_put_in_place_and_taken_out_again():
    weights = [torch.nn.Parameter(torch.full((3,), float(number))) for number in range(2)]
    average = ShardedEMA(weights, decay=0.5)
    with torch.no_grad():
        weights[0].add_(10)

    def look_and_stop():
        with average.applied_to(weights):
            assert weights[0].tolist() == [0, 0, 0]
            raise StoppedError

    with pytest.raises(StoppedError):
        look_and_stop()
    assert weights[0].tolist() == [10, 10, 10] and average.shadow_params[0].tolist() == [0, 0, 0]


# -- the card ---------------------------------------------------------------------------------------------------------


def test_the_card_states_model_sources_terms_and_quality(tuning):
    stated = CardConfig(
        data_source="simulated pairs", data_terms="free for all", init_source="a tiny model", init_terms="none",
        licence="Apache-2.0",
    )  # fmt: skip
    folder = train(tuning.replace(validate_every=1, card=stated))
    text = (folder / model_card.CARD_FILE).read_text()
    last = [line for line in log(tuning) if "validation_error" in line][-1]
    parts = [
        "simulated pairs", "free for all", "a tiny model", "Apache-2.0", "9 pairs for training", "3 of 4 pairs",
        "flip 0.5", "not for diagnosis", "`samples/` shows pairs", "## Limits",
        f"| 3 | {last['validation_error']:.5f} |",
    ]  # fmt: skip
    for part in parts:
        assert part in text, part
    from x2x_core.imaging.provenance import sha256_weights

    assert sha256_weights(folder) in text


def test_a_card_lists_what_is_not_stated(tuning):
    text = (train(tuning.replace(steps=1)) / model_card.CARD_FILE).read_text()
    assert text.count("not stated in the run's configuration") == 5 and "Validation losses were not computed" in text


# -- configurations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "steps"), [("paper-v1", 4500), ("paper-v2", 6500)])
def test_the_papers_configurations_have_the_published_hyper_parameters(name, steps):
    made = load_config(find_config(name))
    assert (made.steps, made.size, made.batch_size, made.accumulation(8)) == (steps, 512, 4, 32)
    assert made.learning_rate == 1e-4 and made.schedule == "constant_with_warmup" and made.warmup_steps == 0
    assert made.ema_decay == 0.9999 and made.conditioning_dropout == 0.05 and not made.train_text_encoder
    varied = {name: value for name, value in made.as_dict()["augment"].items() if value}
    assert varied == {"flip": 0.5, "rotation": 2.0}
    assert all(made.as_dict()["card"].values())


@pytest.mark.parametrize("name", ["one-gpu", "ddp", "ddp-machines", "fsdp", "fsdp-machines"])
def test_accelerates_configurations_are_read_by_accelerate(name):
    read = load_config_from_file(str(CONFIG_FOLDER / "accelerate" / f"{name}.yaml"))
    assert read.num_processes == {"one-gpu": 1, "ddp": 8, "fsdp": 8}.get(name, 16)
    assert read.num_machines == (2 if "machines" in name else 1)
    if name.startswith("fsdp"):
        assert read.fsdp_config["fsdp_version"] == 2


def test_the_layers_that_are_sharded_are_there(tuning):
    settings = yaml.safe_load((CONFIG_FOLDER / "accelerate" / "fsdp.yaml").read_text())["fsdp_config"]
    names = {type(part).__name__ for part in make_task(tuning).module.modules()}
    assert set(settings["fsdp_transformer_layer_cls_to_wrap"].split(",")) <= names


# -- from a dataset to an edit ----------------------------------------------------------------------------------------


def test_one_command_trains_on_a_simulated_dataset_and_the_checkpoint_edits(
    tiny_folder, radiograph, tmp_path, coarse_phantom
):
    from x2x_core.simulation import dataset
    from x2x_core.simulation.settings import SimulationSettings

    data = dataset.simulate_dataset(
        "phantom", tmp_path / "data", SimulationSettings(6, seed=5, size=64, validation_share=0.4), workers=1
    )
    sizes = {"size": 64, "steps": 2, "batch_size": 2, "total_batch": 4, "mixed_precision": "'no'", "workers": 0}
    arguments = [
        "train",
        "--config",
        "paper-v1",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "run"),
        "--init",
        str(tiny_folder),
    ]
    for name, value in (
        sizes | {"validate_every": 2, "sample_every": 2, "sample_steps": 2, "trackers": "[tensorboard]"}
    ).items():
        arguments += ["--set", f"{name}={value}"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    folder = tmp_path / "run" / "pipeline"
    assert not same(unet(folder), {name: value.half() for name, value in unet(tiny_folder).items()})
    assert (tmp_path / "run" / "samples" / "0000002.png").is_file() and "PhysioNet" in (
        folder / model_card.CARD_FILE
    ).read_text()
    pipe = InstructX2XPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    settings = {"num_inference_steps": 2, "output_type": "pt", "generator": torch.Generator().manual_seed(0)}
    result = pipe(radiograph, "Add the finding of moderate right pleural effusion.", **settings)
    assert torch.isfinite(result.images).all()
    outside = ~result.guidance_mask.expand_as(result.images)
    source = torch.from_numpy(np.array(radiograph))[None, None] / 255
    assert torch.equal(result.images[outside], source.expand_as(result.images)[outside])


def test_a_field_that_is_not_given_as_asked_is_refused():
    wrong = CliRunner().invoke(app, ["train", "--config", "paper-v1", "--set", "steps"])
    assert isinstance(wrong.exception, ValueError) and "FIELD=VALUE" in str(wrong.exception)
