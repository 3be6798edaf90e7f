"""The benchmark of the service: single edits, a crowd, and memory, with a service of its own."""

import json
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from programs import load_program


class OneAtATime(BaseHTTPRequestHandler):
    """Server that answers one request at a time and refuses the others."""

    busy, status = threading.Lock(), 503

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_free = b'name="prompt"' in body and b"\x89PNG" in body and self.busy.acquire(blocking=False)
        self.send_response(200 if is_free else self.status)
        self.end_headers()
        if is_free:
            self.wfile.write(b"edited")
            self.busy.release()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def bench(monkeypatch):
    module = load_program("benchmarks/service_load.py")

    @contextmanager
    def service():
        with ThreadingHTTPServer(("127.0.0.1", 0), OneAtATime) as server:
            threading.Thread(target=server.serve_forever).start()
            yield f"http://127.0.0.1:{server.server_port}", 1
            server.shutdown()

    monkeypatch.setattr(module, "running_service", service)
    monkeypatch.setattr(module, "memory_mib", lambda process, name: {"VmRSS": 5, "VmHWM": 7}[name])
    return module


def test_every_request_is_answered_or_refused_and_counted(bench, monkeypatch, tmp_path, capsys):
    record = tmp_path / "record.json"
    monkeypatch.setattr(sys, "argv", ["service_load.py", "--requests", "6", "--edits", "2", "--out", str(record)])
    bench.main()
    found = json.loads(record.read_text())
    assert found["answered"] + found["refused"] == found["at_once"] == 6 and found["answered"] >= 1
    assert len(found["single_seconds"]) == 2 and found["memory_mib"] == {"before": 5, "after": 5, "largest": 7}
    assert "6 at once" in capsys.readouterr().out


def test_another_answer_ends_the_benchmark(bench, monkeypatch):
    monkeypatch.setattr(OneAtATime, "status", 500)
    with OneAtATime.busy, pytest.raises(RuntimeError, match="500"):
        bench.measure(2, 1)
