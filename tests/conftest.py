"""What all tests have in common."""

import jaxtyping
import pytest
import typechecker
from hypothesis import HealthCheck, settings

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
