"""The origin of each finding's mask: the boxes that experts drew, or its anatomic site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from x2x_core.anatomy.outlines import SHAPES
from x2x_core.common.errors import InputError
from x2x_core.language.vocabulary import FINDINGS

from .published import published_file_name


@dataclass(frozen=True)
class MaskSource:
    """The origin of one finding's mask."""

    finding: str  # canonical name, see `x2x_core.language.vocabulary`
    kind: str  # "boxes" (experts' bounding boxes) or "site" (its anatomic site)
    name: str  # the category in the atlas, or the site


def find_source(finding: str, categories: Sequence[str], published_folder: str | None = None) -> MaskSource:
    """Return the origin of a finding's mask: its category's map if there is one, else its anatomic site.

    Args:
        finding: canonical name, a key of `x2x_core.language.vocabulary.FINDINGS`.
        categories: the categories that have a map.
        published_folder: the folder, if the maps are published masks: there a missing category is an error.

    Raises:
        InputError: an unknown finding, or a folder of published masks that lacks this finding's file.
    """
    if finding not in FINDINGS:
        raise InputError(f"`finding` must be a known finding's canonical name, got {finding!r}; see `x2x info`.")
    known = FINDINGS[finding]
    if known.site not in SHAPES:
        raise InputError(f"`site` of {finding!r} must be one of {', '.join(SHAPES)}, got {known.site!r}.")
    category = known.atlas_category
    if category is not None and category in categories:
        return MaskSource(known.name, "boxes", category)
    if known.category is not None and published_folder is not None:
        present = ", ".join(map(published_file_name, categories)) or "no mask"
        raise InputError(
            f"`{published_folder}` must hold `{published_file_name(known.category)}` for {known.name!r}, but it is "
            f"missing; there is {present}. Add the file, or use the bundled atlas."
        )
    return MaskSource(known.name, "site", known.site)
