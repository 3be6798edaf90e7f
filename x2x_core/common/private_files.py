"""Files that hold a secret, and that only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import InputError, InputNotFoundError


def read_private(file: Path, secret: str) -> str:
    """Read a text file that only its owner may read; elsewhere than on POSIX its permissions are not looked at.

    Args:
        file: its path.
        secret: what it holds, for messages: "token".

    Returns:
        Its text without white space at both ends.

    Raises:
        InputNotFoundError: no such file.
        InputError: a file that others may read, or no text.
    """
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe or device may never end
            raise InputError(f"`{file}` is not a file. Give the file with the {secret}.")
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputNotFoundError(f"There is no file `{file}` to read the {secret} from.") from error
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"`{file}` must be a text file with the {secret}, but cannot be read.") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(f"`{file}` holds the {secret}, but others may read it. Run `chmod 600 {file}` first.")
    return text.strip()
