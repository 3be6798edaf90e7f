"""Decoding of DICOM pixels in a process of its own, for decoders that damaged pictures can crash or hang.

The process is a new Python that reads the file itself; it imports pydicom and NumPy alone.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from x2x_core.common.errors import InputError, one_line

TIMEOUT = 300.0  # seconds for one picture
MEMORY = 4 * 2**30  # bytes of data of the process, where the system can limit it (Linux)
_ARRAY, _ERROR = b"A", b"E"


def decode_apart(path: Path, plugin: str, all_bits: bool, timeout: float = TIMEOUT) -> np.ndarray:
    """Decode the stored pixels of a DICOM file in a process of its own.

    Args:
        path: the file.
        plugin: pydicom's name of the decoder.
        all_bits: keep the bits of the containers that the values do not use.
        timeout: seconds after which the process is ended.

    Returns:
        `(H, W)`, or `(H, W, 3)` for colour.

    Raises:
        InputError: the pixels cannot be decoded, or end the process; its message completes a sentence.
    """
    package = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": package if not known else os.pathsep.join((package, known))}
    command = [sys.executable, "-m", __name__, str(path.absolute()), plugin, str(int(all_bits))]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"the decoder did not end within {timeout:g} s") from error
    kind, content = done.stdout[:1], done.stdout[1:]
    if done.returncode or kind not in (_ARRAY, _ERROR):
        raise InputError("they end the decoder, which is not made for damaged pictures")
    if kind == _ERROR:
        raise InputError(content.decode("utf-8", "replace"))
    values: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    return values


def _decode(path: str, plugin: str, all_bits: bool) -> Any:
    import pydicom
    from pydicom.pixels import pixel_array

    return pixel_array(pydicom.dcmread(path, force=True), decoding_plugin=plugin, correct_unused_bits=not all_bits)


def main(arguments: list[str]) -> None:
    """Decode a file and write its values, or the message of an error, to the standard output."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # decoders print
    if sys.platform == "linux":
        import resource

        hardest = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = MEMORY if hardest == resource.RLIM_INFINITY else min(MEMORY, hardest)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path, plugin, all_bits = arguments
    try:
        values = _decode(path, plugin, all_bits == "1")
        encoded = io.BytesIO()
        np.save(encoded, values, allow_pickle=False)
        answer.write(_ARRAY + encoded.getvalue())
    except Exception as error:  # decoders raise errors of any type
        answer.write(_ERROR + one_line(error).encode("utf-8", "replace"))
    answer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
