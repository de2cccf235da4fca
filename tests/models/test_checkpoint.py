import pickle

import pytest
import torch
from safetensors.torch import save_file

from simplicert.errors import InputError
from simplicert.models import Metadata, build_model, load_checkpoint, save_checkpoint

SHAPE = (1, 8, 8)
METADATA = Metadata(
    architecture="small-cnn",
    shape=SHAPE,
    class_names=("even", "odd"),
    dataset="digits",
    dataset_digest="0" * 64,
    sigma=0.5,
    recipe={"epochs": 3, "milestones": [1.5]},
    accuracy={"test_clean": 0.9},
    versions={"torch": "2"},
)


@pytest.fixture
def model():
    return build_model("small-cnn", shape=SHAPE, classes=2)


@pytest.fixture
def path(tmp_path, model):
    save_checkpoint(tmp_path / "model.safetensors", model, METADATA)
    return tmp_path / "model.safetensors"


def test_a_checkpoint_round_trips(model, path):
    loaded, metadata = load_checkpoint(path)
    assert metadata == METADATA
    assert metadata.classes == 2
    assert not loaded.training
    images = torch.rand(5, *SHAPE)
    assert torch.equal(loaded(images), model(images))


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_a_truncated_file_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="cut short"):
        load_checkpoint(path)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_a_pickle_is_refused_unopened(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match=r"pickle.*weights_only=True"):
        load_checkpoint(path)


def test_weights_of_another_architecture_are_refused(path):
    other = build_model("small-cnn", shape=(3, 32, 32), classes=2)
    save_checkpoint(path, other, METADATA)
    with pytest.raises(
        InputError,
        match=r"as 'small-cnn': weight '0.mean' has shape.*another architecture",
    ):
        load_checkpoint(path)


def test_an_architecture_from_the_future_is_refused(path, model):
    save_checkpoint(path, model, METADATA.model_copy(update={"architecture": "vit"}))
    with pytest.raises(
        InputError, match=r"model\.safetensors: unknown architecture 'vit'"
    ):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((-1, 8, 8), r"header: shape\.0: .* greater than or equal to 1"),
        ((1, 0, 8), r"header: shape\.1: .* greater than or equal to 1"),
        ((1, 8), r"header: shape: Tuple should have at least 3 items"),
        ((1, 2**16, 2**16), r"as 'small-cnn': weight '.*' has shape"),  # 4 TiB, built
    ],
)
def test_a_shape_that_is_none_is_refused(path, model, shape, says):
    save_checkpoint(path, model, METADATA.model_copy(update={"shape": shape}))
    with pytest.raises(InputError, match=says):
        load_checkpoint(path)


def test_weights_without_metadata_are_refused(path, model):
    save_file(model.state_dict(), path)
    with pytest.raises(InputError, match="does not say of which architecture"):
        load_checkpoint(path)


@pytest.mark.parametrize("header", ["{", "{}", "[" * 10**5, "9" * 5000, "[]", "1"])
def test_a_damaged_header_is_refused(path, model, header):
    save_file(model.state_dict(), path, {"simplicert": header})
    with pytest.raises(InputError, match="header"):
        load_checkpoint(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_only_what_is_rounded_already_is_stored_in_two_bytes(model, tmp_path):
    path = tmp_path / "model.safetensors"
    said = METADATA.model_copy(update={"recipe": {"stored": "bf16"}})
    sizes = []
    for rounded in (False, True):
        if rounded:
            model.bfloat16().float()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        save_checkpoint(path, model, said)
        for key, value in load_checkpoint(path)[0].state_dict().items():
            assert value.dtype == before[key].dtype
            assert torch.equal(value, before[key])
        sizes.append(path.stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
