"""X2XCandidates: the best of several seeds is that of Edit Radiograph, and all scores are there."""

import json

import pytest
import torch
from comfy_pack import pack, run

from x2x_core.common.errors import InputError

PROMPT = "Add the finding of moderate right pleural effusion."
WIDGETS = {"candidates": 3, "scorer": "pixels alone", "preset": "recommended", "seed": 3}


def choose(tiny, image, **chosen):
    return run("X2XCandidates", **{"pipeline": tiny, "image": image, "instruction": PROMPT, **WIDGETS, **chosen})


@pytest.fixture(scope="module")
def chosen(tiny, sample):
    return choose(tiny, sample)


def test_the_best_comes_first_and_nothing_outside_its_mask_changes(chosen, sample):
    edited, mask, every, scores, info = chosen
    assert edited.shape == sample.shape and every.shape == (3, *sample.shape[1:])
    assert torch.equal(edited[0], every[0]) and torch.equal(edited[mask == 0], sample[mask == 0])
    [image] = json.loads(scores)["images"]
    assert [one["seed"] for one in image["all"]] == [3, 4, 5] and sorted(one["rank"] for one in image["all"]) == [
        1,
        2,
        3,
    ]
    assert next(one for one in image["all"] if one["rank"] == 1)["seed"] == image["best"]
    assert f"seed {image['best']} is the best" in info and info.count("Image 0, seed ") == 3


def test_each_candidate_is_edit_radiographs_own_edit(chosen, tiny, sample):
    edits = {seed: run("X2XEdit", pipeline=tiny, image=sample, instruction=PROMPT, preset="recommended", steps=3,
                       guidance_scale=5.0, image_guidance_scale=1.2, mask_rule="threshold", threshold=0.3,
                       solver="checkpoint's", edit_strength=1.0, seed=seed)[0] for seed in (3, 4, 5)}  # fmt: skip
    [image] = json.loads(chosen[3])["images"]
    for number, one in enumerate(sorted(image["all"], key=lambda own: own["rank"])):
        assert torch.allclose(chosen[2][number], edits[one["seed"]][0], atol=1e-4)


def test_each_image_of_a_batch_is_judged_by_itself(chosen, tiny, sample):
    edited, mask, every, scores, _ = choose(tiny, torch.cat([sample, sample.flip(2)]))
    assert len(edited) == len(mask) == len(json.loads(scores)["images"]) == 2 and len(every) == 6
    assert torch.allclose(edited[:1], chosen[0], atol=1e-4) and torch.equal(every[3], edited[1])


def test_a_connected_mask_and_the_bundled_classifier_count(tiny, sample):
    mask = torch.zeros(64, 64)
    mask[30:60, 5:30] = 1
    scorer = pack("choices").CANDIDATE_SCORERS[1]
    edited, used, _, scores, _ = choose(tiny, sample, candidates=2, scorer=scorer, guidance_mask=mask)
    assert torch.equal(used[0, ::2, ::2], mask) and torch.equal(edited[used == 0], sample[used == 0])
    assert all(one["scores"]["effect"] is not None for one in json.loads(scores)["images"][0]["all"])


def test_an_unknown_scorer_is_refused(tiny, sample):
    with pytest.raises(InputError, match="`scorer` must be one of pixels alone"):
        choose(tiny, sample, scorer="a friend")
