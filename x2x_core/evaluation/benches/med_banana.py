"""Med-Banana-50K: lesions added to and removed from medical images by a large model, with its failed attempts.

Layout (Med-Banana-50K, 2025; github.com/richardChenzhihui/med-banana-50k, as its scripts write it)::

    NAME-edit/final_prompts.json        {"STEM-DISEASE": {image, disease, status, final_prompt, rounds}}
    NAME-edit/DISEASE/STEM-DISEASE-edit.jpeg
    NAME-remove/final_prompts.json
    NAME-remove/normal/STEM-DISEASE-remove.jpeg

The inputs are those of MIMIC-CXR and others and are not part of it: `image` is the name of a file in a folder of the
user's. The targets are another model's edits, not truths.
"""

from __future__ import annotations

from pathlib import Path

from x2x_core.common.errors import InputError, InputNotFoundError

from .cases import BenchCase, field_of, read_json

PROMPTS = "final_prompts.json"
SUCCESS = "success"
_REMOVE = "-remove"


def read_med_banana(folder: str | Path, originals: str | Path) -> list[BenchCase]:
    """Read the cases whose edit its judge accepted, grouped by disease; their files are not checked.

    Args:
        folder: "NAME-edit" or "NAME-remove".
        originals: folder with the inputs.

    Raises:
        InputNotFoundError: there is no copy of Med-Banana, or no folder of inputs.
        InputError: another layout.
    """
    folder, originals = Path(folder), Path(originals)
    if not originals.is_dir():
        raise InputNotFoundError(f"There is no folder of inputs at `{originals}`.")
    record = read_json(folder / PROMPTS, "Med-Banana")
    if not isinstance(record, dict):
        raise InputError(f"`{folder / PROMPTS}` must map the names of cases to records.")
    removes = folder.name.endswith(_REMOVE)
    cases = []
    for name, sample in record.items():
        place = f"{PROMPTS}, {name}"
        if field_of(sample, "status", place) != SUCCESS:
            continue
        disease = field_of(sample, "disease", place)
        file = f"normal/{name}-remove.jpeg" if removes else f"{disease}/{name}-edit.jpeg"
        cases.append(
            BenchCase(
                id=name,
                instruction=field_of(sample, "final_prompt", place),
                before=originals / field_of(sample, "image", place),
                target=folder / file,
                group=disease.replace("_", " "),
            )
        )
    return cases


def failed_share(folder: str | Path) -> float | None:
    """Return the share of cases whose edits the benchmark's judge all refused; ``None`` without cases."""
    record = read_json(Path(folder) / PROMPTS, "Med-Banana")
    states = [sample.get("status") for sample in record.values()]
    return sum(state != SUCCESS for state in states) / len(states) if states else None
