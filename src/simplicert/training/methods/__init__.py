"""Training methods: one file each, of one interface (``base.Method``)."""

from typing import Annotated

from pydantic import Field

from simplicert.training.methods.base import Method
from simplicert.training.methods.consistency import Consistency
from simplicert.training.methods.gaussian import Gaussian
from simplicert.training.methods.macer import Macer
from simplicert.training.methods.smoothadv import SmoothAdv

AnyMethod = Annotated[
    Gaussian | Macer | SmoothAdv | Consistency, Field(discriminator="name")
]
"""A recipe's ``[method]``: which one, by its ``name``, with its parameters."""

METHODS: dict[str, type[Method]] = {
    kind.model_fields["name"].default: kind
    for kind in (Gaussian, Macer, SmoothAdv, Consistency)
}
"""By the name that recipes use."""

__all__ = [
    "METHODS",
    "AnyMethod",
    "Consistency",
    "Gaussian",
    "Macer",
    "Method",
    "SmoothAdv",
]
