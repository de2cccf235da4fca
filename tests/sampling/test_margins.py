"""Margins while they are drawn: what is counted, who chooses, and who goes on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from simplicert import certify, read_run, sample
from simplicert.classifiers import NumpyClassifier
from simplicert.errors import InputError
from simplicert.sampling.engine import Tasks
from simplicert.sampling.memory import MemoryRun
from simplicert.sampling.sampler import Sampler
from simplicert.sampling.soft import SoftScores
from simplicert.sampling.tally import Tally
from simplicert.stopping import until
from simplicert.votes import RunDirectory
from simplicert.votes.columns import CELLS
from simplicert.votes.rivals import cells_of, choose_rivals

CPU = torch.device("cpu")


def network(classes=5, *, spread=6.0):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, classes))
    with torch.no_grad():
        model[1].weight *= spread
    return model.eval()


def pictures(count=3):
    generator = np.random.default_rng(0)
    return generator.random((count, 1, 4, 4), dtype=np.float32)


def drawn(**settings):
    given = {"sigma": 0.5, "draws": 1000, "seed": 0, "margins": True, "batch": 100}
    model, images = settings.pop("model", network()), settings.pop("images", pictures())
    return sample(model, images, **given | settings)


@pytest.mark.parametrize(("classes", "rivals"), [(2, 0), (3, 1), (7, 0), (7, 3), (7, 5)])
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
    from simplicert.sampling.margins import Rivals

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
