"""The simulated benchmark and the ablation: edits measured against an exact truth."""
