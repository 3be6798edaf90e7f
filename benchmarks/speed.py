"""Measure what an edit costs in several ways, alternating in one run on the same weights and images.

    python benchmarks/speed.py --out benchmarks/results/speed-cpu.json

Compared are the published arithmetic, stock diffusers' InstructPix2Pix and ours: an edit whose mask is found, against
the number of edits at once, against the share of the image in a given mask, and a second edit of a prepared image; the
same with a model of Stable Diffusion's size at 512 x 512 pixels and random weights, of which only the cost can be
measured, in few steps; and the quality of the edits on simulated pairs. `benchmarks/speed_tables.py` writes the tables
of the documentation from the record. `--parts` chooses some of the parts, `--large-steps` and `--pairs` how long they
take.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from speed_meter import Meter
from speed_ways import OTHER_PROMPT, OURS, PEERS, REMOVAL, WAYS, Editor, Way, large_pipeline, rows_of, square_mask

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.evaluation.benchmark.ablation import AblationSettings, run_ablation
from x2x_core.evaluation.benchmark.plan import simulate_pairs
from x2x_core.evaluation.benchmark.rows import Row
from x2x_core.imaging.files import read_image
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.provenance import sha256_weights, versions

FILM = (3000, 2500)  # height and width of a film
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
LARGE_SHARES = (0.01, 0.1)  # of the large model
COMPLETE_SHARE = 0.1  # of the large model, edited in as many steps as without `--large-steps`
BATCHES = (1, 2, 4, 8)
CONTEXTS = (16, 32, 64, 96)  # around the mask, pixels
QUALITY = ("average_precision", "change_outside", "editable_share", "mse_ratio", "ssim", "direction", "closer")
Costs = dict[str, list[dict[str, Any]]]  # way to its costs, round by round


class Bench:
    """Measurements with one model.

    Args:
        pipe: the pipeline.
        image: `(1, C, H, W)` in [0, 1].
        rounds: each way is measured once in each, alternating.
    """

    def __init__(self, pipe: InstructX2XPipeline, image: torch.Tensor, rounds: int) -> None:
        self.editor, self.rounds = Editor.of(pipe), rounds
        cells = pipe.unet.config.sample_size
        self.side = cells * pipe.vae_scale_factor
        self.image = resize(image, (self.side, self.side))
        self.meter = Meter(pipe.unet, pipe.vae, cells**2, pipe.vae_scale_factor)

    def measure(self, calls: dict[str, Callable[[], Any]], warm: bool = True, rounds: int | None = None) -> Costs:
        """Return the costs of named calls, one of each in a round."""
        if warm:
            for call in calls.values():
                call()
        costs: Costs = {name: [] for name in calls}
        for _ in range(self.rounds if rounds is None else rounds):
            for name, call in calls.items():
                costs[name].append(asdict(self.meter.measure(call)))
        return costs

    def call(self, way: Way, **arguments: Any) -> Callable[[], Any]:
        """Return a call that edits the image in one way."""
        image = arguments.pop("image", self.image)
        return lambda: self.editor.edit(way, image, **arguments)

    def edits(self) -> Costs:
        """Return the costs of an edit whose mask is found."""
        for way in WAYS:  # a short edit of each warms up
            self.call(way, steps=1)()
        return self.measure({way.name: self.call(way) for way in WAYS}, warm=False)

    def batches(self) -> dict[str, Costs]:
        """Return the costs of several edits at once, of one image and of as many images, by their number, one round."""
        batches = {}
        for count in BATCHES:
            images = self.image.expand(count, -1, -1, -1)
            calls = {way.name: self.call(way, copies=count) for way in OURS}
            calls |= {f"{way.name}, each of its own image": self.call(way, image=images) for way in OURS}
            batches[str(count)] = self.measure(calls, warm=False, rounds=1)
        return batches

    def shares(
        self, ways: Sequence[Way], shares: Sequence[float] = SHARES, steps: int | None = None, prepared: Any = None
    ) -> dict[str, Costs]:
        """Return the costs of an edit inside a given mask, by its share; the last way also of a prepared image."""
        costs = {}
        for share in shares:
            given = {"guidance_mask": square_mask(share, self.side), "steps": steps}
            calls = {way.name: self.call(way, **given) for way in ways}
            if prepared is not None:
                calls[f"{ways[-1].name}, prepared"] = self.call(ways[-1], image=prepared, **given)
            costs[f"{share:g}"] = self.measure(calls, warm=False)
        return costs

    def again(self) -> Costs:
        """Return the costs of a first edit of the image, and of second ones, of the prepared image; mask found.

        A second edit has an instruction and seed of its own, or those of the first and another strength.
        """
        prepared = self.editor.pipe.prepare(self.image)
        self.call(OURS[0], image=prepared)()  # the first edit of it
        calls = {}
        for way in OURS:
            calls[way.name] = self.call(way, prompt=OTHER_PROMPT)
            calls[f"{way.name}, prepared"] = self.new_seeds(way, image=prepared, prompt=OTHER_PROMPT)
            calls[f"{way.name}, other strength"] = self.call(way, image=prepared, edit_strength=0.5)
        calls["a removal"] = self.call(OURS[0], prompt=REMOVAL)
        calls["a removal, prepared"] = self.new_seeds(OURS[0], image=prepared, prompt=REMOVAL)
        return self.measure(calls)

    def new_seeds(self, way: Way, **arguments: Any) -> Callable[[], Any]:
        """Return a call like that of `call` that takes another seed each time."""
        seeds = itertools.count(1)
        return lambda: self.call(way, first_seed=next(seeds), **arguments)()


def measure_film(model: str, rounds: int) -> dict[str, Any]:
    """Return the costs of an edit of a film of 2500 x 3000 pixels, mask found, and of a second edit, of the prepared.

    Args:
        model: as for `--model`.
        rounds: of the timings.
    """
    pipe, image = load(model)
    bench = Bench(pipe, image, rounds)
    film = resize(image, FILM)
    bench.call(OURS[0])()  # a small edit warms up
    costs = bench.measure({way.name: bench.call(way, image=film) for way in OURS}, warm=False)
    prepared = pipe.prepare(film)
    second = {f"{way.name}, prepared": bench.new_seeds(way, image=prepared, prompt=OTHER_PROMPT) for way in OURS}
    return {"size": list(FILM), "costs": costs | bench.measure(second, warm=False)}


def in_its_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a process of its own, whose peak memory is the function's."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def load(model: str) -> tuple[InstructX2XPipeline, torch.Tensor]:
    """Return the pipeline of a model, on the GPU if there is one, and the sample radiograph `(1, 1, H, W)`."""
    pipe = InstructX2XPipeline.from_pretrained(model)
    if torch.cuda.is_available():
        pipe.to("cuda")
    return pipe, read_image(bundled_path("sample")).pixels.mean(1, keepdim=True)


def measure_arithmetic(
    pipe: InstructX2XPipeline, image: torch.Tensor, rounds: int, steps: int | None = None
) -> dict[str, Any]:
    """Return the costs of an edit in other arithmetic, alternating, and how far each edit is from the first."""
    benches = {name: Bench(variant, image, rounds) for name, variant in variants_of(pipe).items()}
    calls = {name: bench.call(OURS[0], steps=steps) for name, bench in benches.items()}
    plain = calls["float32"]
    for count in sorted({1, torch.get_num_threads()}):
        name = f"{count} threads"
        benches[name], calls[name] = benches["float32"], with_threads(count, plain)
    first = plain().images.float()
    differences = {name: float((call().images.float() - first).abs().max()) for name, call in calls.items()}
    costs: Costs = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            costs[name].append(asdict(benches[name].meter.measure(call)))
    return {"costs": costs, "largest_difference": differences}


def measure_load(
    pipe: InstructX2XPipeline, image: torch.Tensor, rounds: int, steps: int | None = None
) -> dict[str, Any]:
    """Return the costs of an edit on one thread and on all while a busy process runs on each core."""
    bench = Bench(pipe, image, rounds)
    edit = bench.call(OURS[0], steps=steps)
    counts = sorted({1, torch.get_num_threads()})
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        costs = bench.measure({f"{count} threads": with_threads(count, edit) for count in counts})
    return {"processes": os.cpu_count() or 1, "costs": costs}


def variants_of(pipe: InstructX2XPipeline) -> dict[str, InstructX2XPipeline]:
    """Return the pipeline, and copies of it in other arithmetic."""
    copies = {name: InstructX2XPipeline.from_pipe(pipe, **networks(pipe)) for name in ("channels last", "bfloat16")}
    for network in (copies["channels last"].unet, copies["channels last"].vae):
        network.to(memory_format=torch.channels_last)
    copies["bfloat16"].to(torch.bfloat16)
    return {"float32": pipe, **copies}


def networks(pipe: InstructX2XPipeline) -> dict[str, Any]:
    """Return copies of a pipeline's networks."""
    return {name: copy.deepcopy(getattr(pipe, name)) for name in ("unet", "vae", "text_encoder")}


def with_threads(count: int, call: Callable[[], Any]) -> Callable[[], Any]:
    """Return a call that runs on a number of threads."""

    def run() -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            return call()
        finally:
            torch.set_num_threads(before)

    return run


def measure_large(pipe: InstructX2XPipeline, image: torch.Tensor, steps: int) -> dict[str, Any]:
    """Return the costs with a model of Stable Diffusion's size: masks given, few steps, one round."""
    bench = Bench(large_pipeline(pipe.tokenizer), image, rounds=1)
    mask = square_mask(1.0, bench.side)
    calls = {way.name: bench.call(way, steps=steps, guidance_mask=mask) for way in PEERS}
    return {
        "steps": steps,
        "parameters": {
            name: sum(weights.numel() for weights in getattr(bench.editor.pipe, name).parameters())
            for name in ("unet", "vae")
        },
        "whole": bench.measure(calls, warm=False),
        "shares": bench.shares(OURS[1:], LARGE_SHARES, steps),
        "complete": bench.shares(OURS[1:], (COMPLETE_SHARE,)),
    }


def measure_contexts(bench: Bench, count: int) -> dict[str, Any]:
    """Return quality and costs of edits in windows with several contexts around the mask."""
    ways = [Way("the whole canvas")]
    ways += [Way(f"{context} pixels", {"mask_context": context}) for context in CONTEXTS]
    rows = [Row(way.name, "in a window with this context", way.arguments, is_peer=False) for way in ways]
    costs = bench.measure({way.name: bench.call(way) for way in ways}, warm=False)
    return {**measure_quality(bench.editor.pipe, count, bench.side, rows), "costs": costs}


def measure_quality(pipe: InstructX2XPipeline, count: int, side: int, ways: Sequence[Row]) -> dict[str, Any]:
    """Return the quality of each way's edits on simulated pairs of the phantom, with intervals over bodies."""
    pairs = simulate_pairs("phantom", count, size=side)
    results = run_ablation(pipe, pairs, ways, AblationSettings(count)).results
    rows = {row.name: {key: asdict(row.metrics[key]) for key in QUALITY if key in row.metrics} for row in results.rows}
    return {"pairs": count, "rows": rows, "intervals": results.about["intervals"]}


def about(model: str) -> dict[str, Any]:
    """Describe machine, versions and model."""
    return {
        "model": model,
        "weights_sha256": sha256_weights(bundled_path("demo")) if model == "demo" else None,
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": versions(),
    }


def processor() -> str:
    """Return the name of the processor, or of its architecture where the system does not tell."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def parts(arguments: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """Yield the parts of the record that were chosen, each as it is measured."""
    pipe, image = load(arguments.model)
    bench = Bench(pipe, image, arguments.rounds)
    measured: dict[str, Callable[[], Any]] = {
        "edit": bench.edits,
        "again": bench.again,
        "batch": bench.batches,
        "share": lambda: bench.shares(OURS, prepared=pipe.prepare(bench.image)),
        "film": lambda: in_its_own_process(measure_film, arguments.model, arguments.rounds),
        "arithmetic": lambda: measure_arithmetic(pipe, image, 1),  # bfloat16 is slow
        "load": lambda: measure_load(pipe, image, arguments.rounds),
        "large": lambda: measure_large(pipe, image, arguments.large_steps),
        "quality": lambda: measure_quality(pipe, arguments.pairs, bench.side, rows_of(pipe)),
        "context": lambda: measure_contexts(bench, arguments.pairs),
    }
    for name in arguments.parts:
        yield name, measured[name]()


def main() -> None:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("edit", "again", "batch", "share", "film", "arithmetic", "load", "large", "quality", "context")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--rounds", type=int, default=3, help="of the timings of the model")
    parser.add_argument("--large-steps", type=int, default=2, help="denoising steps of the large model")
    parser.add_argument("--pairs", type=int, default=10, help="of the quality")
    parser.add_argument("--parts", nargs="+", default=list(names[:-1]), choices=names)
    parser.add_argument("--out", type=Path, help="file of the record (JSON)")
    arguments = parser.parse_args()
    record: dict[str, Any] = {"about": about(arguments.model)}
    for name, values in parts(arguments):
        record[name] = values
        print(f"{name} measured")
        if arguments.out:
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if not arguments.out:
        print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
