"""Edits whose extent is drawn, and the hint of it in the noise."""

import numpy as np
import pytest
import torch
from edit_cases import edit, generators, same
from PIL import Image
from tiny_models import PROMPT, make_components, make_pipeline, make_scheduler, seeded

from x2x_core.anatomy.edges import EXTENT_EDGE
from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.edit.settings import resolve_settings
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.chest import Unsuitable, UnsuitableFilmError

DRAWN = {"draw_extent": True, "place_hint": 3.0}
EFFUSION = "Add the finding of moderate left pleural effusion."
PNEUMOTHORAX = "Add the finding of small left pneumothorax."


@pytest.fixture(scope="module")
def film():
    return Image.open(bundled_path("sample")).convert("L").resize((256, 256))


@pytest.fixture(scope="module")
def pipe():
    return make_pipeline(**make_components(scheduler=make_scheduler()))


def test_the_region_is_the_extent_and_smaller_than_the_atlas(pipe, film):
    drawn, atlas = (pipe.guidance(film, PNEUMOTHORAX, generator=seeded(), draw_extent=on) for on in (True, False))
    reached, allowed = (own.pseudomask[0, 0] > 0.5 for own in (drawn, atlas))
    assert 0 < reached.sum() < 0.9 * allowed.sum()
    rows, columns = np.nonzero(reached.numpy())
    assert rows.mean() < 110 and columns.mean() > 128


def test_nothing_changes_outside_the_extent(pipe, film):
    made = edit(pipe, film, PNEUMOTHORAX, output_type="np", **DRAWN)
    outside = ~(made.pseudomask[0, 0] > 0).numpy()
    before = np.asarray(film, np.float32) / 255
    after = np.asarray(made.images[0]).squeeze()
    assert outside.mean() > 0.5
    assert np.array_equal(np.rint(after[outside] * 255), np.rint(before[outside] * 255))


def test_all_three_calls_have_the_same_extent(pipe, film):
    arguments = {**DRAWN, "num_images_per_prompt": 2}
    made = edit(pipe, film, EFFUSION, **arguments)
    found = pipe.guidance(film, EFFUSION, generator=seeded(), **arguments)
    relevant = pipe.relevance(film, EFFUSION, generator=seeded(), **arguments)
    assert torch.equal(made.pseudomask, found.pseudomask) and torch.equal(made.guidance_map, found.guidance_map)
    assert torch.equal(made.relevance_map, relevant.relevance_map)
    assert not torch.equal(made.pseudomask[0], made.pseudomask[1])


def test_a_batch_of_generators_gives_the_extents_of_single_calls(pipe, film):
    made = pipe.guidance(film, EFFUSION, num_images_per_prompt=2, generator=generators(2), draw_extent=True)
    single = [pipe.guidance(film, EFFUSION, generator=own, draw_extent=True).pseudomask for own in generators(2)]
    assert torch.equal(made.pseudomask, torch.cat(single))


def test_the_hint_is_where_the_extent_is(pipe, film, monkeypatch):
    from x2x_core.edit import running

    seen = []
    find = running.find_guidance

    def spy(backbone, inputs, encoded, region):
        seen.append((encoded.noise.clone(), encoded.relevance_noise.clone(), region))
        return find(backbone, inputs, encoded, region)

    monkeypatch.setattr(running, "find_guidance", spy)
    for hint in (0.0, 3.0):
        pipe.guidance(film, EFFUSION, generator=seeded(), draw_extent=True, place_hint=hint)
    (plain, plain_draws, _), (hinted, hinted_draws, region) = seen
    shift = hinted - plain
    assert torch.allclose(hinted_draws - plain_draws, shift[:, None].expand_as(hinted_draws), atol=1e-5)
    shown = torch.nn.functional.adaptive_avg_pool2d(region.drawn.extents, shift.shape[-2:])
    assert shift.max() == pytest.approx(3, abs=1e-4) and shift.min() >= -1e-5
    both = torch.stack([shift[:, :1].flatten(), shown.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.99


def test_a_guidance_mask_is_the_place_itself(pipe, film):
    mask = torch.zeros(1, 1, 256, 256)
    mask[..., 96:160, 160:224] = 1
    plain, hinted = (edit(pipe, film, PROMPT, guidance_mask=mask, place_hint=hint) for hint in (0.0, 3.0))
    assert not same(plain.images, hinted.images)


def test_what_has_no_place_of_its_own_is_edited_as_before(pipe, film):
    for text in ("Add the finding of left hernia.", "Remove the finding of left pneumothorax."):
        assert same(edit(pipe, film, text, **DRAWN).images, edit(pipe, film, text).images)


def test_edges_around_an_extent_are_narrow_unless_a_width_is_given(pipe, film):
    narrow, wide = (edit(pipe, film, EFFUSION, soft_edge=width, **DRAWN) for width in (EXTENT_EDGE, 0.1))
    assert same(edit(pipe, film, EFFUSION, **DRAWN).images, narrow.images) and not same(narrow.images, wide.images)


def test_one_finding_with_an_extent_and_one_without(pipe, film):
    text = "Remove the finding of cardiomegaly. Add the finding of small left pneumothorax."
    made = pipe.guidance(film, text, generator=seeded(), **DRAWN)
    heart = pipe.guidance(film, "Remove the finding of cardiomegaly.", generator=seeded()).pseudomask
    assert (made.pseudomask >= heart - 1e-6).all() and (made.pseudomask > heart).any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"draw_place": False}, "`draw_place=False`"),
        ({"align": False}, "`align=False`"),
        ({"pseudomask": torch.ones(1, 1, 256, 256)}, "`pseudomask`"),
        ({"guidance_mask": torch.ones(1, 1, 256, 256)}, "`guidance_mask`"),
    ],
)
def test_extents_that_cannot_be_drawn_are_refused_but_may_be_recommended(pipe, film, arguments, said):
    with pytest.raises(InputError, match=f"`draw_extent` must be left out with {said}: "):
        pipe(film, EFFUSION, draw_extent=True, **arguments)
    parts = make_components(scheduler=make_scheduler())
    recommending = make_pipeline(**parts, recommended={"draw_extent": True})
    plain, made = (edit(own, film, EFFUSION, **arguments) for own in (make_pipeline(**parts), recommending))
    assert same(plain.images, made.images)


def test_a_hint_with_a_pseudomask_is_refused(pipe, film):
    with pytest.raises(InputError, match="`place_hint` must be left out with `pseudomask`"):
        pipe(film, EFFUSION, place_hint=3.0, pseudomask=torch.ones(1, 1, 256, 256))
    assert edit(pipe, film, EFFUSION, place_hint=0, pseudomask=torch.ones(1, 1, 256, 256)).images


def test_the_guidance_map_is_pseudomask_times_relevance(pipe, film):
    found = pipe.guidance(film, EFFUSION, generator=seeded(), **DRAWN)
    assert torch.allclose(found.guidance_map, found.pseudomask * found.relevance_map)


def test_the_record_leaves_the_width_of_edges_open(pipe, film):
    settings = resolve_settings(DRAWN, pipe.config)
    instruction = Instruction.parse(EFFUSION)
    assert settings.settled(instruction).soft_edge is None
    assert resolve_settings({}, pipe.config).settled(instruction).soft_edge is not None


def test_only_what_would_have_an_extent_warns_of_a_chest_that_is_not_found(pipe, film, caplog, monkeypatch):
    from x2x_core.pseudomasks import extents

    def refuse(*_):
        raise UnsuitableFilmError(Unsuitable.CONTRAST)

    monkeypatch.setattr(extents, "measure_small", refuse)
    with caplog.at_level("WARNING", logger="x2x_core"):
        pipe.guidance(film, "Remove the finding of left pneumothorax.", generator=seeded(), **DRAWN)
        assert "No extent" not in caplog.text
        pipe.guidance(film, EFFUSION, generator=seeded(), **DRAWN)
    assert "No extent is drawn for pleural effusion: too little contrast between lung and soft tissue." in caplog.text


def test_a_picture_whose_chest_is_not_found_has_the_region_of_the_atlas(pipe, radiograph):
    found = pipe.guidance(radiograph, EFFUSION, generator=seeded(), **DRAWN)
    assert torch.equal(found.pseudomask, pipe.guidance(radiograph, EFFUSION, generator=seeded()).pseudomask)


def test_what_must_stay_is_not_hinted(pipe, film):
    keep = torch.zeros(1, 1, 256, 256)
    keep[..., 128:] = 1
    found = pipe.guidance(film, EFFUSION, generator=seeded(), keep_mask=keep, **DRAWN)
    assert not found.pseudomask[..., 128:].any()


def test_a_prepared_picture_is_measured_once(film, monkeypatch):
    own = make_pipeline(**make_components(scheduler=make_scheduler()), recommended={"draw_extent": True})
    first = edit(own, film, EFFUSION, output_type="np")
    prepared = own.prepare(film)
    monkeypatch.setattr("x2x_core.pseudomasks.extents.measure_small", None)
    second = edit(own, prepared, EFFUSION, output_type="np")
    assert same(first.images, second.images) and torch.equal(first.pseudomask, second.pseudomask)
    again = edit(own, prepared, EFFUSION, output_type="np")
    assert same(first.images, again.images)  # what drawing keeps of the film changes nothing


FOUND = {"find_extent": True}
REMOVAL = "Remove the finding of left pleural effusion."


@pytest.fixture
def seen(monkeypatch):
    """A finder that sees a disk of fluid at the left base, and nothing else."""
    from x2x_core.pseudomasks.extent_finder import ExtentFinder

    disk = torch.zeros(1, 1, 256, 256)
    disk[..., 150:190, 165:205] = 0.2

    class Finder:
        def find(self, grey):
            return {"pleural effusion": disk, "pneumothorax": torch.zeros_like(disk)}

    monkeypatch.setattr(ExtentFinder, "bundled", classmethod(lambda cls: Finder()))
    return disk[0, 0] > 0


@pytest.fixture
def ill(film, seen):
    """The film with fluid in that disk."""
    return Image.fromarray((np.asarray(film) + 90 * seen.numpy()).clip(0, 255).astype(np.uint8))


def test_what_a_prepared_picture_shows_is_found_once(pipe, film, seen, monkeypatch):
    from x2x_core.pseudomasks.extent_finder import ExtentFinder

    finder, looked = ExtentFinder.bundled(), []
    monkeypatch.setattr(finder, "find", lambda grey, find=finder.find: looked.append(grey) or find(grey))
    monkeypatch.setattr(ExtentFinder, "bundled", classmethod(lambda cls: finder))
    prepared = pipe.prepare(film)
    assert not looked  # only edits that remove a finding need it
    found = [pipe.guidance(prepared, REMOVAL, generator=seeded(seed), **FOUND) for seed in range(2)]
    assert len(looked) == 1
    assert torch.equal(found[1].pseudomask, pipe.guidance(film, REMOVAL, generator=seeded(1), **FOUND).pseudomask)


def test_a_removal_is_edited_where_its_finding_is_seen(pipe, ill, seen):
    found, atlas = (pipe.guidance(ill, REMOVAL, generator=seeded(), find_extent=on) for on in (True, False))
    reached = found.pseudomask[0, 0] > 0.5
    assert (reached & seen).sum() > 0.6 * seen.sum() and reached.sum() < 2 * seen.sum()
    assert reached.sum() < (atlas.pseudomask[0, 0] > 0.5).sum()
    other = pipe.guidance(ill, REMOVAL.replace("left", "right"), generator=seeded(), **FOUND)
    assert torch.equal(
        other.pseudomask, pipe.guidance(ill, REMOVAL.replace("left", "right"), generator=seeded()).pseudomask
    )


def test_what_is_removed_becomes_darker_alone(pipe, ill, seen):
    made = edit(pipe, ill, REMOVAL, output_type="np", place_hint=3.0, composition="difference", twin=True, **FOUND)
    change = np.asarray(made.images[0]).squeeze() - np.asarray(ill, np.float32) / 255
    assert change[seen.numpy()].max() < 1e-3


def test_a_finding_that_is_not_seen_is_said_and_has_the_region_of_the_atlas(pipe, film, seen, caplog):
    text = "Remove the finding of left pneumothorax."
    with caplog.at_level("WARNING", logger="x2x_core"):
        found = pipe.guidance(film, text, generator=seeded(), **FOUND)
    assert "No pneumothorax was found where it is to be removed." in caplog.text
    assert torch.equal(found.pseudomask, pipe.guidance(film, text, generator=seeded()).pseudomask)


def test_additions_do_not_look_for_what_is_shown(pipe, film, seen):
    plain, made = (edit(pipe, film, EFFUSION, **{**DRAWN, **more}) for more in ({}, FOUND))
    assert same(plain.images, made.images)


HEART = "Add the finding of severe cardiomegaly."


def test_an_enlarged_heart_is_edited_with_all_that_moves(pipe, film):
    arguments = {**DRAWN, "num_images_per_prompt": 2}
    found = pipe.guidance(film, HEART, generator=seeded(), **arguments)
    assert torch.equal(found.guidance_map, found.pseudomask * found.relevance_map)
    relevant = pipe.relevance(film, HEART, generator=seeded(), **arguments)
    assert torch.equal(found.relevance_map, relevant.relevance_map)
    made = edit(pipe, film, HEART, output_type="np", composition="saturating", twin=True, **arguments)
    assert torch.equal(made.guidance_mask, found.guidance_mask)
    before = np.asarray(film, np.float32) / 255
    for image, mask in zip(made.images, made.guidance_mask):
        outside = ~mask[0].numpy()
        assert np.array_equal(np.asarray(image).squeeze()[outside], before[outside])


def test_what_is_to_be_kept_does_not_move(pipe, film):
    keep = torch.zeros(1, 1, 256, 256)
    keep[..., 140:180, 150:200] = 1
    made = edit(pipe, film, HEART, output_type="np", composition="saturating", twin=True, keep_mask=keep, **DRAWN)
    before = np.asarray(film, np.float32) / 255
    assert np.array_equal(np.asarray(made.images[0]).squeeze()[140:180, 150:200], before[140:180, 150:200])
