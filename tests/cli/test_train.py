import json

import numpy as np
import pytest
from PIL import Image

from simplicert.cli.train import train_command
from simplicert.errors import InputError
from simplicert.models import load_checkpoint


def test_training_writes_a_checkpoint(tmp_path, capsys):
    out = tmp_path / "model.safetensors"
    train_command("digits", sigma=0.25, epochs=1, out=out)
    printed = capsys.readouterr().out
    assert "test noisy accuracy" in printed
    assert str(out) in printed
    _, metadata = load_checkpoint(out)
    assert (metadata.sigma, metadata.recipe["epochs"]) == (0.25, 1)


def test_any_field_can_be_set_and_the_checkpoint_is_named(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    fields = ("seed=3", "milestones=[0.5]", "name=short")
    train_command("digits", epochs=1, set_=fields, json=True)
    printed = json.loads(capsys.readouterr().out)
    _, metadata = load_checkpoint(tmp_path / "short-0.50.safetensors")
    assert printed == metadata.model_dump(mode="json")
    assert printed["recipe"]["seed"] == 3
    assert printed["recipe"]["milestones"] == [0.5]


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ("seed", "write it as FIELD=VALUE"),
        ("epochs=1", "it has an option, --epochs"),
        ("sed=1", "did you mean 'seed'"),
        ("momentum=2", "momentum = 2"),
    ],
)
def test_a_bad_field_is_refused(field, complaint):
    with pytest.raises(InputError, match=complaint):
        train_command("digits", set_=(field,))


def test_corrupt_images_are_named_or_refused(tmp_path, capsys):
    pixels = np.zeros((8, 8), dtype=np.uint8)
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            file = tmp_path / split / name / "1.png"
            file.parent.mkdir(parents=True)
            Image.fromarray(pixels).save(file)
    (tmp_path / "train" / "cat" / "2.png").write_bytes(b"not an image")
    options = {"data": tmp_path, "epochs": 1, "out": tmp_path / "model.safetensors"}
    with pytest.raises(InputError, match=r"2\.png cannot be decoded"):
        train_command("digits", **options)
    train_command("digits", corrupt="skip", **options)
    assert "2.png cannot be decoded" in capsys.readouterr().err


def test_a_dataset_that_is_nowhere_is_asked_for():
    with pytest.raises(InputError, match=r"needs the dataset 'imagenet'.*--data DIR"):
        train_command("imagenet-resnet50")
