"""Run folders: a failed start claims none, and a run is resumed only with its own configuration and data."""

import json
import shutil
from pathlib import Path

import pytest

from x2x_core.common.errors import InputError
from x2x_core.training.run_folder import RunFolder, data_fingerprint
from x2x_core.training.trainer import train


@pytest.fixture
def own_pairs(pairs_folder, tmp_path):
    """A copy of the pairs that a test may change."""
    return Path(shutil.copytree(pairs_folder, tmp_path / "pairs"))


@pytest.fixture
def started(tuning, own_pairs):
    """The folder of a run that has begun."""
    config = tuning.replace(data=str(own_pairs))
    with RunFolder(config).claimed():
        pass
    return config


# -- a start that fails -----------------------------------------------------------------------------------------------


def wrong_starts(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    return [
        ({"init": str(tmp_path / "nowhere")}, "`init` must be a diffusers folder or a single file"),
        ({"init": str(other)}, "model_index.json"),
        ({"data": str(other)}, "There is no dataset"),
        ({"zero_snr": True}, "`zero_snr` requires a model that predicts v_prediction"),
        ({"init": "", "autoencoder": str(other)}, "`autoencoder` must be a diffusers folder with a trained `vae`"),
        ({"total_batch": 3}, "`total_batch` must be a multiple of"),
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_failed_start_claims_no_folder(tuning, tmp_path, number):
    changes, message = wrong_starts(tmp_path)[number]
    with pytest.raises(InputError, match=message):
        train(tuning.replace(**changes))
    assert not Path(tuning.out).exists()


def test_a_failed_start_leaves_what_was_in_the_folder(tuning, tmp_path):
    out = Path(tuning.out)
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="`zero_snr` requires"):
        train(tuning.replace(zero_snr=True))
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    out = tmp_path / "file"
    out.write_text("not a folder")
    with pytest.raises(NotADirectoryError, match=r"`out` must be a folder, but `.*file` is a file"):
        train(tuning.replace(out=str(out)))


# -- resuming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "difference"),
    [
        ("steps", 9, "`steps` was 3 and is now 9"),
        ("learning_rate", 0.5, "`learning_rate` was 0.01 and is now 0.5"),
        ("schedule", "cosine", '`schedule` was "constant_with_warmup" and is now "cosine"'),
        ("models", {"unet": {"layers": 2}}, '`models` was {} and is now {"unet": {"layers": 2}}'),
    ],
)
def test_a_refused_resume_names_the_field_that_differs(started, field, value, difference):
    with pytest.raises(InputError) as caught:
        RunFolder(started.replace(**{field: value})).check(resume=True)
    assert f"holds a run of another configuration: {difference}." in str(caught.value)


def test_fields_without_effect_on_the_result_may_differ(started):
    RunFolder(started.replace(workers=3, log_every=7, trackers=("wandb",), keep_checkpoints=1)).check(resume=True)


def test_a_field_that_is_newer_than_the_record_had_its_default(started):
    file = Path(started.out) / "config.json"
    recorded = json.loads(file.read_text())
    del recorded["change_balance"]
    file.write_text(json.dumps(recorded))
    RunFolder(started).check(resume=True)
    with pytest.raises(InputError, match=r"`change_balance` was 0.0 and is now 2.0"):
        RunFolder(started.replace(change_balance=2.0)).check(resume=True)


@pytest.mark.parametrize("spelling", ["{0}/", "{0}/.", "{0}/{1}/..", "relative"])
@pytest.mark.parametrize("field", ["data", "init"])
def test_another_spelling_of_a_path_is_the_same_path(started, monkeypatch, field, spelling):
    path = Path(getattr(started, field))
    monkeypatch.chdir(path.parent)
    part = {"data": "past", "init": "unet"}[field]
    other = path.name if spelling == "relative" else spelling.format(path, part)
    RunFolder(started.replace(**{field: other})).check(resume=True)


def test_data_in_another_folder_do_not_resume_a_run(started, tmp_path):
    with pytest.raises(InputError, match=r"`data` was .* and is now"):
        RunFolder(started.replace(data=str(tmp_path / "elsewhere"))).check(resume=True)


def change_text(folder):
    table = folder / "instructions.csv"
    table.write_text(table.read_text().replace("Add the finding of right", "Remove the finding of right", 1))


def drop_pair(folder):
    table = folder / "instructions.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *lines[2:]]) + "\n")


def change_image(folder):
    (folder / "current" / "0.png").write_bytes((folder / "current" / "1.png").read_bytes() + b" ")


def add_attributes(folder):
    (folder / "attributes.jsonl").write_text("{}")


@pytest.mark.parametrize("change", [change_text, drop_pair, change_image, add_attributes])
def test_data_that_changed_are_noticed(started, own_pairs, change):
    change(own_pairs)
    with pytest.raises(InputError, match=r"`data` must be unchanged since the run in .* began"):
        RunFolder(started).check(resume=True)


def test_data_that_moved_are_the_same_data(own_pairs, tmp_path):
    before = data_fingerprint(own_pairs)
    assert data_fingerprint(shutil.move(own_pairs, tmp_path / "moved")) == before


def test_one_folder_in_a_list_is_the_same_run(started, own_pairs):
    RunFolder(started.replace(data=[str(own_pairs)])).check(resume=True)


def test_another_spelling_of_pooled_folders_is_the_same_run(tuning, own_pairs, tmp_path):
    other = shutil.copytree(own_pairs, tmp_path / "other")
    config = tuning.replace(data=[str(own_pairs), str(other)])
    with RunFolder(config).claimed():
        pass
    RunFolder(config.replace(data=[str(own_pairs), f"{other.parent}/./other"])).check(resume=True)
    with pytest.raises(InputError, match="`data` was"):
        RunFolder(config.replace(data=[str(other), str(own_pairs)])).check(resume=True)
    change_image(other)
    with pytest.raises(InputError, match=r"`data` must be unchanged since the run in .* began"):
        RunFolder(config).check(resume=True)


def test_validation_pairs_do_not_bind_a_run(started, own_pairs):
    table = own_pairs / "instructions.csv"
    table.write_text("\n".join(line for line in table.read_text().splitlines() if not line.startswith("val")) + "\n")
    RunFolder(started).check(resume=True)


def test_a_run_from_a_version_that_did_not_record_its_data_is_resumed(started, own_pairs):
    (Path(started.out) / "data.json").unlink()
    change_text(own_pairs)
    RunFolder(started).check(resume=True)


def test_checkpoints_are_refused_where_resuming_is_off(started):
    (Path(started.out) / "checkpoint-0000001").mkdir()
    with pytest.raises(InputError, match=r"`resume` is off, but .* holds checkpoints"):
        RunFolder(started).check(resume=False)
