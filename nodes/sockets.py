"""Socket types of the pack's own, and what several nodes' schemas share."""

from __future__ import annotations

from comfy_api.latest import io

Pipeline = io.Custom("X2X_PIPELINE")
Atlas = io.Custom("X2X_ATLAS")
Settings = io.Custom("X2X_SETTINGS")

LOAD = "InstructX2X/Load"
INSTRUCT = "InstructX2X/Instruct"
GUIDE = "InstructX2X/Guide"
EDIT = "InstructX2X/Edit"

EXAMPLE = "Add the finding of moderate right pleural effusion."
LARGEST_SEED = 0xFFFFFFFFFFFFFFFF


def instruction_input(tooltip: str):
    """The instruction as a text field, which a link can take the place of."""
    return io.String.Input("instruction", multiline=True, default=EXAMPLE, tooltip=tooltip)


def seed_input(tooltip: str):
    """A seed, with ComfyUI's control of what happens to it after a run."""
    return io.Int.Input("seed", default=0, min=0, max=LARGEST_SEED, control_after_generate=True, tooltip=tooltip)


def check_choices(**chosen: tuple[object, tuple[str, ...]]) -> str | None:
    """A sentence on the first menu that holds none of its words; ``None`` where there is none.

    ComfyUI leaves inputs that `validate_inputs` names unchecked, so that a node that names a menu checks it itself.

    Args:
        chosen: for each menu its value (``None`` where it is linked) and its words.
    """
    for name, (value, options) in chosen.items():
        if value is not None and value not in options:
            return f"`{name}` must be one of {', '.join(options)}, got {value!r}."
    return None
