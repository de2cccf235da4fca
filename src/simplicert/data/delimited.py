"""Tables as text: CSV, TSV, and with semicolons."""

import csv
import io
import re
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.listing import SPLITS, check_split_of, is_hidden, scanned
from simplicert.data.room import check_room
from simplicert.data.table import Columns, from_frame, has_splits, label_among
from simplicert.errors import InputError
from simplicert.files import is_the_systems, opened, printable

_BETWEEN = {".csv": ",", ".tsv": "\t"}
_HEADER = 1 << 20  # bytes in which the names of the columns must be
_TIMES = 4  # so much memory, beside its file, does a table take at most, about


def _recognises(path: Path) -> bool:
    """Whether this is a table, or a folder of tables that are called like splits."""
    return bool(_tables(path))


def _tables(path: Path) -> dict[str, Path]:
    """Split → file."""
    if path.is_file():
        return {path.stem: path} if path.suffix.lower() in _BETWEEN else {}
    files = sorted(Path(entry) for entry in scanned(path) if not is_hidden(entry.name))
    return {
        file.stem: file
        for file in files
        if file.suffix.lower() in _BETWEEN
        and file.stem.lower() in SPLITS
        and file.is_file()
    }


def _lacks(path: Path) -> str | None:
    """What keeps a folder of nothing but tables from being read."""
    files = sorted(Path(entry) for entry in scanned(path) if not is_hidden(entry.name))
    if not files or not all(file.suffix.lower() in _BETWEEN for file in files):
        return None
    return f"none is called like a split: give one of them, {printable(files[0])}"


def _load(
    path: Path,
    *,
    split: str,
    label_column: str | None = None,
    feature_columns: tuple[str, ...] | None = None,
    known_features: tuple[str, ...] = (),
) -> Dataset:
    """The rows of one split.

    Splits are the files ``SPLIT.csv`` of a folder, or a column ``split``; a file
    without one is the split ``test``, or the one that it is called after.

    Raises:
        InputError: There is no such split; a file is no table; or ``from_frame``.
    """
    tables = _tables(path)
    alone = path.is_file()
    if not alone and split not in tables:
        raise unknown_split(path, split, tables)
    file = path if alone else tables[split]
    frame, notes = _read(file)
    within = alone and has_splits(frame)
    if alone and not within:
        check_split_of(path, split)
    dataset = from_frame(
        frame,
        where=str(file),
        name=printable(path.stem if alone else path.resolve().name),
        split=split if within else None,
        columns=Columns(
            label=label_column, features=feature_columns, known=known_features
        ),
        class_names=_classes(file, frame, [*tables.values()], label_column),
        fingerprint=partial(digest_of_files, file.parent, [file]),
        notes=notes,
    )
    return dataset if within else replace(dataset, split=split)


def _classes(
    file: Path, frame: pd.DataFrame, files: list[Path], label_column: str | None
) -> tuple[str, ...]:
    """Names of the classes of all splits, so that each numbers them alike."""
    label = label_among(frame, label_column)
    if len(files) == 1 or label is None or frame[label].dtype.kind in "biuf":
        return ()
    names = {*frame[label]}
    for other in files:
        if other != file:
            theirs = _read(other, only=label)[0]
            names |= {*theirs[label]} if label in theirs else set()
    return tuple(sorted(name for name in names if isinstance(name, str)))


def _read(path: Path, *, only: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A table, or one column of it, and a word about how it was read.

    Raises:
        InputError: It is none, or its columns have no names.
    """
    check_room(path, _TIMES * path.stat().st_size)
    try:
        with opened(path) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            between = _check_header(path, file.read(_HEADER))
            file.seek(0)
            frame = pd.read_csv(
                file,
                sep=between,
                encoding="utf-8-sig",
                keep_default_na=False,  # a class may be called NA
                na_values=[""],
                skipinitialspace=True,
                index_col=False,  # else a column too many would become row names
                usecols=None if only is None else lambda name: name.strip() == only,
                low_memory=False,
            )
    except InputError:
        raise
    except UnicodeError as error:
        raise InputError(
            f"{path} is no text in UTF-8 ({error}): save it as that"
        ) from error
    except Exception as error:  # damaged text raises almost anything
        if is_the_systems(error) or isinstance(error, MemoryError):
            raise
        what = " ".join(str(error).split())
        raise InputError(
            f"{path} is no whole table ({what:.200}): correct it"
        ) from error
    usual = _BETWEEN[path.suffix.lower()]
    said = [f"{path.name}: columns are between {between!r}, not {usual!r}"]
    return frame.rename(columns=_unnamed), said * (between != usual)


def _unnamed(name: object) -> str:
    """What pandas calls a column without a name has none again."""
    return re.sub(r"^Unnamed: \d+$", "", str(name).strip())


def _check_header(path: Path, start: bytes) -> str:
    """What is between the columns, if their names are there, and each is another."""
    text = start.decode("utf-8-sig", errors="replace")
    first = re.sub(r'"[^"]*"', '""', text.partition("\n")[0])
    usual = _BETWEEN[path.suffix.lower()]
    between = max([usual, ",", ";", "\t", "|"], key=first.count)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=between), [])
    names = [name.strip() for name in names]
    if not any(names):
        raise InputError(
            f"{path} is empty, or begins with an empty line: its first line should be "
            "names of columns, the others rows"
        )
    twice = [name for n, name in enumerate(names) if name in names[:n] and name]
    if twice:
        raise InputError(
            f"{path} has two columns that are called {twice[0]!r}: rename one"
        )
    if all(map(_is_number, names)):
        raise InputError(
            f"{path} begins with numbers ({', '.join(names[:3])}), and its first line "
            "should be names of columns: add that line"
        )
    return between


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


delimited = Form(
    name="a table (.csv, .tsv)",
    looks_for="FILE.csv with names of columns in its first line and maybe a column "
    "split, or a folder of SPLIT.csv",
    recognises=_recognises,
    open=_load,
    lacks=_lacks,
    below=False,  # one beside images is about them
    columns=("label_column", "feature_columns"),
)
