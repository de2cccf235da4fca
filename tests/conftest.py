"""What all tests have in common."""

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, and no error where a busy machine is slow at them.
settings.register_profile(
    "simplicert",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("simplicert")


@pytest.fixture
def simplicert(capsys):
    """Run a command in this process: (exit code, stdout, stderr)."""
    from simplicert.cli import main

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return exit_.value.code, out, err

    return run
