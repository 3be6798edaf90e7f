"""`x2x evaluate simulated`: edit simulated pairs and compare with the exact truth."""

from __future__ import annotations

import json

import typer

from . import evaluate_options as options
from .evaluate_pairs import PAIRS, PairSource, model_record
from .loading import load_pipeline
from .options import Device, Model
from .outputs import fresh_file
from .progress import progress_bar
from .tables import print_table


def simulated(
    model: Model = "demo",
    ct: options.OptionalCt = None,
    data: options.Data = None,
    split: options.DataSplit = None,
    count: options.PairCount = PAIRS,
    seed: options.OptionalSeed = None,
    out: options.JsonFile = None,
    steps: options.Steps = None,
    guidance_scale: options.GuidanceScale = None,
    image_guidance_scale: options.ImageGuidanceScale = None,
    mask_threshold: options.MaskThreshold = None,
    device: Device = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Edit simulated pairs that no training has seen, and compare with the exact truth.

    Prints, for all pairs, each operation and each finding, how often the change lies in the true region, has the right
    direction and brings the image closer to the truth, and how well the guidance map finds the exact region.

    Example: x2x evaluate simulated --ct ct-folder --count 200 -o scores.json
    """
    source = PairSource(ct, data, split, count, seed)
    out = out and fresh_file(out, overwrite)
    pipeline = load_pipeline(model, None, device, "float32")
    opened = source.open()
    from x2x_core.evaluation.benchmark.simulated import evaluate_pairs

    call = options.call_arguments(steps, guidance_scale, image_guidance_scale, mask_threshold)
    with progress_bar("Evaluating") as update:
        scores = evaluate_pairs(
            pipeline, opened.pairs, count=opened.count, seed=opened.seed, settings=opened.settings, progress=update,
            **call,
        )  # fmt: skip
    headings, *rows = scores.table()
    print_table(headings, rows)
    if out is not None:
        record = {**scores.as_dict(), **model_record(model)}
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        typer.echo(str(out))
