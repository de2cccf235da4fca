"""`simplicert sample`: images that cannot be decoded."""

import numpy as np
from PIL import Image

from simplicert.votes import read_run


def test_damaged_images_are_refused_or_skipped(simplicert, checkpoint, tmp_path):
    folder = tmp_path / "photos" / "test"
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        pixels = np.full((8, 8), 25 * label, np.uint8)
        Image.fromarray(pixels).save(folder / str(label) / "a.png")
    (folder / "3" / "a.png").write_bytes(b"cut short")
    out = tmp_path / "run"
    command = (
        *("sample", checkpoint, folder.parent, "--sigma", 0.5, "--draws", 100),
        *("--out", out),
    )
    code, _, err = simplicert(*command)
    assert code == 2
    assert "3/a.png" in err.splitlines()[-1]
    code, _, err = simplicert(*command, "--corrupt", "skip")
    assert code == 0
    assert "skipped" in err
    assert read_run(out).indices.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_what_is_left_out_or_converted_is_said_before_the_first_draw(
    simplicert, checkpoint, tmp_path
):
    folder = tmp_path / "photos" / "test"
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        mode = "L" if label else "1"
        Image.new(mode, (8, 8)).save(folder / str(label) / "a.png")
    (folder / "3" / ".DS_Store").write_bytes(b"")
    command = (
        *("sample", checkpoint, folder.parent, "--sigma", 0.5, "--draws", 100),
        *("--out", tmp_path / "run", "--dry-run"),
    )
    code, _, err = simplicert(*command)
    assert code == 0
    assert err.count("data: left out: hidden files (1)") == 1
    code, _, err = simplicert(*command, "--label-column", "x")
    assert code == 2
    assert "has no columns to choose from: leave out label_column" in err
