"""Measures of edits and their statistics, one measure a file."""
