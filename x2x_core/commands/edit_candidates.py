"""`--candidates` of `x2x edit`: several seeds, judged, and the best of them as the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x2x_core.common.errors import InputError

from .loading import choose_device

if TYPE_CHECKING:
    from x2x_core.candidates import Candidates, Verifier
    from x2x_core.imaging.files import Radiograph


@dataclass(frozen=True)
class CandidateOptions:
    """Options of the candidates."""

    candidates: Annotated[
        int | None,
        typer.Option(
            help="Number of seeds, from --seed upwards: edit all as one batch, judge them and keep the best.",
            show_default="one edit, not judged",
        ),
    ] = None
    candidate_scorer: Annotated[
        str | None,
        typer.Option(
            help="Classifier that judges the candidates: bundled (simulated radiographs), torchxrayvision:NAME, or a "
            "TorchScript or ONNX file.",
            show_default="none: pixels alone",
        ),
    ] = None

    @property
    def number(self) -> int | None:
        """The number of candidates; ``None`` for a plain edit."""
        return self.candidates

    def check(self, dry_run: bool) -> None:
        """Check that the options go together.

        Raises:
            InputError: they don't.
        """
        if self.candidates is not None and self.candidates < 1:
            raise InputError(f"`--candidates` must be at least 1, got {self.candidates}.")
        if self.candidate_scorer is not None and self.candidates is None:
            raise InputError("`--candidate-scorer` requires `--candidates`.")
        if dry_run and self.candidates is not None:
            raise InputError("`--candidates` must be left out with `--dry-run`: nothing is edited.")

    def files(self, seed: int) -> tuple[str, ...]:
        """Return the names of the candidates' pictures."""
        return tuple(_file(seed + number) for number in range(self.candidates or 0))

    def verifier(self, device: str | None) -> Verifier | None:
        """Return what judges the candidates; ``None`` for a plain edit.

        Raises:
            InputError: a name that is not a classifier.
        """
        if self.candidates is None:
            return None
        from x2x_core.candidates import Verifier
        from x2x_core.scorers.loading import load_scorer
        from x2x_core.scorers.scorer import PROBABILITY

        if self.candidate_scorer is None:
            return Verifier()
        return Verifier(findings=load_scorer(self.candidate_scorer, PROBABILITY, choose_device(device)))


def candidates_record(found: Candidates | None, verifier: Verifier | None) -> dict[str, Any]:
    """Return the entries of `result.json` about the candidates; none for a plain edit."""
    if found is None or verifier is None:
        return {}
    record = found.as_dict()
    return {
        "candidates": {
            "scorer": None if verifier.findings is None else verifier.findings.name,
            **record,
            "all": [{**candidate, "file": _file(candidate["seed"])} for candidate in record["all"]],
        }
    }


def encode_candidates(found: Candidates | None, radiograph: Radiograph, record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the pictures of all candidates by name, at the radiograph's depth."""
    import torch

    from x2x_core.archive.edit_record import carried
    from x2x_core.imaging.files import encode_png, to_values
    from x2x_core.imaging.provenance import synthetic_metadata

    if found is None:
        return {}
    images = found.output.images
    assert isinstance(images, torch.Tensor)  # output_type="pt"
    return {
        _file(candidate.seed): encode_png(
            to_values(images[[candidate.number]].detach().cpu().float(), radiograph.bit_depth),
            synthetic_metadata({**carried(record), "seed": candidate.seed}),
        )
        for candidate in found.all
    }


def print_candidates(found: Candidates | None) -> None:
    """Print the candidates from the best, with the failures of each."""
    if found is None:
        return
    for candidate in found.ranked:
        reasons = " ".join(candidate.verdict.reasons) or "passed"
        typer.echo(f"Seed {candidate.seed}, {candidate.verdict.scores.total:.2f}: {reasons}")
    if not found.best.verdict.passed:
        typer.echo("No candidate passed: the result is the one with the fewest reasons against it.")


def _file(seed: int) -> str:
    return f"candidate-{seed}.png"
