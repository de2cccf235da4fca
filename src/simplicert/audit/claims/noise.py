"""What a certificate takes for granted of the noise."""

from collections.abc import Iterator

from simplicert.audit.claims.subject import Claims
from simplicert.audit.finding import Finding

__all__ = ["noise"]


def noise(claims: Claims) -> Iterator[Finding]:
    """That it is what its theorem is about, where it was not added exactly."""
    if claims.noise.assumes is not None:
        says = f"{claims.noise.name} noise was {claims.noise.assumes}"
        yield Finding(check="noise", outcome="not checked", says=says)
