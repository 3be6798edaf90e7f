"""The library against a real Orthanc: nothing else is touched, and nothing is half stored."""

import os
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from archive_cases import COMPLETE, draw
from dicom_cases import IDENTITY, write
from orthanc_process import PASSWORD, Orthanc, Proxy
from PIL import Image
from pydicom import dcmread
from remote_cases import FRONTAL, LATERAL, OTHER, STUDY, edited, film, films, results

from x2x_core.archive.remote.entries import STUDY as STUDIES
from x2x_core.archive.remote.entries import Place
from x2x_core.archive.remote.errors import ArchiveError
from x2x_core.archive.remote.fetching import fetch, list_instances
from x2x_core.archive.remote.films import fetch_film
from x2x_core.archive.remote.opening import open_archive
from x2x_core.archive.remote.storing import outgoing, store

# pynetdicom leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
WAYS = ("web", "dimse", "dimse by C-MOVE")


@pytest.fixture
def orthanc(tmp_path):
    with Orthanc(tmp_path / "orthanc") as made:
        fill(made, tmp_path)
        yield made


def fill(orthanc, tmp_path):
    for content in films(tmp_path).values():
        orthanc.put(content)


def opened(orthanc, way, **environment):
    address = {"web": orthanc.web, "dimse": orthanc.dimse}.get(way, f"{orthanc.dimse}?listen={orthanc.listen}")
    return open_archive(address, environment=orthanc.environment(**environment))


def round_trip(orthanc, archive, tmp_path):
    """Fetch the frontal view of the study, edit it without a model, and store the results."""
    before = orthanc.files()
    path = fetch_film(archive, Place(STUDY), tmp_path / "film")
    assert path.stem == FRONTAL
    objects = outgoing(edited(path))
    first, second = store(archive, objects), store(archive, objects)
    assert (len(first.sent), len(second.sent), len(second.known)) == (4, 0, 4)
    return before, objects, orthanc.files()


@pytest.mark.parametrize("way", WAYS)
def test_a_study_goes_in_its_edit_comes_back_beside_it_and_nothing_else_is_touched(orthanc, tmp_path, way):
    archive = opened(orthanc, way)
    archive.check()
    before, objects, after = round_trip(orthanc, archive, tmp_path)
    assert set(after) == {*before, *(each.instance for each in objects)}
    assert {uid: after[uid] for uid in before} == before
    series = set()
    for each in objects:
        stored, sent = dcmread(BytesIO(after[each.instance])), dcmread(BytesIO(each.content))
        assert stored == sent and stored.StudyInstanceUID == STUDY and stored.PatientID == "MRN-7718823"
        series.add(str(stored.SeriesInstanceUID))
    assert len(series) == 4 and not series & {str(dcmread(BytesIO(old)).SeriesInstanceUID) for old in before.values()}
    if way == "web":
        assert all(after[each.instance] == each.content for each in objects)
        paths = fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "again")
        assert {path.stem: path.read_bytes() for path in paths} == {
            uid: content for uid, content in after.items() if uid != OTHER
        }


def test_orthanc_renders_the_edit(orthanc, tmp_path):
    _, objects, after = round_trip(orthanc, opened(orthanc, "web"), tmp_path)
    address = f"/dicom-web/studies/{STUDY}/series/{objects[0].series}/instances/{objects[0].instance}/rendered"
    answer = orthanc.ask(address, headers={"Accept": "image/png"})
    rendered = np.asarray(Image.open(BytesIO(answer.content)).convert("L"))
    stored = dcmread(BytesIO(after[objects[0].instance])).pixel_array
    assert rendered.shape == stored.shape and np.corrcoef(rendered.ravel(), stored.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("way", WAYS)
def test_everything_goes_encrypted_with_a_self_made_authority(tmp_path, certificates, way):
    with Orthanc(tmp_path / "orthanc", certificates) as orthanc:
        fill(orthanc, tmp_path)
        before, _, after = round_trip(orthanc, opened(orthanc, way), tmp_path)
        assert {uid: after[uid] for uid in before} == before and len(after) == len(before) + 4
        with pytest.raises(ArchiveError, match=r"certificate that is not trusted .*X2X_ARCHIVE_CA"):
            opened(orthanc, way, X2X_ARCHIVE_CA="").check()


def test_dimse_without_a_certificate_of_this_client_is_refused(tmp_path, certificates):
    with Orthanc(tmp_path / "orthanc", certificates) as orthanc:
        archive = opened(orthanc, "dimse", X2X_ARCHIVE_CERTIFICATE="", X2X_ARCHIVE_KEY="")
        with pytest.raises(ArchiveError, match=r"TLS handshake|ended the connection|cannot be reached"):
            archive.check()


def test_a_wrong_password_stores_nothing(orthanc, tmp_path):
    before, archive = orthanc.files(), opened(orthanc, "web", X2X_ARCHIVE_PASSWORD="wrong")
    for attempt in (archive.check, lambda: store(archive, results(tmp_path / "film"))):
        with pytest.raises(ArchiveError, match=r"refused the credentials \(HTTP 401\)") as refused:
            attempt()
        assert PASSWORD not in str(refused.value) and "\n" not in str(refused.value)
    assert orthanc.files() == before


@pytest.mark.parametrize(("name", "sentence"), [("X2X", "called"), ("OTHER", "refused|broke off")])
def test_a_wrong_title_is_refused(orthanc, name, sentence):
    title = "WRONG" if name == "X2X" else "ORTHANC"
    address = orthanc.dimse.replace("ORTHANC", title) + f"?calling={name}"
    with pytest.raises(ArchiveError, match=sentence):
        open_archive(address, environment=orthanc.environment()).find(STUDIES, {})


def through(orthanc, way, proxy):
    port = orthanc.http if way == "web" else orthanc.dicom
    address = {"web": orthanc.web, "dimse": orthanc.dimse}[way].replace(f":{port}", f":{proxy.port}")
    return open_archive(address, environment=orthanc.environment())


@pytest.mark.parametrize("way", ["web", "dimse"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.85])
def test_a_connection_cut_while_storing_leaves_nothing_unsaid(orthanc, tmp_path, way, share):
    objects, before = results(tmp_path / "film"), orthanc.files()
    searches = 2000 if way == "web" else 0  # before storing, on the same connection
    limit = int(share * sum(len(each.content) for each in objects)) + searches
    port = orthanc.http if way == "web" else orthanc.dicom
    with Proxy(port, sent=limit) as proxy, pytest.raises(ArchiveError) as refused:
        store(through(orthanc, way, proxy), objects)
    assert proxy.cuts >= 1 and "\n" not in str(refused.value)
    after = orthanc.files()
    assert {uid: after[uid] for uid in before} == before
    assert_said(str(refused.value), objects, set(after) - set(before))
    again = store(opened(orthanc, way), objects)  # the same again completes it
    assert len(again.sent) + len(again.known) == 4 and len(orthanc.files()) == len(before) + 4


def assert_said(sentence, objects, arrived):
    """Check that a message says exactly which objects are stored."""
    for each in objects:
        assert (each.instance in sentence) == (each.instance in arrived), sentence
    assert ("Nothing was stored" in sentence or "nothing is stored" in sentence) == (not arrived)


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_an_archive_that_is_killed_while_storing_has_whole_objects_or_none(orthanc, tmp_path, way):
    objects, before = results(tmp_path / "film"), orthanc.files()
    limit = int(0.6 * sum(len(each.content) for each in objects))
    port = orthanc.http if way == "web" else orthanc.dicom
    with (
        Proxy(port, sent=limit, at_cut=orthanc.kill) as proxy,
        pytest.raises(ArchiveError, match=r"could not be asked which of these it has stored"),
    ):
        store(through(orthanc, way, proxy), objects)
    orthanc.start()
    after, sent = orthanc.files(), {each.instance: each.content for each in objects}
    for uid, content in after.items():
        assert dcmread(BytesIO(content)) == dcmread(BytesIO(before.get(uid) or sent[uid]))
    store(opened(orthanc, way), objects)
    assert len(orthanc.files()) == len(before) + 4


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_a_connection_cut_while_fetching_leaves_no_folder(orthanc, tmp_path, way):
    entries = list_instances(opened(orthanc, way), Place(STUDY))
    port = orthanc.http if way == "web" else orthanc.dicom
    with Proxy(port, received=6000) as proxy, pytest.raises(ArchiveError):
        fetch(through(orthanc, way, proxy), entries, tmp_path / "out")
    assert proxy.cuts >= 1 and not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_a_full_disk_of_the_archive_is_said(tmp_path, way):
    film(tmp_path, LATERAL)  # as the study's other view
    path = tmp_path / "large.dcm"
    write(path, draw(12, shape=(900, 800)), 12, **{**IDENTITY, **COMPLETE, "SOPInstanceUID": "1.2.3.9"})
    objects = outgoing(edited(path))  # the map has 2.9 MB, the edit 1.4 MB, the others less
    with Orthanc(tmp_path / "orthanc", largest=2_000_000) as orthanc:
        orthanc.put((tmp_path / f"{LATERAL}.dcm").read_bytes())
        before = orthanc.files()
        with pytest.raises(ArchiveError) as refused:
            store(opened(orthanc, way), objects)
        after = orthanc.files()
        assert {uid: after[uid] for uid in before} == before
        assert_said(str(refused.value), objects, set(after) - set(before))
        assert objects[2].instance not in after and "\n" not in str(refused.value)


def test_a_full_disk_of_this_machine_leaves_no_folder(orthanc, tmp_path):
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from x2x_core.archive.remote.opening import open_archive; from x2x_core.archive.remote.entries import Place\n"
        "from x2x_core.archive.remote.fetching import fetch, list_instances\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "archive = open_archive(sys.argv[1]); fetch(archive, list_instances(archive, Place(sys.argv[2])), Path('out'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, orthanc.web, STUDY],
        cwd=tmp_path,
        env={**os.environ, **orthanc.environment()},
        capture_output=True,
        text=True,
    )
    assert "InputError: `out` must be a place that can be written" in done.stderr, done.stderr
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
