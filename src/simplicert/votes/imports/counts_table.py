"""Tables of counts: text, CSV, NumPy's and Parquet files, one row an image."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from simplicert.errors import InputError

__all__ = ["CountsTable", "read_counts"]

TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".dat")
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
    labels = _take_column(frame, label_column, path)
    named = [name for name in INDEX_COLUMNS if name in frame.columns]
    indices = frame.pop(named[0]).to_numpy() if named else np.arange(len(frame))
    if frame.shape[1] < 2:
        raise InputError(
            f"{path} has {frame.shape[1]} count columns, needs one for each of at "
            "least 2 classes"
        )
    names = [str(name) for name in frame.columns]
    return CountsTable(
        counts=np.stack(
            [_whole(frame[name].to_numpy(), str(name), path) for name in frame], axis=1
        ),
        indices=_whole(indices, "image", path),
        labels=None if labels is None else _whole(labels, "label", path),
        class_names=None if all(map(_is_number, names)) else names,
    )


def _read_frame(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".npy":
            return _matrix_frame(np.load(path, allow_pickle=False), path)
        if path.suffix == ".npz":
            return _archive_frame(path)
        if path.suffix in TEXT_SUFFIXES:
            return _text_frame(path)
    except InputError:
        raise
    except (ValueError, UnicodeDecodeError) as error:  # Arrow's errors are ValueErrors
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table ({reason})") from error
    raise InputError(
        f"{path}: a counts table ends in one of "
        f"{', '.join((*TEXT_SUFFIXES, '.npy', '.npz', '.parquet'))}"
    )


def _text_frame(path: Path) -> pd.DataFrame:
    lines = [line for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path} is empty")
    # np.savetxt writes its header as a comment.
    first = lines[0].lstrip("# ")
    separator = next((s for s in ",;\t" if s in first), r"\s+")
    comments = [line for line in lines[1:] if not line.startswith("#")]
    fields = [f.strip() for f in pd.Series([first]).str.split(separator).iloc[0]]
    header = not all(map(_is_number, fields))
    if lines[0].startswith("#") and len(fields) != len(
        comments[0].split(None if separator == r"\s+" else separator)
    ):
        return _parse(comments, separator, header=False)  # a remark, not a header
    return _parse([first, *comments], separator, header=header)


def _parse(lines: list[str], separator: str, *, header: bool) -> pd.DataFrame:
    return pd.read_csv(
        StringIO("\n".join(lines)),
        sep=separator,
        header=0 if header else None,
        skipinitialspace=True,
    )


def _matrix_frame(matrix: np.ndarray, path: Path) -> pd.DataFrame:
    if matrix.ndim != 2:
        raise InputError(
            f"{path} has shape {matrix.shape}, needs two axes: images and classes"
        )
    return pd.DataFrame(matrix)


def _archive_frame(path: Path) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
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


def _take_column(frame: pd.DataFrame, column: str, path: Path) -> np.ndarray | None:
    if column in frame.columns:
        return frame.pop(column).to_numpy()
    if column == "label":
        return None
    positions = dict(enumerate(frame.columns))
    if frame.columns.dtype != object and column.lstrip("-").isdigit():
        position = int(column) % len(positions) if int(column) < 0 else int(column)
        if position in positions:
            return frame.pop(positions[position]).to_numpy()
    raise InputError(
        f"{path} has no column {column!r} for the labels; "
        f"its columns: {', '.join(str(name) for name in frame.columns)}"
    )


def _whole(values: np.ndarray, name: str, path: Path) -> Int[np.ndarray, " images"]:
    """The column as integers, or the first row in which it is none."""
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        row = next(i for i, value in enumerate(values) if not _is_number(value))
        raise InputError(
            f"{path}, row {row}, column {name}: {values[row]!r} is not a number"
        ) from error
    for rule, broken in (
        ("is missing", np.isnan(numbers)),
        ("is negative", numbers < 0),
        ("is too large", numbers >= 2.0**53),
        (f"is not a whole number: {SOFT}", numbers != np.floor(numbers)),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            raise InputError(f"{path}, row {row}, column {name}: {values[row]} {rule}")
    return numbers.astype(np.int64)


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True
