"""Colours of pages and figures."""

from __future__ import annotations

INK, GREY, PALE = "#1d1d1f", "#6b6b70", "#e4e4e7"
OURS_COLOUR, PEER_COLOUR, REFERENCE_COLOUR = "#b3122a", "#2b5c8a", "#8a8a90"
THIRD_COLOUR = "#b9c7d6"  # third row of bars
