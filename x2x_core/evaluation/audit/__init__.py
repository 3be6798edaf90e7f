"""Auditing a classifier with counterfactual edits."""
