"""Code blocks of the documentation: found in the pages, run in a folder of samples."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("*.md", "docs/**/*.md", "examples/*.md", "models/*/README.md", "web/docs/*.md")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    Args:
        page: path of the page from the root of the repository.
        line: line of the block's first line of code, from 1.
        language: first word after the fence: "python", "console" (run by the tests), "" ...
        text: the code.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """Arguments of each `x2x` command in the block; lines that end with a backslash are joined."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("x2x ")]


@cache
def pages() -> list[str]:
    """Return the pages of the documentation, as paths from the root of the repository."""
    files = {file for pattern in PATTERNS for file in ROOT.glob(pattern)}
    return sorted(file.relative_to(ROOT).as_posix() for file in files)


@cache
def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(page, token.map[0] + 2, (token.info.split() or [""])[0], token.content)
        for token in MarkdownIt().parse(text)
        if token.type == "fence"
    ]


def all_blocks() -> list[Block]:
    """Return the fenced blocks of all pages."""
    return [block for page in pages() for block in blocks(page)]
