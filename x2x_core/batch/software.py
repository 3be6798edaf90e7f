"""Software of a process, which all processes of a batch share: versions of libraries and a digest of the package.

Results hold the versions, and other code can give other pixels, so a process that runs other code is refused.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path

import x2x_core
from x2x_core.common.errors import InputError
from x2x_core.imaging.provenance import versions

_CODE = "code"


def software() -> dict[str, str]:
    """Return the versions that `versions` gives, and a digest of the package's Python files as "code"."""
    return {**versions(), _CODE: _code_digest(Path(x2x_core.__file__).parent)}


def _code_digest(package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def check_software(started_by: Mapping[str, str]) -> None:
    """Check that this process runs the software of the one that started the batch.

    Args:
        started_by: what `software` returned there.

    Raises:
        InputError: it runs another one.
    """
    own = software()
    for name in dict.fromkeys((*started_by, *own)):
        here, there = own.get(name, "missing"), started_by.get(name, "missing")
        if here != there:
            node = platform.node()
            what = f"the code of x2x_core on {node} is not that" if name == _CODE else f"{name} is {here} on {node}"
            rest = "of the process that started it" if name == _CODE else f"and {there} where it was started"
            raise InputError(
                f"All processes of a batch must run the same software, but {what} {rest}. Install the same versions on "
                "all machines, and change no code while a batch runs."
            )
