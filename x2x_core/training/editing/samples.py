"""Sample pictures of the editing model."""

from __future__ import annotations

from typing import Any

import torch

from x2x_core.common.seeds import SAMPLES, seeded_generator
from x2x_core.edit.prompt_length import fits
from x2x_core.pairs.layout import read_pair, read_pooled_rows
from x2x_core.pipeline import InstructX2XPipeline

from ..config import TrainingConfig

_COLUMNS = 8  # pairs in a sample grid


def sample_grid(pipeline: InstructX2XPipeline, config: TrainingConfig, device: torch.device) -> torch.Tensor:
    """Edit validation pairs; return input, guidance map, edit and truth in columns, `(1, H, W)` in [0, 1].

    Pairs whose instruction is longer than the text encoder reads are left out, unless all are.
    """
    pipeline.set_progress_bar_config(disable=True)
    settings: dict[str, Any] = {"num_inference_steps": config.sample_steps} if config.sample_steps else {}
    columns = []
    rows = read_pooled_rows(config.datasets, "val")
    short = [row for row in rows if fits(pipeline.tokenizer, row.instruction)]
    for number, row in enumerate((short or rows)[:_COLUMNS]):
        pair = read_pair(row, config.size)[:, None]
        generator = seeded_generator(config.seed, SAMPLES, number)
        result: Any = pipeline(pair[:1].to(device), row.instruction, generator=generator, output_type="pt", **settings)
        edited = result.images[0].mean(0, keepdim=True).cpu()
        columns.append(torch.cat([pair[0], result.guidance_map[0].cpu(), edited, pair[1]], dim=-2))
    return torch.cat(columns, dim=-1).float()
