import pytest

from simplicert.errors import InputError
from simplicert.models.catalogue import ARCHITECTURES, DENOISERS
from simplicert.training import Recipe, built_in_recipes, load_recipe

TEXT = """
name = "toy"
dataset = "digits"
architecture = "small-cnn"
sigma = 0.5
epochs = 10
batch_size = 64
learning_rate = 0.1
momentum = 0.9
weight_decay = 1e-4
milestones = [4, 8]
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("name", built_in_recipes())
def test_built_in_recipes_are_valid_and_named_after_their_files(name):
    assert load_recipe(name).name == name


def test_a_recipe_survives_being_stored(path):
    recipe = load_recipe(str(path))
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_the_rate_falls_at_each_milestone(path):
    recipe = load_recipe(str(path))
    rates = [recipe.rate(time) for time in (0.0, 3.99, 4.0, 7.99, 8.0, 10.0)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_another_length_stretches_the_schedule(path):
    recipe = load_recipe(str(path), epochs=5)
    assert recipe.milestones == (2, 4)
    assert recipe.rate(1.99) == 0.1
    assert recipe.rate(2.0) == pytest.approx(0.01)


def test_given_fields_win_and_none_leaves_the_file(path):
    recipe = load_recipe(str(path), sigma=0.25, momentum=None, milestones=[1])
    assert (recipe.sigma, recipe.momentum, recipe.milestones) == (0.25, 0.9, (1,))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("sgima = 1", r"line 12: unknown field 'sgima': did you mean 'sigma'"),
        ("seed = 'x'", r"line 12: seed = 'x': Input should be a valid integer"),
        ("seed = -1", "seed = -1"),
        ("decay = inf", "decay = inf"),
        (f"seed = {2**64}", f"line 12: seed = {2**64}: Input should be less than"),
        ("seed = true", "line 12: seed = True: Input should be a valid integer"),
        ("shares = '2'", "line 12: shares = '2': Input should be a valid integer"),
        ("decay = '0.1'", "line 12: decay = '0.1': Input should be a valid number"),
        ("warmup_factor = true", "line 12: warmup_factor = True: Input should be"),
        ("decay = nan", "line 12: decay = nan: Input should be a finite number"),
        ("warmup_epochs = 10", "line 12: warmup_epochs = 10: must be less than epo"),
        ("'seed' = -1", "line 12: seed = -1"),
        ("threads = 100_000", "line 12: threads = 100000: Input should be less than"),
        ("decay = 1e39", r"line 12: decay = 1e\+39: Input should be less than"),
        ("seed = " + "[" * 10**5, "toy.toml is nested too deeply"),
        ("seed = " + "9" * 5000, "toml holds a whole number of more than 1000 bits"),
        ("seed = 0x" + "f" * 5000, "toml holds a whole number of more than 1000 bits"),
        ("seed = =", r"not TOML: .*line 12"),
        ("shares = 65", "line 12: shares = 65: must be at most batch_size = 64"),
        ("epochz = 3", "line 12: unknown field 'epochz': did you mean 'epochs'"),
        ("precision = 'fp8'", "line 12: precision = 'fp8': .*'fp32', 'bf16' or"),
        ("[optimiser]\nname = 'sgd'", "line 12: unknown field 'optimiser'"),
        ("method = 3", "line 12: method = 3: write it as method.name"),
        ("method = {draws = 3}", "line 12: method.name is missing"),
        ("method.name = 'macr'", "line 12: unknown method 'macr': did you mean 'mac"),
        ("[method]\nname = 'macr'", "line 13: unknown method 'macr'"),
        ("[method]\nname = 'macer'\ndrws = 3", "line 14: unknown macer field 'drws'"),
        ("[method]\nname = 'macer'\ndraws = 0", "line 14: method.draws = 0: Input sh"),
        ("method = {name = 'macer', draws = 'x'}", "line 12: method.draws = 'x'"),
        ("method = {name = 'macer', draws = '8'}", "line 12: method.draws = '8'"),
        (f"method = {{name='consistency', draws={10**20}}}", "line 12: method.draws"),
    ],
)
def test_a_bad_line_is_named(path, line, complaint):
    path.write_text(TEXT + line)
    with pytest.raises(InputError, match=complaint):
        load_recipe(str(path))


@pytest.mark.parametrize("milestones", [[8, 4], [0, 4], [4, 10], [4, 4]])
def test_milestones_outside_the_run_are_a_contradiction(path, milestones):
    with pytest.raises(
        InputError, match="must rise, and lie between warmup_epochs = 0 and"
    ):
        load_recipe(str(path), milestones=milestones)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"epochs": 10**400}, "epochs = 10+: Input should be less than"),
        ({"name_or_path": "x"}, "unknown field 'name_or_path'"),
        ({"method": {"name": ["macer"]}}, "unknown method"),
    ],
)
def test_what_python_would_choke_on_is_named_too(path, fields, complaint):
    with pytest.raises(InputError, match=complaint):
        load_recipe(str(path), **fields)


def test_a_recipe_that_is_no_text_is_refused(path):
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not TOML"):
        load_recipe(str(path))


def test_a_missing_field_is_named(path):
    path.write_text(TEXT.replace("sigma = 0.5", ""))
    with pytest.raises(InputError, match="sigma is missing"):
        load_recipe(str(path))


def test_an_unknown_recipe_is_refused(tmp_path):
    with pytest.raises(InputError, match="did you mean 'digits'"):
        load_recipe("digit")
    with pytest.raises(InputError, match="no recipe at"):
        load_recipe(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", built_in_recipes())
def test_built_in_recipes_name_architectures_that_exist(name):
    assert load_recipe(name).architecture in ARCHITECTURES | DENOISERS


def test_a_contradiction_names_its_line(path):
    path.write_text(TEXT.replace("[4, 8]", "[4, 12]"))
    with pytest.raises(InputError, match=r"line 11: milestones = \[4, 12\]: must rise"):
        load_recipe(str(path))


def test_warming_up_is_slower_and_stretches_too(path):
    recipe = load_recipe(str(path), warmup_epochs=2.0)
    rates = [recipe.rate(time) for time in (0.0, 1.99, 2.0, 4.0)]
    assert rates == pytest.approx([0.01, 0.01, 0.1, 0.01])
    path.write_text(TEXT + "warmup_epochs = 2")
    assert load_recipe(str(path), epochs=5).warmup_epochs == 1


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"augment": ["crop", "resized-crop"], "size": 8}, "exclude each other"),
        ({"augment": ["resized-crop"]}, "needs a size"),
        ({"warmup_epochs": 5.0}, "between warmup_epochs = 5 and"),
        ({"augment": ["rotate"]}, "augment = 'rotate': Input should be 'crop'"),
    ],
)
def test_fields_must_agree(path, fields, complaint):
    with pytest.raises(InputError, match=complaint):
        load_recipe(str(path), **fields)


def test_some_of_a_method_s_parameters_can_be_replaced(path):
    path.write_text(TEXT + "[method]\nname = 'macer'\nbeta = 3.0")
    for given in ({"draws": 4}, {"name": "macer", "draws": 4}):
        method = load_recipe(str(path), method=given).method
        assert (method.name, method.draws, method.beta) == ("macer", 4, 3.0)
    # Another method has other parameters.
    assert load_recipe(str(path), method={"name": "smoothadv"}).method.draws == 2
    with pytest.raises(InputError, match="unknown smoothadv field 'beta'"):
        load_recipe(str(path), method={"name": "smoothadv", "beta": 3})
    with pytest.raises(InputError, match="unknown method 'mace': did you mean 'macer'"):
        load_recipe(str(path), method={"name": "mace"})


def test_the_rate_grows_with_the_batch(path):
    recipe = load_recipe(str(path), batch_size=256, rate_batch=64, warmup_epochs=2.0)
    rates = [recipe.rate(time) for time in (0.0, 2.0, 4.0)]
    assert rates == pytest.approx([0.04, 0.4, 0.04])


def test_the_paper_is_followed():
    recipe = load_recipe("cifar10-resnet110", sigma=1.0)
    assert (recipe.epochs, recipe.batch_size, recipe.weight_decay) == (90, 400, 1e-4)
    rates = [recipe.rate(float(epoch)) for epoch in (0, 29, 30, 59, 60, 89)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    recipe = load_recipe("imagenet-resnet50", sigma=5.0)
    rates = [recipe.rate(float(epoch)) for epoch in (0, 2, 3, 29, 30, 60, 80)]
    assert rates == pytest.approx([0.01, 0.01, 0.1, 0.1, 0.01, 0.001, 0.0001])
