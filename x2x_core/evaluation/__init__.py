"""Evaluation of edits: on simulated pairs with exact truth, on datasets, and as an audit of classifiers."""
