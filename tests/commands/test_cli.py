"""The command line as its user meets it: results, refusals in one line, help."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
import torch
from dicom_cases import IDENTITY
from dicom_cases import write as write_dicom
from lung_cases import FOLDER
from PIL import Image
from x2x_runs import run

import x2x_core
from x2x_core.cli import main
from x2x_core.imaging.provenance import read_provenance
from x2x_core.pseudomasks.atlas import PseudomaskAtlas, atlas_digest

WORDS = "Add the finding of moderate right pleural effusion."


def size_of(path):
    """Return the width and height of a picture file."""
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture
def picture(tmp_path, radiograph):
    path = tmp_path / "chest.png"
    radiograph.save(path)
    return path


@pytest.fixture
def edit(capsys, tiny_folder, tmp_path):
    def edit(image, prompt=WORDS, *more, out=tmp_path / "out"):
        return run(capsys, "edit", image, prompt, "--model", tiny_folder, "--steps", 2, "-o", out, *more)

    return edit


def test_edit_writes_the_edit_its_maps_and_its_record(edit, picture, tmp_path):
    code, printed, _ = edit(picture, WORDS, "--mask-threshold", "0.3", "--seed", "5")
    out = tmp_path / "out"
    assert code == 0 and "Understood: " + WORDS in printed
    before, after = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (picture, out / "edited.png"))
    mask = cv2.imread(str(out / "guidance_mask.png"), cv2.IMREAD_UNCHANGED)
    assert after.shape == before.shape and after.dtype == before.dtype
    assert (after[mask == 0] == before[mask == 0]).all() and (after != before).any()
    record = json.loads((out / "result.json").read_text())
    assert record["synthetic"] and record["seed"] == 5 and record["settings"]["mask_threshold"] == 0.3
    assert record["instruction"]["clauses"][0]["side"] == "right"
    explained = record["instruction"]["explained"]["clauses"][0]
    assert explained["place"].startswith("the patient's right, on the left of the picture")
    assert record["editable_share"] == pytest.approx((mask > 0).mean(), abs=1e-6)
    assert record["changed_share"] == pytest.approx((after != before).mean(), abs=0.05)
    assert len(record["weights_sha256"]) == len(record["input"]["sha256"]) == 64
    for name in ("edited.png", "guidance_map.png", "guidance_mask.png", "panel.png"):
        assert str(out / name) in printed
        said = read_provenance(out / name)
        assert said["synthetic"] and said["parameters"]["prompt"] == WORDS
        assert said["parameters"]["model"] == Path(record["model"]).name and str(tmp_path) not in json.dumps(said)
    assert size_of(out / "panel.png")[0] > 2000


def test_relevance_mask_rule_and_strength_can_be_chosen_and_are_recorded(edit, picture, tmp_path):
    levels = ["--relevance-noise-level", "0.5", "--relevance-noise-level", "0.8", "--relevance-samples", "2"]
    code, _, error = edit(picture, WORDS, "--mask-rule", "adaptive", "--edit-strength", "0", *levels)
    assert code == 0, error
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert record["settings"]["relevance_noise_level"] == [0.5, 0.8] and record["settings"]["relevance_samples"] == 2
    assert record["settings"]["mask_rule"] == "adaptive" and record["settings"]["edit_strength"] == 0
    assert record["changed_share"] == 0 < record["editable_share"]


def test_attention_options_are_used_and_recorded(edit, picture, tmp_path):
    assert edit(picture, WORDS, "--relevance-source", "both", "--attention-gating")[0] == 0
    settings = json.loads((tmp_path / "out" / "result.json").read_text())["settings"]
    assert settings["relevance_source"] == "both" and settings["attention_gating"] is True
    code, _, said = edit(picture, WORDS, "--relevance-source", "words", out=tmp_path / "b")
    assert code == 2 and "`--relevance-source` must be one of noise, attention, both" in said
    code, _, said = edit(picture, WORDS, "--attention-gating", "--reference", out=tmp_path / "c")
    assert code == 2 and "`--attention-gating` must be left out" in said


def test_a_crop_is_used_and_recorded(edit, picture, tmp_path):
    zone = "Add the finding of moderate right lower zone consolidation."
    code, printed, _ = edit(picture, zone, "--padding-mask-crop", "4")
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert code == 0 and "Computed on a crop of" in printed and record["settings"]["padding_mask_crop"] == 4
    assert set(record["window"]) == {"top", "left", "height", "width"}
    code, printed, _ = edit(picture, zone, "--padding-mask-crop", "off", out=tmp_path / "whole")
    record = json.loads((tmp_path / "whole" / "result.json").read_text())
    assert code == 0 and "Computed on a crop" not in printed and record["window"] is None
    code, _, error = edit(picture, zone, "--padding-mask-crop", "wide", out=tmp_path / "wrong")
    assert code == 2 and "must be a whole number or off, got 'wide'" in " ".join(error.replace("│", " ").split())


def test_what_a_keep_mask_shows_stays_and_is_recorded(edit, picture, tmp_path):
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, :40] = 9
    Image.fromarray(mask).save(tmp_path / "pacemaker.png")
    assert edit(picture, WORDS, "--keep-mask", tmp_path / "pacemaker.png")[0] == 0
    allowed = cv2.imread(str(tmp_path / "out" / "guidance_mask.png"), cv2.IMREAD_UNCHANGED)
    assert (allowed > 0).any() and not ((allowed > 0) & (mask > 0)).any()
    record = json.loads((tmp_path / "out" / "result.json").read_text())["keep_mask"]
    assert record["file"] == "pacemaker.png" and record["share"] == pytest.approx(32 * 40 / 64**2)
    assert len(record["sha256"]) == 64
    carried = read_provenance(tmp_path / "out" / "edited.png")["parameters"]["keep_mask"]
    assert carried == {"sha256": record["sha256"], "share": record["share"]}, "without the name of a file"
    (tmp_path / "words.png").write_text("no picture")
    for name, message in (("none.png", "there is no file"), ("words.png", "must be a picture")):
        code, _, error = edit(picture, WORDS, "--keep-mask", tmp_path / name, out=tmp_path / name[:4])
        assert code == 2 and "`--keep-mask`" in error and message in error


def test_other_pseudomasks_are_recorded_by_their_maps(edit, picture, tmp_path):
    atlas = PseudomaskAtlas({"Effusion": torch.ones(8, 8)})
    atlas.save(tmp_path / "mine.safetensors")
    assert edit(picture, WORDS, "--pseudomasks", tmp_path / "mine.safetensors")[0] == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["pseudomasks_sha256"] == atlas_digest(atlas)
    assert read_provenance(tmp_path / "out" / "panel.png")["parameters"]["pseudomasks_sha256"] == atlas_digest(atlas)


def test_the_same_seed_gives_the_same_bytes(edit, picture, tmp_path):
    for name in "ab":
        edit(picture, out=tmp_path / name)
    edit(picture, WORDS, "--seed", "1", out=tmp_path / "c")
    first, again, other = ((tmp_path / name / "edited.png").read_bytes() for name in "abc")
    assert first == again != other


def test_sixteen_bits_and_odd_sizes_are_kept(edit, tmp_path):
    values = (np.random.default_rng(0).random((41, 67)) * 65535).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), values)
    assert edit(tmp_path / "deep.png")[0] == 0
    after = cv2.imread(str(tmp_path / "out" / "edited.png"), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(tmp_path / "out" / "guidance_mask.png"), cv2.IMREAD_UNCHANGED)
    assert after.dtype == np.uint16 and after.shape == (41, 67)
    assert (after[mask == 0] == values[mask == 0]).all()


def test_results_are_overwritten_only_with_the_option(edit, picture, tmp_path):
    edit(picture)
    (tmp_path / "out" / "edited.png").write_text("mine")
    code, _, error = edit(picture)
    assert code == 2 and "already holds edited.png" in error and "--overwrite" in error
    assert (tmp_path / "out" / "edited.png").read_text() == "mine"
    assert edit(picture, WORDS, "--overwrite")[0] == 0
    assert edit(picture, WORDS, "--new-folder")[0] == 0
    assert (tmp_path / "out" / "001" / "edited.png").is_file()


def test_a_dicom_file_is_edited_at_its_depth_without_identifiers(edit, tmp_path, radiograph):
    values = np.asarray(radiograph).astype(np.uint16) * 16
    tags = {**IDENTITY, "PatientOrientation": ["R", "F"]}
    code, _, error = edit(write_dicom(tmp_path / "Kowalska^Zofia.dcm", values, 12, **tags))
    out = tmp_path / "out"
    assert code == 0 and "left and right were swapped" in error
    after = cv2.imread(str(out / "edited.png"), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(out / "guidance_mask.png"), cv2.IMREAD_UNCHANGED)
    shown = (values[:, ::-1].astype(float) - values.min()) / np.ptp(values) * 65535
    assert after.dtype == np.uint16 and np.abs(after - shown)[mask == 0].max() <= 1
    record = json.loads((out / "result.json").read_text())
    assert record["input"]["file"] == "DICOM" and any(
        "range of its values" in note for note in record["input"]["notes"]
    )
    written = b"".join(path.read_bytes() for path in out.iterdir())
    text = json.dumps([read_provenance(path) for path in out.glob("*.png")])
    for value in (*IDENTITY.values(), "Kowalska", "Zofia"):
        assert value.encode() not in written and value not in text


def test_a_dicom_file_is_edited_to_dicom_and_verified(edit, capsys, tmp_path, radiograph):
    path = write_dicom(tmp_path / "a.dcm", np.asarray(radiograph).astype(np.uint16) * 16, 12, **IDENTITY)
    code, printed, error = edit(path, WORDS, "--identifiers", "keep", "--series-description", "Trial 7")
    assert code == 0, error
    out = tmp_path / "out"
    for name in ("edited.dcm", "guidance_mask.dcm", "guidance_map.dcm", "panel.dcm"):
        assert str(out / name) in printed
        assert pydicom.dcmread(out / name).PatientID == IDENTITY["PatientID"]
    assert pydicom.dcmread(out / "edited.dcm").SeriesDescription == "Trial 7"
    for name in ("edited.dcm", "edited.png"):
        code, printed, error = run(capsys, "verify", out / name, "--original", path)
        assert code == 0, printed + error
        assert WORDS in printed and "Outside the mask: identical to the original" in printed
    code, printed, _ = run(capsys, "verify", path, "--json")
    assert code == 1 and json.loads(printed)["made_by_instructx2x"] is False


def test_choices_of_dicom_results_are_checked_before_the_model_is_loaded(edit, picture, tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", np.full((8, 8), 9, np.uint16), 12)
    for image, options, words in (
        (picture, ["--identifiers", "keep"], "`--identifiers` is for DICOM results"),
        (picture, ["--dicom"], "`--dicom` requires a DICOM input"),
        (path, ["--no-dicom", "--burn-in"], "`--burn-in` is for DICOM results"),
        (path, ["--identifiers", "some"], "`--identifiers` must be one of remove, replace, keep"),
        (path, ["--identifiers", "replace"], "X2X_PSEUDONYM_KEY"),
        (path, ["--new-study"], "`--new-study` requires `--identifiers keep`"),
    ):
        code, _, error = edit(image, WORDS, *options)
        assert code == 2 and words in error, error
    monkeypatch.setitem(sys.modules, "highdicom", None)
    code, _, error = edit(path)
    assert code == 2 and "Writing DICOM needs highdicom" in error and "--no-dicom" in error
    assert not (tmp_path / "out").exists()


def test_warnings_are_shown_as_lines_and_recorded(edit, picture, tmp_path):
    code, _, error = edit(picture, "Add a spiculated effusion.")
    assert code == 0 and "x2x: Not understood" in error and "Traceback" not in error
    assert any("spiculated" in line for line in json.loads((tmp_path / "out" / "result.json").read_text())["warnings"])


def test_the_published_arithmetic_can_be_selected(edit, picture, tmp_path):
    assert edit(picture, "Add the finding of pleural effusion.", "--reference")[0] == 0
    settings = json.loads((tmp_path / "out" / "result.json").read_text())["settings"]
    assert settings["reference"] and settings["composition"] == "decoded"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["edit", "{missing}", WORDS], "There is no file"),
        (["edit", "{text}", WORDS], "is not a PNG, JPEG, TIFF or DICOM picture"),
        (["edit", "{picture}", ""], "`prompt` must say what to edit"),
        (["edit", "{picture}", "Add edema. Remove edema."], "must not contradict itself"),
        (["edit", "{picture}", WORDS, "--model", "{missing}"], "There is no checkpoint"),
        (["edit", "{picture}", WORDS, "--model", "{folder}"], "is not a checkpoint in diffusers layout"),
        (
            ["edit", "{picture}", WORDS, "--model", "{tiny}", "--mask-threshold", "1.4"],
            "`--mask-threshold` must lie in",
        ),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--mask-rule", "none"], "`--mask-rule` must be one of"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--edit-strength", "2"], "`--edit-strength` must lie in"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--steps", "0"], "`--steps` must be"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--steps", "5000"], "`--steps` must be at most"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--seed", "9" * 23], "`--seed` as a seed must"),
        (["evaluate", "films", "{missing}", "--model", "{tiny}", "-o", "{new}"], "There is no folder of films"),
        (["evaluate", "films", "{folder}", "-o", "{new}", "--count", "0"], "`--count 0` requires `--reading-sheet`"),
        (["evaluate", "films", "{folder}", "-o", "{new}", "--sheet-films", "4"], "requires `--reading-sheet`"),
        (
            ["evaluate", "films", "{folder}", "-o", "{new}", "--count=0", "--peers-count=5", "--reading-sheet=s"],
            "`--peers-count` must be left out with `--count 0`",
        ),
        (["evaluate", "films", "{folder}", "-o", "{new}", "--reading-sheet", "{text}"], "must be an empty folder"),
        (["evaluate", "films", "{folder}", "-o", "{new}", "--labels", "{missing}"], "There is no table of labels"),
        (["evaluate", "reading", "{folder}", "{missing}"], "There is no answer key"),
        (["evaluate", "reading", "{folder}", "{text}"], "must be the answer key of a reading sheet"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--device", "toaster"], "`--device` must be"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--dtype", "int3"], "`--dtype` must be"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "--pseudomasks", "{missing}"], "There is no atlas"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "-o", "{text}"], "must name a folder"),
        (["edit", "{picture}", WORDS, "--model", "{tiny}", "-o", "{text}/below"], "a part of `{text}/below` is a file"),
        (["masks", "show", "chset.png", "-o", "{new}.png"], "There is no file `chset.png`"),
        (["masks", "show", "{missing}", "-o", "{new}.png"], "There is no file `{missing}`"),
        (["masks", "show", "edema", "-o", "{text}/below/mask.png"], "a part of `{text}/below` is a file"),
        (["masks", "show", "edema", "-o", "{new}.jpg"], "must end in .png, got `{new}.jpg`"),
        (["masks", "show", "Add edema.", "{missing}", "-o", "{new}.png"], "There is no file"),
        (["masks", "build", "{missing}", "-o", "{new}"], "{missing}"),
        (["masks", "build", "{text}", "-o", "{new}"], "{text}"),
        (["simulate", "--ct", "{missing}", "-o", "{new}"], "`--ct` must be a folder"),
        (["simulate", "-o", "{new}"], "`--ct` or `--films` is required"),
        (["simulate", "--ct", "phantom", "--films", "{folder}", "-o", "{new}"], "`--ct` or `--films` is required"),
        (["simulate", "--ct", "phantom", "--labels", "{text}", "-o", "{new}"], "`--labels` requires `--films`"),
        (["simulate", "--films", "{folder}", "--fields", "-o", "{new}"], "`--fields` requires `--ct`"),
        (["simulate", "--films", "{missing}", "-o", "{new}"], "There is no folder of films"),
        (["simulate", "--films", "{folder}", "-o", "{new}"], "contains no radiographs"),
        (["simulate", "--ct", "phantom", "-o", "{new}", "--count", "0"], "`--count` must be at least 1"),
        (["simulate", "--ct", "phantom", "-o", "{new}", "--resting", "gout"], "`--resting` must name findings"),
        (["simulate", "--ct", "phantom", "-o", "{new}", "--resting-share", "2"], "`--resting-share` must lie in"),
        (["train", "--config", "demo", "--set", "trackers=["], "`--set` must give trackers a YAML value, got '['"),
        (["train", "--config", "demo", "--set", "seed"], "`--set` must be FIELD=VALUE, got 'seed'"),
        (["train", "--config", "nothing"], "`--config` must name a YAML file"),
        (["train", "--config", "demo-autoencoder", "--data", "{missing}", "-o", "{new}"], "There is no dataset"),
        (["evaluate", "simulated", "--model", "{tiny}", "--data", "{missing}"], "There is no dataset"),
        (["evaluate", "simulated", "--model", "{missing}"], "There is no checkpoint"),
        (["evaluate", "ablation", "--figure", "{picture}"], "already exists"),
        (["evaluate", "ablation", "--model", "{tiny}", "--published-masks", "{missing}"], "no atlas"),
        (["evaluate", "dataset", "{missing}", "-o", "{new}"], "There is no dataset"),
    ],
)
def test_wrong_input_gives_one_line_and_code_2(capsys, tmp_path, picture, tiny_folder, arguments, words):
    (tmp_path / "notes.txt").write_text("no picture, no table")
    (tmp_path / "folder").mkdir()
    names = {"missing": tmp_path / "none.png", "text": tmp_path / "notes.txt", "folder": tmp_path / "folder",
             "new": tmp_path / "new.x", "tiny": tiny_folder, "picture": picture}  # fmt: skip
    names = {name: str(path) for name, path in names.items()}
    if arguments[0] == "edit" and "-o" not in arguments:
        arguments = [*arguments, "-o", str(tmp_path / "out")]
    code, _, error = run(capsys, *(argument.format(**names) for argument in arguments))
    lines = [line for line in error.splitlines() if line.startswith("x2x: ")]
    assert code == 2 and words.format(**names) in lines[-1] and "Traceback" not in error


def test_a_model_that_lacks_a_part_is_named(capsys, picture, tiny_folder, tmp_path):
    import shutil

    shutil.copytree(tiny_folder, tmp_path / "broken")
    shutil.rmtree(tmp_path / "broken" / "vae")
    code, _, error = run(capsys, "edit", picture, WORDS, "--model", tmp_path / "broken", "-o", tmp_path / "out")
    assert code == 2 and "lacks its vae" in error


@pytest.mark.parametrize("fault", [ValueError, FileNotFoundError, ImportError, KeyError, TypeError])
def test_faults_of_the_package_keep_their_traceback(monkeypatch, picture, tmp_path, fault):
    import x2x_core.commands.edit as command

    def fail(*_):
        raise fault("a fault")

    monkeypatch.setattr(command, "fresh_folder", fail)
    with pytest.raises(fault, match="a fault"):
        main(["edit", str(picture), WORDS, "-o", str(tmp_path / "out")])


def test_masks_are_drawn_over_a_radiograph(capsys, picture, tmp_path):
    code, printed, _ = run(capsys, "masks", "show", "left pneumothorax", picture, "-o", tmp_path / "mask.png")
    assert code == 0 and "pneumothorax: from experts' boxes of Pneumothorax" in printed
    assert size_of(tmp_path / "mask.png") == size_of(picture) and read_provenance(tmp_path / "mask.png")["synthetic"]
    assert run(capsys, "masks", "show", "edema", "-o", tmp_path / "mask.png")[0] == 2
    assert "its anatomic site, lungs" in run(capsys, "masks", "show", "edema", "-o", tmp_path / "edema.png")[1]


def test_lungs_and_an_aligned_mask_are_drawn_over_a_patient(capsys, tmp_path):
    picture = FOLDER / "1.png"
    code, printed, _ = run(capsys, "masks", "show", picture, "-o", tmp_path / "lungs.png")
    assert code == 0 and "lungs: confidence" in printed and "Fitted to the lungs" in printed
    said = read_provenance(tmp_path / "lungs.png")
    assert said["synthetic"] and said["parameters"]["alignment"]["fitted"]
    aligned = run(capsys, "masks", "show", "left pleural effusion", picture, "-o", tmp_path / "aligned.png")
    assert aligned[0] == 0 and "Fitted to the lungs" in aligned[1]
    typical = run(
        capsys, "masks", "show", "left pleural effusion", picture, "-o", tmp_path / "typical.png", "--no-align"
    )
    assert typical[0] == 0 and "Fitted" not in typical[1]
    drawn = [np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("lungs", "aligned", "typical")]
    assert all(one.shape == (160, 160, 3) for one in drawn) and (drawn[1] != drawn[2]).any()


def test_the_fit_to_the_patient_is_recorded(edit, tmp_path):
    assert edit(FOLDER / "1.png", WORDS)[0] == 0
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert record["alignment"]["fitted"] and record["alignment"]["confidence"] > 0.5 and record["settings"]["align"]
    assert np.array(record["alignment"]["matrix"]).shape == (2, 3)
    assert edit(FOLDER / "1.png", WORDS, "--no-align", "--overwrite")[0] == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["alignment"] is None


def test_an_atlas_is_built_from_a_table(capsys, tmp_path):
    rows = ["Image Index,Finding Label,Bbox [x,y,w,h],,,,,,"]
    draws = np.random.default_rng(0)
    for number in range(30):
        x, y = draws.integers(150, 250), draws.integers(500, 600)
        rows.append(f"{number:08d}_000.png,Effusion,{x},{y},250,220,,,")
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    code, printed, error = run(capsys, "masks", "build", tmp_path / "boxes.csv", "-o", tmp_path / "atlas.safetensors")
    assert code == 0, error
    assert "Effusion" in printed and (tmp_path / "atlas.safetensors").is_file()


def test_info_lists_findings_versions_and_bundled_files(capsys):
    code, printed, _ = run(capsys, "info", "--json")
    values = json.loads(printed)
    assert code == 0 and "pleural effusion" in values["Findings"] and values["Versions"]["x2x_core"]
    assert "nih.safetensors" in values["Bundled"]["atlas"]
    assert "Zones" in run(capsys, "info")[1]


def test_simulate_and_train_from_the_command_line(capsys, tmp_path, coarse_phantom):
    data = tmp_path / "data"
    code, printed, error = run(capsys, "simulate", "--ct", "phantom", "--count", "3", "--size", "32", "-o", data,
                               "--workers", "1", "--fields")  # fmt: skip
    assert code == 0 and str(data) in printed and (data / "fields" / "000000.png").is_file(), error
    config = tmp_path / "config.yaml"
    config.write_text(
        f"task: autoencoder\ndata: {data}\nout: {tmp_path / 'run'}\nsize: 32\ncrop: 16\nsteps: 2\nbatch_size: 2\n"
        "models: {vae: {channels: [8, 16]}}\n"
    )
    code, printed, error = run(capsys, "train", "--config", config)
    assert code == 0 and (tmp_path / "run" / "pipeline" / "vae" / "config.json").is_file(), error


@pytest.fixture
def dataset(tmp_path):
    """Two pairs in the pair layout, 64x64."""
    from tiny_models import make_radiograph

    rows = ["split,instruction,past_dicom_id,current_dicom_id"]
    for name in ("past", "current"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for number in range(2):
        rows.append(f"val,{WORDS},{number}.png,{number}.png")
        before = make_radiograph(64, 64, seed=number) // 2
        after = before.copy()
        after[35:50, 10:25] += 60
        for name, image in (("past", before), ("current", after)):
            cv2.imwrite(str(tmp_path / "data" / name / f"{number}.png"), image)
    (tmp_path / "data" / "instructions.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "data"


def test_a_dataset_s_pairs_are_evaluated(capsys, tmp_path, tiny_folder, dataset):
    code, printed, error = run(capsys, "evaluate", "simulated", "--model", tiny_folder, "--data", dataset,
                               "--steps", 1, "-o", tmp_path / "scores.json")  # fmt: skip
    assert code == 0 and "precision" in printed, error
    record = json.loads((tmp_path / "scores.json").read_text())
    assert record["settings"]["data"] == str(dataset) and record["overall"]["count"] == 2
    assert 0 < record["overall"]["mean_average_precision"] < 1 and len(record["weights_sha256"]) == 64
    code, _, error = run(capsys, "evaluate", "simulated", "--model", tiny_folder, "--data", dataset, "--split", "x")
    assert code == 2 and "`--split` must be a split with pairs in" in error


def test_an_ablation_is_written_drawn_and_shown(capsys, tmp_path, tiny_folder, dataset):
    names = {"-o": tmp_path / "a.json", "--figure": tmp_path / "figure.png", "--gallery": tmp_path / "gallery.png"}
    code, printed, error = run(
        capsys, "evaluate", "ablation", "--model", tiny_folder, "--data", dataset, "--steps", 1, "--peers",
        *(one for pair in names.items() for one in pair),
    )  # fmt: skip
    assert code == 0 and "published RSE:" in printed and "2 pairs" in printed, error
    record = json.loads((tmp_path / "a.json").read_text())
    assert [row["name"] for row in record["rows"]] == [
        "do nothing", "no restriction", "relevance only", "pseudomask only", "published RSE", "DiffEdit mask",
        "RadEdit", "ours",
    ]  # fmt: skip
    assert len(record["about"]["weights_sha256"]) == 64 and len(record["cases"]) == 2
    for name in ("figure", "gallery"):
        assert size_of(tmp_path / f"{name}.png")[0] > 1500
        assert read_provenance(tmp_path / f"{name}.png")["synthetic"]


def test_the_version_is_printed(capsys):
    code, printed, _ = run(capsys, "--version")
    assert code == 0 and printed == f"x2x {x2x_core.__version__}\n"


def test_the_module_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "x2x_core.cli", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout) > 300


@pytest.mark.parametrize("command", [[], ["edit"], ["masks"], ["simulate"], ["train"], ["evaluate"], ["info"]])
def test_every_command_has_a_help_text(capsys, command):
    code, printed, _ = run(capsys, *command, "--help")
    assert code == 0 and len(printed) > 300


@pytest.mark.parametrize("command", [["edit"], ["masks", "show"], ["simulate"], ["train"], ["evaluate", "simulated"]])
def test_the_help_shows_the_defaults_that_are_not_values(capsys, command):
    assert "[default: (" in " ".join(run(capsys, *command, "--help")[1].split())


def test_the_change_is_said_and_recorded(edit, picture, tmp_path):
    code, printed, _ = edit(picture)
    change = json.loads((tmp_path / "out" / "result.json").read_text())["change"]
    assert code == 0 and change["sentence"] in printed and 0 < change["area"] < 1
    assert (
        edit(picture, WORDS, "--edit-strength", "0", out=tmp_path / "same")[1].count("No pixel changed visibly.") == 1
    )


def test_candidates_are_judged_and_the_best_is_the_result(edit, picture, tmp_path):
    code, printed, error = edit(picture, WORDS, "--candidates", "3", "--seed", "5", "--candidate-scorer", "bundled")
    assert code == 0, error
    out = tmp_path / "out"
    record = json.loads((out / "result.json").read_text())
    made = record["candidates"]
    assert [one["seed"] for one in made["all"]] == [5, 6, 7] and record["seed"] == made["best"]
    assert sorted(one["rank"] for one in made["all"]) == [1, 2, 3] and "bundled findings" in made["scorer"]
    assert all(one["scores"]["effect"] is not None for one in made["all"]) and "Seed 6, " in printed
    best, chosen = (cv2.imread(str(out / name)) for name in (f"candidate-{made['best']}.png", "edited.png"))
    assert (best == chosen).all() and read_provenance(out / "candidate-6.png")["parameters"]["seed"] == 6
    assert edit(picture, WORDS, "--seed", made["best"], out=tmp_path / "again")[0] == 0
    assert (cv2.imread(str(tmp_path / "again" / "edited.png")) == chosen).all()
    code, _, error = edit(picture, WORDS, "--candidates", "2", "--seed", "6", out=out)
    assert code == 2 and "already holds" in error


def test_candidate_options_that_do_not_fit_are_refused(edit, picture):
    for more, said in (
        (("--candidates", "0"), "`--candidates` must be at least 1, got 0"),
        (("--candidate-scorer", "bundled"), "`--candidate-scorer` requires `--candidates`"),
        (("--candidates", "2", "--dry-run"), "`--candidates` must be left out with `--dry-run`"),
    ):
        code, _, error = edit(picture, WORDS, *more)
        assert code == 2 and said in " ".join(error.split())
