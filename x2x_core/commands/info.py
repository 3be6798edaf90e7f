"""`x2x info`: what is installed, what ships, what can be asked for."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show versions, devices, the bundled model and atlas, and the words of the instruction language."""
    values = _collect()
    if as_json:
        typer.echo(json.dumps(values, indent=1))
        return
    for heading, content in values.items():
        typer.secho(heading, bold=True)
        for line in _lines(content):
            typer.echo(f"  {line}")


def _collect() -> dict[str, Any]:
    import torch

    from x2x_core.common.bundled import BUNDLED
    from x2x_core.imaging.provenance import versions
    from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES

    devices = ["cpu", *(f"cuda:{n} ({torch.cuda.get_device_name(n)})" for n in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        devices.append("mps")
    findings = {name: _describe(finding) for name, finding in FINDINGS.items()}
    return {
        "Versions": versions(),
        "Devices": devices,
        "Bundled": {name: _bundled(name) for name in BUNDLED},
        "Levels": list(LEVELS),
        "Sides": list(SIDES),
        "Zones": list(ZONES),
        "Findings": findings,
    }


def _describe(finding) -> str:
    where = f"boxes of {finding.category}" if finding.category else "no boxes"
    return f"site: {finding.site}; {where}; also: {', '.join(finding.synonyms)}"


def _bundled(name: str) -> str:
    from x2x_core.common.bundled import bundled_path

    try:
        return str(bundled_path(name))
    except FileNotFoundError:
        return "missing"


def _lines(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [f"{key}: {value}" for key, value in content.items()]
    return [", ".join(content)]
