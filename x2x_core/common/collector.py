"""Python's cyclic garbage collector, kept from passing over imported modules again and again.

Importing PyTorch, transformers and diffusers makes hundreds of thousands of objects that live until the process ends.
With the interpreter's own threshold, the collector runs some hundred times meanwhile and frees nothing.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects made, less those freed, until the next pass over the young ones, and passes of each generation until one of
# the next: as for type checkers and other short-lived programs with many objects.
_THRESHOLDS = (100_000, 50, 100)


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the collector in a block that imports heavy modules; leave it as it was found."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def rare_collection() -> Iterator[None]:
    """Collect rarely in a block that is a whole program; thresholds are restored after it.

    When the interpreter exits, what still lives is exempted from its last passes.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
