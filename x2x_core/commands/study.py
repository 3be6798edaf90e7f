"""`x2x study`: reader studies of synthetic radiographs."""

from __future__ import annotations

from .app import App
from .study_make import make

app = App(no_args_is_help=True, help="Run a reader study: make it, serve it, analyse it.")
app.command("make")(make)
