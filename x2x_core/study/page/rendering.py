"""Render the page of a study: its styles, scripts and definition in one HTML file.

The page's policy forbids it every connection but that to the server it came from, if it came from one.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from x2x_core.study.definition import Study

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("store.js", "view.js", "form.js", "main.js")


def render(study: Study, server: dict[str, Any] | None = None) -> str:
    """Return the page of a study.

    Args:
        study: the study.
        server: what the page must know of its server: the "reader" whose answers it stores; ``None`` for a page that is
            opened as a file.
    """
    style, script = _text("study.css"), "\n(() => {\n'use strict'\n" + "\n".join(map(_text, _SCRIPTS)) + "})()\n"
    pictures = "'self' data:" if server else "'self' file: data:"
    policy = "; ".join(
        (
            "default-src 'none'",
            f"img-src {pictures}",
            f"style-src {_digest(style)}",
            f"script-src {_digest(script)}",
            f"connect-src {_connections(server)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    record = study.as_dict()
    if server is not None:
        record = {**record, "server": server, "orders": {server["reader"]: record["orders"][server["reader"]]}}
    parts = {
        "policy": policy,
        "title": html.escape(study.title),
        "style": style,
        "study": json.dumps(record, ensure_ascii=False).replace("<", "\\u003c"),
        "script": script,
    }
    return re.sub(r"{{(\w+)}}", lambda match: parts[match.group(1)], _text("study.html"))


def _connections(server: dict[str, Any] | None) -> str:
    return "'none'" if server is None else "'self'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
