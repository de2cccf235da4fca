"""The audit log: shifts, each a run whose images are the inputs that came in it.

A run's images are known before its first draw, and a service's are not. So its log is
cut into shifts. One that is open is a run of as many images as it has room for, of
which most have not come; closing it makes it a run of those that came. Each shift has a
seed of its own, which nobody can guess, so that one that is closed can be shown to
anyone: it tells nothing of the noise to come.

An input gets its number, and its line in the journal, before its first draw, and is
answered when its votes are on disk. So a process that is killed leaves the votes of all
that it answered, and its successor begins another shift.
"""

import datetime
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from simplicert.data import Dataset, load_dataset
from simplicert.errors import InputError
from simplicert.files import check_folder, sync_folder
from simplicert.machine.locks import HeldError, held
from simplicert.sampling import MemoryRun
from simplicert.serve.bodies import kept_as
from simplicert.structured import parse_json
from simplicert.units import PIXELS
from simplicert.votes import Manifest, RunDirectory, VoteRows
from simplicert.votes.sources import Probe

__all__ = ["JOURNAL", "Came", "Log", "Shift"]

JOURNAL, INPUTS, ARCHIVE = "journal.jsonl", "inputs.raw", "inputs.npz"
OPEN = ".open"

Probed = Callable[[Dataset, Manifest], Probe | None]
"""What the classifier answers about some inputs."""


@dataclass(frozen=True)
class Came:
    """An input that came, and the request that brought it."""

    values: np.ndarray
    request: str


class _Forgotten(MemoryRun):
    """A run of which nothing is kept: the log of who wants none."""

    def append(self, rows: VoteRows) -> None:
        """Forget them."""


class Shift:
    """A shift that is open.

    Args:
        plan: As whose run.
        folder: Where, or ``None`` where nothing is kept.
        inputs: Whether inputs are kept, too.
    """

    def __init__(self, plan: Manifest, folder: Path | None, *, inputs: bool) -> None:
        self.plan, self.folder, self.came = plan, folder, 0
        self.run: RunDirectory | MemoryRun = _Forgotten(plan)
        self._journal: BinaryIO | None = None
        self._inputs: BinaryIO | None = None
        if folder is not None:
            self.run = RunDirectory.create(folder, plan)
            self._journal = (folder / JOURNAL).open("ab")
            if inputs:
                self._inputs = (folder / INPUTS).open("ab")
            sync_folder(folder)

    @property
    def room(self) -> int:
        """How many more inputs there can be."""
        return len(self.plan.images) - self.came

    def receive(self, came: Sequence[Came]) -> range:
        """Number inputs; when this returns, that they came is on disk."""
        numbers = range(self.came, self.came + len(came))
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        if self._inputs is not None:
            _write(self._inputs, b"".join(each.values.tobytes() for each in came))
        self._note(
            {
                "input": number,
                "request": each.request,
                "came": now,
                "sha256": hashlib.sha256(each.values.tobytes()).hexdigest(),
            }
            for number, each in zip(numbers, came, strict=True)
        )
        self.came = numbers.stop
        return numbers

    def end(self, how: Iterable[tuple[int, str]]) -> None:
        """Note how inputs ended: ``answered``, ``late``, ``gone`` or ``failed``."""
        self._note({"input": number, "end": word} for number, word in how)

    def _note(self, lines: Iterable[dict[str, object]]) -> None:
        if self._journal is not None:
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            _write(self._journal, text.encode())

    def release(self) -> None:
        """Let go of its files."""
        for file in (self._journal, self._inputs):
            if file is not None:
                file.close()


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


class Log:
    """The shifts of a service, one after another.

    Args:
        folder: Where, or ``None`` to keep nothing.
        plan: What each is drawn by, but for its seed, its images and its time.
        inputs: Whether inputs are kept, so that votes can be drawn again.
        size: Inputs of a shift.
        probed: Asks the classifier about the inputs of a shift that closes.

    Raises:
        InputError: Another service logs there; there is something else.
    """

    def __init__(
        self,
        folder: Path | None,
        plan: Manifest,
        *,
        inputs: bool,
        size: int,
        probed: Probed,
    ) -> None:
        self._folder, self._plan, self._size = folder, plan, size
        self._inputs, self._probed = inputs, probed
        self._held = ExitStack()
        if inputs and folder is None:
            raise InputError("inputs are kept in the log: say where that is")

    def __enter__(self) -> "Log":
        folder = self._folder
        if folder is not None:
            check_folder(folder)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            strange = [each.name for each in folder.iterdir() if not _is_ours(each)]
            if strange:
                raise InputError(
                    f"{folder} holds {strange[0]!r}, which is no shift of a service: "
                    "choose another folder for the log, or empty it"
                )
            try:
                self._held.enter_context(held(folder / ".lock"))
            except HeldError:
                raise InputError(
                    f"another service logs to {folder}: choose another folder"
                ) from None
            for left in sorted(folder.glob(f"*{OPEN}")):
                _close(left, probed=self._probed, digest=self._plan.model.digest)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    def open(self) -> Shift:
        """Begin the next shift."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        plan = self._plan.model_copy(
            update={
                "seed": secrets.randbits(63),
                "images": [*range(self._size)],
                "created": now,
            }
        )
        folder = self._folder
        if folder is None:
            return Shift(plan, None, inputs=False)
        numbers = [int(each.name.removesuffix(OPEN)) for each in folder.glob("[0-9]*")]
        name = f"{max(numbers, default=0) + 1:04d}{OPEN}"
        shift = Shift(plan, folder / name, inputs=self._inputs)
        sync_folder(folder)
        return shift

    def close(self, shift: Shift) -> Path | None:
        """End a shift, of which nothing is drawn any more; where it is now."""
        shift.release()
        if shift.folder is None:
            return None
        return _close(shift.folder, probed=self._probed, digest=self._plan.model.digest)


def _is_ours(path: Path) -> bool:
    return path.name.startswith(".") or path.name.removesuffix(OPEN).isdigit()


def _close(left: Path, *, probed: Probed, digest: str) -> Path | None:
    """A shift, perhaps of a process that was killed, as a run of what came in it.

    The run is there whole before what it is made of is removed.
    """
    there = left.with_name(left.name.removesuffix(OPEN))
    came = _came(left / JOURNAL) if RunDirectory.manifest_at(left) else []
    if there.exists() or not came:  # it was killed in between, or nobody came
        shutil.rmtree(left)
        return there if there.exists() else None
    run = RunDirectory(left)
    temporary = left.with_name(f".{there.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    dataset = _kept(run.manifest, came, left / INPUTS, temporary / ARCHIVE)
    plan = _of_those_who_came(run.manifest, came, dataset)
    if dataset is not None and plan.model.digest == digest:  # it is here to be asked
        plan = plan.model_copy(update={"probe": probed(dataset, plan)})
    closed = RunDirectory.create(temporary / "run", plan)
    if run.parts:
        closed.fill(run.rows())
    for kept in (left / JOURNAL, temporary / ARCHIVE):
        if kept.exists():
            copy = closed.path / kept.name
            shutil.copyfile(kept, copy)
            with copy.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(closed.path)
    closed.path.rename(there)
    sync_folder(left.parent)
    shutil.rmtree(temporary)
    shutil.rmtree(left)
    return there


def _came(journal: Path) -> list[str]:
    """The digest of each input that came, by its number; a line cut short is none."""
    if not journal.exists():
        return []
    digests = []
    for line in journal.read_bytes().split(b"\n")[:-1]:
        fields = parse_json(line, journal)
        if "came" in fields:
            digests.append(str(fields["sha256"]))
    return digests


def _of_those_who_came(
    plan: Manifest, came: Sequence[str], dataset: Dataset | None
) -> Manifest:
    """A shift's manifest when it is closed; what was asked of other inputs is not."""
    listed = hashlib.sha256("\n".join(came).encode()).hexdigest()
    name = f"{plan.data.name.partition('/')[0]}/not kept"
    if dataset is not None:
        listed, name = dataset.digest, f"{dataset.name}/{dataset.split}"
    data = plan.data.model_copy(update={"digest": listed, "name": name})
    update = {"images": [*range(len(came))], "probe": None, "data": data}
    return plan.model_copy(update=update)


def _kept(
    plan: Manifest, came: Sequence[str], kept: Path, archive: Path
) -> Dataset | None:
    """The inputs that were kept, as a data set that can be loaded again, if so."""
    if not kept.exists():
        return None
    shape = tuple(plan.data.shape)
    values = np.fromfile(kept, dtype=kept_as(shape))
    size = int(np.prod(shape))
    values = values[: len(came) * size].reshape(-1, *shape)
    pictures = len(shape) == 3 and shape[0] in {1, 3} and PIXELS.contains(values).all()
    with archive.open("wb") as file:
        arrays: Any = {"images" if pictures else "features": values}
        np.savez(file, **arrays)
    try:
        found = load_dataset(str(archive))
    except InputError:  # no form of data has such inputs: they are kept all the same
        return None
    return found if found.shape == shape else None
