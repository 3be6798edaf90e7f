"""Groups of options: a dataclass in a command's signature stands for the options that are its fields."""

import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from x2x_core.cli import app
from x2x_core.commands.app import App
from x2x_core.commands.groups import spread_groups
from x2x_core.commands.setting_options import EditOptions, ScaleOptions
from x2x_core.common.errors import InputError
from x2x_core.edit.settings import EditSettings


@dataclass(frozen=True)
class Pair:
    first: Annotated[int, typer.Option(help="The first.")]
    second: Annotated[str, typer.Option("--second", "-s", help="The second.")] = "b"

    def __post_init__(self):
        if self.first < 0:
            raise InputError(f"`first` must be at least 0, got {self.first}.")


def show(*, name: Annotated[str, typer.Argument()], pair: Pair, loud: bool = False) -> None:
    typer.echo(f"{name} {pair} {loud}")


def run(*arguments):
    shown = App()
    shown.command()(show)
    return CliRunner().invoke(shown, arguments)


def test_a_group_becomes_its_options_in_its_place():
    assert list(inspect.signature(spread_groups(show)).parameters) == ["name", "first", "second", "loud"]
    assert run("x", "--first", "3").stdout == "x Pair(first=3, second='b') False\n"
    assert run("x", "--first", "3", "-s", "c", "--loud").stdout == "x Pair(first=3, second='c') True\n"


def test_options_of_a_group_without_a_default_are_required():
    failed = run("x")
    assert failed.exit_code == 2 and "--first" in failed.output


def test_what_a_group_refuses_names_the_option():
    failed = run("x", "--first", "-1")
    assert isinstance(failed.exception, InputError)
    assert str(failed.exception) == "`--first` must be at least 0, got -1."


def test_a_command_without_groups_stays_as_it_is():
    def plain(name: str, loud: bool = False) -> None:
        """Take no group."""

    assert spread_groups(plain) is plain


def test_only_given_options_are_arguments_of_a_call():
    assert ScaleOptions().arguments() == EditOptions(relevance_noise_level=[]).arguments() == {}
    given = EditOptions(steps=3, align=False, padding_mask_crop=False, relevance_noise_level=[0.5], strict=False)
    assert given.arguments() == {
        "num_inference_steps": 3, "align": False, "padding_mask_crop": False, "relevance_noise_level": [0.5],
        "strict": False,
    }  # fmt: skip
    assert EditOptions(reference=True, attention_gating=True).arguments() == {
        "reference": True,
        "attention_gating": True,
    }


def test_each_option_of_an_edit_is_a_setting_a_preset_or_strictness():
    everything = EditOptions(
        *(1, 1, 1, 1, "adaptive", 1, [1], 1, "both", True, "decoded", True, True, 1), 8, "fast", True, False
    )
    settings = {*EditSettings.__dataclass_fields__, "preset", "strict"}
    assert set(everything.arguments()) <= settings and len(everything.arguments()) == len(vars(everything))


@pytest.mark.parametrize("name", ["dataset", "simulated", "benchmark", "ablation", "films"])
def test_evaluations_that_edit_share_the_options_of_model_and_scales(name):
    parameters = {own.name: own for own in typer.main.get_command(app).commands["evaluate"].commands[name].params}
    edit = {own.name: own for own in typer.main.get_command(app).commands["edit"].params}
    for option in ("model", "device", "steps", "guidance_scale", "image_guidance_scale", "mask_threshold"):
        assert (parameters[option].opts, parameters[option].help) == (edit[option].opts, edit[option].help)
