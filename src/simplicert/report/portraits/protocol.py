"""What an input has instead of a picture; or a picture."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

__all__ = ["AT_ONCE", "Portrait"]

AT_ONCE = 100
"""Whole inputs in memory at the same time."""


@runtime_checkable
class Portrait(Protocol):
    """One kind of thing to show of an input: a file here, drawn by ``portraits.js``."""

    def show(self, indices: Int[np.ndarray, " inputs"]) -> dict[str, Any]:
        """What the script draws from: ``kind``, and one thing an input, in order.

        Numbers, lists and text only. A ``sheet`` of pictures is stored once a page.
        """
