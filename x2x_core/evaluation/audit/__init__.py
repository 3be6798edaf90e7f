"""Audit of a classifier with counterfactual edits: the same patient with and without a finding."""

from x2x_core._moved import MOVED_FROM_PACKAGES, moved_names

__getattr__ = moved_names(__name__, MOVED_FROM_PACKAGES[__name__])
