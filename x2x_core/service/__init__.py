"""Serve edits to colleagues over HTTP, with a page for people who install nothing: `x2x serve`."""
