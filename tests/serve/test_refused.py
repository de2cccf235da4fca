"""What is sent that is no input, or at the wrong time: one line, nothing lost."""

import asyncio
import base64
import json

import numpy as np
import pytest
import torch
from served import (
    Brightness,
    Gate,
    asked,
    grey,
    journal,
    npy,
    png,
    prepared,
    ran,
    running,
    sent,
)

from simplicert.errors import InputError
from simplicert.serve.desk import ClosedError, Desk, FullError
from simplicert.serve.shift import Log

BRIEFLY, A_WHILE = 0.05, 1.0  # seconds that a request may take


def _says(shape):
    return npy(grey(0.5)).replace(b"(1, 1, 4, 4)", shape)


JSON, NPY, PNG = "application/json", "application/x-npy", "image/png"


BODIES = {
    "empty": (b"", JSON, 422, "empty"),
    "no JSON": (b"{", JSON, 422, "is not JSON"),
    "HTML": (b"<html></html>", JSON, 422, "is not JSON"),
    "as HTML": (b"<html></html>", "text/html", 415, "send application/json"),
    "of no type": (b"{}", "", 415, "Content-Type"),
    "a form": (b"inputs=1", "application/x-www-form-urlencoded", 415, "not read"),
    "a list": (b"[1]", JSON, 422, "must be an object"),
    "nothing in it": (b"{}", JSON, 422, "must be an object"),
    "another name": (b'{"path": "../../etc/passwd"}', JSON, 422, "not known here"),
    "two things": (b'{"input": 1, "inputs": 1}', JSON, 422, "nothing else"),
    "twice": (b'{"input": 1, "input": 1}', JSON, 422, "twice"),
    "NaN": (b'{"input": [[[NaN]]]}', JSON, 422, "no number"),
    "endless": (b'{"input": 1e999}', JSON, 422, "no number"),
    "deep": (b'{"input": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", JSON, 422, "deeply"),
    "text": (b'{"inputs": ["0.5"]}', JSON, 422, "numbers"),
    "null": (b'{"inputs": [null]}', JSON, 422, "numbers"),
    "none": (b'{"inputs": []}', JSON, 422, "1 to 8"),
    "too many": (json.dumps({"inputs": [0] * 9}).encode(), JSON, 422, "1 to 8"),
    "one number": (b'{"input": 0.5}', JSON, 422, "have shape (1, 4, 4)"),
    "ragged": (b'{"inputs": [[1], [1, 2]]}', JSON, 422, "unequal"),
    "other shape": (npy(np.zeros((1, 1, 5, 5), "f4")), NPY, 422, "have shape"),
    "outside": (npy(grey(1.5)), NPY, 422, "outside [0, 1]"),
    "npy of NaN": (npy(grey(np.nan)), NPY, 422, "missing or not"),
    "npy of complex numbers": (npy(grey(0.5) * 1j), NPY, 422, "complex"),
    "npy of objects": (npy(grey(0.5)).replace(b"<f4", b"|O8"), NPY, 422, "object"),
    "npy of more": (_says(b"(999999,4,4)"), NPY, 422, "cut short"),
    "npy of less than nothing": (_says(b"(-1, -1,4,4)"), NPY, 422, "no shape"),
    "npy cut short": (npy(grey(0.5))[:-4], NPY, 422, "cut short"),
    "npy too long": (npy(grey(0.5)) + b"0000", NPY, 422, "too long"),
    "no npy": (b"PK\3\4", NPY, 422, "numpy.save"),
    "no PNG": (b"GIF89a", PNG, 422, "neither PNG nor JPEG"),
    "PNG cut short": (png(np.zeros((4, 4), "u1"))[:45], PNG, 422, "cut short"),
    "PNG of a header": (png(np.zeros((4, 4), "u1"))[:8], PNG, 422, "cannot be decoded"),
    "another size": (png(np.zeros((5, 4), "u1")), PNG, 422, "4 × 4"),
    "a bomb": (png(np.zeros((3000, 3000), "u1")), PNG, 422, "3000"),
    "16 bits": (png(np.zeros((4, 4), "u2")), PNG, 422, "16 bits"),
    "no base64": (b'{"image": "../../x"}', JSON, 422, "base64"),
    "base64 of no image": (b'{"images": ["AAAA"]}', JSON, 422, "neither PNG"),
}  # fmt: skip


@pytest.fixture(scope="module")
def there(service):
    with running(service) as there:
        yield there


@pytest.fixture(scope="module")
def responses(there):
    bodies = [sent(content, kind) for content, kind, *_ in BODIES.values()]
    return dict(zip(BODIES, there.together(*bodies), strict=True))


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_no_input_is_refused_in_one_line(responses, case):
    _, _, status, word = BODIES[case]
    response = responses[case]
    assert response.status_code == status
    error = response.json()["error"]
    assert word in error
    assert "\n" not in error
    assert len(error) < 400
    assert "Traceback" not in error


def test_after_all_that_inputs_are_answered(there):
    image = base64.b64encode(png(np.full((4, 4), 255, np.uint8))).decode()
    for several in (
        {"image": image},
        {"images": [f"data:image/png;base64,{image}"] * 2},
    ):
        [response] = there.together(sent(json.dumps(several), JSON))
        assert {each["predicted"] for each in response.json()["answers"]} == {2}
    [response] = there.together(sent(npy(grey(1.0)[0].astype(">f8").T.copy().T), NPY))
    assert response.json()["answers"][0]["predicted"] == 2


def called(app, messages, *, headers=()):
    """Statuses that an app sends to a request whose messages come as given."""
    taken, sent = [], []
    waiting = iter(messages)

    async def receive():
        taken.append(next(waiting))
        return taken[-1]

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/certify",
        "raw_path": b"/certify",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("service", 80),
    }
    ran(app(scope, receive, send))
    return [each["status"] for each in sent if "status" in each], len(taken)


def test_of_a_body_that_is_too_large_no_more_is_read_than_is_allowed(there):
    length = [(b"content-length", b"1000000000")]
    assert called(there.app, [], headers=length) == ([413], 0)
    part = {"type": "http.request", "body": b" " * 2**20, "more_body": True}
    statuses, taken = called(there.app, [part] * 1000)
    assert statuses == [413]
    assert taken < 20
    for strange in (b"-1", b"x", b"9" * 99, "²".encode()):
        assert called(there.app, [], headers=[(b"content-length", strange)])[0] == [413]


def test_a_body_that_does_not_come_is_not_waited_for(service):
    with running(service, timeout=BRIEFLY) as there:

        async def nothing():
            await asyncio.sleep(60)

        async def ask():
            sent = []

            async def send(message):
                sent.append(message)

            scope = {"type": "http", "method": "POST", "path": "/certify"}
            scope |= {"headers": [], "query_string": b""}
            await there.app(scope, nothing, send)
            return sent[0]["status"]

        assert ran(ask()) == 408


def test_when_the_queue_is_full_all_of_a_request_is_refused(tmp_path):
    model = Gate()
    with running(prepared(model), tmp_path / "log", places=5) as there:
        model.open.clear()
        waiting = there.desk.submit(list(grey(0.0, 0.1, 0.9)), "a")
        response = there.ask(grey(0.0, 0.0, 0.0))
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) >= 1
        waiting += there.desk.submit(list(grey(0.0, 0.0)), "b")
        assert there.ask(grey(0.0)).status_code == 503
        model.open.set()
        for each in waiting:
            each.answer.result(60)
        assert there.ask(grey(0.0)).status_code == 200


def test_no_more_are_taken_than_can_be_answered_in_time():
    service = prepared()
    log = Log(None, service.plan, inputs=False, size=9, probed=lambda *_: None)
    desk = Desk(service, log, places=1000, patience=0.01)  # of 1e5 draws a second
    desk.submit(list(grey(0.0)), "whoever is alone is taken")
    with pytest.raises(FullError) as refused:
        desk.submit(list(grey(*[0.0] * 8)), "who would have to wait too long")
    assert refused.value.seconds >= 1
    before = desk.seconds(1)
    desk._learn(1000, of=1)  # who was given up took all draws, for all that is known
    assert desk.seconds(1) > before


def test_who_waits_too_long_is_told_and_the_draws_stay_in_the_log(tmp_path):
    model = Gate()
    service = prepared(model)
    with running(service, tmp_path / "log", timeout=A_WHILE) as there:
        model.open.clear()  # in which time somebody has begun to draw
        response = there.ask(grey(0.3))
        assert response.status_code == 504
        model.open.set()
    requests, ends = journal(tmp_path / "log" / "0001")
    assert requests == {response.json()["request"]: [0]}
    assert ends == {0: "late"}
    from simplicert.votes import RunDirectory

    assert RunDirectory(tmp_path / "log" / "0001").progress().draws >= 30


def test_for_who_has_left_nothing_more_is_drawn(tmp_path):
    model = Gate()
    service = prepared(model)
    body = json.dumps({"inputs": grey(0.3).tolist()}).encode()
    with running(service, tmp_path / "log") as there:
        model.open.clear()
        came = {"type": "http.request", "body": body, "more_body": False}
        statuses, _ = called(there.app, [came, {"type": "http.disconnect"}])
        assert statuses == [499]
        model.open.set()
        assert there.ask(grey(0.0)).status_code == 200
        text = there.get("/metrics").text
    assert 'simplicert_requests_total{outcome="gone"} 1.0' in text
    assert journal(tmp_path / "log" / "0001")[1][0] == "gone"


def test_who_waits_when_the_service_stops_is_refused_and_who_is_drawn_is_answered():
    model = Gate()
    with running(prepared(model)) as there:
        model.open.clear()
        begun = there.desk.submit(list(grey(0.0)), "a")
        while there.desk._came:  # until it is drawn
            pass
        waiting = there.desk.submit(list(grey(0.0)), "b")
        there.desk.closing = True
        model.open.set()
        assert begun[0].answer.result(60).predicted == 0
        with pytest.raises(ClosedError, match="being stopped"):
            waiting[0].answer.result(60)
        assert there.ask(grey(0.0)).status_code == 503
        assert there.get("/healthz").status_code == 503


class Picky(Brightness):
    """Raises where an input is bright, as a model of somebody's may."""

    def forward(self, x):
        if (x.mean((1, 2, 3)) > 1.0).any():
            raise RuntimeError("no such light")
        return super().forward(x)


def test_an_input_at_which_the_model_fails_does_not_harm_the_others(tmp_path):
    service = prepared(Picky())
    with running(service, tmp_path / "log") as there:
        several = [asked(grey(mean)) for mean in (0.0, 1.0, 0.1, 0.9)]
        responses = there.together(*several)
        again = there.ask(grey(0.0))
    statuses = [response.status_code for response in responses]
    assert statuses[0] == statuses[2] == again.status_code == 200
    assert statuses[1] == 500
    assert "no such light" in responses[1].json()["error"]
    assert "failed" in journal(tmp_path / "log" / "0001")[1].values()


class Changing(Brightness):
    """Becomes another function."""

    changed = False

    def forward(self, x):
        logits = super().forward(x)
        return logits.roll(1, 1) if type(self).changed else logits


def test_a_model_that_changes_stops_the_service(monkeypatch):
    service = prepared(Changing())
    with running(service) as there:
        assert there.ask(grey(0.0)).status_code == 200
        monkeypatch.setattr(Changing, "changed", True)
        statuses = {there.ask(grey(*[0.32] * 8)).status_code for _ in range(8)}
        assert 503 in statuses
        assert "cannot go on" in there.ask(grey(0.0)).json()["error"]
        health = there.get("/healthz")
    assert health.status_code == 503
    assert not health.json()["ready"]


class Random(Brightness):
    def forward(self, x):
        return super().forward(x) + torch.randn(len(x), 3)


class Company(Brightness):
    def forward(self, x):
        return super().forward(x - x.mean())


@pytest.mark.parametrize(
    ("model", "word"), [(Random, "not served"), (Company, "shares? its? pass")]
)
def test_a_model_that_is_no_function_of_its_input_is_not_served(model, word):
    with pytest.raises(InputError, match=word):
        prepared(model())


def test_bands_are_radii_so_that_they_are_not_told_where_radii_are_hidden():
    with pytest.raises(InputError, match="choose one of the two"):
        prepared(hide=True)
