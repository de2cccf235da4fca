"""`simplicert sample`: images that cannot be decoded, and how they are cut."""

import numpy as np
import pytest
from PIL import Image

from simplicert.votes import RunDirectory, read_run


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


BRIGHT = """
import torch

class Bright(torch.nn.Module):
    def forward(self, images):
        bright = images.mean(dim=(1, 2, 3))
        return torch.stack([-bright, bright], dim=1)

def published():
    from simplicert.classifiers import TorchClassifier
    from simplicert.data.cuts import PublishedCut

    cuts = [PublishedCut(16, 20, "bicubic"), PublishedCut(24, 24)]
    names = ("light", "dark")
    return TorchClassifier(Bright(), shape=(3, 16, 16), cuts=cuts, class_names=names)
"""


@pytest.fixture
def photographs(tmp_path):
    (tmp_path / "bright.py").write_text(BRIGHT)
    for label in ("dark", "light"):
        folder = tmp_path / "photos" / "test" / label
        folder.mkdir(parents=True)
        pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "a.png")
    return tmp_path


CUTS = {
    (): "shorter side to 8/7 of 16, centre 16, bilinear",
    ("--crop", 0.8): "shorter side to 20, centre 16, bilinear",
    (
        "--crop",
        1,
        "--interpolation",
        "bicubic",
    ): "shorter side to 16, centre 16, bicubic",
    ("--stretch",): "stretched to 16, centre 16, bilinear",
}


def test_how_images_were_cut_is_recorded_and_never_mixed(simplicert, photographs):
    model, data = f"{photographs}/bright.py:Bright", photographs / "photos"
    common = ("--sigma", 0.5, "--draws", 50, "--seed", 1, "--size", 16)
    for k, (options, words) in enumerate(CUTS.items()):
        out = photographs / f"run{k}"
        command = ("sample", model, data, *common, *options, "-o", out)
        code, _, err = simplicert(*command)
        assert code == 0
        assert f"images are cut: {words}" in err
        assert "does it take pixels in [0, 1] as they are?" in err
        manifest = RunDirectory.manifest_at(out)
        assert (manifest.data.cut, manifest.data.shape) == (words, [3, 16, 16])
        for other in range(k):
            parts = (photographs / f"run{other}", out)
            code, _, err = simplicert("merge", *parts, "-o", photographs / "both")
            assert code == 2
            assert "data.cut is 's" in err
            code, _, err = simplicert(*command[:-1], photographs / f"run{other}")
            assert code == 2
            assert "data.cut is 's" in err


def test_constants_go_in_front_and_are_part_of_the_model(simplicert, photographs):
    model, data = f"{photographs}/bright.py:Bright", photographs / "photos"
    common = ("--sigma", 0.5, "--draws", 50, "--seed", 1, "--size", 16)
    digests = set()
    for k, options in enumerate(
        [(), ("--mean", 0.5, "--std", "0.2"), ("--mean", ".4,.5,.6", "--std", "1,1,1")]
    ):
        out = photographs / f"run{k}"
        code, _, err = simplicert("sample", model, data, *common, *options, "-o", out)
        assert code == 0
        assert ("give --mean and --std" in err) is (options == ())
        digests.add(RunDirectory.manifest_at(out).model.digest)
    assert len(digests) == 3
    for options, complaint in [
        (("--mean", 0.5), "belong together"),
        (("--mean", "0.5;0.5", "--std", 1), "not a list of numbers"),
        (("--mean", "0,0", "--std", "1,1"), "2 means and stds"),
        (("--crop", 2), "crop must be in"),
        (("--interpolation", "bicubik"), "bicubik"),
    ]:
        out = photographs / "other"
        code, _, err = simplicert("sample", model, data, *common, *options, "-o", out)
        assert code == 2
        assert complaint in err
        assert not out.exists()


@pytest.mark.parametrize(
    ("options", "cut"),
    [
        ((), "shorter side to 20, centre 16, bicubic"),
        (("--size", 24), "shorter side to 24, centre 24, bilinear"),
        (("--interpolation", "box"), "shorter side to 20, centre 16, box"),
        (("--no-stretch", "--crop", 1), "shorter side to 16, centre 16, bicubic"),
    ],
)
def test_what_is_not_said_is_as_published(simplicert, photographs, options, cut):
    model, data = f"{photographs}/bright.py:published", photographs / "photos"
    out = photographs / "run"
    common = ("--sigma", 0.5, "--draws", 50)
    code, _, err = simplicert("sample", model, data, *common, *options, "-o", out)
    assert code == 0
    assert RunDirectory.manifest_at(out).data.cut == cut
    assert "in another order: they are put into the data's" in err


@pytest.mark.slow
def test_a_run_by_another_runtime_says_so_goes_on_and_is_replayed(
    simplicert, checkpoint, tmp_path
):
    out = tmp_path / "run"
    command = (
        *("sample", checkpoint, "digits", "--images", "0:3", "--sigma", 0.5),
        *("--draws", 200, "--block", 100, "--seed", 1, "-o", out),
    )
    code, _, err = simplicert(*command, "--runtime", "folded")
    assert code == 2
    assert "safetensors cannot be run by folded: " in err.splitlines()[-1]
    code, _, err = simplicert(*command, "--runtime", "onnxruntime")
    assert code == 0
    assert "fp32 on cpu by onnxruntime, batch" in err
    assert RunDirectory(out).manifest.runtime == "onnxruntime"
    code, _, err = simplicert(*command)
    assert code == 2
    assert "runtime is 'onnxruntime' there and 'eager' here" in err.splitlines()[-1]
    code, _, _ = simplicert(*command, "--runtime", "auto")
    assert code == 0
    code, _, _ = simplicert("audit", out, checkpoint, "digits", "--replay", "100%")
    assert code == 0
