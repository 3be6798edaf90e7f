"""Plan of a reading set: which films are edited, by which requests and seeds, and which stay as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import READING, seeded_generator
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.folder import Film
from x2x_core.simulation.films.selection import in_turn
from x2x_core.simulation.findings import SEVERITY, SIDED, SIMULATED_FINDINGS, ZONAL, ZONES, levels_of
from x2x_core.simulation.lesions import Lesion, choose, draw_seed

EDIT, REMOVAL, UNEDITED, DRAWN = "edit", "removal", "unedited", "drawn"  # kinds of entries
STRONG, WEAK = "strong", "weak"  # which levels are requested
LEVELS = {STRONG: "the two strongest levels of a finding", WEAK: "the levels below moderate"}
FILMS_PER_FINDING = 8  # by default
_ORDER, _DRAWS = range(2)  # streams of a plan


@dataclass(frozen=True)
class ReadingSettings:
    """Settings that decide a reading set.

    Args:
        model: name of the model.
        films: folder of the films.
        labels: table of patients and findings, or ``None``.
        seed: of the choice of films and places; the edits of the n-th series have the seed `seed + n`.
        levels: "strong" or "weak", see `LEVELS`.
        films_per_finding: films that are edited for each finding, at each level; the other numbers follow.
        call: arguments of the pipeline's call.

    Raises:
        InputError: a setting out of range.
    """

    model: str = "demo"
    films: str = ""
    labels: str | None = None
    seed: int = 0
    levels: str = STRONG
    films_per_finding: int = FILMS_PER_FINDING
    call: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.levels not in LEVELS:
            raise InputError(f"`levels` must be one of {', '.join(LEVELS)}, got {self.levels!r}.")
        if self.films_per_finding < 1:
            raise InputError(f"`films_per_finding` must be at least 1, got {self.films_per_finding}.")

    @property
    def removals_per_finding(self) -> int:
        """Removals of each finding: on films whose labels name it, then on drawn lesions."""
        return -(-self.films_per_finding // 4)

    @property
    def drawn_per_finding(self) -> int:
        """Films on which each finding is drawn, at each level: what a perfect edit would give."""
        return -(-self.films_per_finding // 8)

    @property
    def unedited(self) -> int:
        """Films that stay as they are."""
        return 2 * self.films_per_finding

    def levels_of(self, finding: str) -> tuple[str, ...]:
        """Return the levels that are requested of a finding, weakest first."""
        levels = levels_of(finding)
        return levels[-2:] if self.levels == STRONG else levels[: levels.index("moderate")]


@dataclass(frozen=True)
class Entry:
    """One picture to read, and its truth.

    Args:
        kind: "edit", "removal", "unedited" or "drawn" (a lesion drawn by the simulator).
        film: the film; its findings are those that its labels name.
        seed: of the edit; ``None`` for pictures that no model made.
        finding: that is requested or drawn; ``None`` for an unedited film.
        side: of the finding, if it has one and is stated.
        zone: like `side`.
        level: like `side`.
        instruction: text of the edit.
        series: number shared by the levels of one request on one film.
        lesion: that is drawn on the film: of "drawn", or before a removal on a film without the finding.
    """

    kind: str
    film: Film
    seed: int | None = None
    finding: str | None = None
    side: str | None = None
    zone: str | None = None
    level: str | None = None
    instruction: str | None = None
    series: int | None = None
    lesion: Lesion | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what the answer key says of the entry; the film's own path is left to the caller."""
        record = {name: value for name, value in vars(self).items() if name not in ("film", "lesion")}
        lesion = None if self.lesion is None else asdict(self.lesion)
        return {**record, "lesion": lesion, "known_findings": sorted(self.film.findings)}


def plan_reading(films: Sequence[Film], settings: ReadingSettings) -> list[Entry]:
    """Plan a reading set: edits, removals, unedited films and drawn lesions, not yet shuffled.

    Films take turns, patients first, so that few are used twice. Removals have films whose labels name the finding, all
    others films without a known finding as long as there are some. A finding is not requested on a film that shows it;
    one that all films show is left out.

    Args:
        films: suitable films.
        settings: numbers, levels and seed.
    """
    planner = _Planner(films, settings)
    removed = [entry for finding in SIMULATED_FINDINGS for entry in planner.removals(finding)]
    unedited = list(planner.unedited())
    added = [entry for finding in SIMULATED_FINDINGS for entry in planner.additions(finding, EDIT)]
    drawn = [entry for finding in SIMULATED_FINDINGS for entry in planner.additions(finding, DRAWN)]
    return [*added, *removed, *unedited, *drawn]


class _Planner:
    """Films with the number of their uses, and the draws."""

    def __init__(self, films: Sequence[Film], settings: ReadingSettings) -> None:
        self.films = in_turn(films, seeded_generator(settings.seed, READING, _ORDER))
        self.settings = settings
        self.generator = seeded_generator(settings.seed, READING, _DRAWS)
        self.uses: Counter[Hashable] = Counter()
        self.series = 0

    def take(self, count: int, fits: Callable[[Film], bool]) -> list[Film]:
        """Take up to `count` films that fit: those used least first, of these the ones without a known finding."""
        fitting = [film for film in self.films if fits(film)]
        taken = sorted(fitting, key=lambda film: (self.uses[film.path], bool(film.findings)))[:count]
        self.uses.update(film.path for film in taken)
        return taken

    def additions(self, finding: str, kind: str) -> Iterator[Entry]:
        """Yield a finding at each level on some films, edited or drawn; the levels of one film have one seed."""
        settings = self.settings
        count = settings.films_per_finding if kind == EDIT else settings.drawn_per_finding
        for number, film in enumerate(self.take(count, lambda film: finding not in film.findings)):
            side, zone = self.place(finding, number)
            shape, seed = draw_seed(self.generator), settings.seed + self.series
            for level in settings.levels_of(finding):
                clause = Clause(Operation.ADD, finding, side, zone, level=level)
                entry = Entry(kind, film, None, finding, side, zone, level, _text(clause), self.series)
                if kind == EDIT:
                    yield replace(entry, seed=seed)
                else:
                    lesion = Lesion(finding, side, zone, level, SEVERITY[level], shape)
                    yield replace(entry, lesion=lesion)
            self.series += 1

    def removals(self, finding: str) -> Iterator[Entry]:
        """Yield removals of a finding: from films whose labels name it, then of drawn lesions."""
        count = self.settings.removals_per_finding
        real = self.take(count, lambda film: finding in film.findings)
        for film in real:
            yield self.removal(film, Clause(Operation.REMOVE, finding))
        for number, film in enumerate(self.take(count - len(real), lambda film: finding not in film.findings)):
            side, zone = self.place(finding, number)
            level = "moderate"
            lesion = Lesion(finding, side, zone, level, SEVERITY[level], draw_seed(self.generator))
            yield replace(self.removal(film, Clause(Operation.REMOVE, finding, side, zone)), level=level, lesion=lesion)

    def removal(self, film: Film, clause: Clause) -> Entry:
        """Return a removal with the next seed."""
        seed, self.series = self.settings.seed + self.series, self.series + 1
        return Entry(REMOVAL, film, seed, clause.finding, clause.side, clause.zone, None, _text(clause))

    def unedited(self) -> Iterator[Entry]:
        """Yield films as they are, those without a known finding first."""
        count = self.settings.unedited
        clean = self.take(count, lambda film: not film.findings)
        for film in (*clean, *self.take(count - len(clean), lambda film: bool(film.findings))):
            yield Entry(UNEDITED, film)

    def place(self, finding: str, number: int) -> tuple[str | None, str | None]:
        """Return side and zone: sides take turns, zones are drawn."""
        side = ("right", "left")[number % 2] if finding in SIDED else None
        zone = choose(tuple(ZONES), self.generator) if finding in ZONAL else None
        return side, zone


def _text(clause: Clause) -> str:
    return str(Instruction(clauses=(clause,)))


def shuffle(films: Sequence[Hashable], generator: torch.Generator) -> list[int]:
    """Return a random order of pictures in which those of one film are far apart.

    The order has as many rounds as the film with most pictures. Each film's pictures go to different rounds.

    Args:
        films: of each picture.
        generator: draws the order.
    """
    rounds = max(Counter(films).values(), default=1)
    chosen = {film: torch.randperm(rounds, generator=generator).tolist() for film in dict.fromkeys(films)}
    order = torch.randperm(len(films), generator=generator).tolist()
    turns = {number: chosen[films[number]].pop() for number in order}
    return sorted(order, key=lambda number: turns[number])


def sheet_generator(settings: ReadingSettings, weights: str | None, part: int) -> torch.Generator:
    """Return the generator of the order of a part of a sheet.

    It depends on the weights too, so that a reader of one model's sheet knows nothing of another's.
    """
    return seeded_generator(settings.seed, READING, _DRAWS + part, int(weights[:8], 16) if weights else 0)
