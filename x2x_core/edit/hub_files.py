"""Single files of repositories on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download

# Arguments of `from_pretrained` that say where a repository's files come from.
_HUB_ARGUMENTS = ("cache_dir", "force_download", "local_files_only", "revision", "token")


def hub_file(repository: str, name: str, arguments: Mapping[str, Any]) -> Path:
    """Return a file of a repository, downloaded if it is not in the cache.

    Args:
        repository: "owner/name".
        name: the file's path in it.
        arguments: of `from_pretrained`; those that say where files come from are used.

    Raises:
        OSError: it can't be had.
    """
    kept = {argument: arguments[argument] for argument in _HUB_ARGUMENTS if argument in arguments}
    return Path(hf_hub_download(repository, name, **kept))
