"""DIMSE against nodes of pynetdicom in this process: searches, bytes, titles, and every way to fail."""

import logging
import socket
import threading
from contextlib import contextmanager
from io import BytesIO
from socketserver import BaseServer

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (
    DigitalXRayImageStorageForPresentation,
    ParametricMapStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)
from pynetdicom.transport import ThreadedAssociationServer
from remote_cases import FRONTAL, LATERAL, OTHER_STUDY, SECRET, STUDY, films, results

from x2x_core.archive.remote import dimse_link
from x2x_core.archive.remote.entries import SERIES, Place
from x2x_core.archive.remote.entries import STUDY as STUDIES
from x2x_core.archive.remote.errors import ArchiveError
from x2x_core.archive.remote.fetching import fetch, list_instances
from x2x_core.archive.remote.opening import open_archive
from x2x_core.archive.remote.storing import store
from x2x_core.common.errors import InputError

# pynetdicom leaves a socket to the garbage collector if the other side ended its connection first.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
# Of films and results. Nodes copy all classes and syntaxes that they know for each association.
KINDS = {
    DigitalXRayImageStorageForPresentation,
    SegmentationStorage,
    ParametricMapStorage,
    SecondaryCaptureImageStorage,
}
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian]
# A server looks this often, in seconds, whether it shall end; pynetdicom's own looks twice a second.
POLL = 0.02
UIDS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


class Node:
    """A DIMSE node that holds objects, and fails as it is told to; use it as a context."""

    def __init__(self, objects=(), models=(), without=(), **failures):
        self.objects, self.failures, self.stored = dict(objects), failures, []
        self.identity, self.listen = None, free_port()
        entity = AE("PACS")
        entity.require_called_aet, entity.maximum_associations = True, 100
        for model in models or (
            Verification,
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelGet,
            StudyRootQueryRetrieveInformationModelMove,
        ):
            entity.add_supported_context(model)
        for kind in KINDS - set(without):
            entity.add_supported_context(kind, SYNTAXES, scu_role=True, scp_role=True)
        self.entity = entity

    def __enter__(self):
        handlers = [
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_GET, self._get),
            (evt.EVT_C_MOVE, self._move),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_USER_ID, self._identify),
        ]
        self.server = self.entity.make_server(
            ("127.0.0.1", 0), evt_handlers=handlers, server_class=ThreadedAssociationServer
        )
        threading.Thread(target=self.server.serve_forever, args=(POLL,), daemon=True).start()
        self.address = f"dicom://PACS@127.0.0.1:{self.server.socket.getsockname()[1]}"
        return self

    def __exit__(self, *_):
        BaseServer.shutdown(self.server)  # pynetdicom's own asks for a server that it has started itself
        self.server.server_close()

    def _identify(self, event):
        self.identity = (event.primary_field, event.secondary_field)
        return self.failures.get("accepts", True), None

    def _matching(self, identifier):
        heads = [dcmread(BytesIO(content)) for content in self.objects.values()]
        asked = [element for element in identifier if element.keyword in UIDS.values() and element.value]
        return [head for head in heads if all(head[each.keyword].value == each.value for each in asked)]

    def _find(self, event):
        level, seen = UIDS[event.identifier.QueryRetrieveLevel], set()
        for head in self._matching(event.identifier):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            if head[level].value in seen:
                continue
            seen.add(head[level].value)
            if "find" in self.failures:
                yield self.failures["find"], None
                return
            yield 0xFF00, short(head)

    def _send(self, event):
        if "drop" in self.failures:
            event.assoc.abort()
            return
        found = self._matching(event.identifier) if "keep back" not in self.failures else []
        yield len(found)
        for head in found:
            yield 0xFF00, head

    def _get(self, event):
        yield from self._send(event)

    def _move(self, event):
        if event.move_destination != "X2X":
            yield None, None
            return
        kinds = {dcmread(BytesIO(content)).SOPClassUID for content in self.objects.values()}
        yield "127.0.0.1", self.listen, {"contexts": [build_context(kind, ExplicitVRLittleEndian) for kind in kinds]}
        yield from self._send(event)

    def _store(self, event):
        if self.failures.get("takes") == len(self.stored):
            if "drop" in self.failures:
                event.assoc.abort()
            return 0xA700
        self.objects[event.request.AffectedSOPInstanceUID] = event.encoded_dataset()
        self.stored.append(event.request.AffectedSOPInstanceUID)
        return 0


def short(head):
    """Return what a search answers of an object."""
    answer = Dataset()
    for name in (*UIDS.values(), "SOPClassUID", "Modality", "StudyDate", "PatientID"):
        answer[name] = head[name]
    return answer


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def node_with(objects=(), **options):
    with Node(objects, **options) as made:
        yield made


def open_node(node, rest="", **environment):
    return open_archive(node.address + rest, environment=environment)


def dataset_of(content):
    """Return the data set of a file without its head."""
    read = dcmread(BytesIO(content))
    return content[132 + 12 + read.file_meta.FileMetaInformationGroupLength :]


def test_studies_and_series_are_found(tmp_path):
    with node_with(films(tmp_path)) as node:
        archive = open_node(node)
        archive.check()
        assert [entry.study for entry in archive.find(STUDIES, {})] == [STUDY, OTHER_STUDY]
        [found] = archive.find(STUDIES, {}, 1)
        assert found.values["PatientID"] == "MRN-7718823"
        assert len(archive.find(SERIES, {"StudyInstanceUID": STUDY})) == 2


@pytest.mark.parametrize("way", ["C-GET", "C-MOVE"])
def test_objects_are_fetched_with_the_bytes_of_their_data_sets_and_the_same_twice(tmp_path, way):
    files = films(tmp_path)
    with node_with(files) as node:
        archive = open_node(node, f"?listen={node.listen}" if way == "C-MOVE" else "")
        for name in "ab":
            paths = fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / name)
        assert {path.stem for path in paths} == {FRONTAL, LATERAL}
        for path in paths:
            assert dataset_of(path.read_bytes()) == dataset_of(files[path.stem])
            assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


def test_results_are_stored_once(tmp_path):
    objects = results(tmp_path / "film")
    with node_with(films(tmp_path)) as node:
        archive = open_node(node)
        assert len(store(archive, objects).sent) == 4 and len(store(archive, objects).known) == 4
        assert node.stored == [each.instance for each in objects]
        for each in objects:
            assert dataset_of(node.objects[each.instance]) == dataset_of(each.content)


def test_nothing_is_sent_if_a_class_is_not_taken(tmp_path):
    objects = results(tmp_path / "film")
    with (
        node_with(films(tmp_path), without=[objects[2].sop_class]) as node,
        pytest.raises(ArchiveError, match=r"does not take guidance_map\.dcm\. Nothing was stored\."),
    ):
        store(open_node(node), objects)
    assert node.stored == []


@pytest.mark.parametrize("drop", [False, True])
def test_what_was_stored_before_a_failure_is_named_and_the_next_time_completes_it(tmp_path, drop):
    objects = results(tmp_path / "film")
    failures = {"takes": 2, **({"drop": True} if drop else {})}
    with node_with(films(tmp_path), **failures) as node:
        sentence = "broke off the connection" if drop else r"refused guidance_map\.dcm: no room or memory left"
        with pytest.raises(ArchiveError, match=sentence) as refused:
            store(open_node(node), objects)
        assert "Of 4 objects 2 are stored" in str(refused.value)
        assert all((each.instance in str(refused.value)) == (each in objects[:2]) for each in objects)
        node.failures = {}
        assert len(store(open_node(node), objects).sent) == 2 and len(node.stored) == 4


@pytest.mark.parametrize("way", ["C-GET", "C-MOVE"])
@pytest.mark.parametrize(
    ("failure", "sentence"), [("drop", "broke off|could not send"), ("keep back", "did not send an object")]
)
def test_an_object_that_does_not_come(tmp_path, monkeypatch, way, failure, sentence):
    monkeypatch.setattr("x2x_core.archive.remote.dimse_fetch.CONNECT", 0.2)
    with node_with(films(tmp_path), **{failure: True}) as node:
        archive = open_node(node, f"?listen={node.listen}" if way == "C-MOVE" else "")
        with pytest.raises(ArchiveError, match=sentence):
            fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_destination_that_the_archive_does_not_know(tmp_path):
    with node_with(films(tmp_path)) as node:
        archive = open_node(node, f"?calling=OTHER&listen={node.listen}")
        with pytest.raises(ArchiveError, match="does not know the title OTHER"):
            fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "out")


def test_a_port_that_is_taken(tmp_path):
    with node_with(films(tmp_path)) as node, socket.create_server(("127.0.0.1", 0)) as taken:
        archive = open_node(node, f"?listen={taken.getsockname()[1]}")
        with pytest.raises(InputError, match="must name a free port after listen="):
            fetch(archive, list_instances(archive, Place(STUDY)), tmp_path / "out")


def test_objects_that_nobody_asked_for_are_not_taken(tmp_path):
    from x2x_core.archive.remote.dimse_fetch import _Inbox

    class Event:
        class request:  # noqa: N801
            AffectedSOPInstanceUID = LATERAL

    inbox = _Inbox()
    inbox.expect(FRONTAL)
    assert inbox.take(Event()) == 0x0124 and inbox.content(0) is None


@pytest.mark.parametrize(("service", "use"), [("C-FIND", "find"), ("C-GET", "get"), ("C-MOVE", "move")])
def test_services_that_are_not_offered(tmp_path, service, use):
    with node_with(films(tmp_path)) as full:
        entries = list_instances(open_node(full), Place(STUDY))
    with node_with(models=[Verification]) as node:
        archive = open_node(node, f"?listen={node.listen}" if use == "move" else "")
        with pytest.raises(ArchiveError, match=f"does not offer {service}"):
            archive.find(STUDIES, {}) if use == "find" else list(archive.retrieve(entries))


def test_a_search_that_is_refused(tmp_path):
    with node_with(films(tmp_path), find=0xA700) as node, pytest.raises(ArchiveError, match="no room or memory left"):
        open_node(node).find(STUDIES, {})


def test_a_wrong_title_or_identity_is_refused(tmp_path):
    with node_with() as node:
        with pytest.raises(ArchiveError, match=r"refused the association .*called ae title"):
            open_archive(node.address.replace("PACS", "OTHER"), environment={}).check()
        node.failures = {"accepts": False}
        with pytest.raises(ArchiveError, match="refused the association") as refused:
            open_node(node, X2X_ARCHIVE_USER="lab", X2X_ARCHIVE_PASSWORD=SECRET).check()
        assert SECRET not in str(refused.value)


def test_secrets_are_sent_and_written_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    with node_with() as node:
        archive = open_node(node, X2X_ARCHIVE_USER="lab", X2X_ARCHIVE_PASSWORD=SECRET)
        archive.check()
        assert node.identity == (b"lab", SECRET.encode())
    assert SECRET not in caplog.text and SECRET not in repr(vars(archive._link))


def test_a_node_that_is_not_there_or_is_none():
    with pytest.raises(ArchiveError, match="cannot be reached: Connection refused"):
        open_archive(f"dicom://PACS@127.0.0.1:{free_port()}", environment={}).check()
    with pytest.raises(ArchiveError, match="no machine of this name"):
        open_archive("dicom://PACS@no-such-machine.invalid", environment={}).check()
    with node_with() as node, pytest.raises(ArchiveError, match=r"TLS handshake|cannot be reached"):
        open_archive(node.address.replace("dicom:", "dicoms:"), environment={}).check()


def test_a_node_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(dimse_link, "ANSWER", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        archive = open_archive(f"dicom://PACS@127.0.0.1:{silent.getsockname()[1]}", environment={})
        with pytest.raises(ArchiveError, match=r"gave no answer for 0\.3 seconds: check that it speaks DICOM"):
            archive.check()


def test_a_node_that_hangs_up():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            for _ in range(2):  # the probe, and the association
                client, _ = server.accept()
                client.recv(2**16)
                client.close()

        threading.Thread(target=hang_up, daemon=True).start()
        archive = open_archive(f"dicom://PACS@127.0.0.1:{server.getsockname()[1]}", environment={})
        with pytest.raises(ArchiveError, match="ended the connection without an answer: check that it speaks DICOM"):
            archive.check()
