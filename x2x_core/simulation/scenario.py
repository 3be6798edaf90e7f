"""What is wrong with the simulated patient, before and after, and the instruction that leads from one to the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.randomness import uniform
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction

from .disease import DEFORMATIONS, DISEASES, SIDED, ZONAL, ZONES
from .thorax import Thorax

#: Levels that the simulator draws, with their severity in (0, 1].
SEVERITY = {"minimal": 0.10, "small": 0.28, "mild": 0.28, "moderate": 0.56, "large": 0.90, "severe": 0.90}

_SIZED = ("minimal", "small", "moderate", "large")
_GRADED = ("minimal", "mild", "moderate", "severe")
_BY_SIZE = frozenset({"pleural effusion", "pneumothorax"})
#: Cardiomegaly and edema are not called minimal: nobody would see them.
_NEVER_MINIMAL = frozenset({"cardiomegaly", "edema", "atelectasis", "lung opacity"})


@dataclass(frozen=True)
class Lesion:
    """One finding in one place. `seed` fixes its shape; `severity` is in (0, 1]."""

    finding: str
    side: str | None
    zone: str | None
    level: str
    severity: float
    seed: int


@dataclass(frozen=True)
class Scenario:
    """Lesions before and after, and the instruction between the two."""

    before: tuple[Lesion, ...]
    after: tuple[Lesion, ...]
    instruction: Instruction


@dataclass(frozen=True)
class Resting:
    """Which findings may be there without changing, and in which share [0, 1] of the scenarios one is.

    Raises `ValueError` for a finding that is not simulated, for none, and for a share out of range.
    """

    findings: tuple[str, ...] = tuple(DISEASES)
    share: float = 0.3

    def __post_init__(self) -> None:
        unknown = [finding for finding in self.findings if finding not in DISEASES]
        if unknown or not self.findings:
            got = f"{unknown[0]!r}" if unknown else "none"
            raise InputError(f"`resting` must name findings that are simulated ({', '.join(DISEASES)}), got {got}.")
        if not 0 <= self.share <= 1:
            raise InputError(f"`resting_share` must lie in [0, 1], got {self.share}.")


def levels_of(finding: str) -> tuple[str, ...]:
    """The levels that a finding is drawn at, weakest first."""
    levels = _SIZED if finding in _BY_SIZE else _GRADED
    return levels[1:] if finding in _NEVER_MINIMAL else levels


def _choose(options, generator: torch.Generator):
    return options[int(torch.randint(len(options), (), generator=generator))]


def sample_lesion(generator: torch.Generator, finding: str | None = None) -> Lesion:
    """Draw a lesion, of a given finding or of any."""
    finding = finding or _choose(tuple(DISEASES), generator)
    both = finding == "pleural effusion" and uniform(0, 1, generator) < 0.12
    side = ("bilateral" if both else _choose(("left", "right"), generator)) if finding in SIDED else None
    zone = _choose(tuple(ZONES), generator) if finding in ZONAL else None
    level = _choose(levels_of(finding), generator)
    seed = int(torch.randint(2**31, (), generator=generator))
    return Lesion(finding, side, zone, level, draw_severity(level, generator), seed)


def draw_severity(level: str, generator: torch.Generator) -> float:
    """The severity of a lesion of a level, in (0, 1]."""
    return min(1.0, max(0.03, SEVERITY[level] + uniform(-0.05, 0.05, generator)))


def sample_scenario(generator: torch.Generator, version: str = "mixed", resting: Resting = Resting()) -> Scenario:
    """Draw what is there, what changes, and how it is said.

    `version` is "v1" (findings alone), "v2" (levels, sides and zones) or "mixed" (mostly v2). `resting` says what else
    may be there.
    """
    count = 2 if uniform(0, 1, generator) < 0.12 else 1
    findings = [tuple(DISEASES)[i] for i in torch.randperm(len(DISEASES), generator=generator).tolist()]
    changing = [sample_lesion(generator, f) for f in findings[:count]]
    others = [finding for finding in findings[count:] if finding in resting.findings]
    stays = uniform(0, 1, generator) < resting.share and bool(others)
    before = [sample_lesion(generator, others[-1])] if stays else []
    after, clauses = list(before), []
    for lesion in changing:
        operation = _choose(_OPERATIONS, generator)
        old, new = _change(lesion, operation, generator)
        before += old
        after += new
        clauses.append(_clause(lesion, operation, old, new, version, generator))
    return Scenario(ordered(before), ordered(after), Instruction(clauses=tuple(clauses)))


#: Drawn with these frequencies: adding is what the program is mostly asked for.
_OPERATIONS = (Operation.ADD,) * 9 + (Operation.REMOVE,) * 6 + (Operation.CHANGE,) * 5


def _change(lesion: Lesion, operation: Operation, generator: torch.Generator) -> tuple[list, list]:
    if operation is Operation.ADD:
        return [], [lesion]
    if operation is Operation.REMOVE:
        return [lesion], []
    others = [level for level in levels_of(lesion.finding) if level != lesion.level]
    level = _choose(others, generator)
    return [lesion], [replace(lesion, level=level, severity=draw_severity(level, generator))]


def _clause(lesion, operation, old, new, version, generator) -> Clause:
    draw = lambda share: uniform(0, 1, generator) < share  # noqa: E731
    plain = version == "v1" or (version == "mixed" and draw(0.12))
    side = lesion.side if not plain and draw(0.97) else None
    zone = lesion.zone if side and draw(0.93) else None
    if operation is Operation.CHANGE:
        return Clause(operation, lesion.finding, side, zone, level=new[0].level, level_from=old[0].level)
    level = lesion.level if not plain and draw(0.85) else None
    return Clause(operation, lesion.finding, side, zone, level=level)


def ordered(lesions: list[Lesion]) -> tuple[Lesion, ...]:
    """Deformations first, then what fills the lung, in one fixed order."""
    order = ["cardiomegaly", *DISEASES]
    return tuple(sorted(lesions, key=lambda lesion: order.index(lesion.finding)))


def apply_lesions(thorax: Thorax, attenuation: torch.Tensor, lesions: tuple[Lesion, ...]) -> torch.Tensor:
    """Put lesions into a volume `(Z, Y, X)` (1 = water), one after another; the input is left as it is.

    A lesion that moves the anatomy moves it for all that come after it (`ordered` puts it first).
    """
    for number, lesion in enumerate(lesions, start=1):
        sides = ("right", "left") if lesion.side == "bilateral" else (lesion.side,)
        for side in sides:
            attenuation = DISEASES[lesion.finding](
                thorax,
                attenuation,
                side=side,
                zone=lesion.zone,
                severity=lesion.severity,
                generator=torch.Generator().manual_seed(lesion.seed),
            )
        if lesion.finding in DEFORMATIONS and number < len(lesions):
            shape = torch.Generator().manual_seed(lesion.seed)
            thorax = DEFORMATIONS[lesion.finding](thorax, severity=lesion.severity, generator=shape)
    return attenuation
