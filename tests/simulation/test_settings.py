"""Settings of the simulator: their record, and one set of defaults for all callers."""

import inspect
import subprocess
import sys

import pytest

from x2x_core.commands.simulate import simulate
from x2x_core.simulation.pairs import simulate_body
from x2x_core.simulation.scenario import sample_scenario
from x2x_core.simulation.settings import DEFAULTS, Resting, SimulationSettings


def defaults_of(function):
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


def test_the_command_line_and_the_library_share_the_defaults():
    command, body = defaults_of(simulate), defaults_of(simulate_body)
    for name in ("count", "seed", "size", "bits"):
        assert command[name] == getattr(DEFAULTS, name)
    assert command["schema"] == body["version"] == defaults_of(sample_scenario)["version"] == DEFAULTS.version
    assert command["resting_share"] == DEFAULTS.resting.share and body["resting"] == DEFAULTS.resting
    assert body["size"] == DEFAULTS.size


@pytest.mark.parametrize(
    "settings",
    [
        DEFAULTS,
        SimulationSettings(7, 3, 64, "v1", 16, 0.5, Resting(("edema",), 1.0)),
        SimulationSettings(10, version="benchmark"),
    ],
)
def test_a_record_is_read_back_equal(settings):
    record = settings.as_record("a CT")
    assert record["ct"] == "a CT" and record["synthetic"]
    assert SimulationSettings.from_record(record) == settings


def test_every_body_but_the_last_has_five_pairs():
    settings = SimulationSettings(12)
    assert [settings.pairs_of(body) for body in range(settings.bodies)] == [5, 5, 2]


def test_the_settings_do_not_import_torch():
    code = "import x2x_core.simulation.settings, sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
