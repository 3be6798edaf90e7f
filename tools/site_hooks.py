"""Hooks of mkdocs for the documentation site, see mkdocs.yml.

Links in the pages are paths in the repository, so that they work where the repository is browsed. For the site, pages
outside docs/ are added (cards of the models, help of the nodes, changelog), links are rewritten, and the reference of
the command line is written from the command line itself.
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).resolve().parents[1]
# A Markdown link's target: relative, with an anchor or without.
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(\))")
FENCE = re.compile(r"(^```.*?^```\s*?$)", re.MULTILINE | re.DOTALL)
CLI_PAGE = "reference/cli.md"
FINDINGS_MARK = "<!-- findings -->"


def outside_pages() -> dict[str, str]:
    """Return the pages outside docs/ that join the site: path in the repository to path in the site."""
    pages = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
    for card in _sorted("models/*/README.md"):
        pages[f"models/{card.parent.name}/README.md"] = f"cards/{card.parent.name}.md"
    return pages | {f"web/docs/{page.name}": f"nodes/{page.name}" for page in _sorted("web/docs/*.md")}


def site_link(target: str, source: str, pages: dict[str, str]) -> str | None:
    """Return a link of a page of the repository as a link of the site; ``None`` if the site lacks its target.

    Args:
        target: the link's relative path.
        source: the page's path in the repository.
        pages: `outside_pages()`.
    """
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if path in pages:
        place = pages[path]
    elif path.startswith("docs/"):
        place = path.removeprefix("docs/")
    else:
        return None
    own = pages.get(source, source.removeprefix("docs/"))
    return posixpath.relpath(place, posixpath.dirname(own) or ".")


def rewrite_links(text: str, source: str, pages: dict[str, str]) -> str:
    """Return a page with its relative links as links of the site; those to other files become the path alone.

    Code blocks stay as they are.
    """

    def rewrite(match: re.Match[str]) -> str:
        opening, target, anchor, closing = match.groups()
        link = site_link(target, source, pages)
        return match[0] if link is None else f"{opening}{link}{anchor or ''}{closing}"

    parts = FENCE.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(rewrite, part) for part in parts)


def cli_reference() -> str:
    """Return the page of the command line: each command's text, arguments and options."""
    import typer

    from x2x_core.cli import app

    lines = ["# Command line", "", "The command `x2x`, as `x2x COMMAND --help` prints it.", ""]
    for name, command in _commands(typer.main.get_command(app), "x2x"):
        lines += _command_section(name, command)
    return "\n".join(lines)


def findings_table() -> str:
    """Return the findings of the vocabulary with their sites and other words, as a table."""
    from x2x_core.language.vocabulary import FINDINGS

    rows = [f"| {name} | {finding.site} | {', '.join(finding.synonyms)} |" for name, finding in FINDINGS.items()]
    return "\n".join(["| Finding | Site | Other words |", "|---|---|---|", *rows])


def _commands(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(name, command)]
    return [entry for child, below in children.items() for entry in _commands(below, f"{name} {child}")]


def _command_section(name: str, command: click.Command) -> list[str]:
    text = re.sub(r"\[/?[a-z ]+\]", "", command.help or "").replace("\b", "")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    rows = [_parameter_row(parameter) for parameter in command.params if parameter.name != "help"]
    table = ["| | | Default |", "|---|---|---|", *rows, ""] if rows else []
    return [f"## {name}", "", *(line for part in paragraphs for line in (html.escape(part, quote=False), "")), *table]


def _parameter_row(parameter: click.Parameter) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name or "").upper().strip("{}[].")
        names = [name + ("..." if parameter.nargs == -1 else "")]
    default, note = parameter.default, ""
    if parameter.required:
        note = "required"
    elif isinstance(shown := getattr(parameter, "show_default", None), str):
        note = shown
    elif isinstance(default, str | int | float | Path) and default is not False:
        note = f"`{default}`"
    cells = (", ".join(f"`{name}`" for name in names), getattr(parameter, "help", None) or "", note)
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _sorted(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern))


def on_files(files: Any, config: Any) -> Any:
    """Add the pages outside docs/ and the generated page of the command line."""
    from mkdocs.structure.files import File

    for source, place in outside_pages().items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text(encoding="utf-8")))
    files.append(File.generated(config, CLI_PAGE, content=cli_reference()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Rewrite the links of a page, and write the findings where it asks for them."""
    if FINDINGS_MARK in markdown:
        markdown = markdown.replace(FINDINGS_MARK, findings_table())
    pages = outside_pages()
    sources = {place: source for source, place in pages.items()}
    return rewrite_links(markdown, sources.get(page.file.src_uri, f"docs/{page.file.src_uri}"), pages)
