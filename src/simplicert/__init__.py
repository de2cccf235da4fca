"""Certified robustness by randomised smoothing: sample once, certify any way.

    votes = simplicert.sample(model, images, sigma=0.5, draws=100_000)
    certificates = simplicert.certify(votes, alpha=0.001)

The first line needs torch and time; everything after it needs neither.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simplicert.certificates.certify import certify as certify
    from simplicert.certificates.record import ABSTAIN as ABSTAIN
    from simplicert.certificates.record import Certificates as Certificates
    from simplicert.errors import InputError as InputError
    from simplicert.sampling import sample as sample
    from simplicert.smoothed import SmoothedClassifier as SmoothedClassifier
    from simplicert.units import Unit as Unit
    from simplicert.votes import Votes as Votes
    from simplicert.votes import read_run as read_run

__version__ = "0.1.0"

# Where each public name lives; imported when first used, so that `import simplicert`
# costs nothing and never needs torch.
_HOMES = {
    "ABSTAIN": "simplicert.certificates.record",
    "Certificates": "simplicert.certificates.record",
    "InputError": "simplicert.errors",
    "SmoothedClassifier": "simplicert.smoothed",
    "Votes": "simplicert.votes",
    "Unit": "simplicert.units",
    "certify": "simplicert.certificates.certify",
    "read_run": "simplicert.votes",
    "sample": "simplicert.sampling",
}

__all__ = [
    "ABSTAIN",
    "Certificates",
    "InputError",
    "SmoothedClassifier",
    "Unit",
    "Votes",
    "__version__",
    "certify",
    "read_run",
    "sample",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'simplicert' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
