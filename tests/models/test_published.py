import pytest
import torch

from simplicert.errors import InputError
from simplicert.models import build_model, load_published

SHAPE = (3, 32, 32)
CONSTANTS = ("0.mean", "0.std")
CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2023, 0.1994, 0.2010)}
CENTRED = CIFAR | {"std": (1.0, 1.0, 1.0)}


class Anything:
    pass


@pytest.fixture(scope="module")
def ours():
    return build_model("resnet20", shape=SHAPE, classes=10).eval()


def save(path, content):
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "prefix", ["1.", "1.module.", "module.", "module.1.", "_orig_mod.1.", ""]
)
@pytest.mark.parametrize(
    "wrap", [None, "state_dict", "model", "net", "model_state_dict"]
)
def test_the_usual_keys_are_understood(tmp_path, ours, prefix, wrap):
    # Cohen's normalisation layer keeps its constants out of the state dict.
    state = {
        prefix + key.removeprefix("1."): tensor
        for key, tensor in ours.state_dict().items()
        if not key.startswith("0.")
    }
    content = state if wrap is None else {wrap: state, "epoch": 90, "arch": "x"}
    path = save(tmp_path / "checkpoint.pth.tar", content)
    theirs = load_published(path, "resnet20", shape=SHAPE, classes=10, **CIFAR)
    assert not theirs.training
    images = torch.rand(4, *SHAPE)
    assert torch.equal(theirs(images), ours(images))


@pytest.mark.parametrize("axes", [(3, 1, 1), (3,), (1, 3, 1, 1)])
def test_a_file_may_have_a_normalisation_of_its_own(tmp_path, ours, axes):
    state = ours.state_dict() | {key: torch.full(axes, 0.5) for key in CONSTANTS}
    path = save(tmp_path / "model.pth", state)
    theirs = load_published(path, "resnet20", shape=SHAPE, classes=10)
    images = torch.rand(4, *SHAPE)
    assert torch.equal(theirs[0](images), (images - 0.5) / 0.5)
    assert torch.equal(theirs[1](images), ours[1](images))


def without_constants(ours):
    return {k: each for k, each in ours.state_dict().items() if k not in CONSTANTS}


def test_a_normalisation_that_no_file_holds_is_said_or_warned_of(tmp_path, ours):
    path = save(tmp_path / "model.pth", without_constants(ours))
    options = {"shape": SHAPE, "classes": 10}
    with pytest.warns(
        UserWarning, match=r"does not say .*0\.4914, .*0\.2023, .*assumed"
    ):
        assumed = load_published(path, "resnet20", **options)
    images = torch.rand(4, *SHAPE)
    assert torch.equal(assumed(images), ours(images))
    centred = load_published(path, "resnet20", **options, **CENTRED)
    mean = torch.tensor(CIFAR["mean"]).view(3, 1, 1)
    assert torch.equal(centred[0](images), images - mean)
    assert torch.equal(centred[1](images), ours[1](images))


@pytest.mark.parametrize(
    ("constants", "complaint"),
    [
        ({"mean": (0.5, 0.5, 0.5)}, "belong together"),
        ({"mean": (0.5,), "std": (0.5,)}, r"has shape \(1, 1, 1\), not \(3, 1, 1\)"),
        ({"mean": (0.5,) * 3, "std": (0.5, 0.0, 0.5)}, "no std 0"),
        ({"mean": (0.5,) * 3, "std": (float("nan"),) * 3}, "finite"),
    ],
)
def test_constants_are_checked(tmp_path, ours, constants, complaint):
    path = save(tmp_path / "model.pth", without_constants(ours))
    with pytest.raises(InputError, match=complaint):
        load_published(path, "resnet20", shape=SHAPE, classes=10, **constants)


def test_a_file_s_own_constants_and_others_contradict_each_other(tmp_path, ours):
    path = save(tmp_path / "model.pth", ours.state_dict())
    with pytest.raises(InputError, match="a mean and a std of its own"):
        load_published(path, "resnet20", shape=SHAPE, classes=10, **CIFAR)


def test_half_a_normalisation_is_refused(tmp_path, ours):
    state = {key: value for key, value in ours.state_dict().items() if key != "0.std"}
    path = save(tmp_path / "model.pth", state)
    with pytest.raises(InputError, match=r"'0\.std' is missing"):
        load_published(path, "resnet20", shape=SHAPE, classes=10)


def test_older_files_do_not_count_batches(tmp_path, ours):
    state = {
        key: value
        for key, value in ours.state_dict().items()
        if "num_batches_tracked" not in key
    }
    path = save(tmp_path / "model.pth", state)
    theirs = load_published(path, "resnet20", shape=SHAPE, classes=10)
    images = torch.rand(4, *SHAPE)
    assert torch.equal(theirs(images), ours(images))


def test_the_keys_are_the_usual_ones(ours):
    keys = {key.removeprefix("1.") for key in ours.state_dict()}
    assert {
        "conv1.weight",
        "bn1.running_mean",
        "layer1.0.conv1.weight",
        "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.bias",
        "layer3.2.bn2.num_batches_tracked",
        "fc.bias",
    } <= keys
    fifty = build_model("resnet50", shape=(3, 64, 64), classes=10).state_dict()
    assert {"1.layer1.0.downsample.0.weight", "1.layer4.2.bn3.weight"} <= fifty.keys()
    # Strided in the 3x3 convolution, as torchvision does since 2017.
    assert fifty["1.layer2.0.conv2.weight"].shape == (128, 128, 3, 3)


def test_anything_but_tensors_stays_pickled(tmp_path):
    path = save(tmp_path / "model.pth", {"state_dict": Anything()})
    with pytest.raises(InputError, match="holds more than tensors"):
        load_published(path, "resnet20", shape=SHAPE, classes=10)


@pytest.mark.parametrize("kept", [0, 1, 100, 5000, -1000])
def test_a_truncated_file_is_refused(tmp_path, ours, kept):
    path = save(tmp_path / "model.pth", ours.state_dict())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="cut short"):
        load_published(path, "resnet20", shape=SHAPE, classes=10)


def test_weights_that_are_there_twice_are_refused(tmp_path, ours):
    twice = ours.state_dict() | {"module.fc.bias": torch.ones(10)}
    path = save(tmp_path / "model.pth", twice)
    with pytest.raises(InputError, match="holds some weights twice"):
        load_published(path, "resnet20", shape=SHAPE, classes=10)


def test_damaged_safetensors_are_no_pickles(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"damaged")
    with pytest.raises(InputError, match="no whole file of safetensors"):
        load_published(path, "resnet20", shape=SHAPE, classes=10)


@pytest.mark.parametrize("name", ["none.pth", "."])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="no file of weights at"):
        load_published(tmp_path / name, "resnet20", shape=SHAPE, classes=10)


@pytest.mark.parametrize("content", [[1, 2], {}, {"fc.bias": None}, torch.ones(1)])
def test_a_file_without_weights_is_refused(tmp_path, content):
    path = save(tmp_path / "model.pth", content)
    with pytest.raises(InputError, match="no state dict"):
        load_published(path, "resnet20", shape=SHAPE, classes=10)


@pytest.mark.parametrize(
    ("architecture", "classes", "complaint"),
    [
        ("resnet32", 10, r"'1\.layer1\.3\.bn1\.bias' is missing"),
        ("resnet20", 100, r"'1\.fc\.bias' has shape \(10,\), not \(100,\)"),
        ("small-cnn", 10, "is unknown|is missing"),
    ],
)
def test_weights_of_another_network_are_refused(
    tmp_path, ours, architecture, classes, complaint
):
    path = save(tmp_path / "model.pth", ours.state_dict())
    with pytest.raises(InputError, match=complaint):
        load_published(path, architecture, shape=SHAPE, classes=classes)
