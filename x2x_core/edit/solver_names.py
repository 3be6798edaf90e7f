"""Names of the solvers in `x2x_core.edit.solvers`, without its heavy imports."""

from __future__ import annotations

SOLVERS = ("DDIM", "Euler", "DPM++ 2M", "UniPC")
