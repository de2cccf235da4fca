"""With hidden radii nothing tells a radius, a bound, or how many draws it took."""

import json
import re

import pytest
from served import Gate, grey, prepared, running

TELLING = (
    "radius", "band", "e0", "e1", "e0_lower", "e1_upper", "draws", "abstention",
)  # fmt: skip


@pytest.fixture(scope="module")
def hidden():
    return prepared(triage=(), hide=True, names=("dark", "middling", "bright"))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("simplicert.serve.app._STEP", 1e-9)


def test_an_answer_is_a_decision_and_nothing_else(hidden):
    with running(hidden) as there:
        response = there.ask(grey(0.0, 0.3))
    assert response.json()["answers"] == [
        {"predicted": 0, "name": "dark"},
        {"predicted": None, "name": None},
    ]
    assert not set(TELLING) & set(response.json())


def test_numbers_are_the_same_whatever_was_certified(hidden):
    texts = []
    for mean in (0.0, 0.3):
        with running(hidden) as there:
            there.ask(grey(mean))
            text = there.get("/metrics").text
            texts.append(re.sub(r".*_created.*", "", text))
    assert texts[0] == texts[1]
    assert 'simplicert_requests_total{outcome="200"} 1.0' in texts[0]


def test_the_page_has_nothing_to_read_a_radius_from(hidden, service):
    with running(hidden) as there:
        page = there.get("/").text
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    assert data["simplex"] is None
    assert data["bands"] == data["triage"] == []
    assert 'id="simplex"' not in page
    assert len(page) < 100_000  # so that there is no Plotly either
    with running(service) as there:
        assert 'id="simplex"' in there.get("/").text


def test_a_full_queue_does_not_say_how_long_others_take():
    model = Gate()
    with running(prepared(model, triage=(), hide=True), places=1) as there:
        model.open.clear()
        there.desk.submit(list(grey(0.0)), "a")
        response = there.ask(grey(0.0))
        assert response.headers["Retry-After"] == "5"
        model.open.set()


def test_answers_wait_for_the_next_of_few_times(hidden, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("simplicert.serve.app.asyncio.sleep", sleep)
    monkeypatch.setattr("simplicert.serve.app._STEP", 1000.0)
    with running(hidden) as there:
        there.ask(grey(0.0))
    assert len(slept) == 1
    assert 0 < slept[0] < 1000
