"""Folders of films for tests: the simulated radiographs that ship, which stand for real films."""

import cv2

from x2x_core.common.bundled import bundled_path

SAMPLES = ("radiograph.png", "radiograph-2.png", "radiograph-3.png")


def write_films(folder, names, side=128):
    """Write one film for each name, the shipped radiographs in turn; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        sample = cv2.imread(str(bundled_path("sample").with_name(SAMPLES[number % 3])), cv2.IMREAD_GRAYSCALE)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), cv2.resize(sample, (side, side), interpolation=cv2.INTER_AREA))
    return folder
