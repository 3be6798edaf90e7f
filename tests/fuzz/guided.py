"""Fuzzing guided by coverage: libFuzzer, through Atheris, mutates files and prompts towards branches not yet seen.

A finding ends the process with a traceback, and the input is written to the folder of findings; the same command with
`--repeat FILE` gives it again. Needs the extra `fuzz` (Linux or macOS).

    python tests/fuzz/guided.py read --seconds 300
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import warnings
from contextlib import nullcontext
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]
INSTRUMENTED = ("x2x_core", "pydicom", "highdicom")

try:
    import atheris
except ImportError:  # `--repeat` works without
    atheris = None

with atheris.instrument_imports(include=list(INSTRUMENTED)) if atheris else nullcontext():
    from fuzz_child import FOLDERS, TARGETS
    from fuzz_seeds import WORDS, seeds, with_right_sums

PROMPT = "prompt"
GUIDED = tuple(name for name in TARGETS if name != "checkpoint")  # whose cases are bytes
_SUMMED = 128  # added to the first byte of a case whose PNG chunks get right check sums
_LONGEST = 2**16  # bytes of a case
_MEMORY = 4096  # MiB
_PATIENCE = 60  # seconds for one case


def name_and_content(target: str, case: bytes) -> tuple[str, bytes]:
    """Return the file that a case stands for: its first byte decides the name, the others are the content."""
    names, first = sorted(seeds(target)), case[0] if case else 0
    content = case[1:]
    return names[first % _SUMMED % len(names)], with_right_sums(content) if first >= _SUMMED else content


def first_cases(target: str) -> list[bytes]:
    """Return the cases to start from: every seed as it is, or instructions."""
    if target == PROMPT:
        return [b"Add the finding of moderate left pleural effusion.", "Füge links ein Ödem hinzu".encode()]
    return [bytes([number]) + content for number, (_, content) in enumerate(sorted(seeds(target).items()))]


def give(target: str, case: bytes) -> None:
    """Give a case to a target.

    Raises:
        Exception: any error but the one sentence that a user can act on.
    """
    from x2x_core.common.errors import InputError

    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    try:
        if target == PROMPT:
            given: str | Path = case.decode(errors="replace")
        else:
            name, content = name_and_content(target, case)
            given = folder / name
            given.write_bytes(content)
        TARGETS[target](given)
    except InputError as error:
        if "\n" in str(error):
            raise AssertionError(f"not one line: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dictionary(folder: Path) -> Path:
    """Write the words that libFuzzer puts into prompts."""
    path = folder / "words"
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS)
    path.write_text("".join(f'"{word}"\n' for word in escaped))
    return path


def main() -> None:
    """Fuzz one target until the time is over or something is found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=GUIDED)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--cases", type=int, default=-1, help="end after as many; -1: when the time is over")
    parser.add_argument("--corpus", type=Path, help="folder that keeps inputs which reached new branches")
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="folder for inputs that fail")
    parser.add_argument("--repeat", type=Path, help="give this one input instead")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if chosen.repeat is not None:
        give(chosen.target, chosen.repeat.read_bytes())
        return

    if atheris is None:
        parser.error("Atheris is not installed: `pip install 'atheris>=3.0'`, on Linux or macOS.")
    chosen.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=FOLDERS) as scratch:
        corpus, start = chosen.corpus or Path(scratch) / "corpus", Path(scratch) / "start"
        for folder in (corpus, start):
            folder.mkdir(parents=True, exist_ok=True)
        with atheris.instrument_imports(include=list(INSTRUMENTED)):
            for number, case in enumerate(first_cases(chosen.target)):
                (start / str(number)).write_bytes(case)
                give(chosen.target, case)  # imports what the target needs
        options = {
            "max_total_time": chosen.seconds, "runs": chosen.cases, "max_len": _LONGEST, "rss_limit_mb": _MEMORY,
            "timeout": _PATIENCE, "artifact_prefix": f"{chosen.findings}{os.sep}", "print_final_stats": 1, "seed": 1,
        }  # fmt: skip
        if chosen.target == PROMPT:
            options["dict"] = _dictionary(Path(scratch))
        flags = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], *flags, str(corpus), str(start)], lambda case: give(chosen.target, case))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
