"""Image pairs with an instruction: the pair layout on disk, its reader, and augmentation of pairs.

A *dataset* in this package is a folder in the *pair layout* (`x2x_core.pairs.layout`), whether it was built from MIMIC
(`x2x_core.dataset`), simulated (`x2x_core.simulation`) or released by the authors of the method.
"""
