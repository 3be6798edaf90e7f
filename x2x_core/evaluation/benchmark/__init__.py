"""Comparison of ways to edit on simulated pairs with exact ground truth: one engine for benchmark and ablation.

- `pairs`, `plan`: the pairs, and which seed each is edited with;
- `rows`, `standard_rows`, `published_masks`, `diffedit`, `radedit`: the ways to edit;
- `editing`, `pair_score`, `measures`: one edit and all its measures;
- `scores`, `attributes`, `summary`, `verdict`: all pairs together, with intervals;
- `run` (resumable, in a folder) and `ablation` (in memory): the two runs;
- `simulated`: one row by itself, grouped by finding and operation.
"""
