"""Canonical labels of classifiers' outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from x2x_core.language.vocabulary import find_finding


def canonical(label: str) -> str:
    """Return the canonical name of a finding ("pleural effusion" for "Effusion"); other labels in lower case."""
    words = _words(label)
    finding = find_finding(words)
    return finding.name if finding else words


def canonical_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels with the canonical names of their findings, without duplicates.

    Classifiers distinguish labels that the vocabulary treats as one finding: "Infiltration" keeps its own name beside
    "Lung Opacity", which is the finding's name; "Nodule" and "Mass" both keep theirs.
    """
    names = [canonical(label) for label in labels]
    times = Counter(names)
    return tuple(name if times[name] == 1 else _words(label) for name, label in zip(names, labels, strict=True))


def _words(label: str) -> str:
    return label.strip().lower().replace("_", " ")
