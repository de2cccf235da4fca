"""The committed results: whole, small, and what results/README.md says they are."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from simplicert.audit.claims import audit_claims
from simplicert.classifiers.catalogue import as_classifier
from simplicert.models import load_checkpoint
from simplicert.stopping import asked, rule_from
from simplicert.votes import RunDirectory

RESULTS = Path(__file__).parents[1] / "results"
SCRIPT = runpy.run_path(str(RESULTS / "tables.py"))
TRANSITIVE = runpy.run_path(str(RESULTS / "transitive.py"))
RUNS = SCRIPT["find_runs"]("cifar10")
README_RUN = "resnet20-1.00"
UNTIL = SCRIPT["find_runs"]("cifar10-until")
STOPPED = [
    path
    for folder in ("cifar10-until", "cifar10-denoised", "imagenet", "imagenet-denoised")
    for path in SCRIPT["find_runs"](folder)
]
FIXED = [*RUNS, *SCRIPT["find_runs"]("cifar10-2500")]
MARGINS = SCRIPT["find_runs"]("cifar10-margins")
WHY = SCRIPT["find_runs"]("cifar10-why")
WEIGHTS = [*RESULTS.glob("cifar10/*.safetensors")]
WEIGHTS += RESULTS.glob("cifar10-2500/*.safetensors")
DENOISED = SCRIPT["find_runs"]("cifar10-denoised")

pytestmark = pytest.mark.skipif(not RUNS, reason="results/ has no runs yet")


def named(path):
    return path.stem if path.suffix == ".safetensors" else path.name


@pytest.mark.parametrize("path", [*FIXED, *MARGINS], ids=named)
def test_a_run_is_whole_small_and_balanced(path):
    run = RunDirectory(path)
    manifest = run.manifest
    assert run.done().all()
    [part] = run.parts
    assert part.stat().st_size <= 3e6
    assert {p.name for p in path.iterdir()} <= {"manifest.json", "parts", ".lock"}
    assert path.name.endswith(f"-{manifest.sigma:.2f}")
    assert manifest.model.training_sigma == manifest.sigma
    votes = run.read()
    np.testing.assert_array_equal(votes.draws, manifest.draws)
    # A stride through rows that cycle through the classes may meet only one of them.
    labelled = np.bincount(votes.labels, minlength=votes.classes)
    assert labelled.min() > 0.5 * labelled.max()


@pytest.mark.parametrize("path", MARGINS, ids=named)
def test_margins_are_of_the_scores_and_the_first_block_chose(path):
    audit = audit_claims(path)
    found = {finding.check: finding.outcome for finding in audit.findings}
    assert found["margins beside scores"] == found["who chose the margins"] == "held"
    assert "falsified" not in found.values()
    ours, fixed = (
        RunDirectory(each).manifest
        for each in (path, path.parents[1] / "cifar10" / path.name)
    )
    assert ours.model.digest == fixed.model.digest
    assert ours.images == fixed.images
    assert ours.temperature == 1.0


@pytest.mark.slow
def test_readme_says_of_procedures_what_the_votes_give():
    table = SCRIPT["procedures_table"]([p for p in MARGINS if p.name == README_RUN])
    readme = (RESULTS.parent / "README.md").read_text("utf-8")
    for row in table.to_dict("records"):
        down = np.floor(1000 * row["average_certified_radius"]) / 1000  # as all tables
        cells = f"{down:.3f}"
        cells += "".join(f" | {100 * row[f'at {r:g}']:.1f}" for r in (0, 0.25, 0.5, 1))
        assert f"| `{row['procedure']}` | {cells} |" in readme


@pytest.mark.parametrize("path", STOPPED, ids=named)
def test_images_stopped_where_their_rule_says(path):
    run = RunDirectory(path)
    assert run.done().all()
    [part] = run.parts
    assert part.stat().st_size <= (3e6 if run.manifest.classes < 1000 else 7e6)
    assert {p.name for p in path.iterdir()} <= {"manifest.json", "parts", ".lock"}
    rule, alpha = rule_from(run.manifest.rule), run.manifest.rule["alpha"]
    votes, last = run.read(), run.manifest.draws
    for draws in np.unique(votes.draws):
        there = votes[votes.draws == draws]
        assert asked(rule, there, alpha).all() or draws == last


@pytest.mark.parametrize("path", UNTIL, ids=named)
def test_what_stopped_is_of_the_same_network_and_images(path):
    run = RunDirectory(path)
    [fixed] = [RunDirectory(p).manifest for p in FIXED if p.name == path.name]
    assert run.manifest.model.digest == fixed.model.digest
    assert run.manifest.images == fixed.images


def test_the_runs_of_one_folder_are_of_the_same_images():
    for folder in {path.parent for path in RUNS}:
        manifests = [RunDirectory(p).manifest for p in RUNS if p.parent == folder]
        assert len({manifest.data.digest for manifest in manifests}) == 1
        for one in manifests:
            shorter, longer = sorted([one.images, manifests[0].images], key=len)
            assert set(shorter) <= set(longer)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPT["BLOCKS"])
def test_readme_has_the_tables_that_the_votes_give(name):
    text = (RESULTS / "README.md").read_text("utf-8")
    _, rest = text.split(f"<!-- tables.py: {name} -->\n")
    shown, _ = rest.split("<!-- tables.py: end -->", maxsplit=1)
    assert shown.strip() == SCRIPT["block"](name).strip()


def test_every_block_of_the_readme_is_derived():
    text = (RESULTS / "README.md").read_text("utf-8")
    found = [name for _, name, _ in SCRIPT["BLOCK"].findall(text)]
    assert sorted(found) == sorted(SCRIPT["BLOCKS"])


@pytest.mark.parametrize("path", WHY, ids=named)
def test_what_is_held_against_the_published_log_is_the_same_network(path):
    run = RunDirectory(path)
    assert run.done().all()
    fixed = RunDirectory(RESULTS / "cifar10" / "resnet110-0.50")
    assert run.manifest.model.digest == fixed.manifest.model.digest


@pytest.mark.parametrize("path", FIXED, ids=named)
def test_cohens_numbers_by_another_route(path):
    # From the counts with SciPy's quantiles alone, without any of our own steps.
    votes = RunDirectory(path).read()
    second, best = np.sort(votes.counts, axis=1)[:, -2:].T
    lower = beta.ppf(0.0005, best, votes.draws - best + 1)
    radius = votes.sigma * np.maximum(norm.ppf(lower), 0)
    lead = 2 * binom.sf(best - 1, best + second, 0.5)
    radius[lead > 0.001**2 / 4] = 0.0  # too close for a class to be named
    right = (votes.counts.argmax(axis=1) == votes.labels) & (radius > 0)
    certificates = SCRIPT["certified"]([path])
    table = SCRIPT["radii_table"](certificates).set_index("mechanism").loc["cohen"]
    assert table["median_radius"] == pytest.approx(np.median(radius), rel=1e-9)
    assert table["average_certified_radius"] == pytest.approx(
        (radius * right).mean(), rel=1e-9
    )
    for r in SCRIPT["RADII"]:
        assert table[f"at {r:g}"] == (right & (radius >= r)).mean()


@pytest.mark.parametrize("path", WEIGHTS, ids=named)
def test_weights_are_those_of_the_run_beside_them(path):
    _, metadata = load_checkpoint(path)
    manifest = RunDirectory(path.with_suffix("")).manifest
    assert as_classifier(path).digest == manifest.model.digest
    assert metadata.sigma == manifest.sigma


NEIGHBOURS = TRANSITIVE["find_runs"]()


@pytest.mark.parametrize("path", NEIGHBOURS, ids=named)
def test_neighbours_are_of_a_run_beside_them_and_far_smaller_than_their_data(path):
    run = RunDirectory(path)
    assert run.done().all()
    assert sum(part.stat().st_size for part in run.parts) < 1e5
    assert "falsified" not in {each.outcome for each in audit_claims(path).findings}
    around = run.manifest.data.neighbours
    assert around.each == 2
    assert len(run.manifest.images) == 2 * len(around.images)
    assert TRANSITIVE["votes_of"](path, draws=1000).indices.tolist() == around.images
    assert path not in {*RUNS, *STOPPED, *MARGINS}


def test_the_cost_of_neighbours_is_what_the_page_says():
    page = TRANSITIVE["PAGE"].read_text("utf-8")
    table = TRANSITIVE["cost_table"](NEIGHBOURS)
    assert TRANSITIVE["written"](page, TRANSITIVE["text_of"](table)) == page
    # In words there: smaller by every mechanism, and the image's own draws larger.
    assert (table["mean, with"] < table["mean, own"]).all()
    assert (table["mean, more"] > table["mean, own"]).all()


def test_weights_are_small():
    assert all(path.stat().st_size <= 5e6 for path in RESULTS.rglob("*.safetensors"))


@pytest.mark.parametrize("path", DENOISED, ids=named)
def test_a_denoised_run_is_of_the_weights_beside_it(path):
    _, kind, sigma = path.name.split("-")
    denoiser = path.parent / f"denoiser-{kind}-{sigma}.safetensors"
    classifier = as_classifier(
        path.parent / "resnet20-clean.safetensors",
        denoiser=None if kind == "alone" else denoiser,
    )
    assert classifier.digest == RunDirectory(path).manifest.model.digest
