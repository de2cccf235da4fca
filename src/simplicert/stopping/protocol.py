"""What a stopping rule is: a pure function of the votes so far."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from simplicert.votes import Votes

__all__ = ["Rule"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which images need no more draws, asked at each of their looks.

    It costs no alpha and cannot spoil a certificate, whatever it looks at: the bounds
    of all looks hold at once (``docs/bounds.md``, "Looks").

    Attributes:
        name: What options call it.
        decided: ``(votes, alpha)`` → one truth an image. All images of ``votes`` are at
            the same look, which is the number of their draws; ``votes.looks`` is the
            whole plan, and ``alpha`` that of the certificate they are drawn for.
    """

    name: str
    decided: Callable[[Votes, float], Bool[np.ndarray, " images"]]
