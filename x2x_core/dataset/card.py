"""The card of a built dataset."""

from __future__ import annotations

from typing import Any

from .rejections import MEANING, Reason


def dataset_card(report: dict[str, Any]) -> str:
    """Return `DATASET_CARD.md`: content, sources, conditions of use, figures and limits.

    Args:
        report: the content of `report.json`.
    """
    return "\n".join([_content(report), _CONDITIONS, _figures(report), _LIMITS])


def _content(report: dict[str, Any]) -> str:
    build = report["build"]
    versions = ", ".join(f"{name} {version}" for name, version in build["versions"].items())
    inputs = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in build["tables_sha256"].items())
    return f"""# MIMIC-EDIT-INSTRUCTION, built from MIMIC-CXR-JPG and Medical-Diff-VQA

Pairs of chest radiographs of one patient, the earlier one registered to the later one, with an instruction that
states the change between them (Min et al., MICCAI 2025). The instructions were derived by rules from the `difference`
answers of Medical-Diff-VQA; no language model was involved.

`instructions.csv` (split, instruction, past_dicom_id, current_dicom_id: file names), `past/`, `current/`; beside them
`valid/` (white where both images show pixels of their files), `pairs.csv` (patient, studies, images and registration of
each row), `rejected.csv` (every row that could not be used, with the reason), `report.html`, `report.json`.

Schema {build["schema"]}; {build["size"]} x {build["size"]} pixels, 8-bit grey; registration {build["registration"]},
quality at least {build["min_quality"]:g}, overlap at least {build["min_overlap"]:g}. Made with {versions}.

| Source table | SHA-256 |
|---|---|
{inputs}
"""


_CONDITIONS = """## Conditions

**Credentialed health data. Not to be shared.** The images come from MIMIC-CXR-JPG (Johnson et al., PhysioNet) and the
answers from Medical-Diff-VQA (Hu et al., PhysioNet). Both are under the PhysioNet Credentialed Health Data License
1.5.0 and its Data Use Agreement (see their pages on PhysioNet for the current terms), and so is everything derived from
them, including this folder with its report and file names. Only credentialed people who have signed the agreements may
access it. Do not try to identify a patient. Store it where only these people can read it. Do not pass it on, publish
it, or send it to a third-party service. Handle models trained on it with the same care. Cite both sources and MIMIC-CXR
in your publications.
"""


def _figures(report: dict[str, Any]) -> str:
    dataset, rows, pairs = report["dataset"], report["rows"], report["pairs"]
    lines = [
        ("instructions", dataset["instructions"]), ("pairs", pairs["built"]),
        *((f"instructions in {split}", number) for split, number in dataset["splits"].items()),
        *((f"clauses that {name}", number) for name, number in dataset["operations"].items()),
        ("difference rows read", rows["difference"]), ("pairs read", pairs["seen"]),
        ("patients with several splits in the tables", report["patients_in_several_splits"]["patients"]),
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


_LIMITS = """## Limits

- The answers were derived by rules from radiology reports; a finding that a report does not mention counts as absent.
  An instruction states the difference between the reports, which is not the whole difference between the images.
- Two visits differ in more than disease: inspiration, position, exposure, tubes, clothes. Registration transforms the
  whole plane; it corrects neither inspiration nor rotation of the chest.
- Each patient is in one split only. If the tables name several splits for a patient, the most held-out one was used
  (test before val before train).
- All patients are from one hospital in Boston, USA, and do not represent other populations.
- For research only. No model trained on it is a medical device.
"""
