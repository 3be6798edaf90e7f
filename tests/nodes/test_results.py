"""X2XCompare and X2XSave: pictures on the page, and metadata of files."""

import json
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from comfy_pack import load_pack, run
from PIL import Image

PROMPT = "Add the finding of edema."


def text_of(path):
    """Return the text chunks of a PNG file."""
    with Image.open(path) as picture:
        return picture.text


def pair():
    before = torch.rand(1, 40, 60, 1, generator=torch.Generator().manual_seed(0)).expand(-1, -1, -1, 3) * 0.5
    after = before.clone()
    after[:, 10:20, 10:20] += 0.3
    return before, after


def output_folder():
    import folder_paths

    return Path(folder_paths.get_output_directory())


def test_the_panel_has_a_picture_more_with_guidance():
    before, after = pair()
    (plain,) = run("X2XCompare", before=before, after=after)
    (full,) = run("X2XCompare", before=before, after=after, guidance=torch.rand(20, 30), instruction=PROMPT)
    assert full.shape[2] - plain.shape[2] > 700 and full.shape[0] == 1


def test_a_panel_for_each_after():
    before, after = pair()
    (panels,) = run("X2XCompare", before=before, after=torch.cat([after, before]))
    assert len(panels) == 2
    changes = torch.cat([before.clamp(max=0.4) + change for change in (0.5, 0.14, 0.04)])
    (panels,) = run("X2XCompare", before=before.clamp(max=0.4), after=changes)
    assert len(panels) == 3  # whose scales have labels of different widths


def test_the_slider_gets_both_pictures():
    before, after = pair()
    shown = load_pack()["X2XCompare"].execute(before=before, after=after).ui
    assert len(shown["x2x_before"]) == len(shown["x2x_after"]) == len(shown["images"]) == 1


def test_the_slider_starts_at_the_middle_of_each_change():
    before = torch.zeros(1, 10, 40, 3)
    after = before.repeat(3, 1, 1, 1)
    after[0, 2:8, 4:12] = 0.5
    after[1, 2:8, 30:32] = 1.0
    shown = load_pack()["X2XCompare"].execute(before=before, after=after).ui
    assert shown["x2x_at"] == pytest.approx([8 / 40, 31 / 40, 0.5])


def test_pictures_of_other_sizes_are_rejected():
    before, after = pair()
    with pytest.raises(ValueError, match="`after` must have the size of `before`, 60 x 40"):
        run("X2XCompare", before=before, after=after[:, :20])
    with pytest.raises(ValueError, match="`before` must be one image, or one for each"):
        run("X2XCompare", before=torch.cat([before] * 3), after=torch.cat([after] * 2))


def save(image, depth="8-bit", hidden=None, **more):
    node = load_pack()["X2XSave"]
    kept = node.hidden
    node.hidden = hidden
    try:
        shown = node.execute(image=image, filename_prefix="test/edit", bit_depth=depth, **more).ui["images"]
    finally:
        node.hidden = kept
    return [output_folder() / one["subfolder"] / one["filename"] for one in shown]


def test_files_record_their_provenance():
    from x2x_core.imaging.provenance import read_provenance

    _, after = pair()
    (path,) = save(after, instruction=PROMPT, info="4 steps")
    said = read_provenance(path)
    assert said["synthetic"] is True
    assert said["parameters"]["instruction"] == PROMPT and said["parameters"]["edit"] == "4 steps"


def test_files_can_be_verified():
    from x2x_core.archive.verification import verify

    before, after = pair()
    paths = save(after, before=before, guidance=torch.rand(1, 10, 10), instruction=PROMPT)
    hidden = SimpleNamespace(prompt={"1": {}}, extra_pnginfo={"workflow": {"nodes": []}})
    for path in (*paths, *save(after, "16-bit", hidden=hidden)):
        found = verify(path)
        assert found.holds and found.is_unaltered and found.is_record_intact
    content = bytearray(paths[0].read_bytes())
    place = content.index(b"edema")
    content[place : place + 5] = b"mass "
    start = content.rindex(b"tEXt", 0, place)
    length = int.from_bytes(content[start - 4 : start], "big")
    end = start + 4 + length
    content[end : end + 4] = zlib.crc32(content[start:end]).to_bytes(4, "big")
    paths[0].write_bytes(content)
    assert verify(paths[0]).is_record_intact is False


def test_the_workflow_is_in_the_file():
    workflow = {"nodes": [{"title": "Ödem"}]}
    hidden = SimpleNamespace(prompt={"1": {"class_type": "X2XSave"}}, extra_pnginfo={"workflow": workflow})
    (path,) = save(pair()[1], hidden=hidden)
    text = text_of(path)
    assert json.loads(text["workflow"]) == workflow
    assert json.loads(text["prompt"]) == hidden.prompt


def test_sixteen_bits_are_written():
    image = (torch.arange(256.0).reshape(1, 16, 16, 1) / 65535).expand(-1, -1, -1, 3)
    (path,) = save(image, "16-bit")
    with Image.open(path) as picture:
        values = np.asarray(picture)
    assert picture.mode == "I;16" and values.ravel().tolist() == list(range(256))


def test_guidance_and_panel_are_saved_beside():
    before, after = pair()
    paths = save(torch.cat([after, after]), before=before, guidance=torch.rand(1, 10, 10))
    assert len(paths) == len(set(paths)) == 6
    assert [path.name.split("_")[-1] for path in paths] == [".png", "guidance.png", "panel.png"] * 2
    assert all("Synthetic" in text_of(path) for path in paths)


def test_existing_files_are_never_overwritten():
    _, after = pair()
    first, second = save(after), save(after)
    assert first != second and first[0].exists() and second[0].exists()


def test_previews_of_edits_are_marked_as_synthetic():
    import folder_paths

    before, after = pair()
    shown = load_pack()["X2XCompare"].execute(before=before, after=after).ui
    for one in (*shown["images"], *shown["x2x_after"]):
        assert text_of(Path(folder_paths.get_temp_directory()) / one["filename"])["Synthetic"] == "true"
