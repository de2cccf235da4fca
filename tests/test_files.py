"""What is written is whole, or what was there before stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simplicert.analysis import write_table
from simplicert.certificates.certify import certify
from simplicert.figures.style import new_figure, save_figure
from simplicert.files import clear_leftovers, replacing, write_whole
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
