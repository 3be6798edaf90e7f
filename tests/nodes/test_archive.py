"""Load from Archive and Save to Archive, against a small archive of this process."""

import json

import pytest
import torch
from comfy_pack import load_pack, run

pytest.importorskip("dicomweb_client")
pytest.importorskip("highdicom")

from archive_server import ArchiveServer
from remote_cases import FRONTAL, LATERAL, SECRET, STUDY, films

WORDS = "Add the finding of edema."


@pytest.fixture
def server(tmp_path, monkeypatch):
    with ArchiveServer(("lab", SECRET)) as made:
        for content in films(tmp_path).values():
            made.put(content)
        monkeypatch.setenv("X2X_ARCHIVE", made.url)
        monkeypatch.setenv("X2X_ARCHIVE_USER", "lab")
        monkeypatch.setenv("X2X_ARCHIVE_PASSWORD", SECRET)
        yield made


def edit_of(image):
    mask = torch.zeros(image.shape[:3])
    mask[:, 5:20, 5:20] = 1
    return torch.where(mask[..., None] > 0, image * 0.5, image), mask


def test_an_edit_is_stored_beside_its_film_once(server):
    before = dict(server.objects)
    image, film, info = run("X2XLoadArchive", study=STUDY)
    assert image.shape == (1, 48, 40, 3) and info.startswith("DICOM: 40 x 48 pixels, 16-bit grey.")
    edited, mask = edit_of(image)
    inputs = {"film": film, "image": edited, "guidance": mask * 0.7, "edit_mask": mask, "instruction": WORDS}
    [said] = run("X2XSaveArchive", **inputs, burn_in=False, info="Seed 3.")
    assert said.startswith("4 objects stored, 0 already there.") and SECRET not in said
    new = [head for head in server.heads() if str(head.SOPInstanceUID) not in before]
    assert len(new) == 4 and all(head.SyntheticData == "YES" and head.StudyInstanceUID == STUDY for head in new)
    assert {uid: server.objects[uid] for uid in before} == before
    [said] = run("X2XSaveArchive", **inputs, burn_in=False, info="Seed 3.")
    assert said.startswith("0 objects stored, 4 already there.") and len(server.objects) == len(before) + 4


def test_the_stored_edit_verifies(server, tmp_path):
    from x2x_core.archive.verification import verify

    image, film, _ = run("X2XLoadArchive", study=STUDY)
    edited, mask = edit_of(image)
    [said] = run(
        "X2XSaveArchive", film=film, image=edited, guidance=mask, edit_mask=mask, instruction=WORDS, burn_in=True
    )
    uid = said.splitlines()[1].split(": ")[1]
    (tmp_path / "a.dcm").write_bytes(server.objects[uid])
    (tmp_path / "b.dcm").write_bytes(server.objects[FRONTAL])
    found = verify(tmp_path / "a.dcm", tmp_path / "b.dcm")
    assert found.holds and found.original.changed_outside == 0 and found.parameters["prompt"] == WORDS
    assert STUDY not in json.dumps(found.parameters) and server.url not in json.dumps(found.parameters)


def test_an_instance_can_be_chosen_and_is_another_fingerprint(server, monkeypatch):
    assert run("X2XLoadArchive", study=STUDY, series="", instance=LATERAL)[1].content == server.objects[LATERAL]
    node = load_pack()["X2XLoadArchive"]
    one = node.fingerprint_inputs(study=STUDY)
    assert one == node.fingerprint_inputs(study=STUDY) != node.fingerprint_inputs(study=STUDY, instance=LATERAL)
    monkeypatch.setenv("X2X_ARCHIVE", "http://127.0.0.1:1/other")
    assert node.fingerprint_inputs(study=STUDY) != one


def test_places_are_checked_when_queued():
    node = load_pack()["X2XLoadArchive"]
    assert node.validate_inputs(study="1.2.3") is True and node.validate_inputs(study=None) is True
    assert "`study` must be a UID" in node.validate_inputs(study="")
    assert "`instance` must be a UID" in node.validate_inputs(study="1.2", series="", instance="../x")


def test_without_an_address_the_node_says_what_to_set(monkeypatch):
    monkeypatch.delenv("X2X_ARCHIVE", raising=False)
    with pytest.raises(ValueError, match="set the environment variable X2X_ARCHIVE"):
        run("X2XLoadArchive", study=STUDY)


def test_an_image_of_another_size_is_refused(server):
    image, film, _ = run("X2XLoadArchive", study=STUDY)
    small = image[:, :10]
    with pytest.raises(ValueError, match="must be one image of the film's size, 40 x 48 pixels, got 1 of 40 x 10"):
        run(
            "X2XSaveArchive", film=film, image=small, guidance=small[..., 0], edit_mask=small[..., 0],
            instruction=WORDS, burn_in=False,
        )  # fmt: skip
