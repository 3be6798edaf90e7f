"""A real `x2x serve` on loopback: a hundred requests at once, hostile uploads, a decoder that dies, its end."""

import asyncio
import io
import os
import signal
import socket
import time
import zipfile

import httpx2
import pytest
from service_cases import PROMPT, film, huge_png
from service_process import ServiceProcess

QUICK = {"prompt": PROMPT, "num_inference_steps": "2", "answer": "png"}
CROWD = 100
SLACK = 150  # MiB that memory may grow by after the first edits: caches of allocators
TIMEOUT = 900


def post(service, path="/api/edit", data=QUICK, file=None):
    return httpx2.post(f"{service.address}{path}", data=data, files={"image": ("a", file or film())}, timeout=TIMEOUT)


async def crowd(service, count):
    """Send as many edits at once; return the responses."""
    limits = httpx2.Limits(max_connections=count)
    async with httpx2.AsyncClient(timeout=TIMEOUT, limits=limits) as client:
        files = [{"image": ("a", film())} for _ in range(count)]
        return await asyncio.gather(
            *(client.post(f"{service.address}/api/edit", data=QUICK, files=file) for file in files)
        )


def test_a_crowd_is_answered_or_told_when_to_come_back_and_memory_stays_flat(service, figures):
    for _ in range(2):
        assert post(service).status_code == 200
    before = service.memory()
    began = time.monotonic()
    answers = asyncio.run(crowd(service, CROWD))
    seconds = time.monotonic() - began
    codes = [answer.status_code for answer in answers]
    assert set(codes) <= {200, 503} and codes.count(200) >= 9
    bodies = {answer.content for answer in answers if answer.status_code == 200}
    assert len(bodies) == 1  # the same seed: the same bytes
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1 and set(answer.json()) == {"error"}
    health = httpx2.get(f"{service.address}/api/health", timeout=TIMEOUT).json()
    assert (health["waiting"], health["running"]) == (0, 0) and service.files() == []
    grown = service.memory() - before
    figures.append(f"{codes.count(200)} of {CROWD} answered, the rest refused, in {seconds:.1f} s; {grown} MiB more")
    assert grown < SLACK
    assert post(service).status_code == 200
    assert "Traceback" not in service.log()


def deflated_dicom():
    """A deflated DICOM file whose data set is a gigabyte of zeros."""
    import zlib

    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import write_file_meta_info

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    meta.TransferSyntaxUID, meta.ImplementationClassUID = "1.2.840.10008.1.2.1.99", "1.2.3.4"
    file = io.BytesIO()
    file.write(bytes(128) + b"DICM")
    write_file_meta_info(file, meta)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    file.write(b"".join(packer.compress(bytes(2**20)) for _ in range(1024)) + packer.flush())
    return file.getvalue()


def zip_bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("film.png", bytes(2**28))
    return file.getvalue()


@pytest.mark.parametrize("make", [huge_png, deflated_dicom, zip_bomb])
def test_a_bomb_is_refused_in_one_sentence_without_memory(service, make):
    data = make()
    assert post(service).status_code == 200
    before = service.memory("VmHWM")
    answer = post(service, "/api/images", {}, data)
    assert answer.status_code == 422 and set(answer.json()) == {"error"}, answer.text
    assert service.memory("VmHWM") - before < SLACK and service.files() == []


def test_a_decoder_that_dies_is_replaced(service):
    assert post(service).status_code == 200
    os.kill(service.reader(), signal.SIGKILL)
    answers = [post(service).status_code for _ in range(2)]
    assert answers[-1] == 200


def test_a_client_that_stops_sending_holds_its_place_for_the_timeout_alone(service_folder):
    with ServiceProcess(service_folder, "--timeout", "3", "--waiting", "0") as own:
        with socket.create_connection(("127.0.0.1", own.port), timeout=60) as silent:
            silent.sendall(
                b"POST /api/edit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x"
            )
            assert b" 504 " in silent.recv(4096).splitlines()[0]
        assert httpx2.get(f"{own.address}/api/health", timeout=60).json()["waiting"] == 0


def test_it_ends_when_it_is_interrupted_and_leaves_nothing(service_folder):
    with ServiceProcess(service_folder, environment={"X2X_SERVE_TOKEN": "a-token-of-the-tests"}) as own:
        assert post(own).status_code == 401
        header = {"Authorization": "Bearer a-token-of-the-tests"}
        answer = httpx2.post(
            f"{own.address}/api/images", files={"image": ("a", film())}, headers=header, timeout=TIMEOUT
        )
        assert answer.status_code == 200 and len(own.files()) == 1
    assert own.process.returncode in (0, 130) and own.files() == [] and "Traceback" not in own.log()
    assert "a-token-of-the-tests" not in own.log()
