"""Socket types of the pack's own, and what several nodes' schemas share."""

from __future__ import annotations

from comfy_api.latest import io

Pipeline = io.Custom("X2X_PIPELINE")
Atlas = io.Custom("X2X_ATLAS")
Settings = io.Custom("X2X_SETTINGS")
Places = io.Custom("X2X_PLACES")

LOAD = "InstructX2X/Load"
INSTRUCT = "InstructX2X/Instruct"
GUIDE = "InstructX2X/Guide"
EDIT = "InstructX2X/Edit"

EXAMPLE = "Add the finding of moderate right pleural effusion."
LARGEST_SEED = 0xFFFFFFFFFFFFFFFF
RECOMMENDED = "recommended"  # the widgets' word for what the checkpoint recommends


def instruction_input(tooltip: str):
    """The instruction as a text field, which a link can take the place of."""
    return io.String.Input("instruction", multiline=True, default=EXAMPLE, tooltip=tooltip)


def seed_input(tooltip: str):
    """A seed, with ComfyUI's control of what happens to it after a run."""
    return io.Int.Input("seed", default=0, min=0, max=LARGEST_SEED, control_after_generate=True, tooltip=tooltip)


def noise_level_input(tooltip: str):
    """Noise levels of the relevance map as a text field, see `settings.read_levels`."""
    return io.String.Input("noise_level", default=RECOMMENDED, tooltip=tooltip)


def draws_input(tooltip: str):
    """Noise draws of the relevance map at each level; 0 leaves them to the checkpoint."""
    return io.Int.Input("draws", default=0, min=0, max=64, tooltip=tooltip)


def check_noise_level(text: str | None) -> bool | str:
    """Whether a text field holds noise levels; else a sentence."""
    from .work.settings import read_levels

    try:
        read_levels(text)
    except ValueError as error:
        return str(error)
    return True


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
