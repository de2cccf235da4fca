import json

import pytest

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
        ("sed=1", "did you mean 'seed'"),
        ("momentum=2", "momentum = 2"),
    ],
)
def test_a_bad_field_is_refused(field, complaint):
    with pytest.raises(InputError, match=complaint):
        train_command("digits", set_=(field,))
