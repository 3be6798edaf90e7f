"""Collect the library's warnings for a record."""

from __future__ import annotations

import logging
from typing import Any


class Notes(logging.Handler):
    """Log handler that collects the library's warnings in `lines`, without duplicates, while it is open."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Collect the message of a record."""
        if record.getMessage() not in self.lines:
            self.lines.append(record.getMessage())

    def __enter__(self) -> Notes:
        logging.getLogger("x2x_core").addHandler(self)
        return self

    def __exit__(self, *_: Any) -> None:
        logging.getLogger("x2x_core").removeHandler(self)
