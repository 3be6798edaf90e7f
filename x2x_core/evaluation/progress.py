"""Callback type for progress."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]  # called with the steps done and the total
