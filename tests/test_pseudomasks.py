"""The pseudomask atlas: built, saved, loaded, and asked for an instruction's region."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from x2x_core.atlas_building import build_atlas, build_maps, measure
from x2x_core.boxes import Box
from x2x_core.findings import FINDINGS
from x2x_core.instructions import Clause, Instruction, Operation
from x2x_core.pseudomasks import Frame, PseudomaskAtlas, as_pseudomask
from x2x_core.sites import EDGE_LEVEL


def ask(*findings, region="findings", **location):
    clauses = tuple(Clause(Operation.ADD, finding, **location) for finding in findings)
    return Instruction(clauses, region=region)


def make_boxes(count=40, category="Effusion", cx=0.3, seed=0):
    draws = np.random.default_rng(seed)
    return [
        Box(category, cx + draws.normal(0, 0.02), 0.6 + draws.normal(0, 0.02), 0.2, 0.2, f"{n}.png", f"{n // 2}")
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def bundled():
    return PseudomaskAtlas.bundled()


@pytest.fixture
def published(tmp_path):
    """A folder in the published layout, with two categories."""
    folder = tmp_path / "published"
    folder.mkdir()
    mask = np.zeros((512, 512), np.uint8)
    mask[300:500, 20:490] = 1
    np.save(folder / "pseudo_mask_Effusion.npy", mask)
    np.save(folder / "mask_Lung_Opacity.npy", mask[::-1])
    return folder


# -- the bundled atlas ------------------------------------------------------------------------------------------------


def test_the_bundled_atlas_says_where_it_comes_from(bundled):
    (table,) = bundled.metadata["tables"]
    assert table["format"] == "NIH" and table["boxes"] == 984 and "No restrictions" in table["terms"]
    assert bundled.metadata["parameters"]["coverage"] == 0.97


def test_the_bundled_atlas_is_tight_and_complete_on_held_out_patients(bundled):
    measured = bundled.metadata["held_out"]["categories"]
    for name in ("Atelectasis", "Cardiomegaly", "Consolidation", "Effusion", "Lung Opacity", "Pneumonia", "Pneumothorax"):
        assert measured[name]["coverage"] > 0.95
        assert measured[name]["editable_share"] < 0.65


@pytest.mark.parametrize("finding", sorted(FINDINGS))
def test_every_finding_has_a_region_that_is_not_the_image(bundled, finding):
    mask = bundled.for_instruction(ask(finding), (48, 48))
    share = (mask >= EDGE_LEVEL).float().mean()
    assert mask.shape == (1, 1, 48, 48) and mask.dtype == torch.float32
    assert 0.02 < share < 0.85


@pytest.mark.parametrize("finding", sorted(name for name, finding in FINDINGS.items() if finding.lateral))
@pytest.mark.parametrize("zone", ["upper", "middle", "lower"])
def test_a_named_place_is_never_empty_and_lies_there(bundled, finding, zone):
    right = bundled.for_instruction(ask(finding, side="right", zone=zone), (64, 64))[0, 0]
    editable = right >= EDGE_LEVEL
    assert editable.any()
    assert not editable[:, 38:].any()
    heights = {"upper": slice(24, None), "middle": slice(40, None), "lower": slice(0, 30)}
    assert not editable[heights[zone]].any()


def test_a_side_cuts_to_the_patients_side(bundled):
    both = bundled.for_instruction(ask("pleural effusion"), (64, 64))
    left = bundled.for_instruction(ask("pleural effusion", side="left"), (64, 64))
    assert (left <= both + 1e-6).all()
    assert left[..., :28].max() == 0
    assert torch.allclose(left[..., 40:], both[..., 40:], atol=1e-6)
    bilateral = bundled.for_instruction(ask("pleural effusion", side="bilateral"), (64, 64))
    assert torch.equal(bilateral, both)


def test_a_finding_without_a_side_is_not_cut(bundled):
    whole = bundled.for_instruction(ask("cardiomegaly"), (64, 64))
    assert torch.equal(bundled.for_instruction(ask("cardiomegaly", side="right"), (64, 64)), whole)


def test_locations_can_be_left_out_of_account(bundled):
    whole = bundled.for_instruction(ask("consolidation"), (32, 32))
    named = bundled.for_instruction(ask("consolidation", side="left", zone="upper"), (32, 32), localise=False)
    assert torch.equal(named, whole)


def test_where_experts_drew_no_boxes_the_anatomic_site_is_recorded(bundled):
    sources = bundled.sources(ask("edema", "pleural effusion"))
    assert [(source.kind, source.name) for source in sources] == [("site", FINDINGS["edema"].site), ("boxes", "Effusion")]


def test_free_text_gets_the_thorax_and_other_pictures_the_image(bundled):
    thorax = bundled.for_instruction(ask(region="thorax"), (40, 40))
    assert 0.4 < (thorax >= EDGE_LEVEL).float().mean() < 0.85
    assert bundled.for_instruction(ask(region="image"), (3, 5)).min() == 1


def test_a_malformed_instruction_is_refused(bundled):
    with pytest.raises(ValueError, match="`instruction.region`"):
        bundled.for_instruction(ask(region="findings"), (8, 8))
    with pytest.raises(ValueError, match="`finding` must be one of .*'gremlins'"):
        bundled.for_instruction(ask("gremlins"), (8, 8))
    with pytest.raises(ValueError, match="`size`"):
        bundled.for_instruction(ask("edema"), (0, 8))


NAMES = st.sampled_from(sorted(FINDINGS))


@settings(max_examples=25, deadline=None)
@given(first=NAMES, second=NAMES, height=st.integers(1, 70), width=st.integers(1, 70))
def test_several_findings_are_the_union_of_each(first, second, height, width):
    atlas = PseudomaskAtlas.bundled()
    size = (height, width)
    parts = [atlas.for_instruction(ask(name), size) for name in (first, second)]
    union = atlas.for_instruction(ask(first, second), size)
    assert torch.equal(union, torch.maximum(*parts))
    assert union.min() >= 0 and union.max() <= 1


def test_a_frame_moves_the_masks_and_nothing_is_outside_it(bundled):
    plain = bundled.for_instruction(ask("pneumonia"), (64, 64))
    whole = bundled.for_instruction(ask("pneumonia"), (64, 64), frame=Frame())
    assert (plain - whole).abs().max() < 0.15  # the same, but for the resampling filter
    moved = bundled.for_instruction(ask("pneumonia"), (64, 128), frame=Frame(left=0.5))
    assert moved[..., :64].max() == 0
    assert (moved[..., 64:] - whole).abs().max() < 1e-5
    with pytest.raises(ValueError, match="`frame`"):
        Frame(left=1, right=0)


# -- published masks --------------------------------------------------------------------------------------------------


def test_published_masks_are_exact_in_pixels_and_bilinear_in_latents(published):
    atlas = PseudomaskAtlas.load(published)
    mask = atlas.for_instruction(ask("pleural effusion"), (512, 512))
    assert torch.equal(mask[0, 0], torch.from_numpy(np.load(published / "pseudo_mask_Effusion.npy")).float())
    latent = atlas.for_instruction(ask("pleural effusion"), (64, 64))
    assert torch.equal(latent, F.interpolate(mask, (64, 64), mode="bilinear"))


def test_the_generators_own_file_names_are_read(published):
    assert PseudomaskAtlas.load(published).names == ("Effusion", "Lung Opacity")


def test_a_missing_published_mask_is_named_and_never_the_whole_image(published):
    atlas = PseudomaskAtlas.load(published)
    with pytest.raises(ValueError, match="`pseudo_mask_Pneumonia.npy`.*there is pseudo_mask_Effusion.npy"):
        atlas.for_instruction(ask("pneumonia"), (64, 64))


def test_findings_that_were_never_published_get_their_site(published):
    atlas = PseudomaskAtlas.load(published)
    (source,) = atlas.sources(ask("gastric distention"))
    assert source.kind == "site"
    assert (atlas.for_instruction(ask("gastric distention"), (32, 32)) >= EDGE_LEVEL).float().mean() < 0.3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((8, 8), 2, np.uint8), "only 0 and 1"),
        (np.full((8, 8), np.nan), "only 0 and 1"),
        (np.ones((8, 8, 3), np.uint8), "2-dimensional"),
        (np.array([["a"]]), "2-dimensional mask"),
        (np.zeros((8, 8), np.uint8), "is empty"),
    ],
)
def test_a_malformed_published_mask_is_named(published, values, words):
    np.save(published / "pseudo_mask_Edema.npy", values)
    with pytest.raises(ValueError, match=f"pseudo_mask_Edema.npy.*{words}"):
        PseudomaskAtlas.load(published)


def test_bytes_that_are_no_mask_are_named(published):
    (published / "pseudo_mask_Edema.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="pseudo_mask_Edema.npy"):
        PseudomaskAtlas.load(published)


def test_a_folder_without_masks_and_a_missing_path_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="pseudo_mask_<Category>.npy"):
        PseudomaskAtlas.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        PseudomaskAtlas.load(tmp_path / "nowhere")


# -- building, saving, loading ----------------------------------------------------------------------------------------


def test_saving_and_loading_gives_the_same_maps_and_the_same_bytes(bundled, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    bundled.save(first)
    loaded = PseudomaskAtlas.load(first)
    loaded.save(second)
    assert loaded.names == bundled.names and loaded.metadata == bundled.metadata
    assert all(torch.equal(loaded.map(name), bundled.map(name)) for name in bundled.names)
    assert first.read_bytes() == second.read_bytes()


def test_maps_that_bytes_cant_hold_stay_exact(tmp_path):
    values = torch.rand(5, 7, generator=torch.Generator().manual_seed(0))
    PseudomaskAtlas({"Edema": values}).save(tmp_path / "a.safetensors")
    assert torch.equal(PseudomaskAtlas.load(tmp_path / "a.safetensors").map("Edema"), values)


def test_published_masks_stay_published_through_our_own_file(published, tmp_path):
    PseudomaskAtlas.load(published).save(tmp_path / "a.safetensors")
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    assert loaded.published
    with pytest.raises(ValueError, match="pseudo_mask_Edema.npy"):
        loaded.source_of("edema")


def test_a_malformed_atlas_file_is_named(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "atlas.safetensors"
    path.write_bytes(b"no safetensors at all")
    with pytest.raises(ValueError, match="atlas.safetensors` must be an atlas"):
        PseudomaskAtlas.load(path)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(ValueError, match="must be an atlas in the format"):
        PseudomaskAtlas.load(path)


def test_maps_out_of_range_are_refused():
    with pytest.raises(ValueError, match="'Edema' must lie in \\[0, 1\\]"):
        PseudomaskAtlas({"Edema": torch.full((4, 4), 1.5)})
    with pytest.raises(ValueError, match="must be \\(h, w\\)"):
        PseudomaskAtlas({"Edema": torch.ones(4)})
    with pytest.raises(ValueError, match="`category` must be one of Edema, got 'Mass'"):
        PseudomaskAtlas({"Edema": torch.ones(4, 4)}).map("Mass")


def test_findings_of_paired_organs_are_mirrored_and_the_hearts_is_not():
    maps, metadata = build_maps(make_boxes(cx=0.3) + make_boxes(category="Cardiomegaly", cx=0.53), resolution=64)
    effusion, heart = maps["Effusion"], maps["Cardiomegaly"]
    assert torch.equal(effusion, effusion.flip(-1))
    assert not torch.equal(heart, heart.flip(-1))
    assert metadata["categories"]["Effusion"]["mirrored"] and not metadata["categories"]["Cardiomegaly"]["mirrored"]


def test_more_coverage_opens_more():
    tight, _ = build_maps(make_boxes(), resolution=64, coverage=0.8)
    loose, _ = build_maps(make_boxes(), resolution=64, coverage=0.99)
    assert (tight["Effusion"] >= EDGE_LEVEL).sum() < (loose["Effusion"] >= EDGE_LEVEL).sum()


def test_categories_that_a_table_lacks_are_pooled_and_few_boxes_are_left_out():
    boxes = make_boxes(20, "Pneumonia") + make_boxes(20, "Infiltrate", seed=1) + make_boxes(3, "Mass", seed=2)
    maps, metadata = build_maps(boxes, resolution=32)
    assert sorted(maps) == ["Consolidation", "Infiltrate", "Lung Opacity", "Pneumonia"]
    assert metadata["categories"]["Consolidation"]["pooled_from"] == ["Infiltrate", "Pneumonia"]


def test_building_does_not_depend_on_the_order_of_the_boxes():
    boxes = make_boxes()
    forward, backward = (PseudomaskAtlas.build(order, resolution=32) for order in (boxes, boxes[::-1]))
    assert torch.equal(forward.map("Effusion"), backward.map("Effusion"))


def test_measuring_holds_patients_out():
    measured = measure(make_boxes(), folds=4, resolution=64)["Effusion"]
    assert measured["coverage"] > 0.9 and measured["coverage_side"] > 0.9
    assert measured["editable_share_side"] < measured["editable_share"] < 0.4
    with pytest.raises(ValueError, match="`folds`"):
        measure(make_boxes(4), folds=3)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    rows = ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    rows += [f"{n:08d}_000.png,Effusion,{200 + 2 * n},600,200,200" for n in range(40)]
    table = tmp_path / "boxes.csv"
    table.write_text("\n".join(rows))
    outs = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for out in outs:
        atlas = build_atlas([table], out, folds=2, resolution=32)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert atlas.metadata["tables"][0]["file"] == "boxes.csv"
    assert atlas.metadata["held_out"]["folds"] == 2


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"coverage": 1.2}, "`coverage` must lie in"),
        ({"smoothing": 0}, "`smoothing`"),
        ({"resolution": 4}, "`resolution`"),
        ({"fewest_boxes": 0}, "`fewest_boxes`"),
        ({"fewest_boxes": 1000}, "`boxes` must hold at least 1000"),
    ],
)
def test_bad_parameters_are_named(parameters, words):
    with pytest.raises(ValueError, match=words):
        build_maps(make_boxes(), **parameters)


def test_an_atlas_needs_a_table_and_a_folder(tmp_path):
    with pytest.raises(ValueError, match="`box_paths`"):
        build_atlas([], tmp_path / "a.safetensors")
    with pytest.raises(FileNotFoundError, match="no folder"):
        PseudomaskAtlas({}).save(tmp_path / "nowhere" / "a.safetensors")


# -- a caller's own mask ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(6, 4),
        torch.ones(1, 6, 4, dtype=torch.float16),
        torch.ones(2, 1, 6, 4, dtype=torch.bool),
        np.ones((6, 4), bool),
        np.full((6, 4), 255, np.uint8),
        np.ones((6, 4), np.uint8),
        Image.new("L", (4, 6), 255),
        Image.new("1", (4, 6), 1),
    ],
)
def test_a_mask_in_any_form(value):
    mask = as_pseudomask(value, (12, 9), batch=2)
    assert mask.shape == (2, 1, 12, 9) and mask.dtype == torch.float32
    assert mask.min() == mask.max() == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.full((4, 4), 1.4), "must lie in \\[0, 1\\].*1.4"),
        (torch.full((4, 4), torch.nan), "must lie in \\[0, 1\\]"),
        (torch.ones(3, 4, 4), "one for each of 2 images, got 3"),
        (torch.ones(2, 3, 4, 4), "got shape \\(2, 3, 4, 4\\)"),
        (torch.ones(4), "got shape"),
        (np.array([["x"]]), "must hold numbers"),
        ("mask.png", "a tensor, an array or a picture, got str"),
    ],
)
def test_a_wrong_mask_is_refused(value, words):
    with pytest.raises(ValueError, match=f"`pseudomask`.*{words}"):
        as_pseudomask(value, (4, 4), batch=2)


def test_the_callers_mask_is_not_touched():
    mine = torch.zeros(4, 4)
    as_pseudomask(mine, (4, 4))[:] = 1
    assert mine.max() == 0
