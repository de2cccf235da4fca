"""What launched workers refuse is handed to their launcher, once."""

import pytest
from clock import Clock

from simplicert.cli import app
from simplicert.machine import refusal
from simplicert.machine.stopping import INTERRUPTED


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "refusal"
    monkeypatch.setenv(refusal.FILE, str(path))
    return path


def test_the_first_message_is_kept(path):
    assert not refusal.has_refused()
    refusal.hand_over("labels must lie in 0 … 9")
    refusal.hand_over("another")
    assert refusal.has_refused()
    assert refusal.others_refuse()
    assert path.read_text("utf-8") == "labels must lie in 0 … 9"


def test_another_s_message_is_waited_for_but_not_for_ever(path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(refusal, "time", clock)
    assert not refusal.others_refuse()
    assert clock.now >= refusal.WAIT_SECONDS
    monkeypatch.setattr(clock, "sleep", lambda _: path.write_text("labels"))
    assert refusal.others_refuse()


def test_any_path_can_be_named_in_it(path):
    refusal.hand_over("no file at \udcff.npz")  # as Python reads the byte 0xff
    assert "no file at" in path.read_text("utf-8")


def test_a_stop_while_another_s_message_is_waited_for_is_a_stop(path, monkeypatch):
    """SIGTERM from the launcher, as torch.distributed says that the other is gone."""

    def gone(*_, **__):
        raise RuntimeError("Connection closed by peer")

    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "end_with_parent", lambda: None)  # pytest has no launcher
    monkeypatch.setattr(app, "_app", lambda **_: gone)
    monkeypatch.setattr(app, "others_refuse", stopped)
    with pytest.raises(SystemExit) as ending:
        app.main(["train", "digits"])
    assert ending.value.code == INTERRUPTED
    assert not path.exists()
