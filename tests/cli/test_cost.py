"""What a run costs is agreed to before the first pass."""

import re

import pytest
from service import serving

from simplicert.cli import consent
from simplicert.votes import read_run

HOW = ("--sigma", 0.5, "--draws", 300, "--images", "0:2", "--seed", 0)


@pytest.fixture
def service():
    with serving() as found:
        found.metadata["cost_per_pass"] = 0.5
        yield found


@pytest.fixture
def sample(simplicert, service, tmp_path):
    def run(*options):
        (tmp_path / "data.py").write_text(
            "import numpy as np\n"
            "def images(split):\n"
            "    return np.random.default_rng(0).random((9, 1, 4, 4), np.float32)\n"
        )
        data = f"{tmp_path / 'data.py'}:images"
        out = ("-o", tmp_path / "run")
        return simplicert("sample", service.url, data, *HOW, *out, *options)

    return run


def test_nothing_is_spent_unasked(sample, service, tmp_path):
    code, _, err = sample()
    assert code == 2
    assert re.search(r"cost: 600 passes to count, .* at 0.5 each: about \d", err)
    assert "nothing has been spent yet: say --yes if it may" in err
    code, _, err = sample("--dry-run")
    assert code == 0
    assert "nothing was asked or spent: --yes" in err
    assert service.rows == 0
    assert not (tmp_path / "run").exists()


def test_what_was_agreed_to_is_spent_and_said(sample, service, tmp_path):
    code, _, err = sample("--dry-run", "--yes")
    assert code == 0
    assert err.count("cost: 600 passes to count") == 1
    assert 0 < service.rows < 1300
    code, out, _ = sample("--yes")
    assert code == 0
    assert "2 images × 300 draws" in out
    code, _, err = sample("--yes")  # there is nothing more to pay for
    assert "cost: 0 passes to count" in err
    assert read_run(tmp_path / "run").draws.sum() == 600


def test_a_person_may_be_asked(sample, service, monkeypatch):
    monkeypatch.setattr(consent, "_answers_yes", lambda question: True)
    assert sample()[0] == 0
    monkeypatch.setattr(consent, "_answers_yes", lambda question: False)
    assert sample("--cost", 2)[0] == 2


def test_a_cost_may_be_given_or_taken_away(sample, service):
    code, _, err = sample("--cost", 0)
    assert code == 0
    assert "cost" not in err
    code, _, err = sample("--cost", "-1")
    assert code == 2
    assert "the cost of a pass must be a number from 0 on" in err


def test_any_classifier_may_cost_something(simplicert, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "from simplicert.classifiers import NumpyClassifier\n"
        "def bright():\n"
        "    labels = lambda images: (images.mean(axis=(1, 2, 3)) > 0.5) + 0\n"
        "    return NumpyClassifier(labels, output='labels', classes=10)\n"
    )
    model, out = f"{tmp_path / 'mine.py'}:bright", tmp_path / "run"
    command = ("sample", model, "digits", *HOW, "-o", out, "--cost", 0.1)
    code, _, err = simplicert(*command)
    assert code == 2
    assert "at 0.1 each" in err
    assert simplicert(*command, "--yes")[0] == 0


def test_an_audit_asks_a_model_that_costs_only_if_it_may(
    sample, service, simplicert, tmp_path
):
    assert sample("--yes")[0] == 0
    asked = service.rows
    data = f"{tmp_path / 'data.py'}:images"
    command = ("audit", tmp_path / "run", service.url, data, "--replay", "100%")
    code, _, err = simplicert(*command)
    assert code == 2
    assert "cost 0.5 each, and an audit asks as many" in err
    assert service.rows == asked
    assert simplicert(*command, "--yes")[0] == 0


def test_a_model_that_costs_is_served_only_if_it_may(service, simplicert):
    pytest.importorskip("fastapi")
    command = ("serve", service.url, "--sigma", 0.5, "--shape", "1,4,4", "--dry-run")
    command = (*command, "--draws", 1000, "--batch", 100)
    code, _, err = simplicert(*command)
    assert code == 2
    assert "cost 0.5 each" in err
    assert "up to 1,000 times for every input" in err
    assert service.rows == 0
    assert simplicert(*command, "--yes")[0] == 0
    assert service.rows > 0
