"""The library's warnings, kept for a record."""

from __future__ import annotations

import logging
from typing import Any


class Notes(logging.Handler):
    """Keeps the warnings that the library gives while it is open, each once, in `lines`."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() not in self.lines:
            self.lines.append(record.getMessage())

    def __enter__(self) -> Notes:
        logging.getLogger("x2x_core").addHandler(self)
        return self

    def __exit__(self, *_: Any) -> None:
        logging.getLogger("x2x_core").removeHandler(self)
