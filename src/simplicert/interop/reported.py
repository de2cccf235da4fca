"""Certificates that others reported, kept as what they are: no votes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from simplicert.bounds import clopper_pearson_lower
from simplicert.errors import InputError
from simplicert.files import (
    REPORTED,
    clear_leftovers,
    is_the_systems,
    opened,
    replacing,
)
from simplicert.interop.table import LARGEST_WHOLE
from simplicert.mechanisms import cohen
from simplicert.noises import Norm
from simplicert.structured import parse_json

__all__ = ["LogConditions", "ReportedLog", "check_votes", "is_reported_log"]

FILE = REPORTED
COLUMNS = {
    "image": "indices",
    "label": "labels",
    "predicted": "predicted",
    "radius": "radius",
    "unit": "unit",
    "fewest": "fewest",
    "most": "most",
}
"""In the file, and what ``ReportedLog`` calls them."""

_KEY = b"simplicert.reported"
_DIGEST = b"simplicert.digest"


class LogConditions(BaseModel):
    """What the publisher of a log says of it, and what was found on reading it.

    Attributes:
        sigma: Noise standard deviation.
        draws: Noisy forward passes behind each radius.
        alpha: Failure probability of each radius.
        source: The log's file name.
        digest: SHA-256 of the file.
        notes: What a reader of any later table should know.
        noise: What was added to the inputs.
        norm: Of the balls that the radii are about; ``"none"``: they are no distances
            between inputs.
        certificate: ``"cohen"``: the radii are sigma times the quantile of a bound.
            ``"other"``: they are what the log says, and nothing can be derived of them.
        printed: Whether the log has radii; if not, they are those of its counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # The first knew no unit, and took some counts for recovered that were not. The
    # second knew Cohen's radii of Gaussian noise only.
    schema_number: Literal[2, 3] = 3
    sigma: float = Field(gt=0, allow_inf_nan=False)
    draws: int = Field(gt=0, lt=LARGEST_WHOLE)
    alpha: float = Field(gt=0, lt=1)
    source: str
    digest: str
    notes: list[str]
    noise: str = "gaussian"
    norm: Norm = "l2"
    certificate: Literal["cohen", "other"] = "cohen"
    printed: bool = True

    def same_log(self, other: "LogConditions | None") -> bool:
        """Whether both are of one log, whichever Simplicert read it."""
        return other is not None and self == other.model_copy(
            update={"schema_number": self.schema_number}
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportedLog:
    """Reported radii, and for each the counts that would have given it.

    Attributes:
        conditions: What holds for all rows.
        indices: Each image's index in its dataset.
        labels: True classes.
        predicted: Named classes; -1 where the log abstains.
        radius: As reported; 0 where the log abstains.
        unit: Of the radius's last printed digit; 0 where the log abstains.
        fewest: Fewest votes of the named class that print this radius; 0 where the log
            abstains.
        most: Most votes; below ``fewest`` where no count gives the radius.
    """

    conditions: LogConditions
    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"]
    predicted: Int[np.ndarray, " images"]
    radius: Float[np.ndarray, " images"]
    unit: Float[np.ndarray, " images"]
    fewest: Int[np.ndarray, " images"]
    most: Int[np.ndarray, " images"]

    @classmethod
    def of_votes(
        cls,
        *,
        conditions: LogConditions,
        indices: Int[np.ndarray, " images"],
        labels: Int[np.ndarray, " images"],
        predicted: Int[np.ndarray, " images"],
        votes: Int[np.ndarray, " images"],
    ) -> "ReportedLog":
        """A log without printed radii: those are Cohen's of the votes."""
        lower = clopper_pearson_lower(
            votes, trials=conditions.draws, alpha=conditions.alpha
        )
        return cls(
            conditions=conditions,
            indices=indices,
            labels=labels,
            predicted=predicted,
            radius=cohen(lower, 1.0 - lower, sigma=conditions.sigma),
            unit=np.zeros(len(votes)),
            fewest=votes,
            most=votes,
        )

    @property
    def recovered(self) -> bool:
        """Whether every reported radius is that of exactly one count."""
        if self.conditions.certificate != "cohen":
            return False
        named = self.radius > 0
        return bool((self.fewest == self.most)[named].all())

    @property
    def evidence(self) -> Literal["recovered counts", "reported radii"]:
        """What later results rest on."""
        return "recovered counts" if self.recovered else "reported radii"

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
        there = _conditions_at(path)
        if there is not None and not self.conditions.same_log(there):
            raise InputError(f"{path} holds another log: choose another -o")
        path.mkdir(parents=True, exist_ok=True)
        columns = {name: getattr(self, field) for name, field in COLUMNS.items()}
        stated = self.conditions.model_dump_json().encode()
        table = pa.table(columns).replace_schema_metadata(
            {_KEY: stated, _DIGEST: _digest(stated, columns)}
        )
        clear_leftovers(path / FILE)
        with replacing(path / FILE, evidence=True) as file:
            pq.write_table(table, file)

    @classmethod
    def read(cls, path: Path | str) -> "ReportedLog":
        """Read a directory that ``write`` made.

        Raises:
            InputError: There is no such log, or it is not as ``write`` left it.
        """
        file = Path(path) / FILE
        if not file.is_file():
            raise InputError(
                f"{path} is not an imported log: make one with `simplicert import`"
            )
        try:
            with opened(file) as stored:
                table = pq.read_table(stored)
            metadata = table.schema.metadata or {}
            stated = metadata[_KEY]
            columns = {name: table.column(name).to_numpy() for name in COLUMNS}
            if metadata[_DIGEST] != _digest(stated, columns):
                raise ValueError("its digest is another")
            conditions = LogConditions.model_validate(parse_json(stated, file))
            _check(columns, conditions)
        except (pa.ArrowException, KeyError, ValueError, OSError) as error:
            if is_the_systems(error):
                raise
            raise InputError(
                f"{file} is damaged, was edited or is of an older Simplicert "
                f"({next(iter(str(error).splitlines()), '')}): import the log again"
            ) from error
        fields = {field: columns[name] for name, field in COLUMNS.items()}
        return cls(conditions=conditions, **fields)


def broken_row(
    indices: Int[np.ndarray, " images"], labels: Int[np.ndarray, " images"]
) -> tuple[int, str] | None:
    """A row that no log has, and what is wrong with it; ``None`` if there is none."""
    return _first(
        ("label is negative", labels < 0),
        ("idx is negative", indices < 0),
        ("idx was there before", pd.Series(indices).duplicated().to_numpy()),
    )


def _first(*rules: tuple[str, Bool[np.ndarray, " images"]]) -> tuple[int, str] | None:
    return next(
        ((int(np.argmax(broken)), rule) for rule, broken in rules if broken.any()), None
    )


def _check(columns: Mapping[str, np.ndarray], conditions: LogConditions) -> None:
    """What no import wrote: anybody can give it the right digest.

    Raises:
        ValueError: There is no row, or one that cannot be, in words.
    """
    for name, column in columns.items():
        kind = np.float64 if name in ("radius", "unit") else np.int64
        if column.dtype != kind or not len(column):
            raise ValueError(f"{name} is {len(column)} {column.dtype} numbers")
    predicted, radius = columns["predicted"], columns["radius"]
    broken = broken_row(columns["image"], columns["label"]) or _first(
        ("predict is below -1", predicted < -1),
        ("it abstains (predict is -1) with a radius", (predicted == -1) & (radius > 0)),
        ("radius is not a distance", ~(np.isfinite(radius) & (radius >= 0))),
    )
    if broken is not None:
        raise ValueError(f"row {broken[0]}: {broken[1]}")
    largest = max(columns["label"].max(), columns["predicted"].max())
    counts = np.stack([columns["fewest"], columns["most"]])
    if not (
        largest < LARGEST_WHOLE
        and np.isfinite(columns["unit"]).all()
        and (columns["unit"] >= 0).all()
        and (counts >= 0).all()
        and (counts[1] <= conditions.draws).all()
    ):
        raise ValueError("a number is beyond what a log has")


def _digest(stated: bytes, columns: Mapping[str, np.ndarray]) -> bytes:
    """SHA-256 of the conditions and of every number: a page's checksum sees less."""
    hashed = hashlib.sha256(stated)
    for name, column in columns.items():
        hashed.update(repr((name, column.dtype.str, column.shape)).encode())
        hashed.update(np.ascontiguousarray(column).tobytes())
    return hashed.hexdigest().encode()


def _conditions_at(path: Path) -> LogConditions | None:
    """Those of the log at ``path``; ``None`` if there is none that can be read."""
    try:
        return ReportedLog.read(path).conditions
    except InputError:
        return None


def is_reported_log(path: Path | str) -> bool:
    """Whether ``path`` is a directory that ``ReportedLog.write`` made."""
    return (Path(path) / FILE).is_file()


def check_votes(path: Path | str) -> None:
    """That ``path`` is no log, for those who need votes.

    Raises:
        InputError: It is one.
    """
    if is_reported_log(path):
        raise InputError(
            f"{path} is an imported log: it has radii and no votes. certify, compare "
            "and report read it"
        )
