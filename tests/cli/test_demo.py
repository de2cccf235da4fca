"""The demo: refuses at once, and goes on with its own work only."""

import pytest

from simplicert.training import load_recipe


@pytest.fixture
def short(monkeypatch):
    """Of one epoch, at two sigmas."""
    monkeypatch.setattr("simplicert.cli.demo.SIGMAS", (0.25, 1.0))
    monkeypatch.setattr(
        "simplicert.cli.demo.load_recipe",
        lambda name, **fields: load_recipe(name, epochs=1, **fields),
    )


def interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--draws=0", "draws"),
        ("--alpha=3", "alpha must be in (0, 1)"),
        ("--seed=-1", "seed"),
    ],
)
def test_bad_options_are_refused_before_the_training(
    simplicert, short, tmp_path, monkeypatch, option, message
):
    monkeypatch.setattr("simplicert.cli.demo.train", interrupt)
    code, _, err = simplicert("demo", "--out", tmp_path / "demo", option)
    assert (code, err.count("\n"), message in err) == (2, 1, True)
    assert not (tmp_path / "demo").exists()


def test_a_place_that_cannot_be_used_is_refused_before_the_training(
    simplicert, short, tmp_path, monkeypatch
):
    monkeypatch.setattr("simplicert.cli.demo.train", interrupt)
    file = tmp_path / "sigma-1.00"
    file.touch()
    code, _, err = simplicert("demo", "--out", tmp_path)
    assert (code, f"{file} exists and is not a run" in err) == (2, True)
    code, _, err = simplicert("demo", "--out", file)
    assert (code, err) == (2, f"simplicert: {file}: File exists\n")


def test_another_seed_s_network_is_not_certified(
    simplicert, short, tmp_path, monkeypatch
):
    command = ("demo", "--out", tmp_path, "--draws", 100)
    with monkeypatch.context() as patch:
        patch.setattr("simplicert.cli.demo.sample", interrupt)
        assert simplicert(*command)[0] == 130
    assert [path.name for path in tmp_path.iterdir()] == ["sigma-0.25.safetensors"]
    code, _, err = simplicert(*command, "--seed", 1)
    assert code == 2
    assert "sigma-0.25.safetensors was trained with seed = 0, not 1: remove it" in err
    assert len(list(tmp_path.iterdir())) == 1
    code, _, err = simplicert(*command)
    assert (code, "sigma-0.25.safetensors is trained already" in err) == (0, True)
    assert (tmp_path / "report.html").exists()
