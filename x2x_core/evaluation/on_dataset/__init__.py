"""Evaluation on a dataset in the pair layout, by the networks that take part.

`edits` edits a split, `truths` reads what is known of the targets, `gathering` scores and measures all images into
`evidence`, `statistics` and `table` compute every metric with its interval, `run` writes the record.
"""
