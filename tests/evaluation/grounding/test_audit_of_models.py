"""The audit clears a model that looks, and finds those that do not; stubs prove the plumbing, not the models."""

import json
from dataclasses import replace

import pytest
from grounding_cases import (
    LESION,
    MARKER,
    DrawingPipeline,
    EdemaReader,
    EitherReader,
    FaintReader,
    LeakyReader,
    OrderReader,
    Talker,
    cheater,
    honest,
    mean_reader,
    write_images,
)

from x2x_core.evaluation.grounding.elsewhere import TOLERANCE
from x2x_core.evaluation.grounding.plan import AuditCase, GroundingSettings, plan_cases
from x2x_core.evaluation.grounding.rows import audit_rows
from x2x_core.evaluation.grounding.run import answer_cases, make_edits
from x2x_core.evaluation.grounding.summary import RECORD, summarise_grounding
from x2x_core.evaluation.report.write import write_report

SETTINGS = GroundingSettings(seeds=2, medground=True)


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Models that look and that do not, asked about the same edits: results by name, and the folder."""
    folder = tmp_path_factory.mktemp("grounding")
    images = write_images(folder / "images")
    truths = [replace(case, truth=bool(n % 2)) for n, case in enumerate(plan_cases(images, ["edema"]))]
    out = folder / "out"
    records = make_edits(DrawingPipeline(), truths, SETTINGS, out)
    models = (
        honest(), cheater(), Talker(), mean_reader(), EitherReader(), FaintReader("faint", LESION),
        LeakyReader("leaky", MARKER), OrderReader(case.truth for case in truths),
    )  # fmt: skip
    answers = {model.name: answer_cases(model, records, out) for model in models}
    results = summarise_grounding(list(audit_rows(records, answers)), SETTINGS, None, records)
    results.write_json(out / RECORD)
    return results, out, records


def row(audited, name):
    return next(row for row in audited[0].rows if row.name == name)


def sentence(audited, name):
    return next(text for text in audited[0].about["verdict"]["sentences"] if text.startswith(f"{name} looks"))


def test_an_honest_model_is_cleared(audited):
    found = row(audited, "honest").metrics
    assert ": yes, the finding moves its answer by +" in sentence(audited, "honest")
    assert found["specific"].value == found["added_flips"].value == found["removed_flips"].value == 1
    assert found["contrast"].low > 0.5 and found["background_flips"].value == 0 and found["unchanged"].value == 0
    assert found["levels_agree"].value == found["seeds_agree"].value == found["right"].value == 1
    assert found["kept"].value == 1 and found["not_understood"].value == 0


def test_a_reader_of_markers_is_found_although_all_its_answers_are_right(audited):
    found = row(audited, "marker").metrics
    assert found["right"].value == 1 and found["unchanged"].value == 1 and found["kept"].value == 0
    text = sentence(audited, "marker")
    assert ": no, 100% of the cases are unchanged by any edit" in text and "reads something that these edits" in text


def test_a_model_of_words_that_ignores_the_image_is_found(audited):
    found = row(audited, "talker").metrics
    assert found["unchanged"].value == found["blank_unchanged"].value == 1
    assert "added_flips" not in found and found["removed_flips"].value == 0  # it saw the finding everywhere before
    assert "it ignores the image" in sentence(audited, "talker")


def test_a_reader_of_brightness_anywhere_is_not_cleared(audited):
    found = row(audited, "brightness").metrics
    assert abs(found["contrast"].value) < 0.05 and found["unchanged"].value < 1
    assert ": yes" not in sentence(audited, "brightness")


def test_a_reader_of_markers_is_found_although_the_finding_moves_its_scores_a_little(audited):
    found = row(audited, "leaky").metrics
    assert found["right"].value == 1 and found["unchanged"].value == 1 and found["removed_effect"].value > 0
    assert ": no, 100% of the cases are unchanged by any edit" in sentence(audited, "leaky")


def test_a_model_that_says_yes_to_the_finding_or_a_marker_looks_in_part(audited):
    found = row(audited, "either").metrics
    assert found["right"].value == 1 and found["contrast"].low > 0 and found["added_flips"].value == 1
    assert found["contrast_added"].low > 0.5 and found["contrast_removed"].value == found["removed_flips"].value == 0
    text = sentence(audited, "either")
    assert ": in part, " in text and "+0.00 (+0.00 to +0.00) when it is removed; 50% of the cases" in text


def test_a_model_of_low_probabilities_is_not_said_to_ignore_the_image(audited):
    found = row(audited, "faint").metrics
    assert found["unchanged"].value == 0 and found["added_flips"].value == 0 and found["added_effect"].value < 0.01
    assert ": not shown, " in sentence(audited, "faint")


def test_a_model_that_answers_by_the_order_of_the_pictures_is_not_cleared(audited):
    assert row(audited, "order").metrics["specific"].value < 0.8 and ": yes" not in sentence(audited, "order")


def test_a_verdict_needs_some_images_and_is_given_for_each_finding(tmp_path):
    settings = GroundingSettings(levels=1)
    records = make_edits(DrawingPipeline(), plan_cases(write_images(tmp_path / "images", 12), ["edema", "fluid"]),
                         settings, tmp_path / "out")  # fmt: skip
    rows = list(audit_rows(records, {"edema alone": answer_cases(EdemaReader(), records, tmp_path / "out")}))
    (text,) = summarise_grounding(rows, settings).about["verdict"]["sentences"]
    assert text.endswith(" By finding: yes for edema; no for pleural effusion.")
    few = [row for row in rows if row["case"] < 10]  # of five images
    (text,) = summarise_grounding(few, settings).about["verdict"]["sentences"]
    assert ": not shown, " in text and "5 images are too few, a verdict needs 6" in text


def test_amounts_elsewhere_are_those_of_the_finding(audited):
    for record in audited[2]:
        edits = {(edit["kind"], edit["level"], edit["seed"]): edit for edit in record["edits"]}
        for (kind, level, seed), edit in edits.items():
            if kind == "background":
                of_finding = edits["foreground" if level else "normal", level, seed]
                assert edit["matches"] == (
                    abs(edit["amount"] - of_finding["amount"]) <= TOLERANCE * of_finding["amount"]
                )
    assert row(audited, "honest").metrics["matched"].value == 1


def test_each_finding_has_its_measures_with_intervals(audited):
    contrast = row(audited, "honest").per_finding["edema"]["contrast"]
    assert contrast.low < contrast.value < contrast.high and contrast.n > 6


def test_the_page_shows_models_findings_and_pictures(audited):
    page = write_report(audited[1], figures=False)[0].read_text()
    assert "Grounding audit" in page and "same amount elsewhere" in page and page.count("data:image/jpeg") >= 8
    assert "it ignores the image" in page and json.loads((audited[1] / RECORD).read_text())["about"]["synthetic"]


def test_a_model_that_says_neither_is_counted_and_not_cleared(tmp_path):
    records = make_edits(DrawingPipeline(), plan_cases([*write_images(tmp_path / "images", 2)], ["edema"]),
                         GroundingSettings(levels=1), tmp_path / "out")  # fmt: skip
    answers = {"talker": answer_cases(Talker("It may be."), records, tmp_path / "out")}
    results = summarise_grounding(list(audit_rows(records, answers)), GroundingSettings(levels=1))
    assert results.rows[0].metrics["not_understood"].value == 1 and "contrast" not in results.rows[0].metrics
    assert ": no, 100%" in results.about["verdict"]["sentences"][0]


@pytest.mark.parametrize("mode", ["acquisition", "manifestation"])
def test_a_model_that_reads_the_acquisition_or_the_treatment_fails_the_test_of_the_shift(tmp_path, mode):
    ill = write_images(tmp_path / "images", 12)[1::2]
    keeps = [None] * 6
    if mode == "manifestation":
        from PIL import Image

        keeps = [tmp_path / "keep.png"] * 6
        Image.new("L", (48, 48)).save(keeps[0])
    question = plan_cases(ill[:1], ["edema"])[0].question
    cases = [AuditCase(image, question, keep=keep) for image, keep in zip(ill, keeps)]
    settings = GroundingSettings(mode=mode)
    records = make_edits(DrawingPipeline(), cases, settings, tmp_path / "out")
    answers = {model.name: answer_cases(model, records, tmp_path / "out") for model in (honest(), cheater())}
    results = summarise_grounding(list(audit_rows(records, answers)), settings, None, records)
    good, bad = results.rows
    assert good.metrics["right_after"].value == 1 and good.metrics["drop"].value == 0
    assert bad.metrics["right_before"].value == 1 and bad.metrics["right_after"].value == 0
    first, second = results.about["verdict"]["sentences"]
    assert ": not refuted" in first and ": no, right answers fall by 100 points" in second
    few = summarise_grounding([row for row in audit_rows(records, answers) if row["case"] < 5], settings)
    sentences = few.about["verdict"]["sentences"]
    assert all(": not shown, " in text and "5 images before are too few" in text for text in sentences)


def test_a_model_that_follows_faint_removals_in_part_is_neither_cleared_nor_refuted(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 16)[1::2], ["edema"])
    settings = GroundingSettings(mode="acquisition")
    records = make_edits(DrawingPipeline(), cases, settings, tmp_path / "out")
    answers = answer_cases(honest(), records, tmp_path / "out")
    for answer in answers:  # as if the finding were removed in part
        answer["edits"] = [{"text": "yes", "says": True, "score": answer["before"]["score"] - 0.3}]
    text = shift_verdict(records, answers, settings)
    assert ": not shown, right answers fall by 100 points" in text
    assert (
        "its scores may follow the removals, by -0.30 (-0.30 to -0.30). It may depend on both, or the removals" in text
    )


def test_a_model_that_follows_some_removals_is_not_accused(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 16)[1::2], ["edema"])
    settings = GroundingSettings(mode="acquisition")
    records = make_edits(DrawingPipeline(), cases, settings, tmp_path / "out")
    answers = answer_cases(honest(), records, tmp_path / "out")
    for number, answer in enumerate(answers):  # as if most removals were too faint
        fall = 0.3 if number < 2 else 0.0
        answer["edits"] = [{"text": "yes", "says": True, "score": answer["before"]["score"] - fall}]
    text = shift_verdict(records, answers, settings)
    assert ": not shown, right answers fall by 100 points" in text
    assert "its scores may follow the removals, by -0.08 (" in text


def test_a_reader_of_markers_whose_scores_follow_a_little_fails_the_test_of_the_shift(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 16)[1::2], ["edema"])
    settings = GroundingSettings(mode="acquisition")
    records = make_edits(DrawingPipeline(), cases, settings, tmp_path / "out")
    answers = answer_cases(LeakyReader("leaky", MARKER), records, tmp_path / "out")
    assert all(0 < answer["before"]["score"] - answer["edits"][0]["score"] < 0.05 for answer in answers)
    assert ": no, right answers fall by 100 points" in shift_verdict(records, answers, settings)


def test_a_model_that_was_never_right_is_not_judged_under_a_shift(tmp_path):
    cases = plan_cases(write_images(tmp_path / "images", 16)[1::2], ["edema"])
    settings = GroundingSettings(mode="acquisition")
    records = make_edits(DrawingPipeline(), cases, settings, tmp_path / "out")
    answers = answer_cases(Talker("It may be."), records, tmp_path / "out")
    text = shift_verdict(records, answers, settings)
    assert ": not shown, " in text and "right answers to 0 images before are too few" in text


def shift_verdict(records, answers, settings):
    """The verdict on one model."""
    (text,) = summarise_grounding(list(audit_rows(records, {"one": answers})), settings).about["verdict"]["sentences"]
    return text


def test_another_finding_must_not_move_the_answer(tmp_path):
    settings = GroundingSettings(mode="population", added=("edema",))
    cases = plan_cases(write_images(tmp_path / "images", 4), ["pleural effusion"])
    cases = [replace(case, truth=bool(n % 2)) for n, case in enumerate(cases)]
    records = make_edits(DrawingPipeline(), cases, settings, tmp_path / "out")
    assert {edit["expects"] for record in records for edit in record["edits"]} == {"same"}
    answers = {model.name: answer_cases(model, records, tmp_path / "out") for model in (honest(), cheater())}
    moved, still = summarise_grounding(list(audit_rows(records, answers)), settings).rows
    assert moved.metrics["drop"].value == 0.5 and still.metrics["drop"].value == 0
