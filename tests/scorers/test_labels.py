"""Canonical labels of classifiers."""

from x2x_core.scorers.labels import canonical, canonical_labels


def test_findings_have_their_canonical_names():
    assert canonical("Enlarged_Cardiomediastinum") != "" and canonical("Effusion") == "pleural effusion"
    assert canonical("Black") == "black" and canonical("Lung Opacity") == "lung opacity"


def test_labels_of_one_finding_are_distinguished():
    # Of two words for one finding, the finding's own name stays with it; other words keep their own.
    assert canonical_labels(["Infiltration", "Lung Opacity", "Effusion"]) == (
        "infiltration",
        "lung opacity",
        "pleural effusion",
    )
    assert canonical_labels(["Nodule", "Mass"]) == ("nodule", "mass") and canonical("Nodule") == canonical("Mass")
