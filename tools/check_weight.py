"""Check that weights and pictures changed only together with the version.

    python tools/check_weight.py            compare the files with models/MANIFEST.json
    python tools/check_weight.py --write    record the files of a new version

Git keeps every version of a file for good: six versions of one network made most of a clone of this project. So weights
and pictures in `docs/`, `examples/`, `models/` and `example_workflows/` change at most once between two versions. The
manifest holds the version and the SHA-256 of each file. The check needs no history and no tag, so it works in a shallow
clone.
`--write` refuses while the version in `pyproject.toml` is the one already recorded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = "models/MANIFEST.json"
FOLDERS = ("docs", "examples", "models", "example_workflows")
WEIGHTS = {".bin", ".ckpt", ".npy", ".npz", ".onnx", ".pt", ".pth", ".safetensors"}
PICTURES = {".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"}
MOST_PICTURE_BYTES = 200_000
MOST_JSON_BYTES = 100_000


def heavy_files(root: Path) -> Iterator[Path]:
    """Yield the weights and pictures of a checkout, sorted by path."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and file.suffix.lower() in WEIGHTS | PICTURES:
                yield file


def read_version(root: Path) -> str:
    """Return the version in `pyproject.toml`."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def hash_files(root: Path) -> dict[str, str]:
    """Return the SHA-256 of each heavy file, by its path from the root."""
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in heavy_files(root)
    }


def read_manifest(root: Path) -> dict:
    """Return the manifest: `version` and `files`; empty if there is none."""
    path = root / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"version": None, "files": {}}


def find_changes(root: Path) -> list[str]:
    """Return a line for each file that differs from the manifest."""
    recorded, present = read_manifest(root)["files"], hash_files(root)
    lines = [
        f"{path} was changed" for path in sorted(recorded.keys() & present.keys()) if recorded[path] != present[path]
    ]
    lines += [f"{path} was added" for path in sorted(present.keys() - recorded.keys())]
    return lines + [f"{path} was removed" for path in sorted(recorded.keys() - present.keys())]


def find_oversized(root: Path) -> list[str]:
    """Return a line for each picture or record that is too large to be kept in the history."""
    lines = []
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            size, suffix = file.stat().st_size, file.suffix.lower()
            if suffix in PICTURES and size > MOST_PICTURE_BYTES:
                remedy = f"a picture may have {MOST_PICTURE_BYTES}: save it as JPEG or WebP"
            elif suffix == ".json" and size > MOST_JSON_BYTES:
                remedy = f"a JSON file may have {MOST_JSON_BYTES}: compress it with `gzip -n -9`"
            else:
                continue
            lines.append(f"{file.relative_to(root).as_posix()} has {size} bytes; {remedy}")
    return lines


def write_manifest(root: Path) -> None:
    """Record the heavy files with the version in `pyproject.toml`.

    Raises:
        ValueError: files changed, but the version is the one already recorded.
    """
    version, recorded = read_version(root), read_manifest(root)["version"]
    if version == recorded and find_changes(root):
        raise ValueError(f"Version {version} is already recorded: raise it in pyproject.toml first.")
    manifest = {"version": version, "files": hash_files(root)}
    (root / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Check or write the manifest; the exit code is 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="record the files of a new version")
    if parser.parse_args().write:
        try:
            write_manifest(ROOT)
        except ValueError as error:
            print(error)
            return 1
    problems = find_oversized(ROOT)
    if changes := find_changes(ROOT):
        problems += [*changes, "Raise the version in pyproject.toml, then run `python tools/check_weight.py --write`."]
    print("\n".join(problems) or "Weights and pictures are those of the manifest.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
