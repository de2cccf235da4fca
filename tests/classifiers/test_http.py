"""Classifiers behind a service: the same votes, and a line about what is wrong."""

import json
import threading

import numpy as np
import pytest
import torch
from service import CLASSES, QUICK, function, npy, serving

import simplicert as sc
from simplicert.classifiers import HttpClassifier, NumpyClassifier, as_classifier
from simplicert.classifiers.adapted import normalised
from simplicert.classifiers.service import Patience, plain_url
from simplicert.classifiers.wire import JSON, NPY, Metadata, decoded, most_bytes
from simplicert.sampling import Sampler
from simplicert.sampling.bill import Bill

IMAGES = np.random.default_rng(0).random((3, 1, 4, 4), dtype=np.float32)
DIRECT = NumpyClassifier(function, output="logits")
HOW = {"sigma": 0.5, "draws": 400, "seed": 0}


@pytest.fixture
def service():
    with serving() as found:
        yield found


def same_votes(votes, others):
    assert votes.digest == others.digest
    ours, theirs = sc.certify(votes), sc.certify(others)
    assert ours.radius.max() > 0
    assert ours.table().equals(theirs.table())


@pytest.mark.parametrize("body", ["npy", "json"])
def test_certificates_are_those_of_the_function_itself(service, body):
    remote = service.classifier(body=body, max_batch=16)
    votes = sc.sample(remote, IMAGES, **HOW)
    same_votes(votes, sc.sample(DIRECT, IMAGES, batch=100, **HOW))
    sizes = [request[3] for request in service.requests]
    assert max(sizes) == 16


def test_a_service_that_reads_no_npy_gets_json(service):
    service.speaks = ("json",)
    votes = sc.sample(service.classifier(), IMAGES, **HOW)
    same_votes(votes, sc.sample(DIRECT, IMAGES, **HOW))


def test_one_503_in_twenty_changes_nothing():
    with serving(
        lambda number, inputs: (503, {}, b"") if number % 20 == 7 else None
    ) as (service):
        votes = sc.sample(service.classifier(max_batch=8), IMAGES, **HOW)
        assert len(service.requests) > 100
    same_votes(votes, sc.sample(DIRECT, IMAGES, **HOW))


def test_requests_of_a_pass_are_sent_at_the_same_time_and_come_back_in_order():
    meeting = threading.Barrier(4)

    def answer(number, inputs):
        if len(inputs) == 2:  # nobody is answered before four have asked
            meeting.wait()

    with serving(answer) as service:
        remote = service.classifier(max_batch=2, connections=4)
        forward = remote.ready(
            (16,), precision="fp32", device=torch.device("cpu"), runtime="eager"
        )
        inputs = torch.from_numpy(np.random.default_rng(0).random((8, 16), np.float32))
        found = forward(inputs)
    np.testing.assert_array_equal(found.numpy(), function(inputs.numpy()))


def test_a_version_that_changes_ends_the_run_and_what_was_drawn_is_kept(tmp_path):
    def answer(number, inputs):
        if number == 30:
            service.version = "2"

    with serving(answer) as service:
        remote = service.classifier(max_batch=50)
        how = {**HOW, "out": tmp_path / "run", "block": 50, "batch": 50, "flush": 0}
        with pytest.raises(sc.InputError, match="is version '2' now, and was '1'"):
            sc.sample(remote, IMAGES, **how)
        run = sc.votes.RunDirectory(tmp_path / "run")
        assert 0 < run.found().done.sum() < 24
        # The other version is another classifier, and the first may go on.
        service.metadata = {**service.metadata, "version": "2"}
        with pytest.raises(sc.InputError, match="holds another run"):
            sc.sample(service.classifier(max_batch=50), IMAGES, **how)
        service.version, service.answer = "1", lambda number, inputs: None
        service.metadata = {**service.metadata, "version": "1"}
        votes = sc.sample(service.classifier(max_batch=50), IMAGES, **how)
    same_votes(votes, sc.sample(DIRECT, IMAGES, **HOW, block=50, batch=50))


def test_a_model_that_changes_without_a_version_is_noticed_by_its_answers(tmp_path):
    with serving() as service:
        service.metadata = {"classes": CLASSES, "output": "logits"}
        service.version = None
        remote = service.classifier()
        assert "states no version" in " ".join(remote.warnings(precision="fp32"))
        sc.sample(remote, IMAGES, **HOW, out=tmp_path / "run")
        service.answer = lambda number, inputs: (
            (200, {"Content-Type": NPY}, npy(-function(inputs)))
        )
        with pytest.raises(sc.InputError, match="answers the same inputs otherwise"):
            sc.sample(service.classifier(), IMAGES, **HOW, out=tmp_path / "run")


def body_of(content, kind=JSON, status=200, **headers):
    """A service that answers that to everything."""
    return lambda number, inputs: (status, {"Content-Type": kind, **headers}, content)


def rows(change, kind=NPY):
    """A service that answers something made of what is right."""

    def answer(number, inputs):
        return 200, {"Content-Type": kind}, change(function(inputs))

    return answer


def written(change):
    return rows(lambda right: json.dumps({"outputs": change(right)}).encode(), JSON)


WRONG = {
    "html": (body_of(b"<html>Welcome</html>", "text/html"), "with text/html, not"),
    "nothing": (body_of(b"", ""), "with no Content-Type"),
    "classes": (rows(lambda r: npy(r[:, :2])), r"shape \(1, 2\) to 1 inputs of 3"),
    "rows": (rows(lambda r: npy(np.tile(r, (2, 1)))), r"shape \(2, 3\) to 1 inputs"),
    "short": (rows(lambda r: npy(r)[:-8]), "cut short or damaged"),
    "long": (rows(lambda r: npy(r) + b"12345678"), "cut short or damaged"),
    "header": (rows(lambda r: npy(r)[:20]), "is no npy file"),
    "huge": (
        rows(
            lambda r: npy(r).replace(b"(1, 3), }" + 10 * b" ", b"(1, 99999999999), }")
        ),
        "cut short or damaged",
    ),
    "pickle": (rows(lambda r: npy(r.astype(object))), "npy file of object"),
    "texts in npy": (rows(lambda r: npy(r.astype(str))), "npy file of <U"),
    "complex": (rows(lambda r: npy(r + 0j)), "npy file of complex128"),
    "no json": (body_of(b"{"), "is not JSON"),
    "no outputs": (body_of(b'{"error": "?"}'), 'without a list as "outputs"'),
    "null": (written(lambda r: [[None] * 3]), "no lists of numbers"),
    "texts": (written(lambda r: [["1", "2", "3"]]), "no lists of numbers"),
    "booleans": (written(lambda r: [[True, False, True]]), "no lists of numbers"),
    "nan in json": (written(lambda r: [[float("nan"), 0, 1]]), "is no number"),
    "ragged": (written(lambda r: [[1, 2], [1]]), "different lengths"),
    "empty": (written(lambda r: []), r"shape \(0,\) to 1 inputs"),
    "deep": (body_of(b"[" * 60_000), "nested too deeply"),
    "large": (body_of(b" " * 200_000), "more than 65,632 bytes"),
    "encoded": (
        body_of(b"x", JSON, **{"Content-Encoding": "gzip"}),
        "Content-Encoding 'gzip'",
    ),
    "redirect": (
        body_of(b"", status=307, Location="http://user:secret@elsewhere.test/x"),
        "redirects to http://elsewhere.test, and redirects are not followed",
    ),
    "refused": (body_of(b"", status=401), "401: put a token into SIMPLICERT_HTTP_TOK"),
    "too much": (body_of(b"", status=413), "413, too much at once"),
    "broken": (body_of(b"division\nby zero", status=500), "500: 'division by zero'"),
    "busy": (body_of(b"", status=503), "answered 503 after 5 attempts in"),
    "later": (
        body_of(b"", status=429, **{"Retry-After": "3600"}),
        "answered 429 after 1 attempts in .*, and the next would be in 3600 s, later",
    ),
    "at a date": (
        body_of(b"", status=429, **{"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}),
        "later than 300 s in all",
    ),
    "no version": (
        body_of(b"", JSON, **{"X-Model-Version": ""}),
        "is version '' now",
    ),
}


@pytest.mark.parametrize("answer", WRONG)
def test_what_is_wrong_with_an_answer_is_said_in_a_line(answer):
    wrong, words = WRONG[answer]
    with serving(wrong) as service, pytest.raises(sc.InputError, match=words) as error:
        sc.sample(service.classifier(), IMAGES, **HOW)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert service.url in str(error.value)


def test_numbers_that_are_not_finite_stop_the_run_or_are_counted():
    def sometimes(number, inputs):
        outputs = function(inputs)
        outputs[inputs.reshape(len(inputs), -1).max(axis=1) > 1.9] = np.nan
        return 200, {"Content-Type": NPY}, npy(outputs)

    with serving(sometimes) as service:
        with pytest.raises(sc.InputError, match="NaN or infinite logits"):
            sc.sample(service.classifier(), IMAGES, **HOW)
        votes = sc.sample(service.classifier(), IMAGES, **HOW, nonfinite="count")
    assert 0 < votes.counts.sum() < votes.draws.sum()


def test_a_service_that_hangs_ends_in_a_line():
    with serving(lambda number, inputs: "hang") as service:
        remote = service.impatient()
        with pytest.raises(sc.InputError, match=r"did not answer in 0\.05 s"):
            sc.sample(remote, IMAGES, **HOW)
        assert len(service.requests) == 2  # it is not asked again


def test_a_service_that_is_gone_is_said_to_be():
    with serving() as service:
        remote = service.classifier()
    with pytest.raises(sc.InputError, match=r"cannot be reached .* after 5"):
        sc.sample(remote, IMAGES, **HOW)


class Stop(threading.Event):
    """Nobody's, and it notes how long it was waited for."""

    def __init__(self):
        super().__init__()
        self.waited = []

    def wait(self, delay=None):
        self.waited.append(delay)
        return False


@pytest.mark.parametrize("asked", ["7", None])
def test_a_delay_that_is_asked_for_is_kept_and_others_grow_up_to_a_limit(asked):
    headers = {"Retry-After": asked} if asked else {}
    patience = Patience(retries=5, first=1.0, longest=8.0)
    with serving(body_of(b"", status=503, **headers)) as service:
        stop, remote = Stop(), service.classifier()
        with pytest.raises(sc.InputError, match="answered 503 after 6 attempts"):
            remote._service.ask(
                "/predict",
                most=9,
                content=b'{"inputs": [[0]]}',
                headers={"Content-Type": JSON},
                patience=patience,
                stop=stop,
            )
    most = np.full(5, 7.0) if asked else np.array([1.0, 2.0, 4.0, 8.0, 8.0])
    least = most if asked else most / 2
    assert np.all((least <= stop.waited) & (stop.waited <= most))


METADATA = {
    "html": ((200, {"Content-Type": "text/html"}, "<html>"), "with text/html, not the"),
    "missing": ((404, {}, ""), "/ answered 404"),
    "list": ((200, {"Content-Type": JSON}, "[]"), "must be a JSON object"),
    "classes": ({"output": "logits"}, "does not say classes"),
    "output": ({"classes": 3}, "does not say output"),
    "kind": ({"classes": 3, "output": "scores"}, "unknown kind of output 'scores'"),
    "one": ({"classes": 1, "output": "logits"}, "classes must be the number of"),
    "half": ({"classes": 2.5, "output": "logits"}, "classes must be the number of"),
    "text": ({"classes": "3", "output": "logits"}, "classes must be the number of"),
    "names": (
        {"classes": 3, "output": "logits", "class_names": ["a", "b"]},
        "has 3 classes, but 2 class_names",
    ),
    "shape": ({"classes": 3, "output": "logits", "shape": [0]}, "shape must be a list"),
    "batch": ({"classes": 3, "output": "logits", "max_batch": 0}, "max_batch must be"),
    "cost": (
        {"classes": 3, "output": "logits", "cost_per_pass": -1},
        "cost_per_pass must be",
    ),
    "version": (
        {"classes": 3, "output": "logits", "version": "\x1b[2J"},
        "version must be",
    ),
    "two versions": (
        {"classes": 3, "output": "logits", "version": "2"},
        "states version '2', and in its header X-Model-Version '1'",
    ),
}


@pytest.mark.parametrize("metadata", METADATA)
def test_what_is_wrong_with_metadata_is_said_in_a_line(service, metadata):
    service.metadata, words = METADATA[metadata]
    with pytest.raises(sc.InputError, match=words) as error:
        service.classifier()
    assert "\n" not in str(error.value)


def test_metadata_may_be_at_the_root(service, monkeypatch):
    get = Metadata.read
    there = {"classes": 3, "output": "logits", "name": "three", "shape": [1, 4, 4]}
    service.metadata = there
    service.version = None
    assert service.classifier().metadata == get(json.dumps(there).encode(), "there")
    with serving() as other:
        # Only what is asked second is there.
        other.metadata = 404, {"Content-Type": JSON}, "{}"
        with pytest.raises(sc.InputError, match=r":\d+/ answered 404"):
            other.classifier()
        assert [path for _, path, *_ in other.requests] == ["/metadata", "/"]


URLS = {
    "http://user:secret@127.0.0.1:1/": "put a token into SIMPLICERT_HTTP_TOKEN",
    "http://127.0.0.1:1/?key=secret": "put a token into SIMPLICERT_HTTP_TOKEN",
    "http://127.0.0.1:1/#secret": "put a token into SIMPLICERT_HTTP_TOKEN",
    "file:///etc/passwd": "is no service: expected http",
    "ftp://127.0.0.1": "is no service: expected http",
    "http://": "is no service: expected http",
    "http://127.0.0.1:99999": "is broken: Port out of range",
    "http://127.0.0.1:1/a b": "spaces or what cannot be printed",
}


@pytest.mark.parametrize("url", URLS)
def test_a_url_that_has_secrets_or_is_none_is_refused(url):
    with pytest.raises(sc.InputError, match=URLS[url]) as error:
        as_classifier(url)
    assert "secret" not in str(error.value)


def test_a_token_is_sent_and_stored_nowhere(service, monkeypatch, tmp_path):
    monkeypatch.setenv("SIMPLICERT_HTTP_TOKEN", "open-sesame")
    remote = service.classifier()
    sc.sample(remote, IMAGES, **HOW, out=tmp_path / "run")
    asked = {request[2].get("Authorization") for request in service.requests}
    assert asked == {"Bearer open-sesame"}
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert files
    assert not any(b"open-sesame" in path.read_bytes() for path in files)
    service.answer = body_of(b"no open-sesame", status=500)
    with pytest.raises(sc.InputError, match="500: 'no …'"):
        sc.sample(remote, IMAGES, **HOW)
    service.answer = body_of(b"", status=403)
    with pytest.raises(sc.InputError, match="does not take the token in SIMPLICERT_"):
        sc.sample(remote, IMAGES, **HOW)


def test_what_identifies_it_is_its_url_and_what_it_says(service):
    first = service.classifier()
    assert service.classifier(max_batch=7, cost=1.0).digest == first.digest
    assert not first.has_changed()
    assert first.name == f"{service.url} version 1"
    digests = {first.digest}
    for change in (
        {"version": "2"},
        {"name": "another"},
        {"class_names": ["a", "b", "c"]},
        {"output": "probabilities"},
    ):
        service.metadata = {"classes": 3, "output": "logits", "version": "1", **change}
        service.version = service.metadata["version"]
        digests.add(service.classifier().digest)
        assert first.has_changed()
    assert len(digests) == 5
    with serving() as other:
        assert other.classifier().digest not in digests
        assert other.classifier(digest="mine").digest == "mine"


def test_metadata_are_facts_of_the_classifier(service):
    service.metadata |= {"class_names": ["a", "b", "c"], "shape": [1, 4, 4]}
    service.metadata |= {"cost_per_pass": 0.25, "max_batch": 10}
    remote = service.classifier()
    assert remote.class_names == ("a", "b", "c")
    assert remote.passes.cost == 0.25
    assert remote.usual_batch((1, 4, 4)) == 80
    wide = 4 * 1024 * 1024  # 16 MiB an input: one a request
    assert remote.usual_batch((wide,)) == 8
    assert service.classifier(cost=0.5).passes.cost == 0.5
    around = normalised(remote, mean=[0.5], std=[0.5])
    assert around.passes == remote.passes
    assert around.usual_batch((1, 4, 4)) == 80
    with pytest.raises(sc.InputError, match="takes images of shape"):
        sc.sample(remote, IMAGES.reshape(3, 1, 2, 8), **HOW)


@pytest.mark.parametrize(
    "options", [{"body": "xml"}, {"connections": 0}, {"cost": -1.0}, {"cost": np.nan}]
)
def test_bad_options_are_refused(service, options):
    with pytest.raises(sc.InputError):
        HttpClassifier(service.url, **options)


def test_no_more_is_asked_than_the_bill_says():
    images = np.random.default_rng(0).random((20, 1, 4, 4), dtype=np.float32)
    with serving() as service:
        sampler = Sampler(service.classifier(cost=1.0), images, labels=[0] * 20)
        plan = sampler.plan(sigma=0.5, draws=200, seed=0)
        sampler.trial(plan)
        sampler.glance(plan)
        bill = Bill.of(sampler.classifier, sampler.dataset, draws=4000)
        first = service.rows
        assert 0.5 * bill.first < first <= bill.first
        sampler.votes(plan)
    after = service.rows - first
    assert 4000 < after < 4000 + 1.5 * bill.beside
    assert bill.total == bill.draws + bill.first + bill.beside


def test_an_answer_may_be_of_other_types_and_orders():
    right = function(IMAGES)

    def read(array, output="logits"):
        return decoded(
            npy(array), NPY, rows=3, classes=3, output=output, source="a service"
        )

    np.testing.assert_array_equal(read(np.asfortranarray(right)), right)
    np.testing.assert_array_equal(read(right.astype(">f8")), right)
    assert read(right.astype(">f8")).dtype == np.float64
    assert read(right.astype(np.float16)).dtype == np.float16
    assert read(right.astype(np.int8)).dtype == np.float64
    assert read(np.array([0, 1, 2], np.uint8), "labels").dtype == np.int64
    with pytest.raises(sc.InputError, match="labels that are float64"):
        read(np.array([0.0, 1.0, 2.0]), "labels")
    for outputs in ([0, 1.5, 2], [0, True, 2], [0, 1 << 70, 2], ["0", "1", "2"], [[0]]):
        with pytest.raises(sc.InputError, match="no integers"):
            decoded(
                json.dumps({"outputs": outputs}).encode(),
                JSON,
                rows=3,
                classes=3,
                output="labels",
                source="a service",
            )


def test_the_longest_right_answer_is_no_longer_than_allowed():
    longest = np.full((100, 10), -np.nextafter(1.2345678901234567e-300, 0))
    assert len(json.dumps({"outputs": longest.tolist()})) < most_bytes(100, 10)
    assert len(npy(longest)) < most_bytes(100, 10)


def test_labels_are_certified_as_labels(service):
    service.metadata |= {"output": "labels"}
    service.answer = lambda number, inputs: (
        (200, {"Content-Type": NPY}, npy(function(inputs).argmax(axis=1)))
    )
    votes = sc.sample(service.classifier(), IMAGES, **HOW)
    assert votes.score_sums is None
    direct = sc.sample(DIRECT, IMAGES, **HOW)
    np.testing.assert_array_equal(votes.counts, direct.counts)


def test_a_url_is_stored_as_it_is_named():
    assert plain_url("https://example.test:8/a/b/") == "https://example.test:8/a/b"
    assert QUICK.total == 300
