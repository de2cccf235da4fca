"""A service under load: many clients, some killed, and the process killed, too.

Every answer is held against the library's certificate of the votes in the log, and how
fast the service draws is held against the engine without one, in the same run: by the
clock, and by the processor's time of the service alone, which others on the machine
do not slow down:

    python benchmarks/serving.py --out /tmp/serving
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np

from simplicert.certificates import ALPHA, certify
from simplicert.classifiers import as_classifier
from simplicert.data import load_dataset
from simplicert.rounding import round_down
from simplicert.sampling import Sampler
from simplicert.stopping import until
from simplicert.votes import RunDirectory

COMMAND = [sys.executable, "-c", "from simplicert.cli import main; main()"]
SIGMA, TRIAGE = 0.5, (0.1, 0.5)
PATIENCE = 900.0
"""Seconds after which it stops by itself, whatever has become of it."""


class Service:
    """A service in a process of its own."""

    def __init__(self, options, port=0):
        self.process = subprocess.Popen(
            [*COMMAND, "serve", *options, "--port", str(port)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if line.startswith("listening"):
                self.url = line.split()[-1]
                return
            self.said = line
        raise SystemExit(f"the service did not start: {self.said}")

    @property
    def seconds(self):
        """Of the processor, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        ticks = sum(map(int, fields.split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self, number):
        """By a signal."""
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=120)[1]
        assert self.process.returncode in {0, -signal.SIGKILL}, rest


class Load:
    """Clients, each with its requests one after another."""

    def __init__(self, inputs, *, requests):
        self.inputs, self.requests = inputs, requests
        self.url, self.up = "", asyncio.Event()
        self.told, self.seconds = {}, []
        self.refused = self.killed = 0

    async def client(self, number, *, killed):
        """Ask; one that is killed leaves in the middle of a request."""
        async with httpx.AsyncClient(timeout=120) as client:
            for turn in range(self.requests):
                image = self.inputs[(number * self.requests + turn) % len(self.inputs)]
                body = {"inputs": [image.tolist()]}
                if killed and turn == self.requests // 2:
                    asking = asyncio.ensure_future(self.ask(client, body))
                    await asyncio.sleep(0.05)
                    asking.cancel()
                    self.killed += 1
                    return
                await self.ask(client, body)

    async def ask(self, client, body):
        """Until there is an answer: a service that is killed comes back."""
        while True:
            await self.up.wait()
            began = time.monotonic()
            try:
                response = await client.post(f"{self.url}/certify", json=body)
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
                continue
            if response.status_code == 200:
                self.seconds.append(time.monotonic() - began)
                said = response.json()
                self.told[said["request"]] = said["answers"]
                return
            self.refused += 1
            await asyncio.sleep(float(response.headers.get("Retry-After", 1)))


async def under_load(options, inputs, *, clients, requests):
    load = Load(inputs, requests=requests)
    service = await asyncio.to_thread(Service, options)
    load.url, began, active = service.url, time.monotonic(), np.zeros(2)
    busy = service.seconds
    port = service.url.rpartition(":")[2]
    load.up.set()
    several = [
        asyncio.ensure_future(load.client(each, killed=each % 10 == 9))
        for each in range(clients)
    ]
    while len(load.told) < clients * requests // 2:
        await asyncio.sleep(0.05)
    load.up.clear()
    active += time.monotonic() - began, service.seconds - busy
    await asyncio.to_thread(service.end, signal.SIGKILL)
    service = await asyncio.to_thread(Service, options, port)
    began, busy = time.monotonic(), service.seconds
    load.up.set()
    await asyncio.gather(*several)
    active += time.monotonic() - began, service.seconds - busy
    await asyncio.to_thread(service.end, signal.SIGTERM)
    return load, active


def held_against_the_log(told, log):
    """How many answers are what the votes in the log certify, and the draws there."""
    same, draws, answered = 0, 0, set()
    for shift in sorted(log.glob("[0-9]*")):
        assert shift.name.isdigit(), f"{shift} was not closed"
        votes = RunDirectory(shift).read(partial=True)
        draws += int(votes.draws.sum())
        certificates = certify(votes, alpha=ALPHA)
        row_of = {number: row for row, number in enumerate(votes.indices.tolist())}
        for line in (shift / "journal.jsonl").read_text().splitlines():
            came = json.loads(line)
            if came.get("request") not in told:
                continue
            [answer] = told[came["request"]]
            row = row_of[came["input"]]
            radius = round_down(certificates.radius, 6)[row]
            predicted = certificates.predicted[row]
            assert answer["radius"] == radius, (shift, came, answer)
            assert answer["draws"] == certificates.draws[row]
            assert answer["predicted"] == (None if predicted < 0 else predicted)
            assert came["request"] not in answered, "counted twice"
            answered.add(came["request"])
            same += 1
    return same, draws


def bare(model, data, *, draws, threads):
    """Draws a second of the engine alone, of images that stop by the same rule.

    By the clock, and by the processor's time.
    """
    few = data.select(np.arange(min(256, len(data))))
    sampler = Sampler(as_classifier(model), few, threads=threads, nonfinite="count")
    rule = until(TRIAGE)
    plan = sampler.plan(sigma=SIGMA, draws=draws, rule=rule)
    sampler.trial(plan)  # to warm up
    began, busy = time.monotonic(), time.process_time()
    draws = sampler.votes(plan, rule=rule).draws.sum()
    return draws / (time.monotonic() - began), draws / (time.process_time() - busy)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", help="default: digits, trained here")
    parser.add_argument("--like", default="digits")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGALRM, lambda *_: os._exit(3))
    signal.alarm(int(PATIENCE))
    given.out.mkdir(parents=True, exist_ok=True)
    model = given.model
    if model is None:
        model = str(given.out / "digits.safetensors")
        training = [*COMMAND, "train", "digits", "--epochs", "60", "-o", model]
        subprocess.run(training, check=True, stderr=subprocess.DEVNULL)
    data = load_dataset(given.like)
    log = given.out / "log"
    if log.exists():
        raise SystemExit(f"{log} is there already")
    options = [
        *(model, "--like", given.like, "--sigma", str(SIGMA), "--log", str(log)),
        *("--triage", ",".join(map(str, TRIAGE)), "--draws", str(given.draws)),
        *("--threads", str(given.threads)),
    ]
    alone = {"draws": given.draws, "threads": given.threads}
    before = bare(model, data, **alone)
    inputs = data.read(np.arange(min(512, len(data))))
    load, active = asyncio.run(
        under_load(options, inputs, clients=given.clients, requests=given.requests)
    )
    after = bare(model, data, **alone)
    same, draws = held_against_the_log(load.told, log)
    wanted = sum(
        given.requests // 2 if each % 10 == 9 else given.requests
        for each in range(given.clients)
    )
    p50, p95 = np.percentile(load.seconds, [50, 95])
    engine = np.mean([before, after], axis=0)
    service = draws / active
    ratio = service / engine
    print(f"{given.clients} clients × {given.requests} requests, {load.killed} killed")
    print(f"answers: {len(load.told):,} of {wanted:,}; refused {load.refused:,}")
    print(f"answers equal to the certificate of the votes in the log: {same:,}")
    print(f"latency: p50 {p50:.2f} s, p95 {p95:.2f} s")
    print(f"draws: {draws:,} in {active[0]:.1f} s, {active[1]:.1f} s of the processor")
    print(f"draws a second, service: {service[0]:,.0f}; engine: {engine[0]:,.0f}")
    print(f"of the processor: {service[1]:,.0f}; engine: {engine[1]:,.0f}")
    print(f"service / engine: {ratio[0]:.2f}; of the processor: {ratio[1]:.2f}")
    if same != len(load.told) or len(load.told) != wanted:
        raise SystemExit("an answer is not what the log says, or was lost")


if __name__ == "__main__":
    main()
