"""`x2x info`: list versions, devices, bundled files and the instruction language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x2x_core.common.bundled import BUNDLED, bundled_path

if TYPE_CHECKING:
    from x2x_core.language.vocabulary import Finding


def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show versions, devices, the bundled model and atlas, and the vocabulary of the instruction language."""
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


def _describe(finding: Finding) -> str:
    boxes = f"boxes of {finding.atlas_category}" if finding.atlas_category else "no boxes"
    return f"site: {finding.site}; {boxes}; also: {', '.join(finding.synonyms)}"


def _bundled(name: str) -> str:
    try:
        return str(bundled_path(name))
    except FileNotFoundError:
        return "missing"


def _lines(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [f"{key}: {value}" for key, value in content.items()]
    return [", ".join(content)]
