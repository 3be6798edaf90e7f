"""The commands of `x2x`, one a file."""
