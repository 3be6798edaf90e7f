"""Answerers: models of every kind, asked the same yes-or-no questions about a radiograph."""
