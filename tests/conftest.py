"""What all tests have in common."""

import os
import shutil

import jaxtyping
import pytest
import typechecker
from hypothesis import HealthCheck, settings

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""A browser that does nothing of its own."""

PATIENCE = 600_000  # ms; Playwright's own limits are too short for a busy machine

# Before anything of simplicert is imported.
jaxtyping.jaxtyped = lambda **_: typechecker.checked

# The same examples in every run, and no error where a busy machine is slow at them.
settings.register_profile(
    "simplicert",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("simplicert")


@pytest.fixture(scope="session")
def browser():
    """One for all tests of a process: Playwright starts no second."""
    if CHROMIUM is None:
        missing = "no chromium here: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE
        )
        yield chromium
        chromium.close()


@pytest.fixture
def simplicert(capsys, monkeypatch):
    """Run a command in this process: (exit code, stdout, stderr).

    How fast a classifier is, is tried with a task, not for a second.
    """
    from simplicert.cli import main
    from simplicert.sampling import Sampler

    trial = Sampler.trial
    monkeypatch.setattr(
        Sampler, "trial", lambda self, plan, **_: trial(self, plan, seconds=0.0)
    )

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return exit_.value.code, out, err

    return run
