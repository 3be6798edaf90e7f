"""Manifests: tables and folders, checked as a whole, with every problem named by its row."""

import gzip

import numpy as np
import pytest
from archive_cases import draw
from batch_cases import PROMPTS, plan_rows, stub_batch, table, write_films, write_manifest
from dicom_cases import write as write_dicom

from x2x_core.batch.manifest import read_manifest
from x2x_core.batch.plan import Defaults, Shard, in_order, of_shard, read_rows
from x2x_core.common.errors import InputError, InputNotFoundError

CELLS = {
    "image": "a.png", "prompt": PROMPTS[0], "seed": "7", "model": "demo", "Steps": "5", "mask-threshold": "0.2",
    "relevance_noise_level": "0.5 0.8", "padding_mask_crop": "off", "align": "no", "attention_gating": "TRUE",
}  # fmt: skip


def rows_of(path, **defaults):
    return read_rows(read_manifest(str(path)), Defaults(**defaults))


def test_cells_are_read_by_the_names_of_the_options(tmp_path):
    rows, problems = rows_of(write_manifest(tmp_path / "m.csv", [CELLS, {"image": "b.png", "seed": "3.0"}]))
    assert problems == [] and (rows[0].seed, rows[0].model, rows[0].place) == (7, "demo", str(tmp_path / "a.png"))
    assert rows[0].call.arguments == {
        "num_inference_steps": 5, "mask_threshold": 0.2, "relevance_noise_level": (0.5, 0.8),
        "padding_mask_crop": False, "align": False, "attention_gating": True,
    }  # fmt: skip
    assert rows[1].seed == 3 and rows[1].settings == {} and rows[1].prompt == ""


def test_options_fill_empty_cells_alone(tmp_path):
    manifest = write_manifest(tmp_path / "m.csv", [{"image": "a.png", "steps": "5"}, {"image": "b.png"}])
    rows, _ = rows_of(manifest, prompt="Add edema.", seed=4, model="m", settings={"steps": 9, "edit_strength": 0.5})
    assert [row.settings for row in rows] == [{"steps": 5, "edit_strength": 0.5}, {"steps": 9, "edit_strength": 0.5}]
    assert {(row.prompt, row.seed, row.model) for row in rows} == {("Add edema.", 4, "m")}


def test_a_parquet_table_is_read_as_its_csv(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {
        "image": ["a.png", "b.png"], "prompt": [PROMPTS[0], None], "seed": [7, None], "steps": [5.0, None],
        "align": [False, None], "relevance_noise_level": [[0.5, 0.8], None], "mask_threshold": [0.25, float("nan")],
    }  # fmt: skip
    parquet.write_table(pyarrow.table(columns), tmp_path / "m.parquet")
    cells = {"image": "a.png", "prompt": PROMPTS[0], "seed": 7, "steps": 5, "align": "false"}
    cells |= {"relevance_noise_level": "0.5 0.8", "mask_threshold": "0.25"}
    write_manifest(tmp_path / "m.csv", [cells, {"image": "b.png"}])
    assert rows_of(tmp_path / "m.parquet") == rows_of(tmp_path / "m.csv")


def test_a_compressed_table_with_a_mark_and_blank_lines_is_read(tmp_path):
    text = '\ufeffimage,prompt\n\na.png,"Add edema,\nplease."\n\nb.png,x\n'
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress(text.encode()))
    rows, _ = rows_of(tmp_path / "m.csv.gz")
    assert [(row.number, row.prompt) for row in rows] == [(1, "Add edema,\nplease."), (2, "x")]


def test_a_folder_gives_its_radiographs_at_any_depth(tmp_path):
    write_films(tmp_path / "films" / "b", 2)
    (tmp_path / "films" / "a").mkdir()
    write_dicom(tmp_path / "films" / "a" / "IM0001", draw(12), 12)
    (tmp_path / "films" / "readme.txt").write_text("no film")
    rows, _ = rows_of(tmp_path / "films", prompt="Add edema.")
    assert [row.image for row in rows] == ["a/IM0001", "b/film-0.png", "b/film-1.png"]
    stub_batch(tmp_path / "films", tmp_path / "out", Defaults(prompt=PROMPTS[0]))
    assert [row["status"] for row in table(tmp_path / "out")] == ["done"] * 3


def test_results_in_the_folder_of_the_radiographs_are_no_radiographs(tmp_path, monkeypatch):
    write_films(tmp_path, 2)
    monkeypatch.chdir(tmp_path)
    for out in ("result", "./result", "result/"):
        assert stub_batch(".", out, Defaults(prompt=PROMPTS[0])).rows == 2, "continued, not refused as another batch"
    assert [row["image"] for row in table(tmp_path / "result")] == ["film-0.png", "film-1.png"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,promt,colour\n", r"got also 'promt' \(is it prompt\?\), 'colour'"),
        ("image,prompt,image\n", "each column once, got image more than once"),
        ("prompt,seed\nx,1\n", "must have a column `image`"),
        ("image,prompt\n", "names none"),
        ("", "must have a column `image`"),
        ('image,prompt\n"a.png,x\n', "must be a CSV table in UTF-8"),
    ],
)
def test_unusable_tables_are_refused(tmp_path, text, words):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_manifest(str(tmp_path / "m.csv"))


def test_places_without_a_manifest_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "m.parquet").write_bytes(b"PAR1")
    for name, words in (("none.csv", "no manifest"), ("none", "no folder or table"), ("empty", "names none")):
        with pytest.raises(InputError, match=words):
            read_manifest(str(tmp_path / name))
    with pytest.raises(InputNotFoundError):
        read_manifest(str(tmp_path / "none.csv"))
    pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match="must be a parquet table"):
        read_manifest(str(tmp_path / "m.parquet"))


def test_all_problems_are_named_by_row_before_the_first_edit(tmp_path):
    names = write_films(tmp_path, 1)
    rows = [
        {"image": names[0], "prompt": PROMPTS[0]},
        {"image": "missing.png", "prompt": PROMPTS[0]},
        {"image": names[0], "prompt": "Add edema. Remove edema."},
        {"image": names[0], "prompt": ""},
        {"image": names[0], "prompt": PROMPTS[0], "steps": "0"},
        {"image": names[0], "prompt": PROMPTS[0], "seed": "one"},
        {"image": "", "prompt": PROMPTS[0]},
        {"image": "missing.png", "prompt": PROMPTS[0], "seed": str(10**30)},
    ]
    manifest = write_manifest(tmp_path / "m.csv", rows)
    with manifest.open("a") as file:
        file.write("a.png,x,1,2,3,4\n")
    with pytest.raises(InputError) as error:
        stub_batch(manifest, tmp_path / "out")
    for words in (
        "8 of 9 rows cannot be edited", "row 2: there is no file `missing.png`", "row 3: `prompt` must not contradict",
        "row 4: `prompt` must say", "row 5: `num_inference_steps` must", "row 6: `seed` must be a whole number",
        "row 7: `image` must name a file", "row 8: there is no file", "row 8: `generator` as a seed",
        "row 9: it has 6 cells instead of 4",
    ):  # fmt: skip
        assert words in str(error.value), words
    assert not (tmp_path / "out").exists()
    outcome = stub_batch(manifest, tmp_path / "out", skip_problems=True)
    lines = table(tmp_path / "out")
    assert (outcome.done, outcome.errors) == (9, 8) and lines[0]["status"] == "done"
    assert "there is no file" in lines[7]["error"] and "as a seed" in lines[7]["error"]


def test_a_model_that_cannot_be_used_is_named(tmp_path):
    names = write_films(tmp_path, 1)
    manifest = write_manifest(tmp_path / "m.csv", [{"image": names[0], "prompt": "x", "model": "./nowhere"}])
    with pytest.raises(InputError, match="Row 1 names a model that cannot be used: There is no checkpoint"):
        stub_batch(manifest, tmp_path / "out")


def test_many_problems_are_counted(tmp_path):
    manifest = plan_rows(tmp_path, 30)
    for path in tmp_path.glob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match=r"30 of 30 rows.*; and 10 more"):
        stub_batch(manifest, tmp_path / "out")


def test_groups_keep_images_together_and_shards_part_them(tmp_path):
    rng = np.random.default_rng(0)
    rows = [{"image": f"{rng.integers(9)}.png", "prompt": "x", "model": ("a", "b")[rng.integers(2)]} for _ in range(60)]
    groups = in_order(rows_of(write_manifest(tmp_path / "m.csv", rows))[0])
    keys = [(group[0].model, group[0].place) for group in groups]
    assert len(set(keys)) == len(keys) and all({(row.model, row.place) for row in group} == {key}
                                                for group, key in zip(groups, keys))  # fmt: skip
    models = [model for model, _ in keys]
    assert models == sorted(models, key=models.index), "each model once"
    for count in (1, 3, 40):
        parts = [of_shard(groups, Shard(index, count)) for index in range(1, count + 1)]
        numbers = sorted(row.number for part in parts for group in part for row in group)
        assert numbers == list(range(1, 61))


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2", "1/2/3"])
def test_a_shard_is_i_of_n(text):
    with pytest.raises(InputError, match="`shard` must be i/n"):
        Shard.parse(text)
    assert Shard.parse("2/8") == Shard(2, 8)
