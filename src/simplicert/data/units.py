"""Units by name, from a file, and of one's own; and data sets measured in them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from simplicert.data.dataset import Dataset, Reader
from simplicert.errors import InputError
from simplicert.plugins import Kind, Origin, shown_as_theirs
from simplicert.units import PIXELS, PLAIN, Unit

__all__ = ["UNITS", "find_unit", "measured_in"]

OfDataset = Callable[[Dataset], Unit]
"""What a unit of a data set is: some depend on it."""

_AT_ONCE = 1 << 24  # values in memory
_LOOKED_AT = 64  # were they dark, and another not, that one would be out of range


def _pixels(dataset: Dataset) -> Unit:  # noqa: ARG001 (all are asked of one)
    return PIXELS


def _plain(dataset: Dataset) -> Unit:  # noqa: ARG001 (likewise)
    return PLAIN


def _levels(dataset: Dataset) -> Unit:
    """0 to 255; of pixels in [0, 1] a 255th.

    Images that are levels already say so by their values, of which some exceed 1.

    Raises:
        InputError: They are black, or of 0 and 1 alone, which does not tell.
    """
    some = dataset.read(np.arange(min(len(dataset), _LOOKED_AT)))
    are_pixels = dataset.unit == PIXELS and not some.max() > 1
    if are_pixels and ((some == 0) | (some == 1)).all():
        raise InputError(
            f"the first {len(some)} images of {dataset.name} hold 0 and 1 alone, which "
            "may be levels or pixels in [0, 1]: say which, by a simplicert.units.Unit "
            '(--unit FILE.py:NAME), Unit(name="levels", low=0, high=255), and scale=1 '
            "/ 255 where the classifier takes [0, 1]"
        )
    scale = (1.0 / 255.0,) if are_pixels else None
    return Unit(name="levels", low=0.0, high=255.0, scale=scale)


def deviations(dataset: Dataset) -> Unit:
    """Standard deviations of each entry of the first axis, over the whole data set.

    Raises:
        InputError: An entry is the same in all inputs; names it.
    """
    rows = max(1, _AT_ONCE // int(np.prod(dataset.shape)))
    count, mean, spread = 0, np.zeros(dataset.shape[0]), np.zeros(dataset.shape[0])
    for start in range(0, len(dataset), rows):
        positions = np.arange(start, min(start + rows, len(dataset)))
        values = dataset.read(positions).astype(np.float64)
        flat = np.moveaxis(values, 1, 0).reshape(dataset.shape[0], -1)
        new, size = flat.mean(axis=1), flat.shape[1]
        apart, total = new - mean, count + size  # Chan, Golub and LeVeque 1979
        spread += ((flat - new[:, None]) ** 2).sum(axis=1)
        spread += apart**2 * count * size / total
        mean += apart * size / total
        count = total
    found = np.sqrt(spread / count)
    for entry in np.flatnonzero(~(np.isfinite(found) & (found > 0))):
        what = "holds what is no number" if not np.isfinite(found[entry]) else None
        raise InputError(
            f"{dataset.name}: {dataset.entry(int(entry))} "
            f"{what or 'is the same in all inputs, a scale of 0'}: leave it out, or "
            "give the unit in a file, --unit FILE.csv"
        )
    return Unit(
        name="standard deviations",
        scale=tuple(found.tolist()),
        offset=tuple(mean.tolist()),
    )


def _admit(thing: object, origin: Origin) -> OfDataset:
    """A ``Unit``, or a function of the data set that returns one."""

    def find(dataset: Dataset) -> Unit:
        found = thing
        if callable(thing):
            with shown_as_theirs(
                origin.text, ". It must take a Dataset and return a Unit"
            ):
                found = thing(dataset)
        if not isinstance(found, Unit):
            raise InputError(
                f"{origin.text} must be a simplicert.units.Unit, or a function of a "
                f"data set that returns one, got a {type(found).__name__}"
            )
        return found

    if not isinstance(thing, Unit) and not callable(thing):
        find(Dataset.__new__(Dataset))  # refuses
    return find


UNITS: Kind[OfDataset] = Kind(
    name="unit",
    built_in={
        "pixels": _pixels,
        "levels": _levels,
        "plain": _plain,
        "deviations": deviations,
    },
    admit=_admit,
    also=", or a table FILE.csv, or NAME=FILE.csv, with a column scale",
)


def find_unit(spec: object) -> OfDataset:
    """A unit by name, from a table, or one of your own.

    Args:
        spec: ``"pixels"``, ``"levels"``, ``"plain"`` or ``"deviations"``; the path of a
            table ``FILE.csv`` with a column ``scale``, maybe ``offset`` and
            ``feature``, a row an entry of an input's first axis; the same with the
            unit's name, ``"standard deviations=FILE.csv"``; ``FILE.py:NAME``; or a
            ``Unit``.

    Raises:
        InputError: There is no such unit, or the table holds none.
    """
    if isinstance(spec, Path) or (isinstance(spec, str) and spec.endswith(".csv")):
        name, is_named, path = str(spec).partition("=")
        if is_named and not Path(spec).is_file():
            return _from_table(Path(path), name)
        return _from_table(Path(spec))
    return UNITS.find(spec)


def _from_table(path: Path, name: str | None = None) -> OfDataset:
    if not path.is_file():
        raise InputError(f"no table of a unit at {path}: check the path")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is no table: {error}") from error
    if "scale" not in table or not len(table):
        raise InputError(
            f"{path}: a unit needs a column scale, and a row for each feature; maybe "
            f"offset and feature. It has {', '.join(map(str, table.columns[:8]))}"
        )
    columns = [_column(path, table, name) for name in ("scale", "offset")]

    def unit_of(order: list[int]) -> Unit:
        scale, offset = (
            None if column is None else tuple(column[order].tolist())
            for column in columns
        )
        called = f"units of {path.stem}"[:60] if name is None else name
        return Unit(name=called, scale=scale, offset=offset)

    unit = unit_of([*range(len(table))])
    named = [*map(str, table["feature"])] if "feature" in table else None

    def of(dataset: Dataset) -> Unit:
        if named is None or not dataset.features or named == [*dataset.features]:
            return unit
        if sorted(named) != sorted(dataset.features):
            lacks = set(dataset.features).symmetric_difference(named)
            raise InputError(
                f"{path} and {dataset.name} have other features: one of them lacks "
                f"{', '.join(sorted(lacks)[:3])}"
            )
        return unit_of([named.index(name) for name in dataset.features])

    return of


def _column(
    path: Path, table: pd.DataFrame, name: str
) -> Float[np.ndarray, " rows"] | None:
    if name not in table:
        return None
    numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
    positive = name == "scale"
    wrong = np.flatnonzero(~np.isfinite(numbers) | (positive & (numbers <= 0)))
    if wrong.size:
        row = int(wrong[0])
        raise InputError(
            f"{path}: row {row + 1} has the {name} {table[name].iloc[row]}, which must "
            f"be {'positive and finite' if positive else 'a finite number'}"
        )
    return numbers


def measured_in(dataset: Dataset, unit: Unit) -> Dataset:
    """The same inputs as numbers of another unit.

    Neighbours stay where they are: their distances are known in their unit alone.

    Raises:
        InputError: They are in a unit with a scale already; or of another shape; or
            neighbours that were found in another unit.
    """
    if dataset.unit == unit:
        return dataset
    if dataset.neighbours is not None:
        ours, theirs = ((u.name, u.scale, u.offset) for u in (unit, dataset.unit))
        if ours == theirs:  # but for a range, outside of which they may lie
            return dataset
        raise InputError(
            f"{dataset.name} holds neighbours whose distances are in "
            f"{dataset.unit.name}, not in {unit.name} of these scales: leave the unit "
            "out, which is theirs then, or find them again in another"
        )
    if dataset.unit.is_converted:
        raise InputError(
            f"{dataset.name} is in {dataset.unit.name} already, and cannot be in "
            f"{unit.name} as well: give it as its classifier takes it"
        )
    unit.check_shape(dataset.shape, dataset.name)
    return replace(dataset, unit=unit, reader=_InUnit(dataset.reader, unit))


@dataclass(frozen=True, eq=False)
class _InUnit:
    reader: Reader
    unit: Unit

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows ..."]:
        return self.unit.numbers(self.reader(rows))
