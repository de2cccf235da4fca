"""WAV files in folders: their values to the last bit, and what they cannot be."""

import os
import struct
import wave

import numpy as np
import pytest

from simplicert.data import load_dataset
from simplicert.data.sounds import FULL_SCALE
from simplicert.errors import InputError

RNG = np.random.default_rng(0)


def put_sound(path, values, *, width=2, rate=8000):
    """A file of whole numbers, time × channels."""
    values = np.atleast_2d(np.asarray(values).T).T
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((values.shape[1], width, rate, len(values), "NONE", ""))
        packed = (
            int(v).to_bytes(width, "little", signed=width > 1) for v in values.flat
        )
        file.writeframes(b"".join(packed))
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_values_of_every_width_are_in_full_scale(tmp_path, width, channels):
    half = 2 ** (8 * width - 1)
    values = RNG.integers(-half, half, (50, channels))
    values[:3, 0] = -half, half - 1, 0
    for row in range(2):
        stored = values + (128 if width == 1 else 0)
        put_sound(tmp_path / f"{row}.wav", stored, width=width)
    dataset = load_dataset(str(tmp_path), split="all")
    assert (dataset.shape, dataset.unit) == ((channels, 50), FULL_SCALE)
    found = dataset.read(np.arange(2))
    np.testing.assert_array_equal(found[1], (values / half).T.astype(np.float32))
    assert FULL_SCALE.contains(found).all()
    assert (found[0, 0, 0], found[0, 0, 2]) == (-1.0, 0.0)
    assert dataset.labels is None
    assert dataset.texts(1) == "1.wav"


@pytest.mark.parametrize("above", ["", "test/"])
def test_folders_are_classes(tmp_path, above):
    for name in ("up", "down"):
        for row in range(2):
            put_sound(tmp_path / f"{above}{name}" / f"{row}.wav", [row, 2, 3])
    dataset = load_dataset(str(tmp_path), split="test" if above else "all")
    assert (dataset.class_names, dataset.labels.tolist()) == (
        ("down", "up"),
        [0, 0, 1, 1],
    )
    assert any("3 values of 1 channel at 8,000 Hz" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("values", "rate", "told"),
    [
        ([1, 2], 8000, "1.wav has 2 values of 1 channel at 8,000 Hz.*has 3 values"),
        ([1, 2, 3], 4000, "1.wav has 3 values of 1 channel at 4,000 Hz"),
        ([[1, 1], [2, 2], [3, 3]], 8000, "1.wav has 3 values of 2 channels"),
    ],
)
def test_sounds_that_differ_are_refused_at_once(tmp_path, values, rate, told):
    put_sound(tmp_path / "0.wav", [1, 2, 3])
    put_sound(tmp_path / "1.wav", values, rate=rate)
    with pytest.raises(InputError, match=told):
        load_dataset(str(tmp_path), split="all")


def damaged(path, how):
    content = path.read_bytes()
    if how == "cut":
        content = content[:-3]
    elif how == "half a header":
        content = content[:20]
    elif how == "float":
        content = content[:20] + struct.pack("<H", 3) + content[22:]
    elif how == "gigantic":
        content = content[:40] + struct.pack("<I", 2**31) + content[44:]
    elif how == "64 bits":
        content = content[:34] + struct.pack("<H", 64) + content[36:]
    elif how == "no channels":
        content = content[:22] + struct.pack("<H", 0) + content[24:]
    elif how == "zeros":
        content = bytes(len(content))
    path.write_bytes(content if how != "empty" else b"")


@pytest.mark.parametrize(
    "how",
    [
        *("cut", "half a header", "float", "gigantic", "64 bits", "no channels"),
        *("zeros", "empty"),
    ],
)
def test_a_damaged_sound_is_refused_by_name(tmp_path, how):
    damaged(put_sound(tmp_path / "0.wav", [1, 2, 3]), how)
    with pytest.raises(
        InputError, match=r"0\.wav (is no whole|should hold|has val)"
    ) as caught:
        load_dataset(str(tmp_path), split="all").read(np.arange(1))
    assert "\n" not in str(caught.value)


def test_a_sound_that_changes_or_a_pipe_is_refused(tmp_path):
    put_sound(tmp_path / "0.wav", [1, 2, 3])
    dataset = load_dataset(str(tmp_path), split="all")
    put_sound(tmp_path / "0.wav", [1, 2, 3, 4])
    with pytest.raises(InputError, match=r"0.wav has 4 values"):
        dataset.read(np.arange(1))
    (tmp_path / "0.wav").unlink()
    os.mkfifo(tmp_path / "0.wav")
    with pytest.raises(InputError, match=r"0.wav is a pipe"):
        dataset.read(np.arange(1))
    with pytest.raises(InputError, match="no regular file"):
        load_dataset(str(tmp_path), split="all")
