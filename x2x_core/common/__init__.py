"""Foundations: bundled files, errors, atomic writes, warnings kept for a record, random draws."""
