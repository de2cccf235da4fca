import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A digits network, trained for a moment."""
    from simplicert.data import load_dataset
    from simplicert.models import save_checkpoint
    from simplicert.training import load_recipe, train

    path = tmp_path_factory.mktemp("models") / "digits.safetensors"
    recipe = load_recipe("digits", sigma=0.5, epochs=10)
    save_checkpoint(path, *train(load_dataset("digits", split="train"), recipe))
    return path


@pytest.fixture(scope="session")
def run(checkpoint, tmp_path_factory):
    """A finished run of 20 images × 1,000 draws."""
    from simplicert.data import load_dataset
    from simplicert.data.selection import select_images
    from simplicert.sampling import sample

    path = tmp_path_factory.mktemp("runs") / "run"
    images = select_images(load_dataset("digits"), images="0:20")
    sample(checkpoint, images, sigma=0.5, draws=1000, block=100, seed=1, out=path)
    return path
