"""Place hints in ComfyUI's own samplers: hinted noise, hinted relevance maps, and the detail of extents."""

import logging

import pytest
import torch
from comfy_pack import pack, run
from native_graph import relevance

pytestmark = pytest.mark.usefixtures("without_gradients")


class Zeros:
    """NOISE of zeros, so that the hint alone is seen."""

    seed = 5

    def generate_noise(self, latent):
        return torch.zeros_like(latent["samples"])


def hinted(native, place, strength, samples):
    [noise] = run("X2XPlaceHint", noise=Zeros(), model=native[0], place=place, strength=strength)
    assert noise.seed == 5
    return noise.generate_noise({"samples": samples})


@pytest.fixture
def place():
    """Return a soft MASK `(1, 64, 64)` with its greatest value, 0.8, in the middle of an 8 x 8 cell."""
    mask = torch.zeros(1, 64, 64)
    mask[:, 16:24, 32:40] = 0.8
    mask[:, 24:32, 32:40] = 0.4
    return mask


def test_soft_places_hint_in_proportion(native, place):
    shift = hinted(native, place, 3.0, torch.zeros(1, 4, 8, 8))
    expected = torch.zeros(1, 4, 8, 8)
    expected[:, :, 2, 4], expected[:, :, 3, 4] = 3.0, 1.5
    assert torch.allclose(shift, expected, atol=0.02)


def test_binary_places_hint_from_their_border_inwards(native):
    mask = torch.zeros(1, 64, 64)
    mask[:, 16:56, 8:48] = 1
    shift = hinted(native, mask, 2.0, torch.zeros(1, 4, 8, 8))[0, 0]
    assert shift.max() == 2 == shift[4, 3] and 0 < shift[2, 3] < shift[3, 3] < 2
    assert torch.equal(shift > 0, mask[0, ::8, ::8] > 0)


def test_a_place_smaller_than_a_cell_hints_in_full(native):
    mask = torch.zeros(1, 64, 64)
    mask[:, 23:25, 33] = 1
    shift = hinted(native, mask, 2.0, torch.zeros(1, 4, 8, 8))
    assert torch.equal(shift[0, 0].nonzero(), torch.tensor([[2, 4], [3, 4]])) and shift.max() == 2


def test_an_empty_place_gives_no_hint(native):
    assert not hinted(native, torch.zeros(1, 64, 64), 3.0, torch.zeros(1, 4, 8, 8)).any()


def test_latents_with_frames_are_hinted(native, place):
    whole = hinted(native, place, 3.0, torch.zeros(1, 4, 8, 8))
    assert torch.equal(hinted(native, place, 3.0, torch.zeros(1, 4, 1, 8, 8)), whole.unsqueeze(2))


def test_one_place_serves_a_batch_and_other_numbers_are_refused(native, place):
    shift = hinted(native, place, 3.0, torch.zeros(3, 4, 8, 8))
    assert torch.equal(shift[0], shift[2]) and shift.any()
    with pytest.raises(ValueError, match="`place` must hold one, or one for each of 3 images, got 2"):
        hinted(native, place.repeat(2, 1, 1), 3.0, torch.zeros(3, 4, 8, 8))


def test_a_place_is_cropped_as_vae_encode_crops_the_picture(native, place):
    framed = torch.nn.functional.pad(place, (1, 2, 3, 4))
    expected = hinted(native, place, 3.0, torch.zeros(1, 4, 8, 8))
    assert torch.allclose(hinted(native, framed, 3.0, torch.zeros(1, 4, 8, 8)), expected)


def test_a_checkpoint_that_recommends_none_gets_no_hint_and_a_warning(native, place, caplog):
    with caplog.at_level(logging.WARNING):
        assert not hinted(native, place, -1.0, torch.zeros(1, 4, 8, 8)).any()
    assert "recommends no place hint" in caplog.text


def test_the_strength_that_the_checkpoint_recommends(native, place):
    from dataclasses import replace

    from x2x_core.edit.settings import DEFAULT

    model = native[0].clone()
    model.set_attachments(pack("comfy_native.loading").SETTINGS, replace(DEFAULT, place_hint=2.5))
    shift = hinted([model], place, -1.0, torch.zeros(1, 4, 8, 8))
    assert float(shift.max()) == pytest.approx(2.5)


def test_a_hint_changes_the_relevance_map_and_an_open_place_does_not(native, latent):
    size = 2 * latent["samples"].shape[-1]
    place = torch.zeros(1, size, size)
    plain = relevance(native, latent)
    assert torch.equal(relevance(native, latent, place=place, place_hint=3.0), plain)
    place[:, : size // 3, : size // 3] = 1
    unhinted = relevance(native, latent, place=place, place_hint=0.0)
    assert (unhinted >= plain - 1e-6).all() and (unhinted > plain).any()  # it reaches a cell further
    assert (relevance(native, latent, place=place, place_hint=3.0) - unhinted).abs().max() > 0.01


class TestExtents:
    """Extents from Pseudomask, and their detail in Compose Edit."""

    PROMPT = "Add the finding of moderate right pleural effusion."

    @pytest.fixture(scope="class")
    def drawn(self, sample):
        return run("X2XPseudomask", instruction=self.PROMPT, image=sample, align=True, seed=3, draw_extent=True)

    def test_the_region_is_that_of_the_extent(self, drawn, sample):
        whole, _, _, _, none = run("X2XPseudomask", instruction=self.PROMPT, image=sample, align=True, seed=3)
        assert not none.any()
        pseudomask, _, _, _, extent = drawn
        assert extent.shape == pseudomask.shape and 0 <= extent.min() < extent.max() <= 1
        assert extent[..., :64].sum() > 5 * extent[..., 64:].sum()
        assert (pseudomask > 0.5).sum() < (whole > 0.5).sum()

    def test_each_picture_of_a_batch_has_the_extent_of_a_single_one(self, drawn, sample):
        both = torch.cat([sample, sample])
        extent = run("X2XPseudomask", instruction=self.PROMPT, image=both, align=True, seed=3, draw_extent=True)[4]
        assert torch.equal(extent, drawn[4].expand_as(extent))

    @pytest.mark.parametrize("off", ["align", "draw_place"])
    def test_extents_that_cannot_be_drawn_are_refused(self, sample, off):
        with pytest.raises(ValueError, match="`draw_extent` needs `draw_place`, `align`"):
            run("X2XPseudomask", instruction=self.PROMPT, image=sample, draw_extent=True, **{"align": True, off: False})

    def compose(self, sample, places, change):
        unchanged = sample.clone()
        mask = torch.ones(sample.shape[:3])
        return run(
            "X2XNativeCompose", image=sample, edited=(sample + change).clamp(0, 1), unchanged=unchanged,
            guidance_mask=mask, soft_edge=0.0, strength=1.0, places=places,
        )[0]  # fmt: skip

    def test_a_blurred_change_gets_the_extents_detail(self, sample):
        opacity = "Add the finding of moderate consolidation in the right lower lung zone."
        drawn = run("X2XPseudomask", instruction=opacity, image=sample, align=True, seed=3, draw_extent=True)
        extent = drawn[4]
        blurred = torch.nn.functional.avg_pool2d(extent[:, None], 15, 1, 7, count_include_pad=False)
        change = 0.2 * blurred[:, 0, ..., None]
        plain, sharp = (self.compose(sample, places, change) - sample for places in (None, drawn[2]))
        off = [(made[..., 0] - 0.2 * extent).abs().mean() for made in (plain, sharp)]
        assert off[1] < 0.7 * off[0]

    def test_places_without_extents_change_nothing(self, sample):
        places = run("X2XPseudomask", instruction=self.PROMPT, image=sample, align=True)[2]
        change = torch.full((1, 1, 1, 1), 0.1)
        assert torch.equal(self.compose(sample, places, change), self.compose(sample, None, change))

    def test_places_of_another_number_of_pictures_are_refused(self, drawn, sample):
        from dataclasses import replace

        from x2x_core.edit.drawn import Drawn

        places = replace(drawn[2], drawn=Drawn(drawn[2].drawn.extents.repeat(3, 1, 1, 1)))
        with pytest.raises(ValueError, match="`places` must be of one image, or of each of 1 images, got 3"):
            self.compose(sample, places, 0.1)
