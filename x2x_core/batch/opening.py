"""Choice of the output by its place."""

from __future__ import annotations

from x2x_core.common.errors import InputError

from .output import LocalOutput, Output
from .places import is_remote, local_path
from .remote_output import RemoteOutput

# File systems whose files cannot be written one by one, or of which a killed process leaves half a file.
_UNSOUND = ("zip", "tar", "libarchive", "http", "https", "ftp", "sftp", "ssh", "github", "git", "data")


def open_output(place: str) -> Output:
    """Return the output at a place: a folder of this machine, or a URL that fsspec can write to.

    Raises:
        InputError: a place that results cannot be written to.
        MissingExtraError: the library that its scheme needs is not installed.
    """
    if not is_remote(place):
        return LocalOutput(local_path(place))
    scheme = place.partition("://")[0]
    if scheme in _UNSOUND or "::" in place:
        raise InputError(
            f"`out` must be a folder, or a URL of a store whose files appear complete, such as s3://; {scheme}:// is "
            "for inputs alone. Write to a folder, and copy it."
        )
    return RemoteOutput(place)
