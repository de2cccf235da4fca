"""The walk-through of a model behind a service, docs/remote.md, as it is printed."""

import inspect
import json
import re
import shlex
import sys
import threading
from dataclasses import fields
from http.server import ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from service import serving

import simplicert as sc
from simplicert.classifiers import NumpyClassifier
from simplicert.classifiers.http import TRIAL, HttpClassifier
from simplicert.classifiers.service import TOKEN, Patience
from simplicert.classifiers.wire import JSON, NPY, VERSION, Metadata

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "remote.md").read_text("utf-8")
FORMAL = json.loads((DOCS / "_static" / "http.json").read_text("utf-8"))
URL = "http://127.0.0.1:8000"
SERVICE, PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^    (simplicert .*)$", PAGE, re.MULTILINE)
PRINTED = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The page's service, as a module; it is served by nobody yet."""
    path = tmp_path_factory.mktemp("theirs") / "service.py"
    path.write_text(SERVICE, "utf-8")
    spec = spec_from_file_location("their_service", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def url(theirs, monkeypatch):
    monkeypatch.setattr(theirs.Handler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), theirs.Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_the_walk_through(url, theirs, simplicert, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dry, drawn, certified = [
        simplicert(*shlex.split(command.replace(URL, url))[1:]) for command in COMMANDS
    ]
    assert [code for code, *_ in (dry, drawn, certified)] == [0, 0, 0]
    assert dry[2] == PRINTED[0]
    assert certified[1].startswith(PRINTED[1])
    given = {}
    exec(PYTHON.replace(URL, url), given)
    direct = NumpyClassifier(
        lambda inputs: theirs.model.predict_proba(inputs.reshape(len(inputs), -1)),
        output="probabilities",
    )
    votes = sc.sample(direct, given["digits"], sigma=0.25, draws=1000, seed=0)
    assert votes.digest == given["votes"].digest == sc.read_run("runs/remote").digest
    assert given["certificates"].table().equals(sc.certify(votes).table())


def test_the_page_says_what_is_usual():
    patience, said = Patience(), " ".join(PAGE.split())
    assert f"at most {patience.retries} times" in said
    assert f"for {patience.total / 60:.0f} minutes" in said
    assert (patience.first, patience.longest) == (0.1, 30.0)
    assert f"at most {TRIAL:,} draws" in said
    assert all(word in said for word in (TOKEN, VERSION, NPY, "60 seconds", "4 MiB"))
    usual = inspect.signature(HttpClassifier).parameters
    assert usual["timeout"].default == 60
    assert usual["connections"].default == 8


def test_the_formal_description_is_of_what_is_read():
    schemas = FORMAL["components"]["schemas"]
    assert set(schemas["Metadata"]["properties"]) == {f.name for f in fields(Metadata)}
    assert schemas["Metadata"]["required"] == ["classes", "output"]
    assert list(FORMAL["paths"]) == ["/metadata", "/predict"]
    post = FORMAL["paths"]["/predict"]["post"]
    assert set(post["requestBody"]["content"]) == {NPY, JSON}
    assert set(post["responses"]["200"]["content"]) == {NPY, JSON}
    assert set(post["responses"]["200"]["headers"]) == {VERSION}
    refs = set(re.findall(r'"#/([\w/-]+)"', json.dumps(FORMAL)))
    for ref in refs:
        place = FORMAL
        for word in ref.split("/"):
            place = place[word]
    assert len(refs) == 5


@pytest.mark.parametrize("body", ["npy", "json"])
def test_services_and_requests_are_as_described(body):
    with serving() as service:
        remote = service.classifier(body=body)
        image = np.zeros((1, 1, 4, 4), dtype=np.float32)
        sc.sample(remote, image, sigma=0.5, draws=10, seed=0)
        for method, path, headers, _ in service.requests:
            described = FORMAL["paths"][path][method.lower()]
            if method == "POST":
                assert headers["Content-Type"] in described["requestBody"]["content"]
        assert {path for _, path, *_ in service.requests} == set(FORMAL["paths"])


def test_httpx_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(sc.InputError, match=r"pip install 'simplicert\[http\]'"):
        HttpClassifier(URL)
