"""A program that reads images and writes answers, as an answerer.

The program is started once. For each image it gets a line of JSON on standard input, and writes a line to standard
output before it reads the next::

    {"image": "/tmp/x2x-1.png", "finding": "edema", "question": "Does this chest radiograph show edema? ..."}

Its line is a text ("yes", or a sentence), or JSON: {"answer": "yes", "score": 0.93}; either field may be missing. The
picture is removed after the answer. What the program writes to standard error is shown.
"""

from __future__ import annotations

import json
import queue
import shlex
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import torch

from x2x_core.common.errors import InputError, InputNotFoundError

from .answerer import YES_FROM, Answer, Question
from .pictures import plain_png
from .wording import says_yes

TIMEOUT = 600.0  # seconds; the first answer waits until the program has loaded its model
PATIENCE = 5.0  # seconds in which a program that has answered leaves by itself


class CommandAnswerer:
    """A program as an answerer; a context manager that ends the program.

    Args:
        command: the program and its arguments, as typed in a shell; no shell runs it.
        timeout: seconds for one answer.

    Raises:
        InputError: the command is empty.
    """

    findings: tuple[str, ...] | None = None

    def __init__(self, command: str, timeout: float = TIMEOUT) -> None:
        self._words, self._timeout = shlex.split(command), timeout
        if not self._words:
            raise InputError("`answerer` must name a program after `command:`, got none.")
        self.name = " ".join(Path(word).name for word in self._words)
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> CommandAnswerer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, patience: float = PATIENCE) -> None:
        """End the program: its input is closed, and it is killed if it does not leave in `patience` seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with process.stdout:
            with suppress(OSError):
                process.stdin.close()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __call__(self, images: torch.Tensor, question: Question) -> list[Answer]:
        """Return one answer for each of the images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputNotFoundError: there is no such program.
            InputError: it ended, gave no answer in time, or one that cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="x2x-") as folder:
            return [
                self._answer(Path(folder) / f"{number}.png", image, question) for number, image in enumerate(images)
            ]

    def _answer(self, path: Path, image: torch.Tensor, question: Question) -> Answer:
        path.write_bytes(plain_png(image))
        line = self._exchange({"image": str(path), "finding": question.finding, "question": question.text})
        path.unlink(missing_ok=True)
        return self._read(line)

    def _exchange(self, request: dict[str, str]) -> str:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = self._lines.get(timeout=self._timeout)
        except queue.Empty:
            self.close(0)
            raise InputError(
                f"The program `{self.name}` must answer each line before it reads the next, but gave no answer in "
                f"{self._timeout:g} seconds. Does it flush its output?"
            ) from None
        except OSError:
            line = ""
        if not line:
            self.close()
            raise InputError(f"The program `{self.name}` must answer each line of its input, but it ended.")
        return line.strip()

    def _start(self) -> subprocess.Popen[str]:
        try:
            process = subprocess.Popen(
                self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1
            )
        except OSError as error:
            raise InputNotFoundError(f"The program `{self._words[0]}` can't be started: {error.strerror}.") from error
        self._process, self._lines = process, queue.Queue()
        threading.Thread(target=_forward, args=(process.stdout, self._lines), daemon=True).start()
        return process

    def _read(self, line: str) -> Answer:
        try:
            fields = json.loads(line)
        except ValueError:
            fields = line
        if not isinstance(fields, dict):
            return Answer(line, says_yes(line))
        score, text = fields.get("score"), fields.get("answer")
        if isinstance(score, bool) or not isinstance(score, int | float | None) or (score is None and text is None):
            raise InputError(
                f"The program `{self.name}` must answer with text, or JSON with `answer` and `score`, got {line!r}."
            )
        if text is not None or score is None:
            return Answer(str(text), says_yes(str(text)), None if score is None else float(score))
        return Answer("yes" if score >= YES_FROM else "no", score >= YES_FROM, float(score))


def _forward(lines: IO[str], to: queue.Queue[str]) -> None:
    """Put the lines of a program into a queue, and "" at their end."""
    try:
        for line in lines:
            if line.strip():
                to.put(line)
    except ValueError:
        pass  # closed
    to.put("")
