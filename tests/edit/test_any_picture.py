"""Any picture by any words: with an empty atlas nothing on the way to an edit speaks of radiographs."""

import re

import numpy as np
import pytest
import torch
from backbone_models import make_instruct_pix2pix
from PIL import Image
from tiny_models import PROMPT, make_radiograph, seeded

from x2x_core import Instruction, LungFinder, PseudomaskAtlas, X2XEdit
from x2x_core.common.errors import InputError
from x2x_core.pseudomasks import atlas as atlases

WORDS = re.compile(r"radiograph|chest|lung|thora|patient|x-ray|\bfilm", re.IGNORECASE)


@pytest.fixture(scope="module")
def edit():
    return X2XEdit(make_instruct_pix2pix())


@pytest.fixture
def no_chest(monkeypatch):
    """Lungs, the vocabulary and the atlas's maps must not be asked for."""

    def refuse(*_, **__):
        raise AssertionError("a chest was looked for")

    monkeypatch.setattr(LungFinder, "__call__", refuse, raising=False)
    monkeypatch.setattr(LungFinder, "bundled", refuse)
    monkeypatch.setattr(Instruction, "parse", refuse)
    monkeypatch.setattr(atlases.PseudomaskAtlas, "bundled", refuse)
    monkeypatch.setattr(atlases.PseudomaskAtlas, "align", refuse)


def photo(height=48, width=80):
    small = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def run(edit, image, prompt, **arguments):
    return edit(image, prompt, **{"num_inference_steps": 2, "generator": seeded(), **arguments})


@pytest.mark.parametrize("prompt", ["Make it snow.", PROMPT, "Pinta de rojo."])
@pytest.mark.parametrize("image", [photo(), Image.fromarray(make_radiograph())])
def test_the_region_is_where_the_model_would_change_the_picture(edit, no_chest, image, prompt):
    output = run(edit, image, prompt)
    assert (output.pseudomask == 1).all() and torch.equal(output.guidance_map, output.relevance_map)
    assert output.instructions[0].region == "image" and str(output.instructions[0]) == prompt
    assert output.alignments is None
    mask = output.guidance_mask[0, 0].numpy()
    before, after = (np.asarray(picture) for picture in (image, output.images[0]))
    assert (before == after)[~mask].all() and (before != after)[mask].any()


def test_a_box_a_painted_mask_and_what_must_stay_restrict_it(edit, no_chest):
    box = np.zeros((48, 80), np.uint8)
    box[8:40, 10:60] = 255
    free = run(edit, photo(), "Make it snow.").guidance_mask[0, 0].numpy()
    within = run(edit, photo(), "Make it snow.", pseudomask=box).guidance_mask[0, 0].numpy()
    exactly = run(edit, photo(), "Make it snow.", guidance_mask=box).guidance_mask[0, 0].numpy()
    sparing = run(edit, photo(), "Make it snow.", keep_mask=box).guidance_mask[0, 0].numpy()
    assert within.any() and not (within & (box == 0)).any()
    assert np.array_equal(exactly, box > 0)
    assert (free & (box > 0)).any() and sparing.any() and not (sparing & (box > 0)).any()


def test_a_grey_photograph_can_get_colours(edit, no_chest):
    grey = photo().convert("L").convert("RGB")
    after = np.asarray(run(edit, grey, "Make it colourful.").images[0]).astype(int)
    assert np.ptp(after, axis=-1).max() > 2


def test_without_restriction_the_whole_picture_may_change(edit, no_chest):
    assert run(edit, photo(), "Make it snow.", restricted=False).guidance_mask.all()


def test_with_the_bundled_atlas_the_same_model_reads_instructions(edit):
    chest = X2XEdit(edit.pipe, pseudomasks="bundled")
    output = run(chest, Image.fromarray(make_radiograph()), PROMPT)
    assert output.instructions[0].findings == ("pleural effusion",) and output.pseudomask.min() == 0


LATENTS = torch.full((1, 4, 8, 8), -2.0)
BAD_CALLS = {
    "no image": ((), {"prompt": PROMPT}),
    "text alone": (("Make it snow.",), {}),
    "text first": (("Make it snow.", photo()), {}),
    "no words": ((photo(), " "), {}),
    "a path to nothing": (("/nowhere/photo.png", PROMPT), {}),
    "a file that is no picture": ((__file__, PROMPT), {}),
    "no numbers": ((np.full((8, 8), np.nan), PROMPT), {}),
    "two pictures for three prompts": (([photo(), photo()], [PROMPT] * 3), {}),
    "extents drawn": ((photo(), PROMPT), {"draw_extent": True}),
    "extents found": ((photo(), PROMPT), {"find_extent": True}),
    "extents on latents": ((LATENTS, PROMPT), {"draw_extent": True}),
    "a crop of latents": ((LATENTS, PROMPT), {"padding_mask_crop": 8}),
    "a mask of another size": ((photo(), PROMPT), {"guidance_mask": np.ones((5, 5))}),
    "a region that is none": ((photo(), PROMPT), {"pseudomask": np.full((48, 80), np.nan)}),
    "a mask to keep of another size": ((photo(), PROMPT), {"keep_mask": np.ones((5, 5))}),
    "an unknown rule": ((photo(), PROMPT), {"mask_rule": "best"}),
    "an unknown composition": ((photo(), PROMPT), {"composition": "best"}),
    "a preset that is none": ((photo(), PROMPT), {"preset": "best of all"}),
    "a wrong generator": ((photo(), PROMPT), {"generator": "seed"}),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_no_sentence_about_a_wrong_call_speaks_of_radiographs(edit, no_chest, name):
    given, arguments = BAD_CALLS[name]
    with pytest.raises(InputError) as caught:
        edit(*given, **arguments)
    message = str(caught.value).replace(__file__, "")
    assert WORDS.search(message) is None, message


def test_no_warning_about_a_photograph_speaks_of_radiographs(edit, no_chest, caplog):
    run(edit, photo(), None, prompt_embeds=edit.pipe._encode_prompt("snow", "cpu", 1, False))
    run(edit, photo(), "Make it snow.", guidance_mask=np.zeros((48, 80)))
    assert WORDS.search(caplog.text) is None


def test_an_empty_atlas_is_empty_and_saved_as_such(tmp_path):
    empty = PseudomaskAtlas({})
    empty.save(tmp_path / "empty.safetensors")
    assert empty.names == PseudomaskAtlas.load(tmp_path / "empty.safetensors").names == ()
    assert PseudomaskAtlas.bundled().names
