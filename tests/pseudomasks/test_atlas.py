"""The pseudomask atlas: built, saved, loaded, and asked for an instruction's region."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.pseudomasks.atlas import Frame, PseudomaskAtlas
from x2x_core.pseudomasks.maps import Place, ProbabilityMap


def ask(*findings, region="findings", **location):
    clauses = tuple(Clause(Operation.ADD, finding, **location) for finding in findings)
    return Instruction(clauses, region=region)


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
    for name in (
        "Atelectasis",
        "Cardiomegaly",
        "Consolidation",
        "Effusion",
        "Lung Opacity",
        "Pneumonia",
        "Pneumothorax",
    ):
        cases = measured[name]
        assert all(0.955 < case["coverage"] < 0.99 for case in cases.values())
        assert cases["finding"]["coverage"] > 0.968
        assert cases["finding"]["floor"] < cases["finding"]["editable_share"] < 0.68
        assert cases["finding, side, zone"]["editable_share"] < 0.36


def test_the_bundled_atlas_records_what_its_smoothing_was_chosen_from(bundled):
    chosen, candidates = bundled.metadata["parameters"]["smoothing"], bundled.metadata["candidates"]
    best = min(candidates, key=lambda row: row["editable_share"]["mean"])
    assert {**best, "editable_share": None} == {**chosen, "editable_share": None}
    assert {row["method"] for row in candidates} == {"frequency", "kernel"}


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
    editable = (right >= EDGE_LEVEL).float()
    assert 0.005 < editable.mean() < 0.4
    assert editable[:, :32].sum() > 0.85 * editable.sum() and not editable[:, 42:].any()
    height = float((editable.sum(1) * torch.linspace(0, 1, 64)).sum() / editable.sum())
    bounds = {"upper": (0.0, 0.36), "middle": (0.3, 0.58), "lower": (0.46, 0.9)}
    assert bounds[zone][0] < height < bounds[zone][1]


@pytest.mark.parametrize("finding", ["pleural effusion", "pneumothorax", "consolidation", "lung lesion"])
def test_to_name_more_opens_no_more(bundled, finding):
    shares = [
        float((bundled.for_instruction(ask(finding, **place), (128, 128)) >= EDGE_LEVEL).float().mean())
        for place in ({}, {"side": "left"}, {"side": "left", "zone": "lower"}, {"side": "left", "zone": "basal"})
    ]
    assert shares[0] > 1.5 * shares[1] and max(shares[2:]) <= shares[1] + 0.01


@pytest.mark.parametrize("zone", [None, "upper", "basal", "perihilar"])
def test_left_is_the_mirror_image_of_right_and_both_sides_are_their_union(bundled, zone):
    left, right, both = (
        bundled.for_instruction(ask("consolidation", side=side, zone=zone), (64, 64))
        for side in ("left", "right", "bilateral")
    )
    assert (left - right.flip(-1)).abs().mean() < (1e-6 if zone != "perihilar" else 0.01)  # hila are drawn in pixels
    assert (both >= torch.maximum(left, right)).all()


@pytest.mark.parametrize("zone", ["perihilar", "retrocardiac", "costophrenic"])
def test_zones_that_are_places_of_their_own_cut_the_map(bundled, zone):
    side = bundled.for_instruction(ask("consolidation", side="left"), (64, 64))
    cut = bundled.for_instruction(ask("consolidation", side="left", zone=zone), (64, 64))
    assert (cut <= side + 1e-6).all() and 0.005 < (cut >= EDGE_LEVEL).float().mean() < 0.15


def test_the_probability_behind_a_mask(bundled):
    right = bundled.probability("Effusion", "right", "lower")
    assert 0.3 < right.max() <= 1 and right.min() >= 0
    assert torch.equal(bundled.probability("Effusion", "left", "lower"), right.flip(-1))
    assert right.argmax() // right.shape[1] > right.shape[0] / 2  # likeliest in the lower half
    with pytest.raises(ValueError, match="must name a probability map of the atlas, got 'Mole'"):
        bundled.probability("Mole")


def test_lesions_get_the_boxes_of_masses_and_nodules(bundled):
    assert bundled.source_of("lung lesion").name == "Lung Lesion"


def test_a_finding_without_a_side_is_not_cut(bundled):
    whole = bundled.for_instruction(ask("cardiomegaly"), (64, 64))
    assert torch.equal(bundled.for_instruction(ask("cardiomegaly", side="right"), (64, 64)), whole)


def test_locations_can_be_left_out_of_account(bundled):
    whole = bundled.for_instruction(ask("consolidation"), (32, 32))
    named = bundled.for_instruction(ask("consolidation", side="left", zone="upper"), (32, 32), localise=False)
    assert torch.equal(named, whole)


def test_where_experts_drew_no_boxes_the_anatomic_site_is_recorded(bundled):
    sources = bundled.sources(ask("edema", "pleural effusion"))
    assert [(source.kind, source.name) for source in sources] == [
        ("site", FINDINGS["edema"].site),
        ("boxes", "Effusion"),
    ]


def test_free_text_gets_the_thorax_and_other_pictures_the_image(bundled):
    thorax = bundled.for_instruction(ask(region="thorax"), (40, 40))
    assert 0.4 < (thorax >= EDGE_LEVEL).float().mean() < 0.85
    assert bundled.for_instruction(ask(region="image"), (3, 5)).min() == 1


def test_a_malformed_instruction_is_refused(bundled):
    with pytest.raises(ValueError, match=r"`instruction.region`"):
        bundled.for_instruction(ask(region="findings"), (8, 8))
    with pytest.raises(ValueError, match=r"`finding` must be one of .*'gremlins'"):
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
    moved = bundled.for_instruction(ask("pneumonia"), (64, 128), frame=Frame.rectangle(left=0.5))
    assert moved[..., :64].max() == 0
    assert (moved[..., 64:] - whole).abs().max() < 1e-5
    with pytest.raises(ValueError, match="`frame`"):
        Frame.rectangle(left=1, right=0)


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
    with pytest.raises(ValueError, match=r"`pseudo_mask_Pneumonia.npy`.*there is pseudo_mask_Effusion.npy"):
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
    with pytest.raises(ValueError, match=r"pseudo_mask_Edema.npy"):
        PseudomaskAtlas.load(published)


def test_a_folder_without_masks_and_a_missing_path_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"pseudo_mask_<Category>.npy"):
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
    with pytest.raises(ValueError, match=r"pseudo_mask_Edema.npy"):
        loaded.source_of("edema")


def test_a_malformed_atlas_file_is_named(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "atlas.safetensors"
    path.write_bytes(b"no safetensors at all")
    with pytest.raises(ValueError, match=r"atlas.safetensors` must be an atlas"):
        PseudomaskAtlas.load(path)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(ValueError, match="must be an atlas in the format"):
        PseudomaskAtlas.load(path)


def test_maps_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"'Edema' must lie in \[0, 1\]"):
        PseudomaskAtlas({"Edema": torch.full((4, 4), 1.5)})
    with pytest.raises(ValueError, match=r"must be \(h, w\)"):
        PseudomaskAtlas({"Edema": torch.ones(4)})
    with pytest.raises(ValueError, match="`category` must be one of Edema, got 'Mass'"):
        PseudomaskAtlas({"Edema": torch.ones(4, 4)}).map("Mass")


def probabilities(*names):
    values = torch.linspace(0, 255, 16 * 16).to(torch.uint8).reshape(16, 16)
    return {name: ProbabilityMap(values.clone(), 0.5, 0.1) for name in names}


def test_probability_maps_are_saved_as_they_are(tmp_path):
    PseudomaskAtlas(probabilities("Edema", "Edema/right")).save(tmp_path / "a.safetensors")
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    assert loaded.names == ("Edema",)
    expected = probabilities("Edema")["Edema"]
    assert torch.equal(loaded.probability("Edema", "right"), expected.probability())
    assert torch.equal(loaded.probability("Edema", "left"), expected.probability().flip(-1))
    assert torch.equal(loaded.map("Edema"), expected.mask())


def test_a_file_of_the_first_format_is_read_and_cut_by_windows(tmp_path):
    PseudomaskAtlas({"Edema": torch.ones(64, 64)}).save(tmp_path / "a.safetensors")
    assert b"x2x-pseudomask-atlas-1" in (tmp_path / "a.safetensors").read_bytes()
    loaded = PseudomaskAtlas.load(tmp_path / "a.safetensors")
    left = loaded.for_instruction(ask("edema", side="left"), (64, 64))
    assert left[..., :28].max() == 0 and left[..., 40:].min() == 1


@pytest.mark.parametrize("names", [("Edema/right",), ("Edema", "Edema/above"), ("Edema", "Edema/lower/right")])
def test_maps_of_places_that_cant_be_are_refused(names):
    with pytest.raises(ValueError, match="`maps` must name a finding that has a map of its own"):
        PseudomaskAtlas(probabilities(*names))


def test_masks_and_probabilities_are_not_mixed():
    with pytest.raises(ValueError, match="both kinds"):
        PseudomaskAtlas({**probabilities("Edema"), "Mass": torch.ones(4, 4)})


def test_where_sides_are_learnt_apart_neither_stands_for_the_other():
    atlas = PseudomaskAtlas(probabilities("Edema", "Edema/right", "Edema/left", "Edema/right/upper"))
    assert atlas.probability("Edema", "right", "upper").shape == (16, 16)
    with pytest.raises(ValueError, match="'left' and 'upper'"):
        atlas.probability("Edema", "left", "upper")
    assert Place("left", "upper").mirrored == Place("right", "upper")


def test_an_atlas_needs_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        PseudomaskAtlas({}).save(tmp_path / "nowhere" / "a.safetensors")
