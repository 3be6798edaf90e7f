"""Evaluation on a dataset in the published layout."""
