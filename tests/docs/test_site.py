"""The documentation as a site and as files: links, the order of the rooms, pages of the reference."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import typer
import yaml
from doc_pages import ROOT, pages
from programs import load_program

from x2x_core.cli import app
from x2x_core.edit.recommended import recommendations_of
from x2x_core.edit.settings import DEFAULT, PUBLISHED, RECOMMENDABLE, EditSettings
from x2x_core.evaluation.metrics.catalogue import METRICS
from x2x_core.language.vocabulary import FINDINGS

ROOMS_WITHOUT_A_PAGE = {"cli", "commands"}  # the reference of the command line covers them
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]*)\)")


@pytest.fixture(scope="module")
def hooks():
    return load_program("tools/site_hooks.py")


def rooms():
    """Rooms of the library from top to bottom, by the contract of the imports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(item for item in project["tool"]["importlinter"]["contracts"] if item["type"] == "layers")["layers"]
    names = [name.strip().removeprefix("x2x_core.") for layer in layers for name in re.split(r"[|:]", layer)]
    return [name for name in names if not name.startswith("_")]


def slug(heading):
    """The anchor of a heading, as GitHub and mkdocs make it of plain words."""
    text = re.sub(r"[*`]|\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@pytest.mark.parametrize("page", pages())
def test_links_lead_to_files_and_headings(page):
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        file = Path(os.path.normpath(ROOT / Path(page).parent / path)) if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [slug(heading) for heading in headings], f"{page}: {target}"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_page_of_the_rooms_lists_them_in_their_order():
    text = (ROOT / "docs" / "explanation" / "house.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| \S", text.split("Beside the library")[0], re.MULTILINE)
    assert listed == rooms()


def test_every_room_has_a_page_in_the_reference():
    folder = ROOT / "docs" / "reference" / "python"
    assert {file.stem for file in folder.glob("*.md")} == {*rooms(), "index"} - ROOMS_WITHOUT_A_PAGE


def test_the_reference_of_the_command_line_has_every_command_and_option(hooks):
    text = hooks.cli_reference()
    commands = hooks._commands(typer.main.get_command(app), "x2x")
    assert len(commands) > 10
    for name, command in commands:
        section = text.split(f"## {name}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or f"`{parameter.opts[0]}`" in section, (
                name,
                parameter.name,
            )


def test_the_findings_are_listed(hooks):
    table = hooks.findings_table()
    assert all(f"| {name} |" in table for name in FINDINGS)


def written(value):
    """A setting's value as the table of the settings writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return f"{min(value.values()):g} to {max(value.values()):g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value))
    return f"{value:g}" if isinstance(value, int | float) else value


# Settings that can be None, and what that means.
UNSET = {
    "soft_edge": "by finding",
    "padding_mask_crop": "no crop",
    "mask_context": "no window",
    "preset": "none",
    "solver": "own",
}


def test_the_table_of_the_settings_says_what_the_code_says():
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` " + r"\|(.*?)" * 4 + r"\|$", text, re.MULTILINE)
    table = {name: [cell.strip() for cell in cells] for name, *cells in rows}
    assert list(table) == [setting.name for setting in fields(EditSettings)]
    index = json.loads((ROOT / "models" / "demo" / "model_index.json").read_text(encoding="utf-8"))
    recommended = recommendations_of(index, {name: RECOMMENDABLE[name] for name in table if name in RECOMMENDABLE})
    options = {option for command in edit_options() for option in command}
    for name, (option, default, demo, published) in table.items():
        assert default == (written(getattr(DEFAULT, name)) or UNSET[name]), name
        assert published == (written(getattr(PUBLISHED, name)) or UNSET[name]), name
        assert demo == (written(recommended[name]) if name in recommended else ""), name
        assert not option or option.strip("`") in options, name


def edit_options():
    """Names of each option of `x2x edit`."""
    return [parameter.opts for parameter in typer.main.get_command(app).commands["edit"].params]


def test_every_metric_is_defined_and_has_a_second_source():
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    definitions = text.split("## The metrics")[1].split("\n## ")[0]
    missing = [key for key in METRICS if not re.search(rf"^\|[^|]*\b{key}\b|`{key}`", definitions, re.MULTILINE)]
    assert not missing


def test_every_node_is_in_a_list_of_nodes():
    text = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("nodes.md", "native.md"))
    nodes = [page.name for page in (ROOT / "web" / "docs").glob("*.md")]
    assert nodes and all(f"](../web/docs/{name})" in text for name in nodes)


def test_links_are_rewritten_for_the_site(hooks):
    pages_outside = hooks.outside_pages()
    text = "[card](../models/demo/README.md), [node](../web/docs/X2XEdit.md#Inputs), [text](../NOTICE)"
    rewritten = "[card](cards/demo.md), [node](nodes/X2XEdit.md#Inputs), [text](../NOTICE)"
    assert hooks.rewrite_links(text, "docs/nodes.md", pages_outside) == rewritten
    assert hooks.rewrite_links("[a](../../docs/audit.md)", "models/demo/README.md", pages_outside) == "[a](../audit.md)"
    code = "```\n[a](../models/demo/README.md)\n```"
    assert hooks.rewrite_links(code, "docs/nodes.md", pages_outside) == code


def test_every_page_is_in_the_navigation(hooks):
    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    named = re.findall(r"[\w/-]+\.md", json.dumps(config["nav"]))
    found = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    found += [page for page in hooks.outside_pages().values() if not page.startswith("nodes/")]  # linked from a table
    assert set(found) <= set(named) and len(named) == len(set(named))


def test_nothing_of_the_site_comes_from_the_network():
    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert config["theme"]["font"] == "false"
    assert "extra_javascript" not in config and "extra_css" not in config
    names = {name for plugin in config["plugins"] for name in (plugin if isinstance(plugin, dict) else [plugin])}
    assert names == {"search", "mkdocstrings"}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mkdocstrings") is None, reason="the extra `docs` is not installed")
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for page in tmp_path.rglob("*.html"):
        assert not re.search(
            r'<(script|img|iframe)[^>]+src="https?:|<link[^>]+stylesheet[^>]+href="https?:', page.read_text()
        )
