"""Builds that are refused: other files, other builds, missing inputs, wrong settings."""

import pytest
from build_cases import add_all_pairs, build, digest, kill, start, wait_for

from x2x_core.dataset import build_folder
from x2x_core.dataset.building import build_dataset
from x2x_core.dataset.settings import BuildSettings


def test_other_files_and_other_builds_are_refused(built, mimic_case, copy, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"contains other files\. Choose another folder"):
        build(mimic_case, other)
    assert [path.name for path in other.iterdir()] == ["notes.txt"]
    with pytest.raises(FileExistsError, match=r"but .* is a file"):
        build(mimic_case, other / "notes.txt")
    before = digest(built)
    with pytest.raises(FileExistsError, match=r"was built with another schema, size\. Choose another folder"):
        build(mimic_case, built, settings=BuildSettings(size=96, schema="v1"))
    copy.questions.pop()
    copy.write_questions()
    with pytest.raises(FileExistsError, match="was built with another tables_sha256"):
        build(copy, built)
    assert digest(built) == before
    (other / "notes.txt").unlink()
    (other / "build.json").write_text("{")
    with pytest.raises(FileExistsError, match="must be the record of a build"):
        build(mimic_case, other)


def test_two_builds_in_one_folder_are_refused(mimic_case, tmp_path):
    out = tmp_path / "out"
    with build_folder.lock(out), pytest.raises(FileExistsError, match="is being built by another process"):
        build(mimic_case, out)


def test_of_two_builds_started_at_once_one_is_refused(copy, tmp_path):
    add_all_pairs(copy)
    out = tmp_path / "out"
    first = start(copy, out)
    try:
        wait_for(lambda: (out / "build.json").exists() or first.poll() is not None)
        with pytest.raises(FileExistsError, match=r"is being built by another process\. Wait for it"):
            build(copy, out)
    finally:
        kill(first)


def test_missing_inputs_are_errors(mimic_case, tmp_path):
    with pytest.raises(FileNotFoundError, match="`--mimic` must be the folder of MIMIC-CXR-JPG"):
        build_dataset(tmp_path, mimic_case.vqa, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="`--vqa` must be"):
        build_dataset(mimic_case.mimic, tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(ValueError, match="`workers` must be at least 1, got 0"):
        build_dataset(mimic_case.mimic, mimic_case.vqa, tmp_path / "out", workers=0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"schema": "v3"}, "`schema` must be one of v1, v2, got 'v3'"),
        ({"size": 8}, "`size` must be at least 32"),
        ({"registration": "elastic"}, "`registration` must be one of affine, rigid"),
        ({"min_quality": 1.0}, "`min_quality` must lie in"),
        ({"min_overlap": -0.1}, "`min_overlap` must lie in"),
    ],
)
def test_wrong_settings_are_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        BuildSettings(**wrong)
