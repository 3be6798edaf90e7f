"""The report of a record: one HTML page from Jinja2 templates, the record as CSV, figures as PNG and SVG."""

from x2x_core._moved import MOVED_FROM_PACKAGES, moved_names

__getattr__ = moved_names(__name__, MOVED_FROM_PACKAGES[__name__])
