"""A small classifier in service, in this process."""

import asyncio
import io
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

import httpx
import numpy as np
import torch
from PIL import Image
from torch import nn

from simplicert.certificates import certify
from simplicert.classifiers import as_classifier
from simplicert.sampling import Sampler
from simplicert.serve import shift
from simplicert.serve.app import app_of
from simplicert.serve.bodies import Bodies
from simplicert.serve.desk import Desk
from simplicert.serve.metrics import Metrics
from simplicert.serve.service import prepare, served_inputs
from simplicert.serve.shift import Log
from simplicert.votes import RunDirectory

SHAPE = (1, 4, 4)


class Brightness(nn.Module):
    """Dark, middling or bright; how sure depends on how far from the borders."""

    def forward(self, x):
        mean = x.flatten(1).mean(dim=1, keepdim=True)
        return 40 * torch.cat([0.3 - mean, 0 * mean, mean - 0.7], dim=1)


class Gate(Brightness):
    """Answers when it is let; until then whoever asks waits."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()
        self.open.set()

    def forward(self, x):
        assert self.open.wait(60)
        return super().forward(x)

    def __deepcopy__(self, memo):
        return self


def grey(*means):
    """Inputs of these means, whose certificates range from none to large."""
    return np.stack([np.full(SHAPE, mean, np.float32) for mean in means])


def prepared(
    model=None,
    *,
    triage=(0.1, 0.5),
    draws=1000,
    most=8,
    names=(),
    shape=SHAPE,
    unit=None,
    **options,
):
    """A service of a small classifier."""
    like = served_inputs(shape, names=names, unit=unit)
    # How fast it is, is not measured: tests look at no clock.
    with patch.object(Sampler, "trial", lambda self, plan, **_: 1e5):
        return _prepared(model, like, unit, triage, draws, most, options)


def _prepared(model, like, unit, triage, draws, most, options):
    sampler = Sampler(
        as_classifier(Brightness() if model is None else model),
        like,
        unit=unit,
        nonfinite="count",
    )
    return prepare(
        sampler,
        sigma=options.pop("sigma", 0.5),
        draws=draws,
        triage=triage,
        batch=100,
        bodies=Bodies(like=like, unit=sampler.dataset.unit, most=most),
        **options,
    )


def ran(coroutine):
    """Its result, from a thread of its own: a browser's tests leave a loop in this."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


class Running:
    """A service that runs: its desk, its app, and a client in the same process."""

    def __init__(self, service, log, *, places=64, timeout=30.0):
        metrics = Metrics(service)
        self.desk = Desk(service, log, places=places, told=metrics.told)
        self.app = app_of(service, self.desk, metrics, timeout=timeout)

    def together(self, *requests):
        """Responses to several requests, sent at the same time."""

        async def all_of_them():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://service", timeout=None
            ) as client:
                sent = (client.request(**request) for request in requests)
                return await asyncio.gather(*sent)

        return ran(all_of_them())

    def get(self, path):
        return self.together({"method": "GET", "url": path})[0]

    def ask(self, inputs):
        """The response to one request with these inputs."""
        return self.together(asked(inputs))[0]


def asked(inputs):
    return {
        "method": "POST",
        "url": "/certify",
        "json": {"inputs": np.asarray(inputs).tolist()},
    }


def sent(content, kind):
    headers = {"Content-Type": kind}
    return {"method": "POST", "url": "/certify", "content": content, "headers": headers}


def _counted():
    numbers = itertools.count(1)
    return lambda _bits: next(numbers)


@contextmanager
def running(service, folder=None, *, inputs=False, size=50, **options):
    """The service, until the block ends, with seeds that are always the same."""

    def probed(dataset, plan):
        return service.sampler.on(dataset).probe(plan)

    with (
        patch.object(shift, "secrets", SimpleNamespace(randbits=_counted())),
        Log(folder, service.plan, inputs=inputs, size=size, probed=probed) as log,
    ):
        there = Running(service, log, **options)
        there.desk.start()
        try:
            yield there
        finally:
            there.desk.stop()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def png(array, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(array).save(file, form)
    return file.getvalue()


def journal(folder):
    """What came and how it ended: request → numbers, and number → end."""
    requests, ends = {}, {}
    for line in (folder / "journal.jsonl").read_text().splitlines():
        fields = json.loads(line)
        if "came" in fields:
            requests.setdefault(fields["request"], []).append(fields["input"])
        else:
            ends[fields["input"]] = fields["end"]
    return requests, ends


def from_log(folder, service):
    """The library's certificates of the votes in a shift, by number."""
    votes = RunDirectory(folder).read(partial=True)
    certificates = certify(votes, alpha=service.alpha)
    return {
        int(number): certificates[[row]]
        for row, number in enumerate(certificates.indices)
    }
