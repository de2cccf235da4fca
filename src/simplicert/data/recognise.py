"""The one place that says what form a path's data is in, or what it looks most like."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from simplicert.data.form import Form
from simplicert.data.listing import entries, folders, kind
from simplicert.errors import InputError
from simplicert.files import printable

# So many places are looked into, and so far below, for the data that is not there.
_MOST, _DEEPEST = 300, 3

# What is never read → how to make a data set of it.
_ARRAYS = (
    ", which is not read itself. Save its arrays with np.savez(..., images=…, "
    "labels=…), or return them from a function of split: FILE.py:NAME"
)
_UNREAD = {
    ".mat": f"is a MATLAB file{_ARRAYS}",
    ".h5": f"is an HDF5 file{_ARRAYS}",
    ".hdf5": f"is an HDF5 file{_ARRAYS}",
    ".tfrecord": f"is a TFRecord file{_ARRAYS}",
    ".txt": "is text: a table is called .csv or .tsv",
    ".json": f"is text{_ARRAYS}",
    ".jsonl": f"is text{_ARRAYS}",
    ".xls": "is a spreadsheet: save it as FILE.csv",
    ".xlsx": "is a spreadsheet: save it as FILE.csv",
    ".feather": "is Arrow's: write it as Parquet",
    ".arrow": "is Arrow's: write it as Parquet",
    ".mp3": "is compressed sound: convert it to .wav",
    ".flac": "is compressed sound: convert it to .wav",
    ".ogg": "is compressed sound: convert it to .wav",
    ".tar": "is an archive: unpack it, and give the folder",
    ".tgz": "is an archive: unpack it, and give the folder",
    ".zip": "is an archive: unpack it, and give the folder",
    ".gz": "is compressed: unpack it, and give the folder of what was in it",
} | dict.fromkeys(
    (".pkl", ".pickle", ".pt", ".pth"),
    "may be a pickle, which can run code when it is opened: if you trust it, open it "
    "in a file of yours, return arrays from a function of split, and give FILE.py:NAME",
)


def recognised(path: Path, forms: Sequence[Form]) -> tuple[Form, Path]:
    """The form that a path is in, and where: what lies alone in a folder is meant.

    Raises:
        InputError: It is in none; says what it looks most like, and what is missing.
    """
    for place in _alone(path):
        for form in forms:
            if form.recognises(place):
                return form, place
    _refuse_pickles(path)
    raise InputError(f"{printable(path)} {_looks_like(path, forms)}")


def _alone(path: Path) -> Iterator[Path]:
    """The path, and while one folder is all that is in it, that one."""
    yield path
    for _ in range(_DEEPEST):
        inside = entries(path)
        if len(inside) != 1 or kind(inside[0]) != "folders":
            return
        path = Path(inside[0])
        yield path


def _looks_like(path: Path, forms: Sequence[Form]) -> str:
    """What to do about a path that no form recognises; the surest word comes first."""
    for look in (_special, _part, _saved, _further_down, _near, _unread):
        word = look(path, forms)
        if word:
            return word
    empty = path.is_dir() and not entries(path)
    names = [form.name for form in forms]
    return (
        f"{'is empty' if empty else 'is no dataset'}: it should hold "
        f"{', '.join(names[:-1])} or {names[-1]}. Anything else: FILE.py:NAME"
    )


def _special(path: Path, _: Sequence[Form]) -> str | None:
    places = [path] if not path.is_dir() else [Path(entry) for entry in entries(path)]
    for place in places:
        if place.exists() and not (place.is_dir() or place.is_file()):
            name = "" if place == path else f"holds {printable(place.name)}, which "
            return f"{name}is no regular file: copy what it gives into a file first"
    return None


def _part(path: Path, forms: Sequence[Form]) -> str | None:
    for form in forms if path.is_file() else ():
        if path.match(form.files or "-") and form.recognises(path.parent):
            return f"is one of {form.name}: give their folder, {path.parent}"
    return None


def _saved(path: Path, _: Sequence[Form]) -> str | None:
    if any((path / mark).is_file() for mark in ("dataset_dict.json", "state.json")):
        return f"was written by save_to_disk of the package datasets: say hf:{path}"
    return None


def _further_down(path: Path, forms: Sequence[Form]) -> str | None:
    """Where there is data below, nearest first; not below what is data itself."""
    found: list[str] = []
    waiting = deque((Path(entry), 1) for entry in entries(path))
    for _ in range(_MOST):
        if not waiting:
            break
        place, depth = waiting.popleft()
        form = next((f for f in forms if f.below and f.recognises(place)), None)
        if form is not None:
            found.append(f"{printable(place)} ({form.name})")
        elif depth < _DEEPEST:
            waiting.extend((each, depth + 1) for each in folders(place))
    if not found:
        return None
    more = " or another" if found[3:] else ""
    return f"holds a dataset further down: give {' or '.join(sorted(found)[:3])}{more}"


def _near(path: Path, forms: Sequence[Form]) -> str | None:
    for form in forms:
        lacking = form.lacks(path)
        if lacking:
            return (
                f"looks like {form.name}, but {lacking}. Looked for: {form.looks_for}"
            )
    return None


def _unread(path: Path, _: Sequence[Form]) -> str | None:
    if path.is_file():
        return _UNREAD.get(path.suffix.lower())
    for place in sorted(Path(entry) for entry in entries(path)):
        if place.is_file() and place.suffix.lower() in _UNREAD:
            name = printable(place.name)
            return f"is no dataset; {name} {_UNREAD[place.suffix.lower()]}"
    return None


def _refuse_pickles(path: Path) -> None:
    """Refuse CIFAR's Python batches, here or below: reading them would unpickle."""
    places = [path, *folders(path)] if path.is_dir() else [path.parent]
    archives = {
        "data_batch_1": "cifar-10",
        "test_batch": "cifar-10",
        "meta": "cifar-100",
    }
    for place in places:
        for mark, archive in archives.items():
            if (place / mark).is_file():
                raise InputError(
                    f"{place} holds CIFAR's pickled Python batches, and a pickle can "
                    f"run code when it is opened: get {archive}-binary.tar.gz, which "
                    "is beside them on the same page, and unpack it"
                )
