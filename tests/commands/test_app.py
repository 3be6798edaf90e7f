"""Messages on the command line name the options that a user can type."""

import logging
import re
from dataclasses import fields

import pytest
import typer

from x2x_core.cli import app, main
from x2x_core.commands.app import PARAMETERS, App
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.edit.arguments import CallArguments
from x2x_core.edit.settings import EditSettings

# For each setting that `x2x edit` exposes, options that it refuses.
REFUSED = {
    "num_inference_steps": ("--steps", "0"),
    "mask_threshold": ("--mask-threshold", "1.4"),
    "mask_rule": ("--mask-rule", "none"),
    "relevance_samples": ("--relevance-samples", "0"),
    "relevance_noise_level": ("--relevance-noise-level", "3"),
    "edit_strength": ("--edit-strength", "2"),
    "guidance_scale": ("--guidance-scale", "inf"),
    "image_guidance_scale": ("--image-guidance-scale", "nan"),
    "relevance_source": ("--relevance-source", "words"),
    "attention_gating": ("--attention-gating", "--reference"),
    "composition": ("--composition", "blend"),
    "align": ("--align", "--reference"),
    "draw_place": ("--draw-place", "--reference"),
    "padding_mask_crop": ("--padding-mask-crop", "-3"),
    "keep_mask": ("--keep-mask", "none.png"),
    "mask_context": ("--mask-context", "-3"),
    "preset": ("--preset", "quick"),
    "reference": ("--reference", "--attention-gating"),
    "generator": ("--seed", "9" * 23),
}
ARGUMENTS = {setting.name for setting in fields(EditSettings)} | {own.name for own in fields(CallArguments)}


def leaves(command, path=()):
    """Yield each command of a click group with its path."""
    for name, child in command.commands.items():
        yield from leaves(child, (*path, name)) if hasattr(child, "commands") else [((*path, name), child)]


COMMANDS = dict(leaves(typer.main.get_command(app)))


def exposed(command):
    """Return the arguments of an edit that a command's options set, by the parameter's name."""
    names = {own.name for own in command.params if own.param_type_name == "option"}
    return {name: PARAMETERS.get(name, name) for name in ARGUMENTS if PARAMETERS.get(name, name) in names}


def test_each_setting_of_the_edit_command_is_tried():
    assert set(exposed(COMMANDS["edit",])) - {"strict"} == set(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_setting_is_named_as_its_option(capsys, tmp_path, tiny_folder, radiograph, name):
    radiograph.save(tmp_path / "chest.png")
    words = ("edit", str(tmp_path / "chest.png"), "Add edema.", "--model", str(tiny_folder), "-o", str(tmp_path / "o"))
    with pytest.raises(SystemExit) as left:
        main([*words, *REFUSED[name]])
    error = capsys.readouterr().err
    assert left.value.code == 2 and f"`{REFUSED[name][0]}`" in error
    assert not [own for own in re.findall(r"`([a-z_]+)\W", error) if own in exposed(COMMANDS["edit",])]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_command_that_sets_arguments_of_an_edit_names_them_as_options(path):
    command = COMMANDS[path]
    parameters = {own.name: own for own in command.params}
    for name, parameter in exposed(command).items():
        error = renamed(f"`{name}` must be something else.", command)
        assert error == f"`{max(parameters[parameter].opts, key=len)}` must be something else."


def renamed(message, command, **values):
    """Return what a command prints for an error of the library."""

    def fail(**_):
        raise InputNotFoundError(message)

    given = {own.name: None for own in command.params} | values
    context = type(command.make_context("x2x", [], resilient_parsing=True))(command)
    context.params = given
    callback, command.callback = command.callback, fail
    try:
        with pytest.raises(InputNotFoundError) as caught:
            command.invoke(context)
    finally:
        command.callback = callback
    return str(caught.value)


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("`mask_threshold` must be left out with `mask_rule='adaptive'`.",
         "`--mask-threshold` must be left out with `--mask-rule adaptive`."),
        ("`align` must be left out with `reference=True`.", "`--align` must be left out with `--reference`."),
        ("Fitted; `align=False` keeps the typical one.", "Fitted; `--no-align` keeps the typical one."),
        ("`prompt` must say what to edit.", "`prompt` must say what to edit."),
        ("`soft_edge` must lie in [0, 0.5].", "`soft_edge` must lie in [0, 0.5]."),
        ("`seed` of a body must be a number.", "`seed` of a body must be a number."),
        ("`model` must be a folder, but `steps` is none.", "`--model` must be a folder, but `steps` is none."),
    ],
)  # fmt: skip
def test_what_is_renamed(message, printed):
    assert renamed(message, COMMANDS["edit",], image="steps") == printed


def test_warnings_name_options_and_only_while_the_command_runs(capsys):
    application = App()
    logger = logging.getLogger("x2x_core.edit")

    @application.command()
    def warn(mask_threshold: float = 0.1):
        logger.warning("Lower `mask_threshold`.")
        logger.warning("Lower `mask_threshold`.")

    handlers = list(logging.getLogger("x2x_core").handlers)
    application([], standalone_mode=False)
    assert capsys.readouterr().err == "x2x: Lower `--mask-threshold`.\n"
    assert logging.getLogger("x2x_core").handlers == handlers and logging.getLogger("x2x_core").propagate


def test_python_callers_read_python_names():
    with pytest.raises(InputError, match="`mask_threshold` must lie in"):
        EditSettings(mask_threshold=2)
