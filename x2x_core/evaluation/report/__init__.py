"""Reports and figures of a recorded run."""

from x2x_core._moved import MOVED_FROM_PACKAGES, moved_names

__getattr__ = moved_names(__name__, MOVED_FROM_PACKAGES[__name__])
