"""Measures of edits, one a file, and the statistics over pairs that all of them share."""
