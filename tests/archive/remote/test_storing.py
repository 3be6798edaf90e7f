"""Storing and fetching with an archive of this process: all or nothing, twice as once, only results."""

import errno
import os

import pytest
from archive_cases import draw
from dicom_cases import write
from remote_cases import FRONTAL, LATERAL, STUDY, film, films, results

from x2x_core.archive.remote.archive import Receipt
from x2x_core.archive.remote.entries import KEYS, UID_OF, Entry, Place, StudyQuery, make_entry
from x2x_core.archive.remote.errors import ArchiveError
from x2x_core.archive.remote.fetching import fetch, list_instances
from x2x_core.archive.remote.films import fetch_film
from x2x_core.archive.remote.storing import by_study, outgoing, store
from x2x_core.common.errors import InputError, InputNotFoundError, OutputExistsError


class MemoryArchive:
    """An archive in memory that takes `takes` objects of a request and then fails."""

    name = "memory"

    def __init__(self, files=(), takes=None, can_remove=False, is_lost=False):
        self.files, self.takes, self.can_remove, self.is_lost = dict(files), takes, can_remove, is_lost
        self.sent = []

    def check(self):
        pass

    def find(self, level, conditions, limit=None):
        if self.is_lost and self.sent:
            raise ArchiveError("The archive memory broke off.")
        found = {}
        for content in self.files.values():
            [values] = self._values(content)
            if all(values[name] == value for name, value in conditions.items()):
                entry = make_entry(level, conditions, values)
                found[entry.values[UID_OF[level]]] = entry
        return list(found.values())

    def _values(self, content):
        from io import BytesIO

        from pydicom import dcmread

        head = dcmread(BytesIO(content), stop_before_pixels=True)
        names = {*UID_OF.values(), *(name for names in KEYS.values() for name in names)}
        return [{name: str(head.get(name, "")) for name in names}]

    def retrieve(self, entries):
        for entry in entries:
            yield entry, self.files[entry.instance]

    def send(self, objects):
        self.sent.append([each.name for each in objects])
        taken = objects[: self.takes]
        self.files |= {each.instance: each.content for each in taken}
        trouble = "" if len(taken) == len(objects) else "The archive memory is full."
        return Receipt(frozenset(each.instance for each in taken), trouble)

    def remove(self, sent):
        if self.can_remove:
            del self.files[sent.instance]
        return self.can_remove


@pytest.fixture
def objects(tmp_path):
    return results(tmp_path / "film")


def test_all_objects_are_stored_the_edit_first_and_the_second_time_nothing_is_sent(objects):
    archive = MemoryArchive()
    first, second = store(archive, objects), store(archive, objects)
    assert archive.sent == [["edited.dcm", "guidance_mask.dcm", "guidance_map.dcm", "panel.dcm"]]
    assert (len(first.sent), len(first.known)) == (4, 0) and (len(second.sent), len(second.known)) == (0, 4)
    assert archive.files == {each.instance: each.content for each in objects} and first.study == STUDY


def test_only_what_is_missing_is_sent(objects):
    archive = MemoryArchive({objects[0].instance: objects[0].content})
    assert [each.name for each in store(archive, objects).known] == ["edited.dcm"]
    assert archive.sent == [["guidance_mask.dcm", "guidance_map.dcm", "panel.dcm"]]


@pytest.mark.parametrize("takes", [0, 1, 3])
def test_what_had_arrived_is_removed_again(objects, takes):
    archive = MemoryArchive(takes=takes, can_remove=True)
    with pytest.raises(ArchiveError, match=r"^The archive memory is full\. .*[Nn]othing (was|is) stored"):
        store(archive, objects)
    assert archive.files == {}


def test_what_cannot_be_removed_is_named_and_the_next_time_completes_it(objects):
    archive = MemoryArchive(takes=2)
    with pytest.raises(ArchiveError, match=r"Of 4 objects 2 are stored") as refused:
        store(archive, objects)
    assert all(each.instance in str(refused.value) for each in objects[:2])
    assert objects[2].instance not in str(refused.value)
    archive.takes = None
    assert len(store(archive, objects).sent) == 2 and len(archive.files) == 4


def test_objects_that_were_there_before_are_never_removed(objects):
    archive = MemoryArchive({objects[0].instance: objects[0].content}, takes=1, can_remove=True)
    with pytest.raises(ArchiveError, match="removed again"):
        store(archive, objects)
    assert set(archive.files) == {objects[0].instance}


def test_an_archive_that_is_gone_leaves_the_question_open(objects):
    archive = MemoryArchive(takes=2, is_lost=True)
    with pytest.raises(ArchiveError, match="could not be asked which of these it has stored") as refused:
        store(archive, objects)
    assert all(each.instance in str(refused.value) for each in objects)


def test_an_answer_that_was_lost_is_no_failure(objects):
    archive = MemoryArchive()
    own_send = archive.send
    archive.send = lambda sent: own_send(sent) and Receipt(frozenset(), "The archive memory broke off.")
    assert len(store(archive, objects).sent) == 4


def test_only_results_of_this_program_are_stored(tmp_path, objects):
    original = film(tmp_path, FRONTAL)
    marked = r"`a\.dcm` must be a DICOM result of InstructX2X, marked as synthetic: nothing else is stored\."
    written = r"`a\.dcm` is not a DICOM file that InstructX2X wrote\."
    for content, said in ((original, marked), (b"no DICOM", written)):
        with pytest.raises(InputError, match=said):
            outgoing({"a.dcm": content})
    from io import BytesIO

    from pydicom import dcmread

    unmarked, written = dcmread(BytesIO(objects[0].content)), BytesIO()
    unmarked.SyntheticData = "NO"
    unmarked.save_as(written)
    with pytest.raises(InputError, match="marked as synthetic"):
        outgoing({"a.dcm": written.getvalue()})


def test_objects_are_grouped_by_study_and_taken_once(tmp_path, objects):
    others = outgoing_of_other_study(tmp_path)
    grouped = by_study([*objects, *others, *objects])
    assert {study: len(each) for study, each in grouped.items()} == {STUDY: 4, others[0].study: 4}


def outgoing_of_other_study(tmp_path):
    from remote_cases import OTHER_STUDY, edited

    film(tmp_path, "1.2.9", StudyInstanceUID=OTHER_STUDY)
    return outgoing(edited(tmp_path / "1.2.9.dcm"))


def test_a_study_is_fetched_into_a_new_folder(tmp_path):
    files = films(tmp_path)
    archive, folder, done = MemoryArchive(files), tmp_path / "a" / "study", []
    paths = fetch(archive, list_instances(archive, Place(STUDY)), folder, lambda *each: done.append(each))
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in paths)
    assert {path.stem: path.read_bytes() for path in paths} == {uid: files[uid] for uid in (FRONTAL, LATERAL)}
    assert done == [(0, 2), (1, 2), (2, 2)] and [each.name for each in folder.parent.iterdir()] == ["study"]
    with pytest.raises(OutputExistsError, match="new or empty folder"):
        fetch(archive, list_instances(archive, Place(STUDY)), folder)


@pytest.mark.parametrize("failing", range(3))
def test_a_disk_that_fills_up_while_fetching_leaves_nothing(tmp_path, monkeypatch, failing):
    archive, synced, parent = MemoryArchive(films(tmp_path)), [], tmp_path / "out"
    entries = list_instances(archive, Place(STUDY))
    parent.mkdir()

    def fill_up(handle):
        synced.append(handle)
        if len(synced) > failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(InputError, match=r"`out` must be a place that can be written.*No space left"):
        fetch(archive, entries, parent / "study")
    assert list(parent.iterdir()) == [] and len(synced) == failing + 1


def test_an_archive_that_breaks_off_leaves_no_folder(tmp_path):
    archive = MemoryArchive(films(tmp_path))
    entries = list_instances(archive, Place(STUDY))

    def break_off(wanted):
        yield wanted[0], archive.files[wanted[0].instance]
        raise ArchiveError("The archive memory broke off.")

    archive.retrieve = break_off
    with pytest.raises(ArchiveError, match="broke off"):
        fetch(archive, entries, tmp_path / "out")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".dcm"] * 3


@pytest.mark.parametrize("content", [b"", b"no DICOM", LATERAL])
def test_something_else_than_what_was_asked_for_is_refused(tmp_path, content):
    files = films(tmp_path)
    archive = MemoryArchive(files)
    entries = [entry for entry in list_instances(archive, Place(STUDY)) if entry.instance == FRONTAL]
    archive.files[FRONTAL] = files[content] if isinstance(content, str) else content
    with pytest.raises(ArchiveError, match=r"sent (something else than a DICOM object|another object)"):
        fetch(archive, entries, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_frontal_radiograph_of_a_study_is_chosen(tmp_path):
    files = films(tmp_path)
    archive = MemoryArchive(files)
    assert fetch_film(archive, Place(STUDY), tmp_path / "a").read_bytes() == files[FRONTAL]
    assert fetch_film(archive, Place(STUDY, None, LATERAL), tmp_path / "b").stem == LATERAL
    store(archive, results(tmp_path / "film"))  # synthetic ones do not count
    assert fetch_film(archive, Place(STUDY), tmp_path / "c").stem == FRONTAL
    archive.files["1.2.8"] = film(tmp_path, "1.2.8", PresentationIntentType="FOR PROCESSING")
    assert fetch_film(archive, Place(STUDY), tmp_path / "d").stem == FRONTAL
    archive.files["1.2.9"] = film(tmp_path, "1.2.9")
    with pytest.raises(InputError, match=r"2 frontal radiographs: name one with `instance`: 1\.2\.3\.1, 1\.2\.9\."):
        fetch_film(archive, Place(STUDY), tmp_path / "e")


def test_a_study_without_a_frontal_radiograph_is_refused(tmp_path):
    lateral = film(tmp_path, LATERAL, ViewPosition="LL")
    with pytest.raises(InputError, match="1 are radiographs and none of these is frontal"):
        fetch_film(MemoryArchive({LATERAL: lateral}), Place(STUDY), tmp_path / "a")
    scan = write(
        tmp_path / "ct", draw(12), 12, Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
        StudyInstanceUID=STUDY, SeriesInstanceUID="1.2.6",
    ).read_bytes()  # fmt: skip
    with pytest.raises(InputError, match="none of its 1 objects is of such a class"):
        fetch_film(MemoryArchive({"a": scan}), Place(STUDY), tmp_path / "b")


def test_a_place_that_is_empty_is_named(tmp_path):
    archive = MemoryArchive(films(tmp_path))
    for place, name in (
        (Place("1.9"), "study"),
        (Place(STUDY, "1.9"), "series"),
        (Place(STUDY, None, "1.9"), "instance"),
    ):
        with pytest.raises(InputNotFoundError, match=rf"`{name}` must be the UID.*has nothing at 1\.9"):
            list_instances(archive, place)


@pytest.mark.parametrize("uid", ["", "1..2", "../1", "1.2/3", "1" * 65, "x", "1.2 ", "１.２"])
def test_only_uids_reach_addresses_and_file_names(uid):
    with pytest.raises(InputError, match="must be a UID"):
        Place(uid)
    with pytest.raises(ArchiveError, match="UID"):
        make_entry("study", {}, {"StudyInstanceUID": uid})


def test_texts_of_an_archive_lose_control_characters():
    entry = make_entry("study", {}, {"StudyInstanceUID": "1.2", "StudyDescription": "a\x1b[31mb\n"})
    assert entry == Entry("study", {"StudyInstanceUID": "1.2", "StudyDescription": "a[31mb"})


def test_conditions_are_checked():
    assert StudyQuery("P*", "", "20260101-20260131", "dx").conditions() == {
        "PatientID": "P*", "StudyDate": "20260101-20260131", "ModalitiesInStudy": "DX",
    }  # fmt: skip
    for date in ("2026", "20260101-2026", "yesterday"):
        with pytest.raises(InputError, match="`date` must be"):
            StudyQuery(date=date)
    with pytest.raises(InputError, match="`patient_id` must be one line"):
        StudyQuery("a\\b")
