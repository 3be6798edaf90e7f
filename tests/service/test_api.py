"""The API: edits with the tiny model, and one sentence for everything that a client can put right."""

import base64
import io
import json
import pickle
import zipfile

import cv2
import numpy as np
import pytest
from dicom_cases import IDENTITY, write
from PIL import Image
from service_cases import (
    ADDRESS,
    PROMPT,
    StubEditor,
    client_of,
    encoded,
    film,
    huge_png,
    left_behind,
    png,
    refusal,
    tiny_client,
)
from signing_cases import write_chain
from tiny_models import make_radiograph

from x2x_core.archive.credentials.key import SigningFiles
from x2x_core.archive.credentials.signing import Signer
from x2x_core.archive.verification import verify
from x2x_core.imaging.files import read_text_chunks
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES
from x2x_core.service.editor import Editor

CONTRADICTION = "Add the finding of left edema. Remove the finding of left edema."
QUICK = {"prompt": PROMPT, "num_inference_steps": "2", "seed": "3"}


def grey(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def unpack(response):
    assert response.status_code == 200, response.text
    answer = response.json()
    return answer["record"], {name: base64.b64decode(data) for name, data in answer["files"].items()}


@pytest.fixture(scope="module")
def client():
    with client_of() as one:
        yield one


def held(client, data=None):
    return client.post("/api/images", files={"image": ("film.png", data or film())}).json()["id"]


def test_one_upload_serves_guidance_and_edit(pipe, tmp_path):
    with tiny_client(pipe) as client:
        entry = client.post("/api/images", files={"image": ("Smith, John.png", film())}).json()
        assert (entry["width"], entry["height"], entry["bit_depth"]) == (64, 64, 8)
        assert np.array_equal(grey(client.get(f"/api/images/{entry['id']}").content), make_radiograph())
        before, maps = unpack(client.post("/api/guidance", data={**QUICK, "image_id": entry["id"]}))
        record, files = unpack(client.post("/api/edit", data={**QUICK, "image_id": entry["id"]}))
        once_more = client.post("/api/edit", data={**QUICK, "answer": "zip"}, files={"image": ("x.png", film())})
    assert maps["guidance_mask.png"] and "changed_share" not in before and before["synthetic"] is True
    mask = grey(files["guidance_mask.png"])
    assert np.array_equal(grey(maps["guidance_mask.png"]), mask) and 0 < (mask > 0).mean() < 1
    edited, original = grey(files["edited.png"]), make_radiograph()
    assert np.array_equal(edited[mask == 0], original[mask == 0]) and not np.array_equal(edited, original)
    direct = pipe(Image.fromarray(original), PROMPT, num_inference_steps=2, generator=3)
    assert np.array_equal(np.asarray(direct.images[0]), edited)
    assert "Smith" not in json.dumps(record) and record["input"]["file"] == "upload.png"
    assert json.loads(files["result.json"]) == record and record["model"] == "demo"
    with zipfile.ZipFile(io.BytesIO(once_more.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    (tmp_path / "edited.png").write_bytes(files["edited.png"])
    (tmp_path / "film.png").write_bytes(film())
    assert verify(tmp_path / "edited.png", tmp_path / "film.png").holds
    assert read_text_chunks(tmp_path / "edited.png")["Synthetic"] == "true"


def test_a_dicom_film_is_answered_as_dicom(pipe, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    values = make_radiograph().astype(np.uint16) * 16
    path = write(tmp_path / "IM1", values, 12, PatientName="Smith^John", PatientID="4711")
    with tiny_client(pipe) as client:
        files = {"image": ("IM1", path.read_bytes())}
        response = client.post("/api/edit", data={**QUICK, "answer": "dicom"}, files=files)
        assert left_behind(client) == []
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/dicom" and response.headers["x-synthetic"] == "true"
    edited = pydicom.dcmread(io.BytesIO(response.content))
    assert edited["SyntheticData"].value == "YES" and "Smith" not in str(edited) and "4711" not in str(edited)
    assert edited.pixel_array.shape == values.shape


def test_what_a_keep_mask_shows_stays_in_map_and_edit(pipe):
    shown = np.zeros((64, 64), np.uint8)
    shown[:, 48:] = 255
    with tiny_client(pipe) as client:
        image, mask = held(client), ("keep.png", encoded(Image.fromarray(shown), "PNG"))
        without, _ = unpack(client.post("/api/edit", data={**QUICK, "image_id": image}))
        _, maps = unpack(client.post("/api/guidance", data={**QUICK, "image_id": image}, files={"keep_mask": mask}))
        record, files = unpack(client.post("/api/edit", data={**QUICK, "image_id": image}, files={"keep_mask": mask}))
        assert len(left_behind(client)) == 1, "the film alone"
    edited, original = grey(files["edited.png"]), make_radiograph()
    assert np.array_equal(edited[:, 48:], original[:, 48:]) and not np.array_equal(edited, original)
    assert not grey(maps["guidance_mask.png"])[:, 48:].any() and without["keep_mask"] is None
    assert record["keep_mask"]["share"] == 0.25 and record["keep_mask"]["file"] == "upload.png"


@pytest.mark.parametrize(
    ("mask", "words"),
    [(b"hello", "`keep_mask` must be a PNG"), (png((8, 9)), "`keep_mask` must be of the image's size")],
)
def test_a_keep_mask_that_cannot_be_used_is_refused(mask, words):
    with client_of() as client:
        data = {"prompt": PROMPT, "image_id": held(client)}
        for path in ("/api/edit", "/api/guidance"):
            assert words in refusal(client.post(path, data=data, files={"keep_mask": ("m", mask)}), 422)
        assert len(left_behind(client)) == 1, "the film alone"


def test_identifiers_of_a_dicom_film_are_the_client_s_choice(pipe, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    values = make_radiograph().astype(np.uint16) * 16
    path = write(tmp_path / "IM1", values, 12, **IDENTITY)

    def edit(client, **choices):
        data = {**QUICK, "answer": "dicom", **choices}
        return client.post("/api/edit", data=data, files={"image": ("IM1", path.read_bytes())})

    def read(response):
        assert response.status_code == 200, response.text
        return pydicom.dcmread(io.BytesIO(response.content))

    with tiny_client(pipe, pseudonym_key="a secret of the tests") as client:
        kept = read(edit(client, identifiers="keep", burn_in="true", series_description="Study 7"))
        assert kept.PatientID == IDENTITY["PatientID"] and kept.StudyInstanceUID == IDENTITY["StudyInstanceUID"]
        assert kept.BurnedInAnnotation == "YES" and kept.SeriesDescription == "Study 7"
        apart = read(edit(client, identifiers="keep", new_study="true"))
        assert apart.StudyInstanceUID != IDENTITY["StudyInstanceUID"]
        replaced = read(edit(client, identifiers="replace"))
        assert replaced.PatientID and replaced.PatientID != IDENTITY["PatientID"]
        assert "`new_study` requires" in refusal(edit(client, new_study="true"), 422)
        assert "`identifiers` must be one of" in refusal(edit(client, identifiers="sell"), 422)
    with tiny_client(pipe) as client:
        assert "X2X_PSEUDONYM_KEY" in refusal(edit(client, identifiers="replace"), 422)
        data = {**QUICK, "image_id": held(client), "burn_in": "true"}
        assert "`burn_in` is for DICOM images" in refusal(client.post("/api/edit", data=data), 422)


def test_a_service_with_a_key_signs_the_pictures(pipe, tmp_path):
    pytest.importorskip("c2pa")
    chain = write_chain(tmp_path / "chain")
    signer = Signer.load(SigningFiles(chain.key, chain.certificate))
    with client_of(Editor(pipe, "demo", None, signer)) as client:
        _, files = unpack(client.post("/api/edit", data=QUICK, files={"image": ("x.png", film())}))
        _, maps = unpack(client.post("/api/guidance", data=QUICK, files={"image": ("x.png", film())}))
    for data in (files["edited.png"], files["panel.png"], maps["guidance_mask.png"]):
        (tmp_path / "a.png").write_bytes(data)
        assert verify(tmp_path / "a.png", trust=chain.root).holds


def test_the_menus_are_the_vocabulary(client):
    words = client.get("/api/vocabulary").json()
    assert [entry["name"] for entry in words["findings"]] == list(FINDINGS)
    assert (words["sides"], words["zones"], words["levels"]) == (list(SIDES), list(ZONES), list(LEVELS))
    trained = [entry["name"] for entry in words["findings"] if entry["trained"]]
    assert trained == ["pleural effusion", "edema"]


def test_an_instruction_is_explained_in_words_and_as_clauses(client):
    clause = {"operation": "add", "finding": "edema", "side": "left", "level": "mild"}
    written = client.post("/api/explain", json={"clauses": [clause]}).json()
    spoken = client.post("/api/explain", json={"prompt": "put some mild oedema on the left"}).json()
    assert written["canonical"] == spoken["canonical"] == "Add the finding of mild left edema."
    assert written["instruction"]["clauses"] == spoken["instruction"]["clauses"]
    assert any("on the right of the picture" in line for line in written["lines"])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "`prompt` or `clauses`"),
        ({"prompt": PROMPT, "clauses": []}, "not both"),
        ({"prompt": ""}, "`prompt`"),
        ({"prompt": "a" * 2001}, "2000"),
        ({"prompt": CONTRADICTION}, "contradict itself"),
        ({"clauses": [{"operation": "add", "finding": "moon"}]}, "`finding` must be one of"),
        ({"clauses": [{"operation": "change", "finding": "edema"}]}, "`level`"),
        ({"path": "/etc/passwd"}, "`path` is not known here"),
    ],
)
def test_an_instruction_that_cannot_be_used_is_refused(client, request_, words):
    assert words in refusal(client.post("/api/explain", json=request_), 422)


def test_a_request_that_is_no_json_is_refused(client):
    headers = {"content-type": "application/json"}
    assert "JSON" in refusal(client.post("/api/explain", content=b"{", headers=headers), 422)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        pickle.dumps({"a": 1}),
        b"PK\x03\x04" + bytes(200),
        b"\x1f\x8b" + bytes(200),
        b"\x93NUMPY" + bytes(200),
        b"\x89PNG\r\n\x1a\n" + bytes(60),
        film()[:400],
        encoded(Image.new("L", (40, 40)), "JPEG")[:120],
        b"II*\x00" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(Image.new("L", (9, 9)), "GIF"),
        bytes(128) + b"DICM" + bytes(40),
    ],
    ids=["empty", "text", "pickle", "zip", "gzip", "numpy", "png", "cut png", "jpeg", "tiff", "svg", "gif", "dicom"],
)
def test_a_file_that_is_no_radiograph_is_refused(client, data):
    refusal(client.post("/api/images", files={"image": ("film.png", data)}), 422)
    assert left_behind(client) == []


@pytest.mark.parametrize("side", [1000, 30_000])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(side):
    data = huge_png(side) if side == 1000 else huge_png(300).replace(
        (300).to_bytes(4, "big") * 2, (side).to_bytes(4, "big") * 2
    )  # fmt: skip
    with client_of(max_pixels=900_000) as client:
        sentence = refusal(client.post("/api/images", files={"image": ("film.png", data)}), 422)
        assert "pixels" in sentence or "intact" in sentence
        assert left_behind(client) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"prompt": PROMPT}, "`image` (a file) or `image_id` must be given"),
        ({"prompt": PROMPT, "image": "/etc/passwd"}, "`image`: must be an uploaded file"),
        ({"prompt": PROMPT, "image": "../../etc/passwd"}, "`image`: must be an uploaded file"),
        ({"prompt": PROMPT, "path": "/etc/passwd"}, "`path` is not known here"),
        ({"image_id": "x"}, "`prompt`: Field required"),
        ({"prompt": PROMPT, "image_id": "x" * 65}, "64"),
        ({"prompt": PROMPT, "image_id": "x", "seed": "-1"}, "`seed`"),
        ({"prompt": PROMPT, "image_id": "x", "num_inference_steps": "100000"}, "`num_inference_steps`"),
        ({"prompt": PROMPT, "image_id": "x", "answer": "exe"}, "`answer`"),
    ],
)
def test_fields_that_cannot_be_used_are_refused(client, data, words):
    assert words in refusal(client.post("/api/edit", data=data), 422)


def test_the_library_s_errors_are_sentences(pipe):
    with tiny_client(pipe) as client:
        image = held(client)
        for field, value in (("mask_threshold", "7"), ("composition", "x"), ("preset", "x"), ("prompt", CONTRADICTION)):
            data = {**QUICK, "image_id": image, field: value}
            assert f"`{field}`" in refusal(client.post("/api/guidance", data=data), 422)
            assert f"`{field}`" in refusal(client.post("/api/edit", data=data), 422)
        sentence = refusal(client.post("/api/edit", data={**QUICK, "image_id": image, "answer": "dicom"}), 422)
        assert "DICOM" in sentence


@pytest.mark.parametrize("name", ["nobody", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "..\\..\\x"])
def test_only_held_images_have_an_address(client, name):
    for response in (client.get(f"/api/images/{name}"), client.delete(f"/api/images/{name}")):
        assert response.status_code in (404, 405) and "root:" not in response.text
    response = client.post("/api/edit", data={"prompt": PROMPT, "image_id": "../" + name[:40]})
    assert "not held" in refusal(response, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py", "/page/..%2fserving.py", "/page/%2e%2e/serving.py", "/page//etc/passwd", "/page/index.html",
        "/page/api.html.jinja", "/etc/passwd", "/../../etc/passwd", "/page/..\\serving.py", "/page/style.css%00.js",
    ],
)  # fmt: skip
def test_no_file_of_the_server_can_be_reached(client, path):
    response = client.get(path)
    assert response.status_code == 404 and "import" not in response.text and "root:" not in response.text


def test_an_image_is_held_until_it_is_dropped_and_an_edit_keeps_nothing(client):
    image = held(client)
    assert len(left_behind(client)) == 1
    assert client.post("/api/edit", data={"prompt": PROMPT, "image_id": image}).status_code == 200
    assert client.post("/api/edit", data={"prompt": PROMPT}, files={"image": ("a", png())}).status_code == 200
    assert len(left_behind(client)) == 1
    assert client.delete(f"/api/images/{image}").status_code == 204
    assert left_behind(client) == []
    assert "Upload it again" in refusal(client.get(f"/api/images/{image}"), 404)


def test_edits_are_kept_where_that_is_asked(tmp_path):
    with client_of(keep=tmp_path) as client:
        for _ in range(2):
            assert client.post("/api/edit", data={"prompt": PROMPT}, files={"image": ("a", png())}).status_code == 200
    (folder,) = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert sorted(path.name for path in folder.iterdir()) == ["edited.png", "result.json"]


def test_a_fault_of_the_service_is_told_without_a_traceback():
    class Broken(StubEditor):
        def edit(self, radiograph, call, stop, archive=None):
            raise RuntimeError("a secret place")

    with client_of(Broken()) as client:
        response = client.post("/api/edit", data={"prompt": PROMPT}, files={"image": ("a", png())})
        assert "secret" not in refusal(response, 500)
        assert left_behind(client) == [] and client.get("/api/health").json()["waiting"] == 0


def test_the_pages_ask_for_nothing_from_elsewhere(client):
    for path in ("/", "/docs", "/page/style.css", "/page/main.js", "/page/stage.js", "/page/server.js"):
        response = client.get(path)
        assert response.status_code == 200
        assert (
            not {"http://", "https://"} & {word[:7] for word in response.text.split('"')}
            and "@import" not in response.text
        )
        assert "default-src 'none'" in response.headers["content-security-policy"]
    listed = client.get("/docs").text
    for path, methods in client.get("/api/openapi.json").json()["paths"].items():
        assert all(f"{method.upper()} {path}" in listed for method in methods)
    assert ADDRESS not in listed
