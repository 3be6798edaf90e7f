"""`x2x study`: reader studies of synthetic radiographs."""

from __future__ import annotations

from .app import App
from .study_analyse import analyse
from .study_make import make
from .study_power import power
from .study_serve import serve

app = App(no_args_is_help=True, help="Run a reader study: make it, serve it, analyse it, plan its size.")
app.command("make")(make)
app.command("serve")(serve)
app.command("analyse")(analyse)
app.command("power")(power)
