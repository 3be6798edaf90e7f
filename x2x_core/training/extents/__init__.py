"""Training of the extent finder."""
