"""Counterfactual radiograph pairs with exact ground truth, projected from a chest CT.

Disease is inserted into the *volume*, and the volume is projected before and after, so both images show the same
patient and the change is known at every pixel.
"""
