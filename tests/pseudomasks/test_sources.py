"""The origin of each mask: expert boxes, the anatomic site, or a named missing file."""

import pytest
from atlas_cases import ask

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.sources import MaskSource, find_source

BOXED = {name: finding.boxed_category for name, finding in FINDINGS.items() if finding.boxed_category}


def test_lesions_get_the_boxes_of_masses_and_nodules(bundled):
    assert bundled.source_of("lung lesion").name == "Lung Lesion"


def test_where_experts_drew_no_boxes_the_anatomic_site_is_recorded(bundled):
    sources = bundled.sources(ask("edema", "pleural effusion"))
    assert [(source.kind, source.name) for source in sources] == [
        ("site", FINDINGS["edema"].site),
        ("boxes", "Effusion"),
    ]


def test_a_missing_published_mask_is_named_and_never_the_whole_image(published):
    atlas = PseudomaskAtlas.load(published)
    with pytest.raises(ValueError, match=r"`pseudo_mask_Pneumonia.npy`.*there is pseudo_mask_Effusion.npy"):
        atlas.for_instruction(ask("pneumonia"), (64, 64))


def test_findings_that_were_never_published_get_their_site(published):
    atlas = PseudomaskAtlas.load(published)
    (source,) = atlas.sources(ask("gastric distention"))
    assert source.kind == "site"
    assert (atlas.for_instruction(ask("gastric distention"), (32, 32)) >= EDGE_LEVEL).float().mean() < 0.3


def test_an_unknown_finding_is_refused():
    with pytest.raises(ValueError, match=r"`finding` must be a known finding's canonical name, got 'gremlins'"):
        find_source("gremlins", ())


def test_these_findings_are_boxed_only_in_tables():
    assert set(BOXED) == {"lung lesion", "pleural thickening", "calcification", "fracture"}


@pytest.mark.parametrize(("finding", "category"), BOXED.items())
def test_findings_boxed_only_in_tables_use_those_boxes_if_the_atlas_has_them(finding, category):
    assert find_source(finding, (category,)) == MaskSource(finding, "boxes", category)
    assert find_source(finding, ("Effusion",), "folder").kind == "site"  # no published mask is missing
