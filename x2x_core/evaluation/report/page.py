"""A record as one HTML page with no outside links: verdict, tables, forest plots, findings, gallery, how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from x2x_core.evaluation.benchmark.ablation_measures import Measure
from x2x_core.evaluation.results import Metric

from .gallery import gallery
from .plots import by_group, forest, key
from .style import STYLE
from .view import View, arrow, best_rows, interval_text, text

# Columns of the first table and panels of the findings, where the record has them; else the first ones that it has.
KEY_MEASURES = (
    "average_precision", "editable_share", "change_outside", "mse_ratio", "ssim", "direction", "closer",
    "monotone", "structure", "attribute_shift", "fid",
    "cmig", "pathology_auroc", "race_accuracy", "age_correlation", "label_kl", "ssim_inside", "ssim_outside", "flip_rate",
    "score_follows", "collateral_flips", "lung_dice",
    "follows", "change", "flips", "ordered", "others", "collateral", "changed_share",
)  # fmt: skip
GROUP_MEASURES = (
    "average_precision", "mse_ratio", "direction", "editable_share", "change_outside", "structure",
    "pathology_auroc", "flip_rate", "score_follows", "ssim_inside", "collateral_flips",
    "follows", "change", "monotone", "flips", "others", "collateral",
)  # fmt: skip
MOST_COLUMNS, MOST_PANELS = 11, 6
FOOTER = "Synthetic images, for research. Not a medical device, not for diagnosis."


def page(view: View, folder: Path) -> str:
    """The whole page.

    Args:
        view: the record.
        folder: that the cases' files are relative to.
    """
    sections = {
        "Verdict": _verdict(view),
        "In short": _summary(view),
        "All measures": _forests(view),
        "By finding": _groups(view, "per_finding"),
        "By operation": _groups(view, "per_operation"),
        "Attributes": _attributes(view),
        "What moves with what": _movement(view),
        "Images that break it": _breaking(view),
        "Cases": _gallery(view, folder),
        "How it was made": _made(view),
    }
    sections = {heading: content for heading, content in sections.items() if content}
    links = "".join(f'<a href="#{_anchor(heading)}">{heading}</a>' for heading in sections)
    body = "".join(
        f'<section id="{_anchor(heading)}"><h2>{heading}</h2>{content}</section>'
        for heading, content in sections.items()
    )
    title = escape(str(view.about.get("title", "Evaluation")))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body><main>'
        f"<header><h1>{title}</h1>{_lead(view)}<nav>{links}</nav></header>{body}"
        f'<footer class="small">{FOOTER}</footer></main></body></html>\n'
    )


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _lead(view: View) -> str:
    about = view.about
    counts = [row.metrics[one.key].n for row in view.results.rows for one in view.measures() if one.key in row.metrics]
    size = about.get("size") or (f"{max(counts)} {about.get('unit', 'images or pairs')}" if counts else "")
    parts = [f"Model: {about['model']}" if "model" in about else "", str(size)]
    lead = f'<p class="lead">{escape(", ".join(part for part in parts if part))}.</p>'
    notices = about.get("notice", "")
    return lead + (f'<p class="notice">{escape(notices)}</p>' if notices else "")


def _verdict(view: View) -> str:
    verdict = view.about.get("verdict")
    if not verdict:
        return ""
    described = {one.key: one for one in view.measures()}
    blocks: dict[tuple[str, str], list[str]] = {}
    for one in verdict.get("claims", ()):
        rows = blocks.setdefault((one["row"], one["other"]), [])
        if one["difference"]["value"] is not None:
            rows.append(_claim(one, described.get(one["measure"])))
    tables = [*(_claims(*names, rows) for names, rows in blocks.items())]
    tables += [""] * (len(verdict["sentences"]) - len(tables))
    items = "".join(
        f'<li class="{_tone(sentence)}">{escape(sentence)}{table}</li>'
        for sentence, table in zip(verdict["sentences"], tables)
    )
    return f'<ul class="verdict">{items}</ul>'


def _claims(row: str, other: str, rows: Sequence[str]) -> str:
    """The table below a sentence."""
    caption = f"Mean of {row} minus that of {other} on the same pairs, with its 95 % interval. Better: all of it on that side."
    return _table(("", "difference", "interval", "better?"), rows, caption) if rows else ""


def _tone(sentence: str) -> str:
    _, _, said = sentence.partition(": ")
    return "yes" if said.startswith("yes") else "no" if said.startswith("no,") else "open"


def _claim(claim: Mapping[str, Any], measure: Measure | None) -> str:
    measure = measure or Measure(claim["measure"], claim["measure"], "", "", "")
    metric = Metric(**claim["difference"])
    cells = (
        f"<td>{text(measure, metric)}</td><td>{interval_text(measure, metric)}</td><td>{escape(claim['answer'])}</td>"
    )
    return f"<tr><th>{escape(measure.heading)} {arrow(measure)}</th>{cells}</tr>"


def _table(headings: Sequence[str], rows: Sequence[str], caption: str = "") -> str:
    head = "".join(f"<th>{heading}</th>" for heading in headings)
    below = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{below}<thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def chosen_measures(view: View, wanted: Sequence[str], most: int) -> list[Measure]:
    """The measures of a list that the record has, or else its first ones."""
    found = view.measures()
    picked = [one for key in wanted for one in found if one.key == key]
    return (picked or found)[:most]


def _summary(view: View) -> str:
    measures = chosen_measures(view, KEY_MEASURES, MOST_COLUMNS)
    best = {one.key: best_rows(view, one) for one in measures}
    rows = []
    for row in view.results.rows:
        cells = []
        for one in measures:
            metric = row.metrics.get(one.key)
            shown = f"<b>{text(one, metric)}</b>" if row.name in best[one.key] else text(one, metric)
            style = ' class="best"' if row.name in best[one.key] else ""
            cells.append(f"<td{style}>{shown}<small>{interval_text(one, metric)}</small></td>")
        rows.append(f'<tr class="{view.role(row.name)}"><th>{escape(row.name)}</th>{"".join(cells)}</tr>')
    headings = ["", *(f"{escape(one.heading)}&nbsp;{arrow(one)}" for one in measures)]
    bold = "Bold: the best of the rows that a model made. " if any(best.values()) else ""
    return _table(headings, rows, f"{bold}{view.about.get('intervals', '')}")


def _forests(view: View) -> str:
    parts = []
    for group, measures in view.groups().items():
        panels = "".join(forest(view, one) for one in measures)
        parts.append(f'<h3 style="margin-top:1.6rem">{escape(group)}</h3><div class="panels">{panels}</div>')
    return "".join(parts)


def _groups(view: View, kind: str) -> str:
    rows = [row for row in view.shown_by_group() if getattr(row, kind)]
    if not rows:
        return ""
    ours = view.ours().name
    rows.sort(key=lambda row: row.name != ours)
    measures = chosen_measures(view, GROUP_MEASURES, MOST_PANELS)
    panels = "".join(by_group(view, one, kind, rows) for one in measures)
    return f'{key(view, rows)}<div class="panels">{panels}</div>' if panels else ""


def _attributes(view: View) -> str:
    table = view.about.get("attributes")
    if not table:
        return ""
    names = list(next(iter(table.values())))
    worst = max(found["shift"] for row in table.values() for found in row.values()) or 1.0
    rows = []
    for row, values in table.items():
        cells = "".join(_shaded(values[name], worst) for name in names)
        rows.append(f'<tr class="{view.role(row)}"><th>{escape(row)}</th>{cells}</tr>')
    caption = (
        "Large: the mean shift of the network's reading from that of the real target, in standard deviations of the attribute "
        "(darker: more). Small: the worst shift of a pair; the reading's correlation with the truth."
    )
    return _table(["", *(escape(name) for name in names)], rows, caption)


def _shaded(found: Mapping[str, Any], worst: float) -> str:
    r = "–" if found["r"] is None else f"{found['r']:.2f}"
    shade = 0.45 * found["shift"] / worst
    return f'<td style="background:rgba(179,18,42,{shade:.2f})">{found["shift"]:.2f}<small>{found["worst"]:.1f}; r {r}</small></td>'


def _movement(view: View) -> str:
    """The table of an audit: how far each score moves with each edit."""
    movement = view.about.get("movement")
    if not movement:
        return ""
    labels = list(dict.fromkeys(label for row in movement.values() for label in row))
    largest = max((abs(value) for row in movement.values() for value in row.values()), default=0) or 1.0
    rows = [
        f"<tr><th>{escape(edit)}</th>{''.join(_moved(row.get(label), largest) for label in labels)}</tr>"
        for edit, row in movement.items()
    ]
    caption = "Mean change of each score (columns) with each edit (rows): red up, blue down."
    return _table(["", *(escape(label) for label in labels)], rows, caption)


def _moved(value: float | None, largest: float) -> str:
    if value is None:
        return "<td>–</td>"
    colour = "179,18,42" if value > 0 else "43,92,138"
    return f'<td style="background:rgba({colour},{0.55 * abs(value) / largest:.2f})">{value:+.3f}</td>'


def _breaking(view: View) -> str:
    """The images of an audit whose score went the wrong way, worst first."""
    broken = view.about.get("breaking")
    if not broken:
        return ""
    rows = [
        f'<tr><th>{escape(one["image"])}</th><td class="words">{escape(one["instruction"])}</td><td>{one["before"]:.3f}</td>'
        f"<td>{one['after']:.3f}</td></tr>"
        for one in broken
    ]
    return _table(("Image", "Instruction", "score before", "after"), rows, view.about.get("breaking_note", ""))


def _gallery(view: View, folder: Path) -> str:
    shown = gallery(view, folder)
    words = view.about.get(
        "cases_note",
        "Outlines: where each edit could change the image. Error ratio: squared error over that of the unedited image.",
    )
    return f"<p>{escape(words)}</p>{shown}" if shown else ""


def _made(view: View) -> str:
    about = view.about
    notes = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(note)}</dd>" for name, note in about.get("row_notes", {}).items()
    )
    rows = f"<h3>Rows</h3><dl>{notes}</dl>" if notes else ""
    wanted = {
        "Model": about.get("model"),
        "SHA-256 of the weights": about.get("weights_sha256"),
        "Settings of all rows": about.get("note"),
        "Pairs of each row": about.get("peers_note"),
        "Intervals": about.get("intervals"),
        "Networks that read the images": ", ".join(about.get("readers", ())),
        "Processor seconds to an edit": _listed(about.get("seconds_per_edit")),
        "Largest change outside a mask": _listed(about.get("largest_change_outside_mask")),
        "Asked for": "; ".join(f"{name}: {_listed(found)}" for name, found in about.get("coverage", {}).items()),
        "Not asked for": ", ".join(about.get("not_covered", ())),
        "Triples of levels": about.get("triples"),
        "Scorers": _listed(about.get("scorers")),
        "Notes": " ".join(about.get("notes") or ()),
        "Command": about.get("command"),
        "Settings": _listed(about.get("settings")),
        "Versions": _listed(about.get("versions")),
    }
    items = "".join(
        f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in wanted.items() if value not in (None, "", {})
    )
    meanings = "".join(
        f"<dt>{escape(one.group)}: {escape(one.heading)} {arrow(one)}</dt><dd>{escape(one.meaning)}</dd>"
        for one in view.measures()
        if one.meaning
    )
    explained = f"<h3>Measures</h3><dl>{meanings}</dl>" if meanings else ""
    missing = "".join(f"<dt>{escape(title)}</dt><dd>{escape(why)}</dd>" for title, why in view.undefined().items())
    undefined = f"<h3>Not measured, and why</h3><dl>{missing}</dl>" if missing else ""
    return f"{rows}<h3>The run</h3><dl>{items}</dl>{undefined}{explained}"


def _listed(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_listed(one)}" for name, one in value.items() if one not in (None, {}, []))
    if isinstance(value, (list, tuple)):
        return ", ".join(_listed(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value)
