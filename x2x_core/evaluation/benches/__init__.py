"""Other people's benchmarks of image editing, run with a model of one's own.

- `cases`: one case of a benchmark, whatever its layout.
- `medebench`, `miedb`, `med_banana`: readers of the published layouts.
- `editing`, `measures`, `run`: edits, measures and record of a run.
- `axioms`: composition, reversibility and effectiveness on a dataset in the pair layout.
- `sets`: two sets of images by the measures of CheXGenBench.
"""
