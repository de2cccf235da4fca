"""Runs for the report, made of random votes."""

import json
import re
from dataclasses import replace

import numpy as np
from voted import random_votes

from simplicert.certificates.certify import certify
from simplicert.report import ReportRun
from simplicert.sampling import NumpyClassifier, sample

XSS = "<img src=x onerror=alert(1)>"


def with_scores(votes):
    """The same votes with soft scores: nine tenths of the votes, the rest spread."""
    sums = 0.9 * votes.counts + 0.1 * votes.draws[:, None] / votes.classes
    squares = sums**2 / votes.draws[:, None]
    return replace(votes, score_sums=sums, score_squares=squares)


def report_run(votes=None, *, name="run", frameworks=None, alpha=0.001, **fields):
    """A run with facts; in every framework that its votes allow."""
    votes = with_scores(random_votes(40)) if votes is None else votes
    every = ("multinomial",) if votes.score_sums is None else ("multinomial", "softmax")
    facts = {"run": f"runs/{name}", "model": "a network", "data": "random"}
    return ReportRun(
        **{
            "name": name,
            "certificates": [
                certify(votes, alpha=alpha, framework=framework)
                for framework in frameworks or every
            ],
            "digest": votes.digest,
            "facts": facts,
            "commands": [f"simplicert certify runs/{name} --alpha {alpha}"],
            **fields,
        }
    )


def grey_pictures(indices):
    """8 × 8 pictures whose grey tells which image it is."""
    grey = (indices % 251) / 250
    return np.broadcast_to(grey[:, None, None, None], (len(indices), 1, 8, 8))


def data_in(page):
    """What the page's script draws from."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def run_of(folder, dataset, *, unit=None, name="mine"):
    """The path of a run on these inputs, all of one class; and the inputs."""
    sure = NumpyClassifier(
        lambda rows: np.zeros(len(rows), dtype=np.int64), output="labels", classes=2
    )
    out = folder / name
    sample(sure, dataset, unit=unit, sigma=0.25, draws=100, seed=0, out=out)
    return out, dataset
