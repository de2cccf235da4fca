"""What all tests have in common."""

from hypothesis import HealthCheck, settings

# The same examples in every run, and no error where a busy machine is slow at them.
settings.register_profile(
    "simplicert",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("simplicert")
