import json

import numpy as np
import pytest
from PIL import Image

from simplicert.cli.train import train_command
from simplicert.errors import InputError
from simplicert.machine.locks import held
from simplicert.models import load_checkpoint
from simplicert.training import built_in_recipes
from simplicert.training.methods import BUILT_IN


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
        ("method=3", "method = 3: write it as method.name"),
        ("method=macer", "method = 'macer': write it as method.name"),
        ("method.draws=4", "unknown gaussian field 'draws'"),
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


def test_a_method_is_set_field_by_field(tmp_path, capsys):
    fields = ("method.name=macer", "method.draws=2", "method.beta=1.5")
    out = tmp_path / "model.safetensors"
    train_command("digits", epochs=1, set_=fields, out=out, json=True)
    method = json.loads(capsys.readouterr().out)["recipe"]["method"]
    assert (method["name"], method["draws"], method["beta"]) == ("macer", 2, 1.5)
    assert method["gamma"] == 8


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("seed=" + "[" * 10**5, "nested too deeply"),
        ("seed=" + "9" * 5000, "more than 1000 bits"),
        ("seed=0x" + "f" * 5000, "more than 1000 bits"),
        ("seed=1\nepochs=2", "seed = '1\\nepochs=2'"),
        ("seed=" + "[" * 40 + "]" * 40, "valid integer"),
        ("method." + "a." * 1000 + "b=1", "unknown gaussian field"),
    ],
)
def test_whatever_is_set_is_a_value_or_refused(field, says, simplicert):
    code, out, err = simplicert("train", "digits", "--set", field)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert says in err


def test_log_and_state_lie_beside_the_checkpoint(tmp_path, monkeypatch):
    out = tmp_path / "model-0.5.safetensors"
    seen = []

    def save(*_):
        seen.extend(sorted(path.name for path in tmp_path.iterdir()))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("simplicert.cli.train.save_checkpoint", save)
        with pytest.raises(InputError, match=r"No space.*kept in"):
            train_command("digits", epochs=2, out=out)
    assert seen == ["model-0.5.csv", "model-0.5.lock", "model-0.5.training"]
    train_command("digits", epochs=2, out=out)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model-0.5.csv",
        "model-0.5.safetensors",
    ]


def test_a_finished_command_says_so_and_tidies_up(tmp_path, capsys):
    out = tmp_path / "model.safetensors"
    train_command("digits", epochs=1, out=out)
    first, written = capsys.readouterr().out, out.read_bytes()
    # As if it had been killed between its last two writes.
    out.with_suffix(".training").touch()
    train_command("digits", epochs=1, out=out)
    again = capsys.readouterr()
    assert again.out == first
    assert "is trained already: remove it to train again" in again.err
    assert out.read_bytes() == written
    assert not out.with_suffix(".training").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sigma": 0.25}, "sigma = 0.5, not 0.25: remove it, or write elsewhere"),
        ({"epochs": 2}, "epochs = 1, not 2"),
        ({"set_": ("seed=1",)}, "seed = 0, not 1"),
        ({"set_": ("architecture=resnet20",)}, "architecture = 'small-cnn', not"),
    ],
)
def test_another_recipe_s_checkpoint_is_not_overwritten(tmp_path, options, complaint):
    out = tmp_path / "model.safetensors"
    train_command("digits", epochs=1, out=out)
    written = out.read_bytes()
    with pytest.raises(InputError, match=complaint):
        train_command("digits", **{"epochs": 1, "out": out} | options)
    assert out.read_bytes() == written


def test_a_file_that_is_no_checkpoint_is_not_overwritten(tmp_path):
    out = tmp_path / "model.safetensors"
    out.write_text("notes")
    with pytest.raises(InputError, match="not a readable safetensors file"):
        train_command("digits", epochs=1, out=out)
    assert out.read_text() == "notes"


@pytest.mark.parametrize("name", ["model", "model.training", "model.csv", "m-0.5"])
def test_checkpoints_are_named_so_that_they_load(tmp_path, name):
    with pytest.raises(InputError, match=r"name ends in \.safetensors"):
        train_command("digits", epochs=1, out=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_exits_with_two(tmp_path, simplicert, monkeypatch):
    monkeypatch.setattr("simplicert.training.loop._SAVE_SECONDS", -1)
    out = tmp_path / "model.safetensors"
    fields = ("learning_rate=1e30", "warmup_epochs=2", "warmup_factor=1e-31")
    command = ["train", "digits", "--epochs", 4, "-o", out, "--set", "milestones=[]"]
    for field in fields:
        command += ["--set", field]
    for _ in range(2):
        code, _, err = simplicert(*command)
        assert code == 2
        assert "in epoch 3 of 4, and would again with this recipe" in err
        assert "lower learning_rate" in err
        assert out.with_suffix(".training").exists()
        assert not out.exists()
    code, _, err = simplicert(*command, "--set", "learning_rate=0.1")
    assert code == 2
    assert (
        "learning_rate = 1e+30, not 0.1: remove it, or write elsewhere with -o" in err
    )


def test_processes_that_cannot_divide_the_shares_are_not_started(simplicert):
    code, _, err = simplicert("train", "digits", "--processes", 2)
    assert code == 2
    assert "2 processes cannot divide 1 shares" in err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"readers": -1}, "--readers must be at least 0, got -1"),
        ({"processes": 0}, "--processes must be at least 1, got 0"),
        ({"set_": ("epochs.x=3",)}, "it has an option, --epochs"),
        ({"set_": ("name_or_path=x",)}, "unknown field 'name_or_path'"),
    ],
)
def test_options_without_a_meaning_are_refused(tmp_path, options, complaint):
    with pytest.raises(InputError, match=complaint):
        train_command("digits", out=tmp_path / "model.safetensors", **options)


def test_a_directory_in_place_of_the_checkpoint_is_named(tmp_path):
    out = tmp_path / "model.safetensors"
    out.mkdir()
    with pytest.raises(InputError, match="there is a directory of that name"):
        train_command("digits", epochs=1, out=out)


@pytest.mark.slow
def test_two_trainings_of_one_checkpoint_exclude_each_other(tmp_path):
    out = tmp_path / "model.safetensors"
    left = tmp_path / ".model.training.01234567.tmp"  # by one that was killed
    left.touch()
    with (
        held(tmp_path / "model.lock"),
        pytest.raises(InputError, match="another process is training"),
    ):
        train_command("digits", epochs=1, out=out)
    assert left.exists()
    train_command("digits", epochs=1, out=out)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.csv",
        "model.safetensors",
    ]


def test_help_names_every_recipe_and_method():
    described = train_command.__doc__
    for name in (*built_in_recipes(), *BUILT_IN):
        assert name in described
