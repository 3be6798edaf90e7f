"""Training: both tasks end to end on tiny models, exact resume, what is frozen and what is not."""

import json
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from square_pairs import write_square_pairs
from torch.utils.data import default_collate

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import SAMPLE, STEP, seeded_generator
from x2x_core.edit.published import stable_diffusion_ddim
from x2x_core.language.instruction import Instruction
from x2x_core.language.levels import levels_in
from x2x_core.pairs.augmentation import AugmentConfig
from x2x_core.pairs.layout import Row, read_pair, read_rows
from x2x_core.training.autoencoder.coding import normalise_latents, reconstruct
from x2x_core.training.config import TrainingConfig
from x2x_core.training.editing.export import trained_findings, trained_levels
from x2x_core.training.editing.loss import EditLoss, LossSettings, Noise
from x2x_core.training.editing.task import EditTask
from x2x_core.training.editing.unet import widen_input
from x2x_core.training.seeding import seeded_initialisation
from x2x_core.training.small_models import make_autoencoder, make_text_encoder, make_unet
from x2x_core.training.small_tokenizer import make_tokenizer, vocabulary_texts
from x2x_core.training.trainer import train

SIZES = {
    "vae": {"channels": [8, 16], "layers": 1},
    "tokenizer": {"length": 32},
    "text_encoder": {"width": 16, "layers": 1, "heads": 2},
    "unet": {"channels": [16, 16], "layers": 1},
}


class StoppedError(Exception):
    """The run was interrupted."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve pairs, ten for training; the table names targets without their suffix."""
    return write_square_pairs(tmp_path_factory.mktemp("data"), 32, training=10, current_suffix="")


@pytest.fixture(scope="module")
def autoencoder(data, tmp_path_factory):
    """A run of the autoencoder's task, finished."""
    out = tmp_path_factory.mktemp("autoencoder") / "run"
    config = TrainingConfig(
        task="autoencoder", data=str(data), out=str(out), models=SIZES, size=32, crop=16, steps=12, batch_size=4,
        learning_rate=3e-3, warmup_steps=0, ema_decay=0.5, log_every=3, checkpoint_every=6, sample_every=12,
    )  # fmt: skip
    train(config)
    return out


@pytest.fixture(scope="module")
def edit_config(data, autoencoder, tmp_path_factory):
    return TrainingConfig(
        task="edit", data=str(data), out=str(tmp_path_factory.mktemp("edit") / "run"), models=SIZES, size=32, steps=4,
        autoencoder=str(autoencoder / "pipeline"), train_text_encoder=True, batch_size=3, warmup_steps=1,
        latent_variants=2, change_weight=2.0, log_every=1, checkpoint_every=2,
        augment=AugmentConfig(flip=0.5, rotation=3, exposure=0.5, noise=0.01, reverse=0.5),
    )  # fmt: skip


@pytest.fixture(scope="module")
def edited(edit_config):
    """A run of the editing task, finished."""
    return train(edit_config)


def weights(folder, part):
    return load_file(
        folder / part / ("model.safetensors" if part == "text_encoder" else "diffusion_pytorch_model.safetensors")
    )


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_autoencoder_learns_and_leaves_its_log_and_samples(autoencoder):
    losses = [json.loads(line)["loss"] for line in (autoencoder / "log.jsonl").read_text().splitlines()]
    assert len(losses) == 4 and losses[-1] < losses[0]
    assert (autoencoder / "samples" / "0000012.png").is_file()
    assert sorted(path.name for path in autoencoder.glob("checkpoint-*")) == [
        "checkpoint-0000006",
        "checkpoint-0000012",
    ]


def test_the_trained_editor_is_a_pipeline_in_half_precision(edited):
    from x2x_core import InstructX2XPipeline

    assert {value.dtype for value in weights(edited, "unet").values()} == {torch.float16}
    pipe = InstructX2XPipeline.from_pretrained(edited)
    pipe.set_progress_bar_config(disable=True)
    result = pipe(
        torch.rand(1, 1, 32, 32), "Add the finding of left edema.", num_inference_steps=2, output_type="pt",
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert result.images.shape == (1, 1, 32, 32) and torch.isfinite(result.images).all()


def test_a_stopped_run_goes_on_to_the_same_weights(edit_config, edited, tmp_path):
    config = edit_config.replace(out=str(tmp_path / "again"))

    def stop(done, total, means):
        if done == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(config, progress=stop)
    assert not (tmp_path / "again" / "pipeline").exists()
    folder = train(config)
    for part in ("unet", "text_encoder", "vae"):
        assert same(weights(folder, part), weights(edited, part))


def test_accumulated_batches_make_one_step(edit_config, tmp_path):
    config = edit_config.replace(out=str(tmp_path), steps=2, gradient_accumulation=3, batch_size=1, latent_variants=0)
    seen = []
    train(config, progress=lambda done, total, means: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]


def test_fine_tuning_moves_the_unet_alone(edit_config, edited, tmp_path):
    config = edit_config.replace(
        out=str(tmp_path), init=str(edited), autoencoder="", train_text_encoder=False, steps=2,
        latent_variants=0, learning_rate=1e-2, warmup_steps=0, ema_decay=0.0, gradient_checkpointing=True,
    )  # fmt: skip
    folder = train(config)
    assert same(weights(folder, "text_encoder"), weights(edited, "text_encoder"))
    assert same(weights(folder, "vae"), weights(edited, "vae"))
    assert not same(weights(folder, "unet"), weights(edited, "unet"))


def test_fine_tuning_keeps_the_settings_of_the_initial_checkpoint(edit_config, edited, tmp_path):
    init = tmp_path / "init"
    shutil.copytree(edited, init)
    index = json.loads((init / "model_index.json").read_text())
    (init / "model_index.json").write_text(json.dumps(index | {"recommended_guidance_scale": 2.5}))
    for canonical in (True, False):
        (init / "model_index.json").write_text(
            json.dumps(index | {"recommended_guidance_scale": 2.5, "canonical_prompts": canonical})
        )
        out = tmp_path / f"run-{canonical}"
        folder = train(edit_config.replace(out=str(out), init=str(init), autoencoder="", steps=1, latent_variants=0))
        made = json.loads((folder / "model_index.json").read_text())
        assert made["canonical_prompts"] is canonical and made["recommended"] == {"guidance_scale": 2.5}
        assert made["trained_findings"] == index["trained_findings"]


def test_a_checkpoint_records_the_findings_it_was_trained_on(edit_config, edited, tmp_path):
    named = {clause.finding for row in read_rows(edit_config.data, "train") for clause in
             Instruction.parse(row.instruction).clauses}  # fmt: skip
    index = json.loads((edited / "model_index.json").read_text())
    assert named and set(index["trained_findings"].split(", ")) == named
    assert trained_findings(["edema"], index) == ", ".join(sorted({*named, "edema"}))
    assert trained_findings(["edema"], {"_class_name": "StableDiffusionInstructPix2PixPipeline"}) == "edema"
    assert trained_findings(["edema"], {"_class_name": "InstructX2XPipeline"}) is None  # it may know more than it says


def test_a_checkpoint_records_the_levels_it_was_trained_on(edit_config, edited):
    rows = read_rows(edit_config.data, "train")
    clauses = [clause for row in rows for clause in Instruction.parse(row.instruction).clauses]
    index = json.loads((edited / "model_index.json").read_text())
    assert index["trained_levels"] == levels_in(clauses)
    edema = [
        Row("Add the finding of large edema.", Path("a"), Path("b")),
        Row("Add and remove it.", Path("a"), Path("b")),
    ]
    assert trained_levels(edema, {"trained_levels": {"edema": ["mild"]}}) == {"edema": ["mild", "large"]}
    assert trained_levels(edema, {"_class_name": "StableDiffusionInstructPix2PixPipeline"}) == {"edema": ["large"]}
    assert trained_levels(edema, {"_class_name": "InstructX2XPipeline"}) is None


def test_noise_levels_can_go_up_to_pure_noise(edit_config, tmp_path):
    from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler

    from x2x_core import InstructX2XPipeline

    folder = train(edit_config.replace(out=str(tmp_path), steps=1, zero_snr=True))
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    levels = scheduler.alphas_cumprod
    assert levels[-1] == 0 and (levels.diff() < 0).all() and levels[0] > 0.99
    image, noise = torch.rand(1, 4, 4, 4), torch.randn(1, 4, 4, 4)
    assert torch.equal(scheduler.add_noise(image, noise, torch.tensor([999])), noise)
    pipe = InstructX2XPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    before = torch.rand(1, 1, 32, 32)
    for solver in (DDIMScheduler, EulerDiscreteScheduler, DPMSolverMultistepScheduler):
        pipe.scheduler = solver.from_config(scheduler.config)
        result = pipe(
            before, "Add the finding of left edema.", num_inference_steps=3, output_type="pt",
            generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        outside = (result.guidance_mask == 0).expand_as(before)
        assert torch.isfinite(result.images).all() and torch.equal(result.images[outside], before[outside])


def test_pure_noise_needs_a_model_that_predicts_velocity(edit_config, tmp_path):
    config = edit_config.replace(out=str(tmp_path), prediction_type="epsilon", zero_snr=True)
    with pytest.raises(
        ValueError, match=r"`zero_snr` requires a model that predicts v_prediction, but this one predicts epsilon\."
    ):
        train(config)


def test_no_text_can_mean_no_change():
    with seeded_initialisation(0):
        tokenizer = make_tokenizer(["add remove finding"], length=8)
        text_encoder = make_text_encoder(tokenizer, 16, 1, 2)
        unet = make_unet([16, 16], 1, 8, 16)
    scheduler = stable_diffusion_ddim("v_prediction")
    generator = torch.Generator().manual_seed(0)
    target, image, noise = torch.randn(3, 2, 4, 8, 8, generator=generator)
    ids = tokenizer(["add finding"] * 2, padding="max_length", return_tensors="pt").input_ids
    null = tokenizer([""], padding="max_length", return_tensors="pt").input_ids

    def loss(no_text, draws, latents):
        settings = LossSettings(True, no_text=no_text, scaling_factor=0.5)
        module = EditLoss(unet, text_encoder, scheduler, settings).eval()
        steps = torch.tensor([700, 400])
        return module(latents, image, torch.ones(2, 1, 8, 8), ids, null, Noise(noise, steps, draws), 0.2)["loss"]

    text_dropped, all_dropped, image_dropped, none_dropped = (torch.full((2,), d) for d in (0.1, 0.3, 0.5, 0.9))
    assert torch.equal(loss("unchanged", text_dropped, target), loss("any", text_dropped, 0.5 * image))
    assert not torch.equal(loss("unchanged", text_dropped, target), loss("any", text_dropped, target))
    for draws in (all_dropped, image_dropped, none_dropped):
        assert torch.equal(loss("unchanged", draws, target), loss("any", draws, target))


def test_a_faint_change_weighs_more_where_the_loss_is_balanced():
    with seeded_initialisation(0):
        tokenizer = make_tokenizer(["add"], length=8)
        text_encoder = make_text_encoder(tokenizer, 16, 1, 2)
        unet = make_unet([16, 16], 1, 8, 16)
    target, image, noise = torch.randn(3, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    ids = tokenizer(["add"] * 2, padding="max_length", return_tensors="pt").input_ids

    def loss(balance, strength):
        settings = LossSettings(True, change_weight=4.0, change_balance=balance)
        module = EditLoss(unet, text_encoder, stable_diffusion_ddim("v_prediction"), settings)
        weight = torch.full((2, 1, 8, 8), strength)
        steps, draws = torch.tensor([700, 400]), torch.full((2,), 0.9)
        return module.eval()(target, image, weight, ids, ids[:1], Noise(noise, steps, draws), 0.0)["loss"]

    assert loss(0.0, 0.25) < loss(0.0, 1.0)
    assert torch.isclose(loss(1.0, 0.25), loss(1.0, 1.0))
    assert loss(2.0, 0.25) > loss(2.0, 1.0)


def test_samples_show_input_map_edit_and_truth(edit_config, tmp_path):
    config = edit_config.replace(out=str(tmp_path), steps=1, sample_every=1)
    train(config)
    grid = cv2.imread(str(tmp_path / "samples" / "0000001.png"), cv2.IMREAD_UNCHANGED)
    assert grid.shape == (4 * 32, 2 * 32)


def test_another_run_in_the_same_folder_is_refused(edit_config, edited):
    with pytest.raises(
        ValueError, match=r"holds a run of another configuration: `learning_rate` was 0.0003 and is now 1.0"
    ):
        train(edit_config.replace(learning_rate=1.0))
    with pytest.raises(ValueError, match="`resume` is off"):
        train(edit_config, resume=False)


def test_a_text_to_image_unet_is_widened_without_changing_what_it_does():
    unet = make_unet([16, 16], 1, 8, 16)
    unet.conv_in = torch.nn.Conv2d(4, 16, 3, padding=1)
    old = unet.conv_in
    widened = widen_input(unet)
    noisy = torch.rand(1, 4, 8, 8)
    assert torch.equal(widened.conv_in(torch.cat([noisy, torch.rand(1, 4, 8, 8)], 1)), old(noisy))
    assert widened.config.in_channels == 8


def test_normalised_latents_decode_to_the_same_pictures():
    with seeded_initialisation(0):
        vae = make_autoencoder([8, 16])
    images = torch.rand(6, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    before = reconstruct(vae, images)
    normalise_latents(vae, images)
    assert torch.allclose(reconstruct(vae, images), before, atol=1e-4)
    latents = vae.encode((2 * images - 1).expand(-1, 3, -1, -1)).latent_dist.mode()
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(4), atol=1e-3)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(4), atol=1e-3)
    assert vae.config.scaling_factor == 1


def test_seeded_models_leave_the_global_generator_alone():
    state = torch.get_rng_state()
    with seeded_initialisation(3):
        first = torch.rand(2)
    assert torch.equal(torch.get_rng_state(), state)
    with seeded_initialisation(3):
        assert torch.equal(torch.rand(2), first)


def test_every_word_of_the_language_is_one_token():
    tokenizer = make_tokenizer(vocabulary_texts())
    for word in " ".join(vocabulary_texts()).split():
        assert len(tokenizer.tokenize(word)) == 1, word
    assert tokenizer.unk_token not in tokenizer.tokenize("a pacemaker, 12.")


# -- data -------------------------------------------------------------------------------------------------------------


def test_the_published_layout_is_read(data):
    rows = read_rows(data, "train")
    assert len(rows) == 10 and rows[1].instruction == "Add the finding of left pleural effusion."
    pair = read_pair(rows[0], 32)
    assert pair.shape == (2, 32, 32) and pair[1].sum() > pair[0].sum()
    assert read_pair(rows[0], 16).shape == (2, 16, 16)


def test_broken_datasets_are_named(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`instructions.csv` is missing"):
        read_rows(tmp_path, "train")
    with pytest.raises(ValueError, match="`split` must be a split with pairs in"):
        read_rows(data, "test")
    (tmp_path / "instructions.csv").write_text("split,instruction\ntrain,x\n")
    with pytest.raises(ValueError, match="lacks past_dicom_id"):
        read_rows(tmp_path, "train")
    (tmp_path / "instructions.csv").write_text(
        "split,instruction,past_dicom_id,current_dicom_id\ntrain,x,a.png,b.png\n"
    )
    with pytest.raises(FileNotFoundError, match=r"The image `a.png`"):
        read_rows(tmp_path, "train")


def test_pairs_of_several_folders_are_pooled(tuning, pairs_folder, tmp_path):
    other = Path(shutil.copytree(pairs_folder, tmp_path / "other"))
    table = other / "instructions.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("Add", "Remove"), encoding="utf-8")
    alone, pooled = EditTask(tuning), EditTask(tuning.replace(data=[str(pairs_folder), str(other)]))
    assert [row.past.parent.parent for row in pooled.pairs.rows] == [Path(pairs_folder)] * alone.length + [
        other
    ] * alone.length
    assert pooled.pairs.rows[: alone.length] == alone.pairs.rows
    assert all("Add" not in row.instruction for row in pooled.pairs.rows[alone.length :])


@pytest.mark.parametrize("data", [[], [1], ["pairs", ""], True])
def test_data_are_one_folder_or_several(tuning, data):
    with pytest.raises(InputError, match="`data` must be text that is not empty, or a list of at least 1, each text"):
        tuning.replace(data=data)


def test_hints_are_given_in_training_and_recommended(tuning):
    def noise_of(**changes):
        task = EditTask(tuning.replace(**changes))
        batch = default_collate(
            [task.make(index % task.length, seeded_generator(0, SAMPLE, index)) for index in range(8)]
        )
        drawn = []
        task.prepare(Accelerator(cpu=True))
        task.loss(lambda *arguments: drawn.append(arguments), batch, seeded_generator(0, STEP))
        _, _, weight, _, _, random, _ = drawn[0]
        return random.noise, weight, task

    plain, weight, _ = noise_of()
    hinted, _, task = noise_of(place_hint=3.0, hint_dropout=0.0)
    shift = hinted - plain
    where = (weight > 0.5 * weight.amax((1, 2, 3), keepdim=True)).expand_as(shift)
    assert where.any() and (shift[where] > 1).all() and (shift.abs() < 1e-5).any() and shift.max() < 3.01
    recommended = task._pipeline_settings["recommended"]
    assert recommended["place_hint"] == 3 and recommended["draw_extent"] is True
    open_places, _, _ = noise_of(place_hint=3.0, hint_dropout=1.0)
    assert torch.equal(open_places, plain)


def test_only_the_chosen_noise_levels_are_trained(tuning):
    task = EditTask(tuning.replace(noise_levels=(1.0, 0.5)))
    batch = default_collate([task.make(index % task.length, seeded_generator(0, SAMPLE, index)) for index in range(32)])
    drawn = []

    def record(target, image_latents, weight, ids, null_ids, random, dropout):
        drawn.append(random.timesteps)

    task.prepare(Accelerator(cpu=True))
    task.loss(record, batch, seeded_generator(0, STEP))
    assert set(drawn[0].tolist()) == {499, 999}
