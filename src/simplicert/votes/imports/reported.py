"""Certificates that others reported, kept as what they are: no votes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field

from simplicert.errors import InputError
from simplicert.files import clear_leftovers, replacing

__all__ = ["LogConditions", "ReportedLog", "is_reported_log"]

FILE = "reported.parquet"
_KEY = b"simplicert.reported"


class LogConditions(BaseModel):
    """What the publisher of a log says of it, and what was found on reading it.

    Attributes:
        sigma: Noise standard deviation.
        draws: Noisy forward passes behind each radius.
        alpha: Failure probability of each radius.
        source: The log's file name.
        digest: SHA-256 of the file.
        notes: What a reader of any later table should know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_number: Literal[1] = 1
    sigma: float = Field(gt=0, allow_inf_nan=False)
    draws: int = Field(gt=0)
    alpha: float = Field(gt=0, lt=1)
    source: str
    digest: str
    notes: list[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportedLog:
    """Reported radii, and for each the counts that would have given it.

    Attributes:
        conditions: What holds for all rows.
        indices: Each image's index in its dataset.
        labels: True classes.
        predicted: Named classes; -1 where the log abstains.
        radius: As reported; 0 where the log abstains.
        fewest: Fewest votes of the named class that print this radius; 0 where the log
            abstains.
        most: Most votes; below ``fewest`` where no count gives the radius.
    """

    conditions: LogConditions
    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"]
    predicted: Int[np.ndarray, " images"]
    radius: Float[np.ndarray, " images"]
    fewest: Int[np.ndarray, " images"]
    most: Int[np.ndarray, " images"]

    @property
    def recovered(self) -> bool:
        """Whether every reported radius is that of exactly one count."""
        named = self.radius > 0
        return bool((self.fewest == self.most)[named].all())

    def write(self, path: Path | str) -> None:
        """Write the log into the directory ``path``; the same log again mends it.

        Raises:
            InputError: The directory holds something else.
        """
        path = Path(path)
        # A leftover of a killed import starts with a dot.
        foreign = path.exists() and (
            not path.is_dir()
            or any(p.name != FILE and p.name[0] != "." for p in path.iterdir())
        )
        if foreign:
            raise InputError(f"{path} exists and is something else: choose another -o")
        if _conditions_at(path) not in (None, self.conditions):
            raise InputError(f"{path} holds another log: choose another -o")
        path.mkdir(parents=True, exist_ok=True)
        columns = {
            "image": self.indices,
            "label": self.labels,
            "predicted": self.predicted,
            "radius": self.radius,
            "fewest": self.fewest,
            "most": self.most,
        }
        table = pa.table(columns).replace_schema_metadata(
            {_KEY: self.conditions.model_dump_json()}
        )
        clear_leftovers(path / FILE)
        with replacing(path / FILE) as file:
            pq.write_table(table, file)

    @classmethod
    def read(cls, path: Path | str) -> "ReportedLog":
        """Read a directory that ``write`` made.

        Raises:
            InputError: There is no such log, or it is damaged.
        """
        file = Path(path) / FILE
        if not file.is_file():
            raise InputError(
                f"{path} is not an imported log: make one with `simplicert import`"
            )
        try:
            table = pq.read_table(file)
            stored = (table.schema.metadata or {})[_KEY]
            conditions = LogConditions.model_validate(json.loads(stored))
            columns = [
                table.column(name).to_numpy()
                for name in ("image", "label", "predicted", "radius", "fewest", "most")
            ]
        except (pa.ArrowException, KeyError, ValueError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's, not the file's
            raise InputError(f"{file} is damaged: import the log again") from error
        index, label, predicted, radius, fewest, most = columns
        return cls(
            conditions=conditions,
            indices=index,
            labels=label,
            predicted=predicted,
            radius=radius,
            fewest=fewest,
            most=most,
        )


def _conditions_at(path: Path) -> LogConditions | None:
    """Those of the log at ``path``; ``None`` if there is none that can be read."""
    try:
        return ReportedLog.read(path).conditions
    except InputError:
        return None


def is_reported_log(path: Path | str) -> bool:
    """Whether ``path`` is a directory that ``ReportedLog.write`` made."""
    return (Path(path) / FILE).is_file()
