"""Attacks find what is there, nothing else, and say what they did."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from clock import Clock
from scipy.stats import binom
from torch import nn

import simplicert as sc
from simplicert.audit.attack import attack
from simplicert.data.given import as_dataset
from simplicert.errors import InputError
from simplicert.sampling import NumpyClassifier, Sampler, TorchClassifier

SIGMA, SHAPE = 0.2, (1, 4, 4)
NORMAL = np.random.default_rng(1).standard_normal(16)
NORMAL /= np.linalg.norm(NORMAL)


class HalfSpace(nn.Module):
    """Class 1 beyond a plane, whose distance is the smoothed classifier's radius."""

    def __init__(self, normal=NORMAL, offset=0.3):
        super().__init__()
        weight = torch.tensor(np.stack([-normal, normal]), dtype=torch.float32)
        self.register_buffer("weight", weight)
        self.offset = offset

    def forward(self, x):
        signed = (x - 0.5).flatten(1) @ self.weight.T
        return 20 * (signed - self.offset * torch.tensor([-1.0, 1.0]))


def labels(x):
    return (((x - 0.5).reshape(len(x), -1) @ NORMAL) > 0.3).astype(np.int64)


def at_random(x):
    logits = HalfSpace()(x)
    return logits + torch.randn(logits.shape)


MODELS = {
    "gradient": HalfSpace(),
    "labels": NumpyClassifier(labels, output="labels", classes=2, name="labels"),
    "random": TorchClassifier(at_random, name="at_random"),
}

IMAGES = (0.5 + np.random.default_rng(0).uniform(-0.1, 0.1, (3, *SHAPE))).astype("f4")
TRUE = 0.3 - (IMAGES.astype(float) - 0.5).reshape(3, -1) @ NORMAL


def claimed(
    radii, *, model=MODELS["gradient"], images=IMAGES, top=0, sigma=SIGMA, **settings
):
    """A sampler, its plan, and certificates of these radii."""
    sampler = Sampler(model, images, **settings)
    norm = {"uniform": "lee"}.get(settings.get("noise"), "neyman_pearson")
    plan = sampler.plan(sigma=sigma, draws=400, seed=0, batch=1000)
    found = sc.certify(sampler.votes(plan, progress=False))
    radii = np.broadcast_to(np.asarray(radii, float), len(found))
    return (
        sampler,
        plan,
        replace(
            found,
            radii={norm: radii.copy()},
            members=(norm,),
            mechanism=norm,
            top=np.broadcast_to(top, len(found)).copy(),
        ),
    )


def attacked(case, *, looks=400, seed=0, **settings):
    """The three findings, after so many looks at the clock."""
    sampler, plan, certificates = case
    clock = Clock(tick=1.0)
    return attack(
        sampler,
        certificates,
        plan=plan,
        seconds=looks,
        seed=seed,
        clock=clock.monotonic,
        **settings,
    )


def test_of_a_half_space_changes_are_found_at_its_true_radius_and_never_inside():
    overlap, inside, beyond = attacked(claimed(TRUE * 0.999, sigma=0.1), looks=300)
    assert (overlap.outcome, inside.outcome) == ("not checked", "held")
    assert "3 of 3 certified images" in inside.says
    assert inside.details is None
    assert beyond.outcome == "held"
    assert beyond.images == ()  # which it is not against
    assert set(beyond.details["image"]) == set(range(3))
    over = beyond.details["distance_over_radius"]
    assert 1.0 <= over.min() <= 1.02
    assert f"{over.min():.2f}" in beyond.says


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_radius_that_is_too_large_is_found_whatever_the_classifier(model, seed):
    torch.manual_seed(seed)
    case = claimed(TRUE * [1.5, 0.5, 1.6], model=MODELS[model])
    _, inside, _ = attacked(case, seed=seed, looks=250)
    assert inside.outcome == "falsified"
    assert inside.images == (0, 2)
    rows = inside.details.set_index("image")
    assert (rows["distance"] < case[2].radius[[0, 2]][rows.index.argsort()]).all()
    assert (rows["distance"] > TRUE[rows.index]).all()  # not where the class holds
    assert (rows["other_votes"] > rows["votes"]).all()
    assert (rows["p_value"] <= 1e-9).all()
    chance = binom.sf(1, 3, case[2].alpha)
    assert f"{chance:.2g}" in inside.says
    assert ("no gradient" in inside.says) == (model == "labels")


@pytest.mark.slow
def test_uniform_noise_is_attacked_in_l1():
    normal = np.zeros(16)
    normal[3] = 1.0
    images = np.full((2, *SHAPE), 0.5, np.float32)
    model = HalfSpace(normal, 0.25)
    case = claimed([0.245, 0.3], model=model, images=images, noise="uniform")
    _, inside, beyond = attacked(case, looks=300)
    assert inside.images == (1,)
    assert 0 in set(beyond.details["image"])
    assert inside.details["distance"].between(0.25, 0.3).all()


def test_a_certificate_of_a_wrong_class_is_false_at_its_own_image():
    _, inside, _ = attacked(claimed([0.1] * 3, top=[0, 0, 1]), looks=60)
    assert inside.images == (2,)
    assert inside.details["attack"].tolist() == ["still"]
    assert inside.details["distance"].tolist() == [0.0]


def test_balls_that_contradict_each_other_need_no_draws():
    images = np.stack([IMAGES[0], IMAGES[0] + np.float32(0.1)])
    overlap, *_ = attacked(claimed([0.3, 0.11], images=images, top=[0, 1]), looks=10)
    assert overlap.outcome == "falsified"
    assert overlap.images == (0, 1)
    assert "0.4000 apart" in overlap.says or "0.4001 apart" in overlap.says
    apart, *_ = attacked(claimed([0.28, 0.11], images=images, top=[0, 1]), looks=10)
    assert apart.outcome == "held"


@pytest.mark.slow
def test_names_of_classes_keep_the_votes_in_their_order():
    class Named(TorchClassifier):
        pass

    model = Named(HalfSpace(), name="named", class_names=("near", "far"))
    swapped = replace(as_dataset(IMAGES, None), class_names=("far", "near"))
    case = claimed(TRUE * 0.9, model=model, images=swapped, top=1)
    assert (case[2].e0 > 0.5).all()
    assert [f.outcome for f in attacked(case, looks=100)][1] == "held"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c: replace(c, noise=replace(c.noise, norm="none")), "no distances"),
        (lambda c: replace(c, radii={c.mechanism: np.zeros(3)}), "no image is"),
    ],
)
def test_what_has_no_balls_is_not_checked(change, why):
    sampler, plan, certificates = claimed(TRUE)
    findings = attacked((sampler, plan, change(certificates)))
    assert [f.outcome for f in findings] == ["not checked"] * 3
    assert all(why in f.says for f in findings)


def test_what_cannot_be_attacked_is_refused():
    sampler, plan, certificates = claimed(TRUE)
    elsewhere = replace(certificates, indices=certificates.indices + 1)
    with pytest.raises(InputError, match="image 3 is certified, but array has no"):
        attacked((sampler, plan, elsewhere))
    for seconds in (0, -1, float("inf"), float("nan")):
        with pytest.raises(InputError, match="number of seconds"):
            attack(sampler, certificates, plan=plan, seconds=seconds, seed=0)
    with pytest.raises(InputError, match="must be in"):
        attack(sampler, certificates, plan=plan, seconds=1, seed=0, level=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("sigma", {"sigma": 0.25}),
        ("classifier", {"model": {"digest": "another"}}),
        ("data", {"data": {"digest": "another"}}),
        ("precision", {"precision": "bf16"}),
        ("noise", {"noise": {"name": "uniform"}}),
    ],
)
def test_nothing_is_held_against_the_certificates_of_something_else(what, change):
    sampler, plan, certificates = claimed(TRUE)
    changes = {
        name: getattr(plan, name).model_copy(update=value)
        if isinstance(value, dict)
        else value
        for name, value in change.items()
    }
    other = plan.model_copy(update=changes)
    with pytest.raises(InputError, match=f"of another {what} than what is given"):
        attacked((sampler, other, certificates))


def test_more_images_than_memory_holds_are_attacked_in_part(monkeypatch):
    monkeypatch.setattr("simplicert.audit.attack.run._BALLS_VALUES", 32)
    overlap, inside, _ = attacked(claimed(TRUE * 0.9), looks=60)
    assert "2 of 3 balls, for want of memory" in overlap.says
    assert "2 of 3 certified images" in inside.says


@pytest.mark.slow
def test_inputs_that_are_no_images_are_attacked_too():
    images = IMAGES.reshape(3, 16)
    case = claimed(TRUE * [0.9, 0.9, 1.6], model=MODELS["gradient"], images=images)
    assert attacked(case, looks=60)[1].images == (2,)


@pytest.mark.slow
def test_what_is_interrupted_says_what_there_is_so_far():
    told = []

    def stop(share, words):
        told.append((share, words))
        if share > 0.3:
            raise KeyboardInterrupt

    findings = attacked(claimed(TRUE * 0.9), progress=stop)
    assert "until it was interrupted" in findings[1].says
    assert findings[1].outcome == "held"
    assert findings[2].outcome == "not checked"
    shares = [share for share, _ in told]
    assert shares == sorted(shares)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [False, True])
def test_what_was_not_tried_is_not_said_to_hold(stop):
    def interrupt(share, words):
        if stop:
            raise KeyboardInterrupt

    _, inside, beyond = attacked(claimed(TRUE * 0.9), looks=1, progress=interrupt)
    # The first attack of all is begun before anybody looks at the clock.
    assert inside.outcome == ("not checked" if stop else "held")
    assert beyond.outcome == "not checked"
    why = "it was interrupted" if stop else "the time was over"
    assert beyond.says == f"None of 3 certified images was tried: {why}."
    assert "gradient" not in inside.says


def test_an_idle_search_is_no_reassurance():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.stack([x.flatten(1).sum(1) * 0 + 9, x.flatten(1)[:, 0]], 1)

    _, inside, beyond = attacked(claimed([0.1] * 3, model=Constant()), looks=60)
    assert inside.outcome == "held"
    assert beyond.outcome == "not checked"
    assert "says little" in beyond.says


@pytest.mark.slow
def test_lost_draws_are_no_votes_and_do_not_end_an_attack():
    class Lossy(HalfSpace):
        def forward(self, x):
            logits = super().forward(x)
            lost = x.flatten(1)[:, 0] > 0.6
            return torch.where(lost[:, None], torch.nan, logits)

    case = claimed(TRUE * 1.6, model=Lossy(), nonfinite="count")
    case[0].nonfinite = "stop"  # as where the run's own points have none
    _, inside, _ = attacked(case, looks=60)
    assert inside.outcome == "falsified"
    rows = inside.details
    assert (rows["votes"] + rows["other_votes"] < rows["draws"]).all()


@pytest.mark.slow
def test_confirmed_points_are_written_and_can_be_drawn_again(tmp_path):
    sampler, plan, certificates = claimed(TRUE * 1.5)
    path = tmp_path / "points.npz"
    _, inside, _ = attacked((sampler, plan, certificates), out=path, looks=60)
    with np.load(path) as saved:
        at = int(np.argmin(saved["over"]))
        point, seed, draws = (saved[n][at] for n in ("points", "seed", "draws"))
        votes, image = saved["votes"][at], saved["images"][at]
    assert image in inside.images
    again = sampler.on(point[None])
    made = again.plan(
        sigma=SIGMA, draws=int(draws), seed=int(seed), block=int(draws), batch=1000
    )
    np.testing.assert_array_equal(again.votes(made, progress=False).counts[0], votes)
