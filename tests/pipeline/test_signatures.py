"""The public calls show their arguments: to `inspect`, to `help()`, to editors and to diffusers."""

import inspect
from dataclasses import fields

import pytest

from x2x_core import InstructX2XPipeline
from x2x_core.edit.arguments import CallArguments, EditKwargs, GuidanceKwargs, RelevanceKwargs, names_of
from x2x_core.edit.settings import EditSettings
from x2x_core.edit.signature import documented_arguments, documented_fields
from x2x_core.guidance.mask_settings import MaskSettings

CALLS = {"__call__": EditKwargs, "guidance": GuidanceKwargs, "relevance": RelevanceKwargs}


@pytest.mark.parametrize("name", CALLS)
def test_signature_documentation_and_types_name_the_same_arguments(name):
    call, typed = getattr(InstructX2XPipeline, name), names_of(CALLS[name])
    signature = list(inspect.signature(call).parameters)
    assert signature == ["self", "image", "prompt", *typed]
    assert list(documented_arguments(call.__doc__)) == ["image", "prompt", *typed]


@pytest.mark.parametrize("name", CALLS)
def test_a_bound_call_shows_its_arguments_and_defaults(pipe, name):
    parameters = inspect.signature(getattr(pipe, name)).parameters
    assert "self" not in parameters and parameters["generator"].default is None
    assert parameters["reference"].default is False and parameters["num_images_per_prompt"].default == 1
    assert all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())


def test_the_calls_accept_each_setting_and_argument_that_is_defined():
    defined = {own.name for own in fields(EditSettings)} | {own.name for own in fields(CallArguments)}
    assert set(names_of(EditKwargs)) == defined
    assert set(names_of(RelevanceKwargs)) < set(names_of(GuidanceKwargs)) < set(names_of(EditKwargs))


def test_each_argument_is_documented_where_it_is_defined():
    for definition in (EditSettings, CallArguments):
        assert sorted(documented_fields(definition)) == sorted(own.name for own in fields(definition))
    assert "mask_rule" in documented_arguments(MaskSettings.__doc__)
    assert "mask_rule" not in documented_arguments(EditSettings.__doc__)


def test_help_shows_what_an_argument_means():
    text = inspect.getdoc(InstructX2XPipeline.__call__)
    assert "remove small islands of the mask" in text and "as the caller gave them" not in text
    assert "edit_strength: opacity of the edit over the original, [0, 1]" in text and "Returns:" in text


def test_diffusers_sees_the_parts_and_options_of_the_constructor():
    modules, options = InstructX2XPipeline._get_signature_keys(InstructX2XPipeline)
    assert "deprecated" not in modules and "recommended" in options
    types = InstructX2XPipeline._get_signature_types()
    assert "unet" in types and "deprecated" not in types
