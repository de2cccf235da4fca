"""The evidence columns: what is counted of the draws, by name. A new one is a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Bool, Shaped

__all__ = ["CELLS", "COLUMNS", "Column", "columns_of"]

CELLS = 512
"""Of a histogram of margins: cell i has those from i / 256 - 1 to the next one's;
the last has 1, too."""

Matrix = Shaped[np.ndarray, "rows classes"]


@dataclass(frozen=True)
class Column:
    """A number a class (or a cell of a histogram) and row, added up over draws.

    Attributes:
        name: In parts, rows and votes.
        statistic: The statistic that it belongs to, ``"multinomial"`` (hard votes) or
            ``"softmax"`` (soft scores); one name can have several columns.
        dtype: Of the sums.
        cells: Of each histogram, where a row is one histogram after the other, of
            margins; ``None``: a row has a number for each class.
    """

    name: str
    statistic: str
    dtype: Literal["int64", "float64"]
    cells: int | None = None

    def illegal(
        self, values: Matrix, draws: "int | np.ndarray"
    ) -> Bool[np.ndarray, " rows"]:
        """Rows that no classifier can have given in so many draws.

        Every draw adds at most 1 to all classes together, or to each histogram. Each
        entry is compared first: integers that are too large would wrap around in the
        sum.
        """
        limit = np.asarray(draws)
        wrong = ~((values >= 0) & (values <= limit[..., None])).all(axis=1)  # NaN too
        cells = self.cells or values.shape[1]
        each = values.reshape(len(values), values.shape[1] // cells, cells)
        illegal: np.ndarray = wrong | ~(limit >= each.sum(axis=2).T).all(axis=0)
        return illegal


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        column.name: column
        for column in (
            Column("counts", "multinomial", "int64"),
            Column("score_sums", "softmax", "float64"),
            Column("score_squares", "softmax", "float64"),
            Column("margins", "softmax", "int64", cells=CELLS),
        )
    }
)
"""In the order in which they are stored and hashed."""


def columns_of(statistics: Sequence[str]) -> list[Column]:
    """The columns of these statistics that every run with them has."""
    return [
        column
        for column in COLUMNS.values()
        if column.statistic in statistics and column.cells is None
    ]
