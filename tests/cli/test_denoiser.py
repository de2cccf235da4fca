"""`--denoiser`, from training one to an audit."""

import pytest

from simplicert.classifiers import as_classifier
from simplicert.votes import RunDirectory


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory):
    from simplicert.cli.train import train_command

    path = tmp_path_factory.mktemp("denoisers") / "denoiser.safetensors"
    fields = ("architecture=denoiser6", "method.name=denoise", "learning_rate=0.3")
    train_command("digits", sigma=0.2, epochs=1, set_=fields, out=path)
    return path


def test_a_denoiser_is_part_of_a_run_and_of_its_audit(
    simplicert, checkpoint, denoiser, tmp_path
):
    out = tmp_path / "run"
    inputs = (checkpoint, "digits", "--denoiser", denoiser)
    command = ("sample", *inputs, "--sigma", 0.5, "--draws", 100, "--images", "0:3")
    code, _, err = simplicert(*command, "--out", out)
    assert code == 0
    assert "denoised by denoiser.safetensors (" in err
    assert "the denoiser was trained with sigma 0.2, not 0.5" in err
    model = RunDirectory(out).manifest.model
    assert model.name == "digits.safetensors denoised by denoiser.safetensors"
    assert model.digest == as_classifier(checkpoint, denoiser=denoiser).digest
    code, printed, _ = simplicert("audit", out, *inputs, "--replay", 1)
    assert code == 0
    assert "NOT FALSIFIED" in printed.upper()
    code, _, err = simplicert("audit", out, checkpoint, "digits", "--replay", 1)
    assert code == 2
    assert "the denoiser is denoiser.safetensors (" in err
    assert "there and none here" in err


def test_neighbours_are_sought_behind_it_too(
    simplicert, checkpoint, denoiser, tmp_path
):
    before, own, file, out = (
        ("--denoiser", denoiser, "--sigma", 0.5),
        tmp_path / "own",
        tmp_path / "n.npz",
        tmp_path / "run",
    )
    few, draws = ("--images", "0:2"), ("--draws", 100, "--out")
    for command in (
        ("neighbours", checkpoint, "digits", *before, *few, "--pilot", 64, "-o", file),
        ("sample", checkpoint, "digits", *before, *few, *draws, own),
        ("sample", checkpoint, file, *before, *draws, out),
        ("certify", own, "--neighbours", out),
    ):
        code, printed, err = simplicert(*command)
        assert code == 0, err
        if command[0] == "neighbours":
            assert f"{file} --denoiser {denoiser} --sigma" in printed


def test_each_in_its_place(simplicert, checkpoint, denoiser, tmp_path):
    rest = ("--sigma", 0.5, "--draws", 100, "--out", tmp_path / "run")
    code, _, err = simplicert("sample", denoiser, "digits", *rest)
    assert code == 2
    assert f"--denoiser {denoiser}" in err
    code, _, err = simplicert(
        "sample", checkpoint, "digits", "--denoiser", checkpoint, *rest
    )
    assert code == 2
    assert "is a classifier (small-cnn), not a denoiser" in err
    code, _, err = simplicert(
        *("serve", checkpoint, "--denoiser", checkpoint, "--sigma", 0.5, "--dry-run")
    )
    assert code == 2
    assert "not a denoiser" in err


def test_a_diffusion_model_wants_sigma_in_pixels(
    simplicert, checkpoint, tmp_path, monkeypatch
):
    rest = ("--sigma", 64, "--unit", "levels", "--draws", 100, "--out", tmp_path / "r")
    code, _, err = simplicert(
        "sample", checkpoint, "digits", "--denoiser", f"diffusers:{tmp_path}", *rest
    )
    assert code == 2
    assert "give sigma in pixels of [0, 1]" in err
