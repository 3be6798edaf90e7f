"""The trained editing model as a pipeline: its settings, and its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.checkpoint_layout import MODEL_INDEX, OPTIONAL_PARTS
from x2x_core.common.errors import InputError
from x2x_core.edit.recommended import recommendations_of
from x2x_core.edit.saved_pseudomasks import saved_pseudomasks
from x2x_core.edit.settings import RECOMMENDABLE
from x2x_core.language.clauses import Clause
from x2x_core.language.instruction import Instruction
from x2x_core.language.levels import check_levels, levels_in
from x2x_core.language.vocabulary import listed_names
from x2x_core.pairs.layout import Row, findings_of
from x2x_core.pipeline import InstructX2XPipeline

from ..config import TrainingConfig
from ..init_weights import resolve_init
from ..model_card import write_card
from .lora import merged, save_adapters
from .loss import EditLoss
from .parts import EditParts


def make_pipeline(parts: EditParts, module: EditLoss, settings: dict[str, Any]) -> InstructX2XPipeline:
    """Return the pipeline of a module's U-Net and text encoder with the other parts and settings of a run."""
    absent: dict[str, Any] = dict.fromkeys(OPTIONAL_PARTS)
    return InstructX2XPipeline(
        vae=parts.vae,
        text_encoder=module.text_encoder,
        tokenizer=parts.tokenizer,
        unet=module.unet,
        scheduler=parts.scheduler,
        requires_safety_checker=False,
        **absent,
        **settings,
    )


def pipeline_settings(config: TrainingConfig, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the pipeline's settings: those of the initial checkpoint, the findings it was trained on, and its hints.

    Args:
        config: the run.
        rows: the training pairs.
    """
    index: dict[str, Any] = {"canonical_prompts": True}  # from scratch, the simulator's wording is all it has seen
    atlas = None
    if config.init:
        folder = Path(resolve_init(config))
        index = json.loads((folder / MODEL_INDEX).read_text(encoding="utf-8"))
        atlas = saved_pseudomasks(index, folder)
    return {
        "canonical_prompts": index.get("canonical_prompts", False),
        "recommended": {**recommendations_of(index, RECOMMENDABLE), **_hints(config)},
        "trained_findings": trained_findings(findings_of(rows), index),
        "trained_levels": trained_levels(rows, index),
        "pseudomasks": atlas,
    }


def _hints(config: TrainingConfig) -> dict[str, Any]:
    """Return the settings with which an edit gives the hints of the training."""
    return {"draw_extent": True, "find_extent": True, "place_hint": config.place_hint} if config.place_hint else {}


def trained_findings(findings: Sequence[str], index: dict[str, Any]) -> str | None:
    """Return the findings of the data and of the initial checkpoint, separated by commas.

    Args:
        findings: those of the data.
        index: model index of the initial checkpoint.

    Returns:
        ``None`` if the initial checkpoint is one of this project that does not state its findings.
    """
    if _says_nothing(index, "trained_findings"):
        return None
    return ", ".join(sorted({*findings, *listed_names(index.get("trained_findings") or "")}))


def trained_levels(rows: Sequence[Row], index: dict[str, Any]) -> dict[str, list[str]] | None:
    """Return the levels of each finding in the data, and those that the initial checkpoint states.

    Args:
        rows: the training pairs.
        index: model index of the initial checkpoint.

    Returns:
        ``None`` if the initial checkpoint is one of this project that does not state its levels.
    """
    if _says_nothing(index, "trained_levels"):
        return None
    named = levels_in(clause for text in dict.fromkeys(row.instruction for row in rows) for clause in _clauses(text))
    known: dict[str, list[str]] = {**(index.get("trained_levels") or {})}
    for finding, levels in named.items():
        known[finding] = [*known.get(finding, ()), *levels]
    return check_levels("trained_levels", {finding: known[finding] for finding in sorted(known)})


def _says_nothing(index: dict[str, Any], name: str) -> bool:
    """Return True for a checkpoint of this project that leaves a fact about its training open.

    It may have seen more than the data of a further training, so the new checkpoint cannot state the fact either. A
    checkpoint of another project has seen nothing that counts.
    """
    return index.get(name) is None and index.get("_class_name") == "InstructX2XPipeline"


def _clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of an instruction; none for a text that the language refuses, which a dataset may hold."""
    try:
        return Instruction.parse(text, strict=False).clauses
    except InputError:
        return ()


def save_pipeline(pipeline: InstructX2XPipeline, config: TrainingConfig, folder: Path, pairs: int) -> None:
    """Write a pipeline in float16 with its model card; adapters are merged, and also written alone to `lora/`.

    Args:
        pipeline: converted to float16 in place.
        config: the run.
        folder: written to.
        pairs: number of training pairs.
    """
    if config.lora_rank:
        unet = pipeline.unet
        save_adapters(unet, folder.parent / "lora")
        pipeline.register_modules(unet=merged(unet))
    pipeline.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    write_card(config, folder, pairs=pairs)
