"""Some inputs have words: the sentence of an embedding, the file of a sound."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from simplicert.data.dataset import Dataset
from simplicert.plugins import shown_as_theirs
from simplicert.units import Unit

__all__ = ["Words", "words_of"]

MOST_LETTERS = 1000
"""Of an input's text that are shown."""


@dataclass(frozen=True, eq=False)
class Words:
    """The text of each input.

    Attributes:
        texts: Index → text.
        name: Of the data set.
    """

    texts: Callable[[int], str]
    name: str

    def show(self, indices: Int[np.ndarray, " inputs"]) -> dict[str, Any]:
        """As ``Portrait``.

        Raises:
            InputError: They do not know an input's text.
        """
        with shown_as_theirs(f"the texts of {self.name}", ": give one for each input"):
            rows = [_cut(str(self.texts(index))) for index in indices.tolist()]
        return {"kind": "words", "rows": rows}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]} …"


def words_of(dataset: Dataset, unit: Unit) -> Words | None:  # noqa: ARG001 (all take it)
    """Of what says what it is."""
    return None if dataset.texts is None else Words(dataset.texts, dataset.name)
