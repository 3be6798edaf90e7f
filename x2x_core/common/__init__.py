"""Foundations without a domain: bundled files, atomic writes, warnings kept for a record, random draws."""
