"""Measure the speed and memory of building a dataset.

    python benchmarks/dataset_throughput.py [ROWS] [PAIRS]

Makes two inputs in MIMIC's formats in a temporary folder:

- tables of ROWS rows (default: the 700,703 of Medical-Diff-VQA, with 164,324 pairs in proportion) without images, to
  measure reading them, making every instruction and gathering the results, and the memory against a tenth of the rows;
- PAIRS pairs (default 24) of radiographs of 2544 x 3056 pixels, built at 512 pixels to a side by one process and by
  two.

On a busy machine CPU seconds are more reliable than the clock's, which include the start of the processes (some
seconds).
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROWS, ROWS_PER_PAIR, PAIRS = 700_703, 700_703 / 164_324, 24
HEIGHT, WIDTH = 3056, 2544
COLUMNS = ("study_id", "subject_id", "ref_id", "question_type", "question", "answer", "split")
STUDIES = ("subject_id", "study_id", "dicom_id", "view", "split", "study_order")
ANSWERS = (
    "the main image has an additional finding of pleural effusion than the reference image. ",
    "the main image is missing the findings of edema, and atelectasis than the reference image. ",
    "the level of pneumothorax has changed from small to moderate. ",
    "nothing has changed.",
)
GENERAL = "what has changed compared to the reference image?"
OTHERS = (
    ("location", "where in the image is the pleural effusion located?", "left lower lung area"),
    ("level", "what level is the pleural effusion?", "moderate"),
    ("view", "which view is this image taken?", "PA view"),
    ("abnormality", "what abnormalities are seen in this image?", "pleural effusion, atelectasis"),
)


def write_tables(folder: Path, pairs: int, rows: int, per_patient: int = 4) -> tuple[Path, Path]:
    """Write tables of `rows` questions about `pairs` pairs; return the folder of MIMIC and the table of questions."""
    mimic, vqa = folder / "mimic", folder / "vqa" / "mimic_pair_questions.csv"
    (mimic / "files").mkdir(parents=True)
    vqa.parent.mkdir()
    with vqa.open("w", newline="") as questions, (vqa.parent / "mimic_all.csv").open("w", newline="") as studies:
        asked, known = csv.writer(questions), csv.writer(studies)
        asked.writerow(COLUMNS)
        known.writerow(STUDIES)
        written = 0
        for pair in range(pairs):
            patient = 10_000_000 + pair // per_patient
            past, current = 50_000_000 + 2 * pair, 50_000_001 + 2 * pair
            for order, study in enumerate((past, current)):
                known.writerow((patient, study, f"{study:08x}-00000000", "postero-anterior", "train", order + 1))
            due = round((pair + 1) * rows / pairs) - written
            kinds = [*(OTHERS * 3)[: due - 1], ("difference", GENERAL, ANSWERS[pair % len(ANSWERS)])]
            asked.writerows(
                (current, patient, past, kind, question, answer, "train") for kind, question, answer in kinds
            )
            written += due
    return mimic, vqa


def write_images(mimic: Path, pairs: int, source: np.ndarray) -> None:
    """Write a radiograph for each study, the past one slightly rotated."""
    for pair in range(pairs):
        for order in range(2):
            study, patient = 50_000_000 + 2 * pair + order, f"p{10_000_000 + pair // 4}"
            folder = mimic / "files" / patient[:3] / patient / f"s{study}"
            folder.mkdir(parents=True)
            matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), (1 - order) * (pair % 7 - 3), 1)
            values = cv2.warpAffine(source, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            cv2.imwrite(str(folder / f"{study:08x}-00000000.jpg"), values, [cv2.IMWRITE_JPEG_QUALITY, 92])


def timed_build(mimic: Path, vqa: Path, out: Path, workers: int) -> dict[str, float]:
    """Build in a separate process; return wall and CPU seconds, its memory and that of its largest worker."""
    code = (
        "import json, resource, sys, time\n"
        "from x2x_core.dataset.building import build_dataset\n"
        "if __name__ == '__main__':\n"
        "    start, stages = time.perf_counter(), {}\n"
        "    now = lambda: (time.perf_counter() - start, time.process_time())\n"
        "    say = lambda done, total, note='': stages.setdefault(note, now())\n"
        f"    build_dataset({str(mimic)!r}, {str(vqa)!r}, {str(out)!r}, workers={workers}, progress=say)\n"
        "    peak = lambda who: resource.getrusage(who).ru_maxrss / 1024\n"
        "    print(json.dumps({'seconds': time.perf_counter() - start, 'stages': stages, 'cpu': time.process_time(),\n"
        "                      'memory': peak(resource.RUSAGE_SELF), 'worker': peak(resource.RUSAGE_CHILDREN)}))\n"
    )
    script = out.with_suffix(".py")
    script.write_text(code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_tables(folder: Path, rows: int) -> None:
    """Print rows per second, and memory against a tenth of the rows."""
    for count in (rows // 10, rows):
        place = folder / f"tables-{count}"
        place.mkdir()
        mimic, vqa = write_tables(place, round(count / ROWS_PER_PAIR), count)
        result = timed_build(mimic, vqa, place / "out", 1)
        (first, began), (read, _), (made, _) = (
            result["stages"][name] for name in ("checking the tables", "pairs", "gathering")
        )
        used = result["cpu"] - began
        print(f"{count:,} rows without images: {result['seconds']:.0f} s (reading {read - first:.0f} s, instructions "
              f"{made - read:.0f} s, gathering {result['seconds'] - made:.0f} s), {used:.0f} s of a core, "
              f"{count / used:,.0f} rows a second of a core, memory {result['memory']:.0f} MiB",
              flush=True)  # fmt: skip


def measure_pairs(folder: Path, pairs: int) -> None:
    """Print pairs per second at 512 pixels, with one process and with two."""
    from x2x_core.common.bundled import bundled_path
    from x2x_core.imaging.files import read_image

    grey = (read_image(bundled_path("sample")).pixels[0, 0] * 255).byte().numpy()
    source = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    source = cv2.add(source, np.random.default_rng(0).normal(0, 3, source.shape).astype(np.int8), dtype=cv2.CV_8U)
    mimic, vqa = write_tables(folder, pairs, round(pairs * ROWS_PER_PAIR))
    vqa.write_text(vqa.read_text().replace("nothing has changed.", ANSWERS[0]))
    write_images(mimic, pairs, source)
    for workers in (1, 2):
        out = folder / f"out-{workers}"
        result = timed_build(mimic, vqa, out, workers)
        (first, began), (last, ended) = (result["stages"][name] for name in ("pairs", "gathering"))
        size = sum(file.stat().st_size for part in ("past", "current", "valid") for file in (out / part).iterdir())
        kept = json.loads((out / "report.json").read_text())["pairs"]["built"]
        core = f" {(ended - began) / pairs:.3f} s of a core a pair," if workers == 1 else ""
        print(f"{pairs} pairs of {WIDTH} x {HEIGHT} by {workers} process{'es' if workers > 1 else ''}: "
              f"{pairs / (last - first):.2f} pairs/s by the clock,{core} {kept} kept, "
              f"{size / kept / 1024:.0f} KiB a pair, memory {result['memory']:.0f} MiB and "
              f"{result['worker']:.0f} MiB in the largest worker",
              flush=True)  # fmt: skip


def main(rows: str = str(ROWS), pairs: str = str(PAIRS)) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        measure_pairs(Path(folder), int(pairs))
        measure_tables(Path(folder), int(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
