"""The ablation: what each row asks of the pipeline, and that exact fakes score as they must."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from tiny_models import make_radiograph

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.evaluation.benchmark.ablation import AblationSettings, run_ablation
from x2x_core.evaluation.benchmark.measures import MEASURES
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.benchmark.published_masks import PublishedMasks
from x2x_core.evaluation.benchmark.rows import OURS, UNEDITED_ROW, Row
from x2x_core.evaluation.benchmark.standard_rows import (
    parts_of_ours,
    settings_note,
    shared_settings,
    standard_rows,
)
from x2x_core.evaluation.report.text_table import row_notes, text_table
from x2x_core.evaluation.report.view import View
from x2x_core.evaluation.results import UNEDITED, Results
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

WORDS = (
    "Add the finding of left pleural effusion.",
    "Remove the finding of edema.",
    "Add the finding of cardiomegaly.",
)
SIDE = 64
NAMES = ["no restriction", "relevance only", "pseudomask only", "published RSE", OURS]


def make_pairs(count=4):
    pairs = []
    for number in range(count):
        before = torch.from_numpy(make_radiograph(SIDE, SIDE, seed=number))[None] / 255 * 0.7
        after = before.clone()
        after[:, 30:50, 34 : 50 + 2 * number] += 0.2
        pairs.append(TruePair(before, after, WORDS[number % len(WORDS)]))
    return pairs


def result(images, region):
    return SimpleNamespace(images=images, guidance_mask=region, guidance_map=region.float())


class Fake:
    """Stands in for the pipeline: `behaviour`, an argument of its call, says what it does."""

    config: ClassVar = {"recommended_num_inference_steps": 3}
    pseudomasks = PseudomaskAtlas.bundled()

    def __init__(self, pairs):
        self.truth = {pair.before.numpy().tobytes(): pair.after for pair in pairs}
        self.calls = []

    def __call__(self, images, prompts, *, generator, output_type, behaviour="truth", **call):
        seeds = [one.initial_seed() for one in generator]
        self.calls.append((behaviour, seeds, call))
        after = torch.stack([self.truth[image.numpy().tobytes()] for image in images])
        if behaviour == "truth":
            return result(after, after != images)
        if behaviour == "input":
            return result(images.clone(), torch.zeros_like(images, dtype=torch.bool))
        return result(1 - images, torch.ones_like(images, dtype=torch.bool))


FAKE_ROWS = tuple(Row(name, f"a fake that gives {name}", {"behaviour": name}) for name in ("truth", "input", "inverse"))
ROWS = (*FAKE_ROWS, UNEDITED_ROW)
SETTINGS = AblationSettings(4, seed=7, batch_size=3)


@pytest.fixture
def faked():
    pairs = make_pairs()
    fake = Fake(pairs)
    return fake, run_ablation(fake, iter(pairs), ROWS, replace(SETTINGS, keep_pictures=True))


def values_of(ablation):
    return {row.name: {key: one.value for key, one in row.metrics.items()} for row in ablation.results.rows}


# -- the runner -------------------------------------------------------------------------------------------------------


def test_the_truth_the_input_and_an_inverse_score_as_they_must(faked):
    values = values_of(faked[1])
    truth, same, inverse = (values[name] for name in ("truth", "input", "inverse"))
    assert truth["average_precision"] == truth["best_iou"] == truth["closer"] == truth["direction"] == 1
    assert truth["change_outside"] == truth["energy_outside"] == truth["mse_ratio"] == 0
    assert same["closer"] == same["direction"] == same["in_region"] == same["change_outside"] == 0
    assert same["mse_ratio"] == 1 and same["structure"] == pytest.approx(1)
    assert inverse["editable_share"] == 1 and inverse["energy_outside"] > 0.5 and inverse["brightness_shift"] > 0.5
    assert inverse["average_precision"] < 0.3


def test_the_unedited_image_is_the_reference(faked):
    values = values_of(faked[1])
    assert values[UNEDITED]["mse_ratio"] == values["input"]["mse_ratio"] == 1
    assert values[UNEDITED]["average_precision"] is values[UNEDITED]["editable_share"] is None
    for key in ("mse_ratio", "ssim", "psnr"):
        assert faked[1].scores.values(UNEDITED, key).tolist() == faked[1].scores.values("input", key).tolist()
    assert faked[1].results.about["references"] == [UNEDITED]


def test_every_row_edits_the_same_pairs_with_the_same_seeds(faked):
    assert [(name, seeds) for name, seeds, _ in faked[0].calls] == [
        (name, seeds) for seeds in ([7, 8, 9], [10]) for name in ("truth", "input", "inverse")
    ]


def test_a_record_is_plain_json_the_same_each_time(faked, tmp_path):
    pairs = make_pairs()
    again = run_ablation(Fake(pairs), pairs, ROWS, SETTINGS)
    record = json.loads(json.dumps(faked[1].results.as_dict(), allow_nan=False))
    assert record == json.loads(json.dumps(again.results.as_dict(), allow_nan=False))
    cell = record["rows"][0]["metrics"]["ssim"]
    assert cell["n"] == 4 and cell["low"] <= cell["value"] <= cell["high"]
    about = record["about"]
    assert about["synthetic"] and about["settings"] == {"count": 4, "seed": 7}
    assert about["largest_change_outside_mask"]["truth"] == 0
    assert about["arguments"]["truth"] == {"behaviour": "truth", "region_argument": None}
    case = record["cases"][1]
    assert case["instruction"] == WORDS[1] and set(case["scores"]) == {row.name for row in ROWS}
    assert case["scores"]["truth"]["ssim"] == pytest.approx(1, abs=1e-5)
    assert set(about["measures"]) == {one.key for one in MEASURES}
    again.results.write_json(tmp_path / "ablation.json")
    assert Results.read_json(tmp_path / "ablation.json").rows == again.results.rows


def test_pairs_of_one_body_are_resampled_together():
    pairs = [replace(pair, body=number // 2) for number, pair in enumerate(make_pairs())]
    ablation = run_ablation(Fake(pairs), pairs, ROWS, SETTINGS)
    counts = ablation.scores.counts()
    assert torch.equal(counts[:, 0], counts[:, 1]) and not torch.equal(counts[:, 1], counts[:, 2])
    assert "2 in all" in ablation.results.about["intervals"]


def test_differences_are_to_ours_on_the_same_pairs():
    pairs = make_pairs()
    rows = (Row("worse", "changes nothing", {"behaviour": "input"}), Row(OURS, "the truth", {"behaviour": "truth"}))
    difference = run_ablation(Fake(pairs), pairs, rows, SETTINGS).results.about["minus_ours"]
    assert set(difference) == {"worse"} and difference["worse"]["closer"]["value"] == -1
    assert difference["worse"]["mse_ratio"]["value"] == 1  # of medians


def test_without_a_row_of_ours_there_are_no_differences(faked):
    assert faked[1].results.about["minus_ours"] == {} and faked[1].ranked_row == "truth"


def test_the_table_has_a_column_for_each_row_and_a_line_for_each_measure(faked):
    view = View(faked[1].results)
    lines = text_table(view)
    assert lines[0] == ("", "truth", "input", "inverse", UNEDITED) and {len(line) for line in lines} == {5}
    groups = {line[0] for line in lines[1:] if not any(line[1:])}
    assert groups == {one.group for one in view.measures()} and len(lines) == 1 + len(groups) + len(view.measures())
    assert {one.key for one in MEASURES} - {one.key for one in view.measures()} == {
        "monotone", "ordered", "attribute_r", "attribute_worst_r", "attribute_shift", "attribute_worst", "fid",
    }  # fmt: skip
    cells = {line[0]: line[1:] for line in lines}
    assert cells["Closer to truth (%) ↑"] == ("100.0", "0.0", "0.0", "0.0")
    assert cells["Average precision ↑"][3] == "–"
    assert cells["Error ratio ↓"][0] == "0.00" and cells["Error ratio ↓"][3] == "1.00"
    assert "4 pairs" in row_notes(view)[0] and "truth: a fake" in row_notes(view)[1]


def test_progress_counts_edits_and_pictures_are_kept_only_where_asked(faked):
    pairs, seen = make_pairs(), []
    ablation = run_ablation(Fake(pairs), pairs, FAKE_ROWS, SETTINGS, lambda done, total: seen.append((done, total)))
    assert seen == [(3, 12), (6, 12), (9, 12), (10, 12), (11, 12), (12, 12)]
    assert ablation.pictures == () and len(faked[1].pictures) == 4
    kept = faked[1].pictures[0]
    assert torch.equal(kept.edits["truth"][0], kept.after) and kept.edits["truth"][1].sum() == 20 * 16


def test_an_ablation_with_missing_or_repeated_rows_is_refused():
    pairs = make_pairs(1)
    with pytest.raises(ValueError, match="`rows` must be at least one row"):
        run_ablation(Fake(pairs), pairs, (), SETTINGS)
    with pytest.raises(ValueError, match="each with a name of its own"):
        run_ablation(Fake(pairs), pairs, (FAKE_ROWS[0], FAKE_ROWS[0]), SETTINGS)
    with pytest.raises(ValueError, match="`pairs` must hold at least one pair"):
        run_ablation(Fake(pairs), [], FAKE_ROWS, SETTINGS)


# -- the rows ---------------------------------------------------------------------------------------------------------


def test_rows_share_steps_and_scales_and_say_so():
    fake = Fake([])
    for call, steps in (({}, 3), ({"num_inference_steps": 5, "mask_threshold": 0.3}, 5)):
        rows = {row.name: row.arguments for row in standard_rows(fake, call)}
        assert list(rows) == NAMES
        for arguments in rows.values():
            assert arguments["num_inference_steps"] == steps
            assert (arguments["guidance_scale"], arguments["image_guidance_scale"]) == (7.5, 1.5)
    assert rows[OURS]["mask_threshold"] == 0.3 and rows["published RSE"]["mask_threshold"] == 0.1
    assert "mask_threshold" not in standard_rows(fake)[-1].arguments
    assert "3 steps, guidance scale 7.5" in settings_note(fake, {}) and "recommends" in settings_note(fake, {})
    assert "as given: num_inference_steps" in settings_note(fake, {"num_inference_steps": 5})
    assert shared_settings(fake, {})["num_inference_steps"] == 3


def test_published_settings_come_in_a_row_of_their_own():
    rows = standard_rows(Fake([]), published_settings=True)
    assert [row.name for row in rows] == [*NAMES[:4], "published RSE, published settings", OURS]
    assert rows[4].arguments["num_inference_steps"] == 100 and "100 steps" in rows[4].note
    assert rows[3].arguments["num_inference_steps"] == 3


def test_rows_do_with_the_real_pipeline_what_they_say(pipe):
    pairs = make_pairs(3)
    instructions = [Instruction.parse(pair.instruction) for pair in pairs]
    rows = standard_rows(pipe, {"num_inference_steps": 2}) + parts_of_ours(pipe, {"num_inference_steps": 2})
    hard = torch.cat([PublishedMasks(pipe.pseudomasks)(one, (SIDE, SIDE)) for one in instructions])
    soft = torch.cat([pipe.pseudomasks.for_instruction(one, (SIDE, SIDE)) for one in instructions])
    outputs = {}
    for row in rows:
        generators = [torch.Generator().manual_seed(n) for n in range(3)]
        images = torch.stack([pair.before for pair in pairs])
        prompts = [pair.instruction for pair in pairs]
        call = row.call(instructions, (SIDE, SIDE))
        outputs[row.name] = pipe(images, prompts, generator=generators, output_type="pt", **call)
    everything, relevant, open_, published, ours, blind, free, typical, plain, decoded = outputs.values()
    assert everything.guidance_mask.all() and everything.relevance_map is None
    assert torch.equal(relevant.guidance_map, relevant.relevance_map)
    assert torch.equal(relevant.guidance_mask, relevant.relevance_map >= 0.1)
    assert torch.equal(open_.guidance_mask, hard > 0)
    assert torch.equal(published.guidance_map, published.relevance_map * hard)
    assert torch.equal(published.relevance_map, relevant.relevance_map)
    assert torch.equal(blind.guidance_mask, blind.pseudomask > 0) and torch.equal(blind.pseudomask, ours.pseudomask)
    assert torch.equal(typical.pseudomask, soft) and typical.alignments is None
    assert torch.equal(plain.guidance_mask, ours.guidance_mask)
    assert torch.equal(free.pseudomask, torch.ones_like(soft)) and torch.equal(free.relevance_map, ours.relevance_map)
    assert torch.equal(decoded.guidance_mask, ours.guidance_mask) and not torch.equal(decoded.images, ours.images)


def test_the_real_pipeline_runs_the_whole_ablation(pipe):
    pairs = make_pairs(2)
    rows = standard_rows(pipe, {"num_inference_steps": 2})
    results = run_ablation(pipe, pairs, rows, AblationSettings(2, batch_size=2)).results
    assert [row.name for row in results.rows] == NAMES
    assert set(results.about["largest_change_outside_mask"].values()) == {0.0}
    assert results.rows[0].metrics["editable_share"].value == 1


# -- masks in the published style -------------------------------------------------------------------------------------


def test_without_a_folder_masks_are_ours_cut_hard_without_side_and_zone():
    atlas = PseudomaskAtlas.bundled()
    masks = PublishedMasks(atlas)
    left, bare = (Instruction.parse(f"Add the finding of {words}.") for words in ("left pneumothorax", "pneumothorax"))
    found = masks(left, (SIDE, SIDE))
    assert torch.equal(found, (atlas.for_instruction(bare, (SIDE, SIDE)) >= EDGE_LEVEL).float())
    both = masks(Instruction.parse("Add the findings of pneumothorax and cardiomegaly."), (SIDE, SIDE))
    assert (both >= found).all() and both.sum() > found.sum()
    assert "cut at 0.1" in masks.note


def test_published_files_are_used_and_what_they_lack_is_named(tmp_path):
    mask = np.zeros((512, 512), np.uint8)
    mask[256:] = 1
    np.save(tmp_path / "pseudo_mask_Cardiomegaly.npy", mask)
    masks = PublishedMasks(PseudomaskAtlas.bundled(), PseudomaskAtlas.load(tmp_path))
    found = masks(Instruction.parse("Add the finding of cardiomegaly."), (SIDE, SIDE))
    lower = found[..., SIDE // 2 :, :]
    assert found.shape == (1, 1, SIDE, SIDE) and lower.all() and found.sum() == lower.sum()
    other = Instruction.parse("Add the finding of pneumothorax.")
    assert torch.equal(masks(other, (SIDE, SIDE)), PublishedMasks(PseudomaskAtlas.bundled())(other, (SIDE, SIDE)))
    assert "Cardiomegaly from the given folder, other findings" in masks.note
    with pytest.raises(ValueError, match=r"must be a folder of `pseudo_mask_<Category>\.npy`, got soft masks"):
        PublishedMasks(PseudomaskAtlas.bundled(), PseudomaskAtlas.bundled())
    with pytest.raises(ValueError, match="got soft masks"):
        standard_rows(Fake([]), published_masks=PseudomaskAtlas.bundled())


def test_free_text_gets_the_thorax_as_its_published_mask():
    found = PublishedMasks(PseudomaskAtlas.bundled())(Instruction.parse("Do something."), (SIDE, SIDE))
    assert found.unique().tolist() == [0, 1]
