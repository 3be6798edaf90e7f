"""Explanations of classifiers: an edit of the finding beside gradients, measured on the simulated truth."""
