"""A setting: a field of a frozen dataclass with its check, and its value in the modes that an edit has."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any

from x2x_core.common.values import Check

# A mode that does not fix a setting's value.
FREE = object()


def setting(
    default: Any,
    check: Check,
    *,
    recommendable: bool = False,
    published: Any = FREE,
    unrestricted: Any = FREE,
    fixed: str = "",
) -> Any:
    """Define a setting.

    Args:
        default: of the pipeline.
        check: of its range.
        recommendable: True if a checkpoint can recommend a value.
        published: the value with `reference=True`, if it differs.
        unrestricted: the value with `restricted=False`, if it differs.
        fixed: what the published code does instead, if it has no choice.
    """
    facts = {"check": check, "recommendable": recommendable, "fixed": fixed}
    return field(default=default, metadata={**facts, "published": published, "unrestricted": unrestricted})


def check_settings(settings: Any) -> None:
    """Check each field of a frozen dataclass of settings, and bring its value to the canonical form.

    Raises:
        InputError: a value out of range.
    """
    for own in fields(settings):
        object.__setattr__(settings, own.name, own.metadata["check"](own.name, getattr(settings, own.name)))
