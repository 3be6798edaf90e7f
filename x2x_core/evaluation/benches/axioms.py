"""The axioms of counterfactuals: composition, reversibility, effectiveness.

Monteiro et al., *Measuring axiomatic soundness of counterfactual image models* (2023): an edit that asks for nothing
changes nothing; an edit that is taken back leaves the image as it was; an edit has the effect that was asked for, as a
classifier reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.benchmark.editing import edit_pairs
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.benchmark.standard_rows import SHARED
from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.estimates import as_values, estimates
from x2x_core.evaluation.metrics.flips import flips
from x2x_core.evaluation.metrics.measure import HIGHER, LOWER, Measure
from x2x_core.evaluation.metrics.undo import undo
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.results import Case, Metric, ResultRow, Results
from x2x_core.imaging.provenance import SYNTHETIC_NOTICE
from x2x_core.language.instruction import Instruction
from x2x_core.scorers.scorer import ImageScorer, score_images

OURS, EVERYWHERE = "edited", "no restriction"
WAYS: dict[str, dict[str, Any]] = {OURS: {}, EVERYWHERE: {"restricted": False}}
MEASURES = (
    Measure("composition", "Composition", "Axioms", LOWER,
            "mean change of grey value in the mask by an empty instruction", True, 2),
    Measure("composition_share", "Composition share", "Axioms", LOWER,
            "the same over the change that the instruction makes", True, 1),
    Measure("undo", "Reversibility", "Axioms", LOWER, "share of the change left after the reverse edit", True, 1),
    Measure("effectiveness", "Effectiveness", "Axioms", HIGHER,
            "added or removed findings predicted as requested", True, 1),
)  # fmt: skip
NO_SCORER = "no scorer of findings takes part"


def measure_axioms(
    pipeline: Any,
    pairs: Sequence[TruePair],
    seed: int,
    scorer: ImageScorer | None = None,
    call: Mapping[str, Any] | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Results:
    """Measure the axioms on pairs, restricted as usual and without restriction.

    Args:
        pipeline: an `InstructX2XPipeline`.
        pairs: their `before` is edited; `body` is resampled.
        seed: the n-th pair is edited with `seed + n`.
        scorer: classifier of findings, for effectiveness.
        call: arguments of the pipeline's call.
        about: further entries of the record.
        progress: called with the pairs done and in all.

    Raises:
        InputError: there are no pairs.
    """
    if not pairs:
        raise InputError("`pairs` must hold at least one pair, got none.")
    nothing = empty_prompt(pipeline)
    scores: dict[str, list[dict[str, float | None]]] = {name: [] for name in WAYS}
    for number, pair in enumerate(pairs):
        for name, way in WAYS.items():
            # an edit without restriction takes no settings of regions
            given = {key: value for key, value in (call or {}).items() if not way or key in SHARED}
            arguments = {**given, **way}
            scores[name].append(_measure(pipeline, pair, seed + number, arguments, nothing, scorer))
        if progress:
            progress(number + 1, len(pairs))
    counts = draw_counts([pair.body if pair.body is not None else n for n, pair in enumerate(pairs)],
                         torch.Generator().manual_seed(seed))  # fmt: skip
    rows = tuple(ResultRow(name, _estimates(own, counts, scorer)) for name, own in scores.items())
    cases = tuple(
        Case(f"{number:06d}", pair.instruction, {}, {name: own[number] for name, own in scores.items()})
        for number, pair in enumerate(pairs)
    )
    record = {
        "title": "Axioms of counterfactuals", "synthetic": True, "notice": SYNTHETIC_NOTICE, "seed": seed,
        "size": f"{len(pairs)} pairs", "compared": list(WAYS), "scorer": scorer.name if scorer else None,
        "measures": {
            measure.key: measure.described() for measure in MEASURES
        },
        **(about or {}),
    }  # fmt: skip
    return Results(record, rows, cases)


@torch.no_grad()
def empty_prompt(pipeline: Any) -> torch.Tensor:
    """Return the embedding of an empty instruction, `(1, tokens, width)`."""
    tokenizer, encoder = pipeline.tokenizer, pipeline.text_encoder
    tokens = tokenizer("", padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt")
    return encoder(tokens.input_ids.to(encoder.device))[0]


def _measure(
    pipeline: Any,
    pair: TruePair,
    seed: int,
    arguments: Mapping[str, Any],
    nothing: torch.Tensor,
    scorer: ImageScorer | None,
) -> dict[str, float | None]:
    """Return the axioms' measures for one pair edited in one way."""
    (edit,) = edit_pairs(pipeline, [pair], seed, **arguments)
    inside = edit.mask if bool(edit.mask.any()) else torch.ones_like(edit.mask)
    place = {} if arguments.get("restricted") is False else {"guidance_mask": inside[None]}
    empty = pipeline(
        pair.before[None], prompt_embeds=nothing, generator=seed, output_type="pt", **{**arguments, **place}
    )
    unasked = empty.images[0].detach().cpu().float().mean(0, keepdim=True)
    moved, made = (float((image - pair.before).abs()[inside].double().mean()) for image in (unasked, edit.image))
    found: dict[str, float | None] = {"composition": moved, "composition_share": moved / made if made else None}
    text = _reverse(pair.instruction)
    found["undo"] = None
    if text is not None:
        (back,) = edit_pairs(pipeline, [TruePair(edit.image, pair.before, text)], seed, **arguments)
        found["undo"] = undo(pair.before, edit.image, back.image, inside)
    if scorer is not None:
        old, new = score_images(scorer, torch.stack([pair.before, edit.image]).clamp(0, 1))
        counted = flips(Instruction.parse(pair.instruction), tuple(scorer.labels), old, new)
        found |= {"toggles": float(counted.toggles), "as_asked": float(counted.as_asked)}
    return found


def _reverse(text: str) -> str | None:
    """Return the instruction that undoes another one; ``None`` for free text and changes whose start is unknown."""
    clauses = Instruction.parse(text).clauses
    if not clauses:
        return None
    try:
        return str(Instruction(clauses=tuple(clause.reversed() for clause in clauses)))
    except InputError:
        return None


def _estimates(
    scores: Sequence[Mapping[str, float | None]], counts: torch.Tensor, scorer: ImageScorer | None
) -> dict[str, Metric]:
    keys = [measure.key for measure in MEASURES if measure.key != "effectiveness"]
    values = torch.stack([as_values([score[key] for score in scores]) for key in keys])
    metrics = dict(zip(keys, estimates(values, counts, ["mean"] * len(keys))))
    if scorer is None:
        return {**metrics, "effectiveness": Metric(None, note=NO_SCORER)}
    shares = as_values([_share(score) for score in scores])
    return {**metrics, "effectiveness": estimates(shares[None], counts, ["mean"])[0]}


def _share(score: Mapping[str, float | None]) -> float | None:
    toggles, as_asked = score["toggles"], score["as_asked"]
    return as_asked / toggles if toggles and as_asked is not None else None
