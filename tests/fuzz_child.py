"""A process that is given hostile input: what it answers, and whether it lives."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import traceback
import warnings
from pathlib import Path

MEMORY = 3 * 2**30  # bytes of data of the process
PATIENCE = 120.0  # seconds for one case, on a busy machine
RESULT, SENTENCE, FAULT = "result", "sentence", "fault"
FOLDERS = "x2x-fuzz-"
LONGEST = 8000  # letters of a message


def _read(path: Path) -> None:
    from x2x_core.imaging.files import read_image

    pixels = read_image(path).pixels
    assert pixels.ndim == 4 and pixels.isfinite().all() and pixels.min() >= 0 and pixels.max() <= 1


def _upload(path: Path) -> None:
    from x2x_core.service.uploads import read_upload

    read_upload(path, 32_000_000)


def _verify(path: Path) -> None:
    from x2x_core.archive.verification import summary, verify

    assert all(line.isprintable() for line in summary(verify(path, path)))


def _mask(path: Path) -> None:
    from x2x_core.archive.keep_mask import KeepMaskFile

    KeepMaskFile.read(path, (24, 20))


def _atlas(path: Path) -> None:
    from x2x_core.language.instruction import Instruction
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas

    atlas = PseudomaskAtlas.load(path)
    atlas.for_instruction(Instruction.parse("Add the finding of edema."), (16, 16))


def _manifest(path: Path) -> None:
    from x2x_core.batch.checking import find_problems, report
    from x2x_core.batch.manifest import read_manifest
    from x2x_core.batch.plan import Defaults, read_rows

    rows, problems = read_rows(read_manifest(str(path)), Defaults())
    if problems := find_problems(rows, problems):
        report(problems, len(rows))


def _certificates(path: Path) -> None:
    from x2x_core.archive.credentials.key import SigningFiles, load_key
    from x2x_core.archive.credentials.reading import read_trusted

    if path.parent.name.startswith(FOLDERS):  # a case's own file
        path.chmod(0o600)
    read_trusted(path)
    load_key(SigningFiles(path, path), {})


def _dicom_edit(path: Path) -> None:
    from archive_cases import write_results

    write_results(path.parent / "out", path)


def _prompt(text: str) -> None:
    from x2x_core.edit.reading import read_subject
    from x2x_core.language.instruction import Instruction

    for strict in (True, False):
        instruction = Instruction.parse(text, strict=strict)
        str(instruction.explain()), instruction.as_dict()
        read_subject([text], [True], 1, reference=False, region_given=False, strict=strict)


def _checkpoint(folder: Path) -> None:
    from x2x_core import InstructX2XPipeline

    InstructX2XPipeline.from_pretrained(folder)


TARGETS = {
    "read": _read,
    "upload": _upload,
    "verify": _verify,
    "mask": _mask,
    "atlas": _atlas,
    "manifest": _manifest,
    "certificates": _certificates,
    "dicom edit": _dicom_edit,
    "prompt": _prompt,
    "checkpoint": _checkpoint,
}


def _answer(target: str, name: str, content: bytes | str | Path) -> tuple[str, str]:
    from x2x_core.common.errors import InputError

    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    given: Path | str = content
    if isinstance(content, bytes):
        given = folder / name
        given.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            TARGETS[target](given)
    except InputError as error:
        return SENTENCE, str(error)
    except BaseException:
        return FAULT, traceback.format_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return RESULT, ""


def serve(connection, memory: int) -> None:
    """Answer cases until the connection is closed."""
    import logging

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # decoders print
        os.dup2(null, stream)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            case = connection.recv()
        except EOFError:
            return
        connection.send((*_answer(*case), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


class Child:
    """A process that is given cases, and replaced when one of them ends it."""

    def __init__(self) -> None:
        self.peak, self.cases, self.answers = 0, 0, {RESULT: 0, SENTENCE: 0}
        self._process = self._connection = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other, MEMORY), daemon=True)
        self._process.start()
        other.close()

    def give(self, target: str, name: str, content: bytes | str | Path) -> str:
        """Give a case; return the sentence, or "" for a result.

        Raises:
            AssertionError: another error than a sentence, a message of several lines, a crash or a hang.
        """
        if self._process is None:
            self._start()
        self.cases += 1
        self._connection.send((target, name, content))
        first = PATIENCE + (300 if self.cases == 1 else 0)  # libraries load
        try:
            if not self._connection.poll(first):
                raise TimeoutError
            kind, text, peak = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(0 if isinstance(error, TimeoutError) else 10)
            ended = self._process.exitcode
            self.close()
            what = f"ended with {ended}" if ended is not None else f"did not answer within {first:g} s"
            raise AssertionError(f"{target} {name}: the process {what}") from error
        self.peak = max(self.peak, peak)
        assert kind != FAULT, text
        self.answers[kind] += 1
        assert "\n" not in text and len(text) <= LONGEST, f"not one sentence: {text[:LONGEST]!r}"
        return text

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None
