"""The card of a built dataset."""

from __future__ import annotations

from typing import Any

from .rejections import MEANING, Reason


def dataset_card(report: dict[str, Any]) -> str:
    """`DATASET_CARD.md`: what it is, from what, on what conditions, its figures and limits.

    Args:
        report: what `report.json` says.
    """
    return "\n".join([_what(report), _conditions(), _figures(report), _limits(report)])


def _what(report: dict[str, Any]) -> str:
    build = report["build"]
    versions = ", ".join(f"{name} {version}" for name, version in build["versions"].items())
    inputs = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in build["tables_sha256"].items())
    return f"""# MIMIC-EDIT-INSTRUCTION, built from MIMIC-CXR-JPG and Medical-Diff-VQA

Pairs of chest radiographs of one patient, the earlier one registered to the later one, with an instruction that says
what changed between the two (Min et al., MICCAI 2025). Made by rules from the `difference` answers of Medical-Diff-VQA;
no language model wrote or judged any of it.

`instructions.csv` (split, instruction, past_dicom_id, current_dicom_id: file names), `past/`, `current/`; beside them
`valid/` (white where both images show their files' own pixels), `pairs.csv` (patient, studies, images and registration
of each line), `rejected.csv` (every row that could not be used, and why), `report.html`, `report.json`.

Schema {build["schema"]}; {build["size"]} x {build["size"]} pixels, 8-bit grey; registration {build["registration"]},
quality of at least {build["min_quality"]:g}, overlap of at least {build["min_overlap"]:g}. Made with {versions}.

| Table read | SHA-256 |
|---|---|
{inputs}
"""


def _conditions() -> str:
    return """## Conditions

**Credentialed health data. Not to be shared.** The images come from MIMIC-CXR-JPG (Johnson et al., PhysioNet) and the
answers from Medical-Diff-VQA (Hu et al., PhysioNet). Both are under the PhysioNet Credentialed Health Data License
1.5.0 and its Data Use Agreement (the datasets' pages on PhysioNet say what holds today), and so is all that is derived
from them, this folder with its report and file names included: only credentialed people who have signed the agreements
may see it, nobody may try to identify a patient, it is kept where only they can read it, and it may not be passed on,
published, or sent to a service of others. Models trained on it fall under the same care.
Name both datasets and MIMIC-CXR in what you publish.
"""


def _figures(report: dict[str, Any]) -> str:
    dataset, rows, pairs = report["dataset"], report["rows"], report["pairs"]
    lines = [
        ("instructions", dataset["instructions"]), ("pairs", pairs["built"]),
        *((f"instructions in {split}", number) for split, number in dataset["splits"].items()),
        *((f"clauses that {name}", number) for name, number in dataset["operations"].items()),
        ("difference rows read", rows["difference"]), ("pairs read", pairs["seen"]),
        ("patients for whom the tables name several splits", report["patients_in_several_splits"]["patients"]),
    ]  # fmt: skip
    table = "\n".join(f"| {name} | {number:,} |" for name, number in lines)
    rejected = "\n".join(
        f"| {name} | {number:,} | {MEANING[Reason(name)]} |" for name, number in rows["rejected"].items()
    )
    quality, overlap = (report["registration"][name]["mean"] for name in ("quality", "overlap"))
    return f"""## Figures

| | |
|---|---|
{table}
| registration quality, mean | {quality:.3f} |
| overlap, mean | {overlap:.3f} |

Findings, levels and places are in `report.html`.

| Rejected for | Rows | Meaning |
|---|---|---|
{rejected or "| none | 0 | |"}
"""


def _limits(report: dict[str, Any]) -> str:
    return """## Limits

- The answers were made by rules from radiology reports; what a report does not mention counts as absent. An instruction
  says what the reports differ in, which is not all that the images differ in.
- Two visits differ in more than disease: breath, position, exposure, tubes, clothes. Registration moves the plane as a
  whole; it takes away neither breath nor turned chests.
- A patient lies in one split as a whole. Where the tables name several for a patient, the most held-out one was taken
  (test before val before train).
- Patients of one hospital in Boston, USA. Do not take it for the world.
- For research. Nothing trained on it is a medical device.
"""
