"""The command: what it says and refuses, and a process that is killed and goes on."""

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from served import from_log, grey, journal, prepared

PATIENCE = 600  # seconds

MODEL = """import sys
sys.path.insert(0, {support!r})
from served import Brightness as net
"""
SERVE = ("--sigma", "0.5", "--shape", "1,4,4", "--draws", "1000", "--batch", "100")


@pytest.fixture
def model(tmp_path):
    import served

    file = tmp_path / "bright.py"
    file.write_text(MODEL.format(support=os.path.dirname(served.__file__)))  # noqa: PTH120
    return f"{file}:net"


def test_a_dry_run_says_what_would_be_done_and_listens_nowhere(model, simplicert):
    code, _, err = simplicert(
        "serve", model, *SERVE, "--triage", "0.1,0.5", "--dry-run", "--names", "a,b,c"
    )
    assert code == 0
    assert "looks at 30, 40, 70" in err
    assert "at most 1,000 draws" in err
    assert "a request 64,000" in err
    assert "0.1 to 0.5" in err
    assert "listening" not in err


def test_a_port_in_use_is_refused_in_one_line(model, simplicert):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = simplicert("serve", model, *SERVE, "--port", port)
    assert code == 2
    assert err.count("\n") == 1
    assert f"cannot listen at 127.0.0.1, port {port}" in err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--shape", "1,4,4", "--port", "99999"), "--port"),
        (("--shape", "1,4,4", "--queue", "0"), "more than 0"),
        (("--shape", "1,4,4.5"), "whole numbers"),
        ((), "--shape"),
        (("--shape", "1,4,4", "--triage", "0.5,0.1"), "rise"),
        (("--shape", "1,4,4", "--triage", "50"), "at most"),
        (("--shape", "1,4,4", "--triage", "0.1", "--hide-radii"), "choose one"),
        (("--shape", "1,4,4", "--names", "a,b"), "3 classes"),
        (("--shape", "1,4,4", "--log-inputs"), "say where"),
        (("--shape", "1,4,4", "--host", "no.such.host.invalid"), "cannot listen"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    model, simplicert, options, word, monkeypatch
):
    monkeypatch.setattr("simplicert.cli.serve.serve", lambda *_, **__: 1 / 0)
    if "--port" not in options and "--host" not in options:
        options = (*options, "--port", "0")
    code, _, err = simplicert(
        "serve", model, "--sigma", "0.5", "--draws", 1000, *options
    )
    assert code == 2
    assert word in err.splitlines()[-1]


class Process:
    """A service in a process of its own."""

    def __init__(self, model, log, *options):
        code = "from simplicert.cli import main; main()"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", code, "serve", model, *SERVE, *options),
                *("--port", "0", "--log", str(log), "--triage", "0.1,0.5"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = ""
        for line in self.process.stderr:
            if line.startswith("listening"):
                self.url = line.split()[-1]
                break

    def end(self, number):
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, rest


@pytest.mark.slow
def test_killed_and_started_again_it_has_lost_no_answer(model, tmp_path):
    log, service = tmp_path / "log", prepared()
    told = {}

    def ask(url, mean):
        try:
            body = {"inputs": grey(mean).tolist()}
            response = httpx.post(f"{url}/certify", json=body, timeout=PATIENCE)
        except httpx.HTTPError:
            return False
        if response.status_code == 200:
            told[response.json()["request"]] = response.json()["answers"]
        return True

    means = [number / 40 for number in range(40)]
    for ending in (signal.SIGKILL, signal.SIGTERM):
        there = Process(model, log)
        with ThreadPoolExecutor(8) as clients:
            asking = [clients.submit(ask, there.url, mean) for mean in means]
            asking[10].result()  # and then in the middle of it
            code, rest = there.end(ending)
        assert code == (0 if ending == signal.SIGTERM else -signal.SIGKILL), rest
    assert sorted(each.name for each in log.iterdir()) == [".lock", "0001", "0002"]
    for name in ("0001", "0002"):
        rows, (requests, _) = from_log(log / name, service), journal(log / name)
        for request, numbers in requests.items():
            for answer, number in zip(told.pop(request, []), numbers, strict=False):
                assert answer["draws"] == rows[number].draws[0]
                assert (
                    answer["radius"] <= rows[number].radius[0] < answer["radius"] + 2e-6
                )
    assert told == {}
    json.loads((log / "0001" / "manifest.json").read_text())
