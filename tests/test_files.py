"""Files are read only if they are files; what is written is whole, or stays."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simplicert.analysis import write_table
from simplicert.certificates.certify import certify
from simplicert.errors import InputError
from simplicert.figures.style import new_figure, save_figure
from simplicert.files import (
    check_folder,
    clear_leftovers,
    opened,
    printable,
    read_bytes,
    regular,
    replacing,
    short_name,
    write_whole,
)
from simplicert.interop import write_certificates
from simplicert.report.page import write_report
from simplicert.votes import Votes


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a[1].csv"
    path.write_text("old")
    return path


def test_the_file_takes_its_place(path):
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


CERTIFICATES = certify(
    Votes(
        counts=np.array([[90, 10]]),
        score_sums=None,
        score_squares=None,
        draws=np.array([100]),
        indices=np.array([0]),
        labels=None,
        sigma=0.5,
        source={},
    )
)
TABLE = pd.DataFrame({"a": [1.0]})
WRITERS = {
    "bytes": ("", lambda path: write_whole(path, b"new")),
    "page": (".html", lambda path: write_report("new", path)),
    **{
        f"certificates{suffix}": (
            suffix,
            lambda path: write_certificates(CERTIFICATES, path),
        )
        for suffix in (".parquet", ".csv")
    },
    **{
        f"table{suffix}": (suffix, lambda path: write_table(TABLE, path))
        for suffix in (".parquet", ".csv", ".md", ".tex", ".txt")
    },
    **{
        f"figure{suffix}": (suffix, lambda path: save_figure(new_figure(), path))
        for suffix in (".png", ".svg", ".pdf")
    },
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_no_litter(name, tmp_path, monkeypatch):
    suffix, write = WRITERS[name]
    path = tmp_path / f"file{suffix}"
    write(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        write(path)
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


KILLED = """
import os, signal, sys
from pathlib import Path
from simplicert.files import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_cleared_and_nothing_else(path):
    others = [
        path.with_name(name)
        for name in (".a[1].csv.tmp", "a[1].csv.01234567.tmp", ".a1.csv.01234567.tmp")
    ]
    for other in others:
        other.touch()
    killed = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(list(path.parent.iterdir())) == 5
    clear_leftovers(path)
    assert sorted(path.parent.iterdir()) == sorted([path, *others])


def test_a_link_stays_a_link(path):
    link = path.with_name("link")
    link.symlink_to(path)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_device_is_written_as_it_is():
    device = Path("/dev/null")
    before = device.stat()
    with replacing(device) as file:
        assert file == device
    assert device.stat() == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "none" / "file"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"new")
    assert caught.value.filename == str(path)


@pytest.fixture
def unlike(tmp_path):
    """What has a path and is no file, by what it is called."""
    pipe, at, loop = (tmp_path / name for name in ("pipe", "socket", "loop"))
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(at))
        loop.symlink_to(loop)
        yield {"directory": tmp_path, "pipe": pipe, "socket": at, "loop": loop}


DOORS = {
    "regular": regular,
    "read_bytes": read_bytes,
    "opened": lambda path: opened(path).__enter__(),
    "write_whole": lambda path: write_whole(path, b"new"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", ["directory", "pipe", "socket"])
def test_only_files_are_opened(door, kind, unlike):
    with pytest.raises(InputError, match=f"is a {kind}, and not a file"):
        DOORS[door](unlike[kind])


@pytest.mark.parametrize("door", DOORS)
def test_a_link_to_itself_is_the_systems_trouble(door, unlike):
    with pytest.raises(OSError, match="symbolic links") as caught:
        DOORS[door](unlike["loop"])
    assert caught.value.errno == errno.ELOOP
    assert unlike["loop"].is_symlink()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_what_no_file_can_be_called(door, name):
    with pytest.raises(InputError):
        DOORS[door](Path(name))


def test_a_device_is_not_read():
    with pytest.raises(InputError, match="/dev/zero is a device, and not a file"):
        read_bytes(Path("/dev/zero"))


def test_a_file_is_read_up_to_a_limit(path):
    assert read_bytes(path, most=3) == b"old"
    with pytest.raises(InputError, match="larger than 2 bytes"):
        read_bytes(path, most=2)


def test_a_name_that_is_not_utf_8_is_read_but_not_written(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.csv")
    path.write_text("theirs")
    assert read_bytes(path) == b"theirs"
    assert printable(path) == f"{tmp_path}/\\xff.csv"
    with pytest.raises(InputError, match=r"cannot write .*\\xff.csv: its name"):
        write_whole(path, b"new")
    assert path.read_text() == "theirs"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: pq.write_table(pa.table({"a": [1]}), path),
    ],
    ids=["ours", "Arrow's"],
)
def test_an_error_names_the_true_file(write, tmp_path):
    path = tmp_path / "link" / "table"
    path.parent.symlink_to(tmp_path / "none")
    with pytest.raises(OSError, match="No such") as caught, replacing(path) as file:
        write(file)
    assert ".tmp" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("run/manifest.json", True),
        ("run/parts/x.parquet", True),
        ("run/parts/new.csv", True),
        ("link/new.csv", True),
        ("log/reported.parquet", True),
        ("to log.parquet", True),
        ("run/new.csv", False),
        ("log/new.csv", False),
        ("parts/new.csv", False),
        ("manifest.json", False),
        ("reported.parquet", False),
    ],
)
@pytest.mark.parametrize(
    "write", [write_whole, lambda path, _: check_folder(path)], ids=["file", "folder"]
)
def test_results_never_take_the_place_of_evidence(tmp_path, name, refused, write):
    evidence = "run/manifest.json", "run/parts/x.parquet", "log/reported.parquet"
    (tmp_path / "parts").mkdir()
    for each in evidence:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("evidence")
    (tmp_path / "link").symlink_to("run/parts")
    (tmp_path / "to log.parquet").symlink_to("log/reported.parquet")
    if refused:
        with pytest.raises(InputError, match="the evidence of a run lies there"):
            write(tmp_path / name, b"result")
    else:
        write(tmp_path / name, b"result")
    assert {(tmp_path / each).read_text() for each in evidence} == {"evidence"}


@pytest.mark.parametrize("name", ["n" * 255, "é" * 127, "n" * 201, "n" * 200])
def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path, name):
    write_whole(tmp_path / name, b"whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    others = {short_name(name), short_name(name[:-1] + "x")}
    assert len(others) == 2
    assert max(len(other.encode()) for other in others) <= 220


def test_a_disk_that_is_only_read_is_said_of_the_file(path, monkeypatch):
    def refuse(self, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    for method in ("write_bytes", "unlink"):
        monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_whole(path, b"")
    assert caught.value.filename == str(path)
