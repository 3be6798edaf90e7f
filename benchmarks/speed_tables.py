"""Write the tables of speed from the record of `benchmarks/speed.py`.

    python benchmarks/speed_tables.py benchmarks/results/speed-cpu.json docs/how-to/speed.md

The text between each pair of marks of a page, `<!-- NAME -->` and `<!-- /NAME -->`, is replaced. NAME is one of
`TABLES`; parts that the record lacks leave their table as it is.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from x2x_core.evaluation.benchmark.measures import MEASURES

Record = dict[str, Any]
GIBIBYTE = 2**30


def edit_table(record: Record) -> list[str]:
    """Return a line for each way, mask found."""
    costs = record["edit"]
    first = next(iter(costs))
    quality = record.get("quality", {}).get("rows", {})
    error = next(measure for measure in MEASURES if measure.key == "mse_ratio")
    titles = ["", "U-Net items", "VAE passes", "Seconds", "of them U-Net", "VAE", "Times cheaper", "Peak memory, GiB"]
    lines = head([*titles, f"{error.heading} {error.arrow}"])
    for way, rounds in costs.items():
        passes = rounds[0]["encoded"] + rounds[0]["decoded"]
        parts = [f"{median_of(rounds, part):.2f}" for part in ("unet_seconds", "vae_seconds")]
        cells = [way, str(rounds[0]["items"]), f"{passes:g}", seconds(rounds), *parts]
        metric = quality.get(way, {}).get(error.key, {})
        shown = "–" if metric.get("value") is None else error.text(metric["value"])
        lines.append(line([*cells, cheaper(costs[first], rounds), memory(rounds), shown]))
    return [*lines, "", machine(record["about"], len(costs[first]))]


def again_table(record: Record) -> list[str]:
    """Return a line for each way: a first edit of an image, and second ones, of the prepared image."""
    costs = record["again"]
    titles = ["", "First, seconds", "Second, seconds", "Times cheaper"]
    lines = head([*titles, "Another strength, seconds", "Times cheaper"])
    for way in (name for name in costs if f"{name}, prepared" in costs):
        cells = [way, seconds(costs[way])]
        for second in (costs.get(f"{way}, prepared"), costs.get(f"{way}, other strength")):
            cells += ["–", "–"] if second is None else [seconds(second), cheaper(costs[way], second)]
        lines.append(line(cells))
    return lines


def batch_table(record: Record) -> list[str]:
    """Return the edits a second, by the number of edits at once."""
    batches = record["batch"]
    ways = list(next(iter(batches.values())))
    lines = head(["Edits at once", *(f"{way}: edits a second" for way in ways)])
    for count, costs in batches.items():
        each = [f"{int(count) / median_of(costs[way], 'seconds'):.1f}" for way in ways]
        lines.append(line([count, *each]))
    return lines


def share_table(record: Record) -> list[str]:
    """Return the costs of each way by the share of the image in the given mask.

    They are items of whole size, seconds, the floor that is spent outside the U-Net, and the ratio to the first way of
    an edit whose mask is found.
    """
    published = median_of(next(iter(record["edit"].values())), "seconds") if "edit" in record else None
    ways = list(next(iter(record["share"].values())))
    lines = head(["Share of the image", *(f"{way}: whole items, seconds (floor), times cheaper" for way in ways)])
    for share, costs in record["share"].items():
        cells = []
        for way in ways:
            spent = median_of(costs[way], "seconds")
            ratio = "" if published is None else f", {published / spent:.0f}x"
            floor = spent - median_of(costs[way], "unet_seconds")
            cells.append(f"{median_of(costs[way], 'whole_items'):.3g}, {spent:.2f} ({floor:.2f}){ratio}")
        lines.append(line([f"{float(share):.0%}", *cells]))
    return lines


def film_table(record: Record) -> list[str]:
    """Return the costs of an edit of a film."""
    costs, (height, width) = record["film"]["costs"], record["film"]["size"]
    lines = head([f"{width} x {height}", "Seconds", "Peak memory, GiB", "Second edit, seconds", "Times cheaper"])
    for way in (name for name in costs if not name.endswith(", prepared")):
        second = costs[f"{way}, prepared"]
        lines.append(line([way, seconds(costs[way]), memory(costs[way]), seconds(second), cheaper(costs[way], second)]))
    return lines


def arithmetic_table(record: Record) -> list[str]:
    """Return the costs of an edit in other arithmetic, and its largest difference to that in float32."""
    costs, differences = record["arithmetic"]["costs"], record["arithmetic"]["largest_difference"]
    lines = head(["", "Seconds", "Times cheaper", "Peak memory, GiB", "Largest difference of grey"])
    for name, rounds in costs.items():
        ratio = cheaper(costs["float32"], rounds)
        lines.append(line([name, seconds(rounds), ratio, memory(rounds), f"{differences[name]:.4f}"]))
    return lines


def load_table(record: Record) -> list[str]:
    """Return the costs of an edit by the number of threads, beside busy processes."""
    load = record["load"]
    lines = head([f"Beside {load['processes']} busy processes", "Seconds", "Times cheaper"])
    first = next(iter(load["costs"].values()))
    for name, rounds in load["costs"].items():
        lines.append(line([name, seconds(rounds), cheaper(first, rounds)]))
    return lines


def goals_table(record: Record) -> list[str]:
    """Return the goals that were set for speed, with what the record says of each."""
    edit, share, again = record["edit"], record["share"], record["again"]
    best, fast = "ours, best", "ours, fast"

    def ratio(first: Sequence[dict[str, Any]], rounds: Sequence[dict[str, Any]]) -> float:
        return median_of(first, "seconds") / median_of(rounds, "seconds")

    published = edit["published arithmetic"]
    film = record["film"]["costs"]
    small = [costs[fast] for name, costs in share.items() if float(name) <= 0.1]
    goals = [
        ("An edit without a preset, times cheaper than the published arithmetic", ratio(published, edit[best]), 15),
        ("The same, times cheaper than stock diffusers", ratio(edit["stock diffusers"], edit[best]), 10),
        ("`fast` in given masks of up to 10%, likewise", min(ratio(published, rounds) for rounds in small), 40),
        ("A second edit of a prepared image, without a preset", ratio(again[best], again[f"{best}, prepared"]), 1.5),
        ("The same with `fast`", ratio(again[fast], again[f"{fast}, prepared"]), 1.5),
        ("The same of a film, without a preset", ratio(film[best], film[f"{best}, prepared"]), 1.5),
    ]
    lines = head(["", "Goal", "Measured", ""])
    for name, value, goal in goals:
        lines.append(line([name, f"at least {goal:g}", f"{value:.1f}", "met" if value >= goal else "missed"]))
    peak = max(cost["peak_bytes"] or 0 for name, rounds in film.items() if name in edit for cost in rounds) / 1e9
    limits = [("Peak memory of an edit of a film of 2500 x 3000 pixels, GB", peak, 2)]
    for share, costs in record.get("large", {}).get("complete", {}).items():
        name = f"`fast` with a model of Stable Diffusion's size, {float(share):.0%} of 512 x 512 pixels, seconds"
        limits.append((name, median_of(costs[fast], "seconds"), 60))
    for name, value, limit in limits:
        lines.append(line([name, f"below {limit:g}", f"{value:.1f}", "met" if value < limit else "missed"]))
    return lines


def large_table(record: Record) -> list[str]:
    """Return the costs of a model of Stable Diffusion's size for each item and picture, and by the share."""
    large = record["large"]
    lines = head(["", "Share", "U-Net items", "Of whole size", "Seconds", "Seconds an item", "VAE, s", "Peak, GiB"])
    rows = [(way, "100%", rounds) for way, rounds in large["whole"].items()]
    for share, costs in large["shares"].items():
        rows += [(way, f"{float(share):.0%}", rounds) for way, rounds in costs.items()]
    for share, costs in large["complete"].items():
        rows += [(f"{way}, all steps", f"{float(share):.0%}", rounds) for way, rounds in costs.items()]
    for way, share, rounds in rows:
        each = median_of(rounds, "unet_seconds") / max(median_of(rounds, "items"), 1)
        items, whole = median_of(rounds, "items"), median_of(rounds, "whole_items")
        spent = [f"{median_of(rounds, 'seconds'):.1f}", f"{each:.2f}", f"{median_of(rounds, 'vae_seconds'):.1f}"]
        lines.append(line([way, share, f"{items:g}", f"{whole:.3g}", *spent, memory(rounds)]))
    steps = f"{large['steps']} denoising step{'s' if large['steps'] > 1 else ''} each but for all steps"
    note = f"{steps}; random weights: costs alone, masks given."
    return [*lines, "", note]


def quality_table(record: Record) -> list[str]:
    """Return the measures of each way's edits, with intervals."""
    return _quality(record["quality"])


def context_table(record: Record) -> list[str]:
    """Return the measures of edits in windows, with their items of whole size."""
    context = record["context"]
    items = {name: f"{median_of(rounds, 'whole_items'):.3g}" for name, rounds in context["costs"].items()}
    return _quality(context, items)


def _quality(quality: Record, items: dict[str, str] | None = None) -> list[str]:
    keys = [key for key in (measure.key for measure in MEASURES) if key in next(iter(quality["rows"].values()))]
    measures = {measure.key: measure for measure in MEASURES}
    titles = [f"{measures[key].heading} {measures[key].arrow}".strip() for key in keys]
    lines = head(["", *(["U-Net items of whole size"] if items else []), *titles])
    for way, metrics in quality["rows"].items():
        cells = [items[way]] if items else []
        for key in keys:
            metric, shown = metrics[key], measures[key].text
            spread = "" if metric["low"] is None else f" ({shown(metric['low'])} to {shown(metric['high'])})"
            cells.append("–" if metric["value"] is None else shown(metric["value"]) + spread)
        lines.append(line([way, *cells]))
    return [*lines, "", f"{quality['pairs']} pairs simulated from the phantom; intervals: {quality['intervals']}."]


TABLES: dict[str, Callable[[Record], list[str]]] = {
    "goals": goals_table,
    "edit": edit_table,
    "again": again_table,
    "batch": batch_table,
    "share": share_table,
    "film": film_table,
    "arithmetic": arithmetic_table,
    "load": load_table,
    "large": large_table,
    "quality": quality_table,
    "context": context_table,
}


def median_of(rounds: Sequence[dict[str, Any]], name: str) -> float:
    """Return the median of one number over the rounds."""
    return median(cost[name] for cost in rounds)


def seconds(rounds: Sequence[dict[str, Any]]) -> str:
    """Return the median of the seconds with their range."""
    values = [cost["seconds"] for cost in rounds]
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def cheaper(first: Sequence[dict[str, Any]], rounds: Sequence[dict[str, Any]]) -> str:
    """Return how many times less a way takes than the first, round by round: the median with the range."""
    ratios = [one["seconds"] / other["seconds"] for one, other in zip(first, rounds, strict=True)]
    if first is rounds:
        return "1"
    return f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


def memory(rounds: Sequence[dict[str, Any]]) -> str:
    """Return the largest peak memory in GiB."""
    peaks = [cost["peak_bytes"] for cost in rounds if cost["peak_bytes"] is not None]
    return f"{max(peaks) / GIBIBYTE:.2f}" if peaks else "–"


def machine(about: Record, rounds: int) -> str:
    """Return what was measured where."""
    place = about["device"] if about["device"] != "cpu" else f"{about['processor']}, {about['threads']} threads"
    libraries = ", ".join(f"{name} {about['versions'][name]}" for name in ("torch", "diffusers"))
    return f"Median (range) of {rounds} rounds, the ways alternating; {place}; {libraries}."


def head(cells: Sequence[str]) -> list[str]:
    """Return the head of a table."""
    return [line(cells), "|---" * len(cells) + "|"]


def line(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def fill(page: str, record: Record) -> str:
    """Return a page with the tables between its marks replaced.

    Raises:
        ValueError: a mark without its end.
    """
    for name, make in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if page.count(start) != page.count(end) or page.count(start) > 1:
            raise ValueError(f"The page must hold the marks {start} and {end} once each, or neither.")
        parts = ("edit", "share", "again", "film") if name == "goals" else (name,)
        if start in page and all(part in record for part in parts):
            table = "\n".join([start, "", *make(record), "", end])
            page = re.sub(f"{re.escape(start)}.*{re.escape(end)}", lambda _, new=table: new, page, flags=re.DOTALL)
    return page


def main() -> None:
    """Fill the pages (further arguments) from the record (first argument)."""
    record = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for page in map(Path, sys.argv[2:]):
        page.write_text(fill(page.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
