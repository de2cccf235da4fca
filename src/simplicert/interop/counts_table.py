"""Tables of counts: text, CSV, NumPy's and Parquet files, one row an image."""

import csv
import re
import zipfile
import zlib
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from simplicert.errors import InputError

__all__ = ["LARGEST_WHOLE", "CountsTable", "read_counts"]

LARGEST_WHOLE = 2**53
"""Below it every whole number is a float of its own."""

TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".dat")
NUMBER = re.compile(r"(?ai)[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf")
UNREADABLE = (
    ValueError,  # also Arrow's, pandas's and Unicode's
    EOFError,
    KeyError,
    MemoryError,  # a damaged header may claim any size
    NotImplementedError,
    RuntimeError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
)
INDEX_COLUMNS = ("image", "index", "idx")
SOFT = (
    "means, probabilities and sums of soft scores are not counts: a confidence bound "
    "for counts does not hold for them, and rounding does not make them votes"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CountsTable:
    """Hard votes as they were found in a file, whole numbers and not negative.

    Attributes:
        counts: Votes of each class.
        indices: Each image's index; the row number where the file gives none.
        labels: True classes, or ``None``.
        class_names: The count columns' names where they are more than numbers.
    """

    counts: Int[np.ndarray, "images classes"]
    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"] | None
    class_names: list[str] | None


def read_counts(path: Path, *, label_column: str = "label") -> CountsTable:
    """Read a counts table: a column of counts a class and, if there is one, a label.

    Text may be separated by commas, semicolons, tabs or spaces, with a header line or
    without; ``.npy`` is a matrix; ``.npz`` holds ``counts`` and perhaps ``label``,
    ``labels``, ``index``; ``.parquet`` has named columns. A column called ``image``,
    ``index`` or ``idx`` holds indices.

    Args:
        path: The file; its suffix says what it is.
        label_column: The label's column: a name or, where there are no names, a
            position (0 is the first, -1 the last). Not having ``"label"`` means that
            the file has no labels; not having another one is an error.

    Raises:
        InputError: A file that is not such a table: says which row and why.
    """
    frame = _read_frame(path)
    if frame.empty:
        raise InputError(f"{path} holds no rows")
    names = [str(name).strip() for name in frame.columns]
    if "" in names or len(set(names)) < len(names):
        raise InputError(
            f"{path}: columns need names that differ, its are: {', '.join(names)}"
        )
    labels = _take_column(frame, label_column, path)
    named = [name for name in INDEX_COLUMNS if name in frame.columns]
    indices = frame.pop(named[0]) if named else pd.Series(range(len(frame)))
    if frame.shape[1] < 2:
        raise InputError(
            f"{path} has {frame.shape[1]} count columns, needs one for each of at "
            "least 2 classes"
        )
    names = [str(name) for name in frame.columns]
    return CountsTable(
        counts=np.stack(
            [_whole(frame[name], str(name), path) for name in frame], axis=1
        ),
        indices=_whole(indices, "image", path),
        labels=None if labels is None else _whole(labels, "label", path),
        class_names=None if all(map(_is_number, names)) else names,
    )


def _read_frame(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix in (".npy", ".npz"):
            with path.open("rb") as opened:  # np.load leaves damaged archives open
                loaded = np.load(opened, allow_pickle=False)
                if isinstance(loaded, np.ndarray):
                    return _matrix_frame(loaded, path)
                return _archive_frame(dict(loaded), path)
        if path.suffix in TEXT_SUFFIXES:
            return _text_frame(path)
    except InputError:
        raise
    except UNREADABLE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{path} cannot be read as a table ({reason})") from error
    raise InputError(
        f"{path}: a counts table ends in one of "
        f"{', '.join((*TEXT_SUFFIXES, '.npy', '.npz', '.parquet'))}"
    )


def _text_frame(path: Path) -> pd.DataFrame:
    numbered = enumerate(path.read_text("utf-8-sig").splitlines(), start=1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    rows = [(number, line) for number, line in lines if not line.startswith("#")]
    if not rows:
        raise InputError(f"{path} is empty: it holds no rows")
    separator = next((s for s in ",;\t" if s in rows[0][1]), " ")
    cells = [(number, _fields(line, separator)) for number, line in rows]
    names = None
    if not all(map(_is_number, cells[0][1])):
        names = cells.pop(0)[1]
    elif lines[0][1].startswith("#"):
        # np.savetxt writes its header as a comment; another comment is a remark.
        comment = _fields(lines[0][1].lstrip("# "), separator)
        if len(comment) == len(cells[0][1]) and not all(map(_is_number, comment)):
            names = comment
    width = len(names or cells[0][1])
    for number, fields in cells:
        if len(fields) != width:
            raise InputError(
                f"{path}, line {number}: {len(fields)} fields, not {width} as "
                f"{'the header has' if names else 'in the first line'}"
            )
    # Back to text: pandas finds each column's type, much faster than row by row.
    text = StringIO()
    csv.writer(text).writerows(fields for _, fields in cells)
    text.seek(0)
    return pd.read_csv(text, header=None, names=names, index_col=False)


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        line = " ".join(line.split())
    [fields] = csv.reader([line], delimiter=separator, skipinitialspace=True)
    return [field.strip() for field in fields]


def _matrix_frame(matrix: np.ndarray, path: Path) -> pd.DataFrame:
    if matrix.ndim != 2:
        raise InputError(
            f"{path} has shape {matrix.shape}, needs two axes: images and classes"
        )
    return pd.DataFrame(matrix)


def _archive_frame(arrays: dict[str, np.ndarray], path: Path) -> pd.DataFrame:
    if "counts" not in arrays:
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}: call the counts `counts`"
        )
    frame = _matrix_frame(arrays.pop("counts"), path)
    for name, values in arrays.items():
        column = "label" if name == "labels" else name
        if column != "label" and column not in INDEX_COLUMNS:
            continue
        if values.shape != (len(frame),):
            raise InputError(f"{path}: {name} has shape {values.shape}, not one a row")
        frame[column] = values
    return frame


def _take_column(frame: pd.DataFrame, column: str, path: Path) -> pd.Series | None:
    if column in frame.columns:
        return frame.pop(column)
    if column == "label":
        return None
    if pd.api.types.is_integer_dtype(frame.columns.dtype) and _is_whole(column):
        position = int(column) + (len(frame.columns) if int(column) < 0 else 0)
        if 0 <= position < len(frame.columns):
            return frame.pop(frame.columns[position])
    raise InputError(
        f"{path} has no column {column!r} for the labels; "
        f"its columns: {', '.join(str(name) for name in frame.columns)}"
    )


def _whole(column: pd.Series, name: str, path: Path) -> Int[np.ndarray, " images"]:
    """The column as integers, or the first row in which it is none."""
    if column.dtype.kind not in "iuf":  # text, or truth values, dates, objects
        column = column.astype(object)
        for row, value in enumerate(column):
            if not _is_number(value):
                raise InputError(
                    f"{path}, row {row}, column {name}: {value!r} is not a number"
                )
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    for rule, broken in (
        ("is missing", np.isnan(numbers)),
        ("is negative", numbers < 0),
        ("is too large", numbers >= LARGEST_WHOLE),
        (f"is not a whole number: {SOFT}", numbers != np.floor(numbers)),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            value = column.iloc[row]
            raise InputError(f"{path}, row {row}, column {name}: {value} {rule}")
    return numbers.astype(np.int64)


def _is_number(value: object) -> bool:
    return NUMBER.fullmatch(str(value)) is not None


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,9}", text) is not None
