"""Many edits in one run: a manifest in, a folder of results and one table out, interrupted and continued at will."""
