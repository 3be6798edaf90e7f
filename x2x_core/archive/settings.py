"""Choices of how results are written as DICOM."""

from __future__ import annotations

from dataclasses import dataclass

from x2x_core.common.errors import InputError

REMOVE, REPLACE, KEEP = "remove", "replace", "keep"
IDENTIFIERS = (REMOVE, REPLACE, KEEP)
KEY_VARIABLE = "X2X_PSEUDONYM_KEY"
_SHORTEST_KEY = 16


@dataclass(frozen=True)
class DicomSettings:
    """Choices of writing an edit as DICOM.

    Attributes:
        identifiers: "remove": no identifier and no date of the input is written. "replace": pseudonyms, shifted dates
            and new UIDs, the same ones for the same patient and key. "keep": patient and study stay, to store the
            result beside the input.
        new_study: with "keep", write to a study of its own; otherwise the study is new anyway.
        burn_in: write the synthetic mark into the edited image's pixels.
        series_description: up to 64 characters, `None` for the default.
        key: secret of "replace", from which pseudonyms are derived; at least 16 characters.

    Raises:
        InputError: an unusable choice.
    """

    identifiers: str = REMOVE
    new_study: bool = False
    burn_in: bool = False
    series_description: str | None = None
    key: str = ""

    def __post_init__(self) -> None:
        if self.identifiers not in IDENTIFIERS:
            raise InputError(f"`identifiers` must be one of {', '.join(IDENTIFIERS)}, got {self.identifiers!r}.")
        if self.identifiers == REPLACE and len(self.key) < _SHORTEST_KEY:
            raise InputError(
                f"`identifiers='replace'` requires a secret of at least {_SHORTEST_KEY} characters in the environment "
                f"variable {KEY_VARIABLE}. Set it, and keep it: the same secret gives the same pseudonyms."
            )
        if self.new_study and self.identifiers != KEEP:
            raise InputError("`new_study` requires `identifiers='keep'`: otherwise the study is new anyway.")
        text = self.series_description
        if text is not None and (not 0 < len(text) <= 64 or "\\" in text or not text.isprintable()):
            raise InputError(
                "`series_description` must be 1 to 64 printable characters without a backslash, got "
                f"{len(text)}: {text[:64]!r}."
            )
