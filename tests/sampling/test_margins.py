"""Margins while they are drawn: what is counted, who chooses, and who goes on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from simplicert import certify, read_run, sample
from simplicert.audit import audit_claims
from simplicert.classifiers import NumpyClassifier
from simplicert.errors import InputError
from simplicert.figures.margins import margins as margins_figure
from simplicert.figures.procedures import procedures as procedures_figure
from simplicert.figures.protocol import View
from simplicert.interop import RunEvidence, certify_path, write_certificates
from simplicert.sampling.engine import Tasks
from simplicert.sampling.margins import Rivals
from simplicert.sampling.memory import MemoryRun
from simplicert.sampling.sampler import Sampler
from simplicert.sampling.soft import SoftScores, checked_rivals, checked_temperature
from simplicert.sampling.tally import Tally
from simplicert.stopping import RULES, replay, until
from simplicert.votes import RunDirectory
from simplicert.votes.columns import CELLS
from simplicert.votes.looks import one_look
from simplicert.votes.rivals import cells_of, choose_rivals

CPU = torch.device("cpu")


class Pixels(torch.nn.Module):
    """Logits that are pixels: the same to the last bit in any batch."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, images):
        return 3.0 * images.flatten(1)[:, : self.classes]


def network(classes=5):
    return Pixels(classes).eval()


def pictures(count=3):
    generator = np.random.default_rng(0)
    return generator.random((count, 1, 4, 4), dtype=np.float32)


def drawn(**settings):
    given = {"sigma": 0.5, "draws": 1000, "seed": 0, "margins": True, "batch": 100}
    model, images = settings.pop("model", network()), settings.pop("images", pictures())
    return sample(model, images, **given | settings)


@pytest.mark.parametrize(
    ("classes", "rivals"), [(2, 0), (3, 1), (7, 0), (7, 3), (7, 5)]
)
def test_what_is_counted_is_what_numpy_counts(classes, rivals):
    """Two rows of draws in turn, some of which are no scores, in several passes."""
    generator = torch.Generator().manual_seed(classes)
    logits = torch.randn(600, classes, generator=generator) * 3
    logits[::50] = torch.nan
    logits[7] = 0.0  # ties
    row = torch.arange(600) % 2
    plan = Sampler(network(classes), pictures(2)).plan(
        sigma=0.5, draws=600, block=300, scores=SoftScores(margins=True, rivals=rivals)
    )
    tally = Tally(2, classes, output="logits", device=CPU, margins=True)
    for piece in torch.arange(600).split(170):
        tally.add(logits[piece], row[piece])
    tally.count_margins(Rivals(plan, device=CPU), np.array([0, 1]), np.array([0, 0]))
    tally.send()
    found = tally.received()
    scores = np.floor(logits.double().softmax(dim=1).numpy() * 2**32) / 2**32
    for each in range(2):
        here = scores[each::2][~np.isnan(scores[each::2]).any(axis=1)]
        chosen = choose_rivals(here.sum(axis=0, keepdims=True), rivals=rivals)
        assert found["rivals"][each].tolist() == chosen[0].tolist()
        cells = cells_of(here, chosen[0])
        counted = found["margins"][each].reshape(rivals + 1, CELLS)
        for place, wanted in enumerate(cells):
            exact = np.bincount(wanted, minlength=CELLS)
            np.testing.assert_array_equal(counted[place], exact)


def test_they_change_no_vote_and_cost_no_draw():
    plain, found = drawn(margins=False), drawn()
    np.testing.assert_array_equal(found.counts, plain.counts)
    np.testing.assert_array_equal(found.score_sums, plain.score_sums)
    assert found.margins.shape == (3, 4 * CELLS)  # of five classes: three rivals
    assert (found.margins.reshape(3, 4, CELLS).sum(axis=2) == 1000).all()
    assert found.pilot.draws.tolist() == [200] * 3
    again = choose_rivals(found.pilot.score_sums, rivals=3)
    np.testing.assert_array_equal(found.rivals, again)


@pytest.mark.parametrize("batch", [1, 30, 100, 250, 1000, 4000])
def test_no_division_changes_them(batch):
    assert drawn(batch=batch, block=100).digest == drawn(block=100).digest


def test_an_image_has_its_draws_from_one_worker_and_the_first_block_first():
    sampler = Sampler(network(), pictures(1))
    one = sampler.plan(
        sigma=0.5, draws=600, block=100, seed=0, scores=SoftScores(margins=True)
    )
    for images, blocks, batch, world in np.ndindex(4, 5, 7, 4):
        size = {"looks": [*one_look(100 * (blocks + 2))], "batch": 50 + 100 * batch}
        size["images"] = list(range(images + 1))
        plan = one.model_copy(update=size)
        seen, whose = [], {}
        for rank in range(world + 1):
            tasks = Tasks(plan, share=(rank, world + 1))
            each = [tasks[number] for number in range(len(tasks))]
            assert tasks.count_blocks(np.arange(len(tasks))) == sum(
                len(task.blocks) for task in each
            )
            for task in each:
                assert len(task.blocks) * 100 <= max(plan.batch, 100)
                for position, block in zip(task.positions, task.blocks, strict=True):
                    assert whose.setdefault(position, rank) == rank
                    assert block == 0 or (position, block - 1) in seen
                    seen.append((position, block))
        assert sorted(seen) == [*np.ndindex(images + 1, blocks + 2)]
        done = np.zeros((images + 1, blocks + 2), dtype=bool)
        done[0, 1:] = True
        tasks = Tasks(plan)
        lacking = {
            number
            for number in range(len(tasks))
            if any(
                not done[p, b]
                for p, b in zip(
                    tasks[number].positions, tasks[number].blocks, strict=True
                )
            )
        }
        assert set(tasks.missing(done).tolist()) == lacking


@pytest.mark.parametrize("lost", [[0], [1, 3], [0, 2, 7, 9], list(range(1, 12))])
def test_whoever_goes_on_has_the_same(tmp_path, lost):
    whole = drawn(out=tmp_path / "whole", draws=400, block=100)
    run = RunDirectory(tmp_path / "whole")
    rows = next(iter(run.rows()))
    kept = np.ones(len(rows.blocks), dtype=bool)
    kept[lost] = False
    broken = RunDirectory.create(tmp_path / "broken", run.manifest)
    broken.append(rows.take(kept))
    assert drawn(out=tmp_path / "broken", draws=400, block=100).digest == whole.digest


def test_what_was_chosen_stays_where_those_who_chose_are_lost(tmp_path):
    """Other blocks have margins of these; as a classifier at random may have it."""
    drawn(out=tmp_path / "run", draws=400, block=100)
    rows = next(iter(RunDirectory(tmp_path / "run").rows()))
    later = rows.take(rows.blocks > 0)
    other = replace(later, rivals=later.rivals[:, [1, 0, 2, 3]])
    broken = RunDirectory.create(
        tmp_path / "b", RunDirectory(tmp_path / "run").manifest
    )
    broken.append(other)
    Sampler(network(), pictures()).draw(broken)
    for each in broken.rows():
        assert (each.rivals == other.rivals[::3][each.images]).all()


def test_shares_are_joined_to_the_same_run(tmp_path):
    plan = Sampler(network(), pictures(5)).plan(
        sigma=0.5,
        draws=400,
        block=100,
        seed=0,
        batch=150,
        scores=SoftScores(margins=True),
    )
    shared, alone = MemoryRun(plan), MemoryRun(plan)
    for rank in (1, 0):
        Sampler(network(), pictures(5)).draw(shared, share=(rank, 2))
    Sampler(network(), pictures(5)).draw(alone)
    assert shared.read().digest == alone.read().digest


def test_a_colder_softmax_is_nearer_to_votes():
    """At 1e-3 every score is 0 or 1, as a vote; at 1 it is what it always was."""
    cold = drawn(temperature=1e-3)
    np.testing.assert_allclose(cold.score_sums, cold.counts, atol=2.0)
    assert cold.manifest.temperature == 1e-3
    assert cold.manifest.evidence()["temperature"] == 1e-3
    usual = drawn()
    assert "temperature" not in usual.manifest.evidence()
    for one, other, says in [
        (cold, usual, "0.001 there and 1.0"),
        (usual, cold, "1.0 there and 0.001"),
    ]:
        assert one.manifest.difference(other.manifest) == f"temperature is {says} here"
    logits = torch.tensor([[1.0, 2.0, 4.0]])
    tally = Tally(1, 3, output="logits", device=CPU, temperature=2.0)
    tally.add(logits, torch.tensor([0]))
    by_hand = np.exp([0.5, 1.0, 2.0]) / np.exp([0.5, 1.0, 2.0]).sum()
    np.testing.assert_allclose(tally.columns["score_sums"][0], by_hand, atol=2.0**-31)


@pytest.mark.parametrize("temperature", [1e-300, 1e-320, 5e-324])
def test_logits_that_would_be_infinite_when_divided_are_votes(temperature):
    tally = Tally(1, 3, output="logits", device=CPU, temperature=temperature)
    logits = torch.tensor([[1.0, 3.0, 2.0], [-7.0, -9.0, -7.0], [0.0, 0.0, 0.0]])
    tally.add(logits, torch.zeros(3, dtype=torch.int64))
    found = tally.columns["score_sums"][0]
    assert found.tolist() == pytest.approx([5 / 6, 4 / 3, 5 / 6], abs=1e-9)


def test_they_are_certified_without_another_word(tmp_path):
    votes = drawn(draws=4000, out=tmp_path / "run")
    for each in (votes, read_run(tmp_path / "run"), drawn(draws=4000)):
        made = certify(each, procedure="margins")
        apart = certify(read_run(tmp_path / "run", selection=800), procedure="margins")
        np.testing.assert_array_equal(made.radius, apart.radius)
        assert (made.draws == 3200).all()
    assert (made.radius > certify(votes, procedure="hoeffding").radius).all()
    one = certify(votes[[1]], procedure="margins")
    np.testing.assert_array_equal(one.radius, made.radius[[1]])
    assert votes.set_apart.set_apart.draws[0] == 3200
    assert certify(votes).draws[0] == 4000


LABELS = NumpyClassifier(
    lambda x: (x.mean(axis=(1, 2, 3)) > 0.5).astype(int), classes=2, output="labels"
)
CHANCES = NumpyClassifier(
    lambda x: np.stack([x[:, 0, 0, 0] * 0 + 0.5] * 2, axis=1).astype(float),
    classes=2,
    output="probabilities",
)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": LABELS}, "gives labels, which have no margins"),
        ({"until": 0.1, "block": None}, "needs? a number of draws that is fixed"),
        ({"rivals": 4}, "rivals must be 0 to 3 of 5 classes"),
        ({"rivals": -1}, "rivals must be 0 to 3 of 5 classes"),
        ({"margins": False, "rivals": 2}, "are of margins: ask for those, too"),
        ({"draws": 1}, "1 draws in blocks of 1 have no other"),
        ({"block": 1000}, "1,000 draws in blocks of 1,000 have no other"),
        ({"block": 10}, "blocks of 10 have hardly any in the first"),
        ({"draws": 1999}, "blocks of 1 have hardly any in the first"),
        ({"temperature": 0.0}, "temperature must be a number above 0, got 0.0"),
        ({"temperature": -1.0}, "temperature must be a number above 0"),
        ({"temperature": float("inf")}, "temperature must be a number above 0"),
        ({"temperature": float("nan")}, "temperature must be a number above 0"),
        ({"temperature": 2.0, "model": CHANCES}, "needs logits"),
        ({"temperature": 2.0, "model": LABELS, "margins": False}, "needs logits"),
    ],
)
def test_what_cannot_be_recorded_is_refused(settings, says):
    with pytest.raises(InputError, match=says):
        drawn(**settings)


@pytest.mark.parametrize("heat", ["2", None, True, 10**400, 1j, [1.0]])
def test_what_is_no_temperature_is_refused(heat):
    with pytest.raises(InputError, match="temperature must be a number above 0"):
        checked_temperature(heat)


@pytest.mark.parametrize("rivals", ["2", None, True, 2.5])
def test_what_is_no_number_of_rivals_is_refused(rivals):
    with pytest.raises(InputError, match="rivals must be 0 to 3 of 5 classes"):
        checked_rivals(rivals, most=3)


def test_numbers_of_numpy_are_numbers():
    given = checked_temperature(np.float32(2)), checked_rivals(np.int64(2), most=3)
    assert [type(each) for each in given] == [float, int]


def test_a_run_that_stops_has_none():
    with pytest.raises(InputError, match="a number of draws that is fixed"):
        Sampler(network(), pictures()).plan(
            sigma=0.5, draws=10_000, rule=until(0.1), scores=SoftScores(margins=True)
        )


@pytest.mark.parametrize(
    ("within", "spoilt"),
    [
        ("0.25", {"confidence 0.25": 0.99}),  # the draws that there are allow 0.98
        ("0.25", {"neyman_pearson": 0.2}),
        ("0.25", {"e0": 0.5, "e1": 0.4}),
        ("2", {"confidence 2": 0.01}),  # beyond every radius
    ],
)
def test_a_spoilt_confidence_in_a_table_is_found(tmp_path, within, spoilt):
    sure = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 5))
    sure[1].weight.data.zero_()
    sure[1].bias.data = torch.tensor([9.0, 0.0, 0.0, 0.0, 0.0])
    made = certify(drawn(model=sure, draws=1000, block=100), procedure="margins")
    made = made.with_confidence([float(within)])
    path = write_certificates(made, tmp_path / "table.csv")
    said = {each.check: each.outcome for each in audit_claims(path).findings}
    assert said["confidences of certificates"] == "held"
    assert "falsified" not in said.values()
    pd.read_csv(path).assign(**spoilt).to_csv(path, index=False)
    said = {each.check: each.outcome for each in audit_claims(path).findings}
    assert said["confidences of certificates"] == "falsified"


def test_an_audit_falsifies_blocks_with_margins_of_different_classes(tmp_path):
    drawn(out=tmp_path / "run", draws=400, block=100)
    run = RunDirectory(tmp_path / "run")
    rows = next(iter(run.rows()))
    other = rows.rivals.copy()
    other[3, [0, 1]] = other[3, [1, 0]]
    spoilt = RunDirectory.create(tmp_path / "spoilt", run.manifest)
    spoilt.append(replace(rows, rivals=other))
    found = audit_claims(tmp_path / "spoilt").findings[0]
    assert (found.check, found.outcome) == ("stored parts", "falsified")
    assert "margins of different classes" in found.says


def test_all_images_that_lack_draws_are_counted(tmp_path):
    drawn(out=tmp_path / "run", draws=400, block=100)
    run = RunDirectory(tmp_path / "run")
    rows = next(iter(run.rows()))
    part = RunDirectory.create(tmp_path / "part", run.manifest)
    part.append(
        rows.take((rows.images == 0) | ((rows.images == 1) & (rows.blocks < 2)))
    )
    with pytest.raises(InputError, match="2 of 3 images lack draws"):
        certify_path(tmp_path / "part", procedure="margins")


def test_a_run_that_stopped_without_margins_is_told_to_have_them(tmp_path):
    drawn(out=tmp_path / "run", margins=False, until=0.1)
    with pytest.raises(InputError, match="sample anew, with --margins"):
        certify_path(tmp_path / "run", procedure="margins")


def test_figures_of_margins_that_certify_nothing_are_left_out(tmp_path):
    """Of uniform noise, or of so few draws, a run is reported without them."""
    drawn(out=tmp_path / "l1", noise="uniform", draws=200, block=100)
    drawn(out=tmp_path / "few", draws=24, block=12)
    for name, alpha in [("l1", 0.001), ("few", 0.001)]:
        evidence = RunEvidence(tmp_path / name)
        made = evidence.certify(alpha=alpha)
        view = View(name=name, certificates=made, evidence=evidence)
        assert margins_figure.table(view) is None
        assert name != "l1" or procedures_figure.table(view) is None


@pytest.mark.parametrize("procedure", ["margins", "two_stage"])
def test_a_plan_by_procedures_with_draws_apart_is_refused_as_what_it_is(
    tmp_path, procedure
):
    drawn(out=tmp_path / "run", draws=400, block=100)
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(InputError, match=f"{procedure} needs other draws .* a plan"):
        replay(run, RULES.find("named"), procedure=procedure)


def test_a_run_of_which_nothing_is_drawn_yet_is_audited(tmp_path):
    plan = drawn(draws=400, block=100).manifest
    RunDirectory.create(tmp_path / "run", plan)
    said = {
        each.check: each.outcome for each in audit_claims(tmp_path / "run").findings
    }
    assert said["whole"] == "doubtful"
    assert "falsified" not in said.values()
