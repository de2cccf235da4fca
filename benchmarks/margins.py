"""What margins certify beside means and hard votes, of the same draws.

    python benchmarks/margins.py runs
    python benchmarks/margins.py hard
    python benchmarks/margins.py draw CHECKPOINT DATA SIGMA LOGITS.npz
    python benchmarks/margins.py confidence [LOGITS.npz…]
    python benchmarks/margins.py [LOGITS.npz…]

Average certified radii of the right class, in units of sigma. Without a file: logits of
20 made-up images, some sure, some torn, which are Gaussian. ``draw`` writes some of a
network, 4,000 of every tenth of the first 200 test images. What a file has are taken
for all that there are, and drawn from, so that what is rarer does not occur and large
radii are too large, of all columns. A thousand draws choose the class, its rivals and
the test functions, and are in no column.

``runs``: the committed runs that have margins, as they were drawn: what each procedure
certifies of the same 10,000 forward passes. Margins have a thousand of them to choose
with; the band has all, for the same class.

``hard``: margins of labels, -1, 0 and 1, beside what else bounds votes: mean radii of
the images of the committed runs whose first class has most votes there, which are taken
for the truth.

``confidence``: mean certified confidences within some radii, of right classes, beside
what Hoeffding's bound of the mean margin and its being Lipschitz give, and what there
is to be had.
"""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from scipy.special import ndtr, ndtri

import simplicert as sc
from simplicert.bounds import empirical_bernstein_lower, hoeffding_lower
from simplicert.bounds.level_sets import quantiles_of, shifted_mean, test_functions
from simplicert.data import load_dataset
from simplicert.models.checkpoint import load_checkpoint
from simplicert.procedures import margins
from simplicert.procedures.confidence import largest_confidence
from simplicert.procedures.margins import LEVELS, MOST, STEP, largest_radius
from simplicert.votes import Votes
from simplicert.votes.columns import CELLS
from simplicert.votes.rivals import cells_of, choose_rivals

ALPHA, PILOT, RIVALS = 0.001, 1000, 4
RADII = np.arange(1, int(MOST / STEP) + 1) * STEP
TEMPERATURES = 1.0, 0.5, 0.25, 0.1
LEADS = 0.0, 0.25, 0.5, 1.0
GRID = 2.0**32
HARD = np.array([-1.0, 0.0, 1.0])


def made_up(images: int = 20, draws: int = 20_000, classes: int = 10):
    """Logits of which the right class leads by little or by much."""
    generator = np.random.default_rng(0)
    found = np.empty((images, draws, classes), dtype=np.float32)
    for image in range(images):
        centre = generator.normal(0.0, 1.0, classes)
        centre[0] += 0.5 + 6.0 * image / images
        shared = generator.normal(0.0, 1.3, (classes, classes)) / np.sqrt(classes)
        found[image] = centre + generator.normal(size=(draws, classes)) @ shared * 2.0
    return found, np.zeros(images, dtype=np.int64)


def draw(checkpoint: str, data: str, sigma: float, file: str) -> None:
    """Logits of a network for noisy images."""
    network = load_checkpoint(Path(checkpoint))[0].eval()
    network = network.to(torch.bfloat16, memory_format=torch.channels_last)
    dataset = load_dataset(data, split="test").select(np.arange(0, 200, 10))
    generator = torch.Generator().manual_seed(0)
    found = []
    for image in torch.from_numpy(dataset.read(np.arange(20))):
        for _ in range(16):
            noise = torch.randn(250, *image.shape, generator=generator)
            noisy = (image + sigma * noise).to(torch.bfloat16)
            with torch.inference_mode():
                found.append(network(noisy.to(memory_format=torch.channels_last)))
    logits = torch.cat(found).float().numpy().reshape(20, 4000, -1)
    np.savez(file, logits=logits, labels=dataset.labels)


def softmax(logits, temperature: float):
    """Scores, as a run would have them."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=2, keepdims=True))
    return weights / weights.sum(axis=2, keepdims=True)


def votes_of(scores, rivals=None) -> Votes:
    """What a run would record of these scores."""
    scores = scores.astype(np.float64)
    scores /= np.maximum(scores.sum(axis=2, keepdims=True), 1.0)
    scores = np.floor(scores * GRID) / GRID
    images, draws, classes = scores.shape
    sums = scores.sum(axis=1)
    chosen = choose_rivals(sums, rivals=RIVALS) if rivals is None else rivals
    found = np.zeros((images, chosen.shape[1], CELLS), dtype=np.int64)
    for image, histograms in enumerate(found):
        cells = cells_of(scores[image], chosen[image])
        for histogram, each in zip(histograms, cells, strict=True):
            histogram[:] = np.bincount(each, minlength=CELLS)
    top = scores.argmax(axis=2)
    return Votes(
        counts=np.stack([np.bincount(each, minlength=classes) for each in top]),
        score_sums=sums,
        score_squares=(scores**2).sum(axis=1),
        margins=found.reshape(images, -1),
        rivals=chosen,
        draws=np.full(images, draws),
        indices=np.arange(images),
        sigma=1.0,
        source={},
    )


def stopped_at(passed) -> float:
    """The last radius before the first that fails."""
    return float(RADII[:-1][passed[:-1].cumprod().sum() - 1]) if passed[0] else 0.0


def by_band(histogram) -> float:
    """The margin's distribution by a band of Dvoretzky, Kiefer, Wolfowitz, Massart."""
    n = histogram.sum()
    reached = np.cumsum(histogram[::-1])[::-1][1:] / n
    lower = np.clip(reached - np.sqrt(np.log(1 / ALPHA) / (2 * n)), 0.0, 1.0)
    return stopped_at(shifted_mean(LEVELS, lower, radii=RADII) > 0)


def by_bernstein(histogram, pilot) -> float:
    """One test function, and the empirical Bernstein bound of its mean."""
    n, first = histogram.sum(), pilot.sum()
    lowest = max(-np.log(ALPHA) / n, 0.5 / first)
    tested = test_functions(LEVELS, quantiles_of(pilot, lowest=lowest), radii=RADII)
    most = tested.values[:, -1:]
    unit = tested.values / most
    mean = unit @ histogram / n
    variance = ((unit - mean[:, None]) ** 2) @ histogram / (n - 1)
    lower = empirical_bernstein_lower(mean, variance=variance, trials=n, alpha=ALPHA)
    return stopped_at(lower > tested.needed / most[:, 0])


def in_the_limit(histogram) -> float:
    """If the draws were all there are."""
    reached = np.cumsum(histogram[::-1])[::-1][1:] / histogram.sum()
    return stopped_at(shifted_mean(LEVELS, reached, radii=RADII) > 0)


def over_rivals(votes: Votes, radius) -> np.ndarray:
    """The least of an image's radii over its rivals."""
    assert votes.rivals is not None
    assert votes.selection is not None
    pairs = [
        zip(votes.margins_over(k), votes.selection.margins_over(k), strict=True)
        for k in range(1, votes.rivals.shape[1] + 1)
    ]
    return np.array([[radius(*pair) for pair in each] for each in pairs]).min(axis=0)


def by_mean(histogram, radius: float) -> float:
    """A lead within a radius by the mean margin alone."""
    n = int(histogram.sum())
    share = (1.0 + histogram @ LEVELS / n) / 2.0
    lower = float(hoeffding_lower(share, trials=n, alpha=ALPHA))
    return max(2.0 * float(ndtr(ndtri(lower) - radius)) - 1.0, 0.0)


def lead_in_the_limit(histogram, radius: float) -> float:
    """If the draws were all there are."""
    reached = np.cumsum(histogram[::-1])[::-1][1:] / histogram.sum()
    return max(float(shifted_mean(LEVELS, reached, radii=[radius])[0]), 0.0)


def leads(scores, labels, draws: int, radius: float) -> dict[str, float]:
    """Mean confidences within a radius in units of sigma, of right classes."""
    votes, pilot, whole = drawn_again(scores, draws)
    right = pilot.rivals[:, 0] == labels
    start = perf_counter()
    ways = {
        "mean": over_rivals(votes, lambda h, _: by_mean(h, radius)),
        "margins": over_rivals(
            votes,
            lambda h, p: largest_confidence(h, pilot=p, radius=radius, alpha=ALPHA),
        ),
        "limit": over_rivals(whole, lambda h, _: lead_in_the_limit(h, radius)),
    }
    spent = 1e3 * (perf_counter() - start) / len(votes)
    found = {name: float(np.mean(lead * right)) for name, lead in ways.items()}
    return found | {"ms an image": spent}


def drawn_again(scores, draws: int) -> tuple[Votes, Votes, Votes]:
    """Votes of so many draws and their pilot, the pilot, and all that there are."""
    generator = np.random.default_rng(1)
    pilot = votes_of(scores[:, :PILOT])
    picked = generator.integers(PILOT, scores.shape[1], (len(scores), draws))
    drawn = np.stack([s[p] for s, p in zip(scores, picked, strict=True)])
    votes = votes_of(drawn, pilot.rivals).chosen_by(pilot)
    return votes, pilot, votes_of(scores, pilot.rivals).chosen_by(pilot)


def compared(scores, labels, draws: int) -> dict[str, float]:
    """Average certified radii of the right class."""
    votes, pilot, whole = drawn_again(scores, draws)
    right = pilot.rivals[:, 0] == labels

    def mean(radius, chosen) -> float:
        return float(np.mean(radius * (chosen == labels)))

    found = {}
    for name in ("hoeffding", "empirical_bernstein", "clopper_pearson", "joint"):
        made = sc.certify(
            votes, alpha=ALPHA, procedure=name, mechanism="neyman_pearson"
        )
        found[name] = mean(made.radii["neyman_pearson"], made.predicted)
    found["band"] = float(np.mean(over_rivals(votes, lambda h, _: by_band(h)) * right))
    found["bernstein"] = float(np.mean(over_rivals(votes, by_bernstein) * right))
    start = perf_counter()
    found["margins"] = float(np.mean(margins(votes, alpha=ALPHA).radius * right))
    spent = perf_counter() - start
    limit = over_rivals(whole, lambda h, _: in_the_limit(h))
    found["limit"] = float(np.mean(limit * right))
    return found | {"ms an image": 1e3 * spent / len(votes)}


def of_run(votes: Votes) -> dict[str, float]:
    """Average certified radii of the right class, in units of sigma."""
    assert votes.rivals is not None
    assert votes.labels is not None
    found = {}
    names = "hoeffding", "empirical_bernstein", "clopper_pearson", "joint", "margins"
    for name in names:
        made = sc.certify(
            votes, alpha=ALPHA, procedure=name, mechanism="neyman_pearson"
        )
        right = made.predicted == votes.labels
        radius = made.radii["neyman_pearson"] / votes.sigma
        found[name] = float(np.mean(radius * right))
    rivals = range(1, votes.rivals.shape[1] + 1)
    each = [[by_band(h) for h in votes.margins_over(rival)] for rival in rivals]
    right = votes.rivals[:, 0] == votes.labels
    found["band"] = float(np.mean(np.min(each, axis=0) * right))
    best = found["margins"]
    for name in ("hoeffding", "band", "clopper_pearson", "joint"):
        found[f"margins / {name}"] = best / found[name]
    return found


def of_labels(votes: Votes, draws: int) -> dict[str, float]:
    """Mean radii of votes drawn anew: two bounds, the exact radius, margins."""
    generator = np.random.default_rng(0)
    shares = votes.counts / votes.counts.sum(axis=1, keepdims=True)
    pilot = generator.multinomial(PILOT, shares)
    counts = generator.multinomial(draws, shares)
    again = Votes(
        counts=counts,
        draws=np.full(len(counts), draws),
        indices=np.arange(len(counts)),
        sigma=1.0,
        source={},
    )
    found = {
        name: sc.certify(again, alpha=ALPHA, procedure=name).radii["neyman_pearson"]
        for name in ("clopper_pearson", "joint")
    }
    found["margins"] = np.array(
        [
            min(of_labels_over(k, *pair) for k in range(votes.classes) if k != top)
            for top, *pair in zip(pilot.argmax(axis=1), counts, pilot, strict=True)
        ]
    )
    ranked = np.sort(shares, axis=1)
    found["limit"] = (ndtri(ranked[:, -1]) - ndtri(ranked[:, -2])) / 2
    finite = np.isfinite(found["limit"])
    return {name: float(radius[finite].mean()) for name, radius in found.items()}


def of_labels_over(rival: int, counts, pilot) -> float:
    """The radius of the pilot's class over one rival."""
    top, draws = int(pilot.argmax()), (counts, pilot)
    ours, theirs = (
        np.array([n[rival], n.sum() - n[rival] - n[top], n[top]]) for n in draws
    )
    return largest_radius(ours, pilot=theirs, alpha=ALPHA, levels=HARD)


def main() -> None:
    """Print a table for each file."""
    if sys.argv[1:] == ["runs"]:
        runs = Path(__file__).parents[1] / "results" / "cifar10-margins"
        for run in sorted(path.parent for path in runs.glob("*/manifest.json")):
            found = of_run(sc.read_run(run))
            cells = ", ".join(f"{name} {each:.3f}" for name, each in found.items())
            print(f"{run.name}: {cells}", flush=True)
        return
    if sys.argv[1:] == ["hard"]:
        runs = Path(__file__).parents[1] / "results" / "cifar10"
        for run in sorted(path.parent for path in runs.glob("*/manifest.json")):
            votes = sc.read_run(run)[:100]
            for draws in (1000, 10_000):
                means = of_labels(votes, draws)
                cells = ", ".join(f"{name} {each:.3f}" for name, each in means.items())
                print(f"{run.name}, {draws} draws: {cells}", flush=True)
        return
    if sys.argv[1:2] == ["draw"]:
        checkpoint, data, sigma, file = sys.argv[2:]
        draw(checkpoint, data, float(sigma), file)
        return
    confidence = sys.argv[1:2] == ["confidence"]
    for path in sys.argv[1 + confidence :] or [None]:
        if path is None:
            logits, labels = made_up()
        else:
            stored = np.load(path)
            logits, labels = stored["logits"], stored["labels"]
        print(f"{path or 'made up'}: {logits.shape}, alpha {ALPHA}")
        for draws in (1000, 10_000, 100_000):
            for radius in LEADS if confidence else ():
                found = leads(softmax(logits, 1.0), labels, draws, radius)
                cells = ", ".join(f"{name} {each:.3f}" for name, each in found.items())
                print(f"{draws:8} draws within {radius:4}: {cells}", flush=True)
            for temperature in () if confidence else TEMPERATURES:
                found = compared(softmax(logits, temperature), labels, draws)
                cells = ", ".join(f"{name} {each:.3f}" for name, each in found.items())
                print(f"{draws:8} draws at {temperature:g}: {cells}", flush=True)


if __name__ == "__main__":
    main()
