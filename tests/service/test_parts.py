"""The parts of a service, each alone: line, held images, access, settings, messages."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from x2x_core.common.addresses import is_loopback
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.service.access import Access, check_listening, read_token
from x2x_core.service.images import HeldImages, NotHeldError
from x2x_core.service.line import BusyError, Line
from x2x_core.service.reader import public_message
from x2x_core.service.settings import ServiceSettings

LONG = "0123456789abcdef"


def run_apart(coroutine):
    """Run a coroutine in a thread of its own: Playwright, once started, has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_a_line_has_as_many_places_as_workers_and_waiting():
    line = Line(["worker"], 1)
    with line.place(), line.place():
        with pytest.raises(BusyError) as error, line.place():
            pass
        assert error.value.retry_after >= 1
    with line.place():
        assert line.taken == 1


def test_each_worker_runs_one_job_at_a_time():
    running, most, lock = [], [], threading.Lock()

    def job(worker, stop):
        with lock:
            running.append(worker)
            most.append(sorted(running))
        stop.wait(0.02)
        with lock:
            running.remove(worker)
        return worker

    async def run():
        line = Line(["a", "b"], 8)
        results = await asyncio.gather(*(line.run(job) for _ in range(8)))
        line.close()
        return results

    assert set(run_apart(run())) == {"a", "b"}
    assert max(map(len, most)) == 2 and all(len(set(names)) == len(names) for names in most)


def test_a_cancelled_job_is_told_to_stop_and_its_worker_comes_back():
    stopped = threading.Event()

    def long(worker, stop):
        if stop.wait(30):
            stopped.set()

    async def run():
        line = Line(["a"], 1)
        task = asyncio.create_task(line.run(long))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answer = await asyncio.wait_for(line.run(lambda worker, stop: worker), 10)
        line.close()
        return answer

    assert run_apart(run()) == "a" and stopped.is_set()


@pytest.fixture
def images():
    """Two held at one time, for ten seconds by a clock that the test sets."""
    clock = [0.0]
    one = HeldImages(2, 10, lambda: clock[0])
    one.set_clock = lambda value: clock.__setitem__(0, value)
    return one


def hold(images, folder):
    folder.mkdir()
    return images.add(None, folder, b"")


def test_the_longest_unused_image_makes_room(images, tmp_path):
    first, second = hold(images, tmp_path / "1"), hold(images, tmp_path / "2")
    images.set_clock(1)
    with images.use(first.identifier):
        pass
    hold(images, tmp_path / "3")
    assert len(images) == 2 and not second.folder.exists() and first.folder.exists()
    with pytest.raises(NotHeldError), images.use(second.identifier):
        pass


def test_an_image_goes_when_its_time_is_over_but_not_while_it_is_used(images, tmp_path):
    image = hold(images, tmp_path / "1")
    with images.use(image.identifier):
        images.set_clock(60)
        images.sweep()
        assert len(images) == 1
        images.drop(image.identifier)
        assert len(images) == 0 and image.folder.exists()
    assert not image.folder.exists()
    other = hold(images, tmp_path / "2")
    images.set_clock(71)
    images.sweep()
    assert not other.folder.exists()


def test_names_of_images_cannot_be_guessed(images, tmp_path):
    names = {hold(images, tmp_path / str(number)).identifier for number in range(20)}
    assert len(names) == 20 and all(len(name) >= 32 for name in names)


def test_a_token_comes_from_the_file_or_the_environment(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{LONG}\n")
    file.chmod(0o600)
    assert read_token(file, {}) == LONG
    assert read_token(None, {"X2X_SERVE_TOKEN": LONG}) == LONG
    assert read_token(None, {}) == ""


@pytest.mark.parametrize("text", ["", "short", "white space in it 123", "é" * 20])
def test_a_weak_token_is_refused(tmp_path, text):
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(InputError, match="at least 16"):
        read_token(file, {})


def test_a_token_that_others_may_read_is_refused(tmp_path):
    file = tmp_path / "token"
    with pytest.raises(InputNotFoundError, match="There is no file"):
        read_token(file, {})
    file.write_text(LONG)
    file.chmod(0o644)
    if os.name == "posix":
        with pytest.raises(InputError, match="chmod 600"):
            read_token(file, {})


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("example.org", False), ("localhost.example.org", False)],
)  # fmt: skip
def test_only_loopback_is_served_without_a_token(host, local):
    assert is_loopback(host) is local
    check_listening(host, LONG, False)
    check_listening(host, "", True)
    if local:
        check_listening(host, "", False)
    else:
        with pytest.raises(InputError, match="--without-token"):
            check_listening(host, "", False)


def test_the_token_is_not_shown():
    settings = ServiceSettings(token=LONG)
    assert LONG not in repr(settings)
    assert Access(settings).accepts_token(f"bearer {LONG}") and not Access(settings).accepts_token(None)


@pytest.mark.parametrize(
    "wrong",
    [{"port": 0}, {"waiting": -1}, {"timeout": 0}, {"max_bytes": 1}, {"max_pixels": 0}, {"held_images": 0},
     {"hold_seconds": float("nan")}],
)  # fmt: skip
def test_limits_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=f"`{next(iter(wrong))}`"):
        ServiceSettings(**wrong)


def test_messages_name_no_file_of_the_server(tmp_path):
    (tmp_path / "upload.png").touch()
    error = InputError(f"`{tmp_path / 'upload.png'}` must be intact,\nbut `{tmp_path}` is not.")
    assert public_message(error, tmp_path / "upload") == "`image` must be intact, but `image` is not."
