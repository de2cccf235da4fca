"""Whether the answer to a draw is about that draw alone, asked before the first one.

Every bound counts on independent draws of one law. A classifier breaks that without a
word where it uses statistics, a scale or random numbers of the whole batch, or keeps a
state; so it is asked the same questions alone, together, split and permuted.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from simplicert.classifiers.alike import TOLERANCE, Alike
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.noises import Noise
from simplicert.sampling.noisy import NoisyInputs, chunk_draws, chunks_of
from simplicert.sampling.seeds import ASKED
from simplicert.votes import Manifest
from simplicert.votes.sources import PROBED, Probe

__all__ = [
    "IMAGES",
    "MOST_ASKED",
    "QUESTIONS",
    "Ask",
    "Questions",
    "same_function",
    "see",
    "see_again",
    "take",
]

QUESTIONS = 32
_ALONE = 8  # of these, each in a pass of its own
MOST_ASKED = 2 * _ALONE + 5 * QUESTIONS
"""Draws by which a repeatable classifier is seen, beside one whole pass, at most."""

IMAGES = PROBED
"""Of which these are noisy copies."""

_ORDERS = [1, 3, 0, 2, 7, 4, 5, 6], [5, 0, 7, 6, 2, 3, 1, 4]

# Of a classifier that answers at random: passes, and copies of one question in each.
_PASSES, _COPIES = 64, 4
_PERMUTATIONS = 9999
"""One whose draws are independent is refused at most twice in so many trials."""

_CHANGED = 2
"""Of the questions, how many rounding may turn between two machines."""

_COMPANY = (
    "{name} answers the same draw otherwise when other draws share its pass: it uses "
    "statistics or a scale of the whole batch, so that draws are not independent and "
    "certificates would be false. Take them from the training data, or give every draw "
    "a pass of its own: batch 1 (--batch 1)"
)

_IN_PLACE = (
    "{name} changes its input in place, so that it cannot be asked the same again: let "
    "it work on a copy, as x = x.clone()"
)

Ask = Callable[[Tensor], Tensor]
"""Noisy inputs, in one pass → a row of finite numbers each, float64, on the CPU."""


class Questions:
    """Noisy copies of some images, as a run draws them, but never counted.

    Args:
        images: On the device.
        plan: The run's manifest.
        noise: What is added.
        device: Where.
    """

    def __init__(
        self,
        images: Float[Tensor, "images ..."],
        plan: Manifest,
        *,
        noise: Noise,
        device: torch.device,
    ) -> None:
        self._images, self._plan = images, plan
        self._noise, self._device = noise, device

    def draw(self, seeds: range) -> Tensor:
        """A copy a number, of the images in turn."""
        noisy = NoisyInputs(
            self._images.shape[1:],
            noise=self._noise,
            capacity=len(seeds),
            sigma=self._plan.sigma,
            dtype=DTYPES[self._plan.precision],
            device=self._device,
        )
        # By its number alone, so that fewer questions are the first of more.
        shape, images = self._images.shape[1:], len(self._images)
        numbers = np.arange(seeds.start, seeds.stop)
        chunks, order = [], []
        for row in range(images):
            mine = np.flatnonzero(numbers % images == row)
            order += mine.tolist()
            if len(mine):
                chunks += chunks_of(
                    row,
                    seed=0,
                    image=row,
                    first=int(numbers[mine[0]]) // images,
                    draws=len(mine),
                    size=chunk_draws(shape),
                    purpose=ASKED,
                )
        found = noisy.fill(chunks, list(self._images))
        return take(found, np.argsort(order).tolist())


@torch.inference_mode()
def see(
    ask: Ask, questions: Questions, *, batch: int, precision: str, name: str
) -> Probe:
    """Ask, and refuse a classifier whose draws would not be independent.

    Args:
        ask: The classifier.
        questions: Whose noisy copies it is asked.
        batch: Most draws that will share a pass.
        precision: Of the forward pass: how far equal answers may be apart.
        name: Of the classifier, for messages.

    Raises:
        InputError: Answers depend on what shares the pass, while passes are shared; or
            follow a pattern from pass to pass; or the classifier raises.
    """
    alike = Alike(TOLERANCE, precision=precision)
    for _ in range(2):  # what calibrates itself in its first passes has settled then
        reference, verdict = _look(ask, questions, alike, batch, name)
        if verdict == "repeatable":
            break
    if verdict == "company":
        raise InputError(_COMPANY.format(name=name))
    if verdict == "random":
        _refuse_dependence(ask, questions, alike, batch=batch, name=name)
    return Probe(
        repeatable=verdict == "repeatable", answers=reference.argmax(dim=1).tolist()
    )


def _look(
    ask: Ask, questions: Questions, alike: Alike, batch: int, name: str
) -> tuple[Tensor, Literal["repeatable", "company", "random"]]:
    """Answers, and whether they are the same another time, and in other company."""
    asked = questions.draw(_seeds(batch))
    given = [take(asked, [i]) for i in range(min(_ALONE, len(asked)))]
    alone = [ask(each) for each in given]
    if not torch.equal(torch.cat(given), asked[: len(given)]):
        raise InputError(_IN_PLACE.format(name=name))
    reference = torch.cat(alone)
    if batch == 1:
        # In other orders, or what alternates would answer each question as before.
        same = all(
            alike(torch.cat([ask(take(asked, [i])) for i in order]), reference[order])
            for order in _ORDERS
        )
        return reference, "repeatable" if same else "random"
    try:
        reference = ask(asked)
    except InputError as error:
        raise InputError(
            f"{error} (It answers one input a pass: batch 1 (--batch 1) will do.)"
        ) from error
    if not alike(ask(asked), reference):
        return reference, "random"
    others = _in_other_company(ask, asked, questions, batch, alone)
    if all(alike(answers, reference[rows]) for answers, rows in others):
        return reference, "repeatable"
    same = all(alike(ask(asked), reference) for _ in range(_ALONE))
    return reference, "company" if same else "random"


@torch.inference_mode()
def see_again(ask: Ask, questions: Questions, before: Probe, *, batch: int) -> Probe:
    """The answers to the same questions now, in passes of the same size."""
    if not before.repeatable:
        return before
    asked = questions.draw(_seeds(batch))
    while True:
        try:
            answers = torch.cat([ask(piece) for piece in torch.split(asked, batch)])
        except torch.OutOfMemoryError:  # as where it was drawn
            if batch == 1:
                return before
            batch //= 2
        else:
            return Probe(repeatable=True, answers=answers.argmax(dim=1).tolist())


def _seeds(batch: int) -> range:
    return range(min(QUESTIONS, batch) if batch > 1 else _ALONE)


def same_function(there: Probe | None, here: Probe | None) -> bool:
    """Whether two probes of equal questions can be of one function.

    True where one of them was not made, or votes cannot be drawn again anyway: then
    answers say nothing.
    """
    if there is None or here is None:
        return True
    if not (there.repeatable and here.repeatable):
        return there.repeatable == here.repeatable
    pairs = zip(there.answers, here.answers, strict=False)
    return sum(a != b for a, b in pairs) <= _CHANGED


def _in_other_company(
    ask: Ask, asked: Tensor, questions: Questions, batch: int, alone: list[Tensor]
) -> Iterator[tuple[Tensor, Sequence[int]]]:
    """The same questions asked otherwise: answers, and which questions they are to."""
    rows = list(range(len(asked)))
    yield torch.cat(alone), rows[: len(alone)]
    half = len(rows) // 2
    for piece in (rows[:half], rows[half:], rows[::-1], rows[1::2] + rows[::2]):
        yield ask(take(asked, piece)), piece
    if batch > len(rows):
        others = questions.draw(range(len(rows), batch))
        yield ask(torch.cat([asked, others]))[: len(rows)], rows


def _refuse_dependence(
    ask: Ask, questions: Questions, alike: Alike, *, batch: int, name: str
) -> None:
    """Refuse unless the answers to one question look like independent ones.

    Answers to copies of one question, some in each pass, beside others that change:
    independent ones can change places, so their pattern is one of all permutations.
    """
    copies = min(_COPIES, max(min(batch, 2), batch // 2))
    others = min(_COPIES, batch - copies)
    one = questions.draw(range(1))
    passes = []
    for number in range(_PASSES):
        asked = [one] * copies
        if others:
            first = QUESTIONS + number * others
            asked.append(questions.draw(range(first, first + others)))
        passes.append(ask(torch.cat(asked))[:copies])
    answers = torch.stack(passes).numpy()
    if _follows_a_pattern(answers.mean(axis=1)):
        raise InputError(
            f"{name} answers the same input otherwise from pass to pass, in a pattern "
            "that independent draws do not have: it keeps a state, so that it is no "
            "function of its input and nothing about it can be certified. Reset the "
            "state in every pass"
        )
    if _looks_at_company(ask, questions, alike, batch):
        raise InputError(_COMPANY.format(name=name))
    if copies > 1 and _shares_a_pass(answers):
        raise InputError(
            f"{name} answers at random, and draws that share a pass get random numbers "
            "(or a state, or statistics) in common, so that they are not independent "
            "and certificates would be false. Draw them anew for every input, or give "
            "every draw a pass of its own: batch 1 (--batch 1)"
        )


def _looks_at_company(ask: Ask, questions: Questions, alike: Alike, batch: int) -> bool:
    """Whether other company changes answers while all random numbers are the same.

    Not where they come from a generator of the classifier's own: then it cannot tell.
    """
    half = min(batch, QUESTIONS) // 2
    if half == 0:
        return False
    asked, others = questions.draw(range(half)), range(QUESTIONS, QUESTIONS + half)
    company = [questions.draw(others), 1.0 - questions.draw(others)]
    answers = []
    for each in (company[0], company[0], company[1]):
        with _seeded():
            answers.append(ask(torch.cat([asked, each]))[:half])
    first, again, otherwise = answers
    return alike(again, first) and not alike(otherwise, first)


@contextmanager
def _seeded() -> Iterator[None]:
    """All global generators from one seed, and afterwards as they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 (the one that others use)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


def _shares_a_pass(answers: Float[np.ndarray, "passes copies classes"]) -> bool:
    """Whether answers of one pass are more alike than those of several."""
    passes, copies, _ = answers.shape
    flat = answers.reshape(passes * copies, -1)
    products = _products(flat)

    def likeness(orders: Int[np.ndarray, "orders answers"]) -> np.ndarray:
        of_pass = orders.reshape(-1, passes, copies)
        alike: np.ndarray = products[of_pass[..., None], of_pass[..., None, :]]
        sums: np.ndarray = alike.sum(axis=(1, 2, 3))
        return sums

    return _is_extreme(likeness, len(flat))


def _follows_a_pattern(answers: Float[np.ndarray, "passes classes"]) -> bool:
    """Whether an answer tells something about one some passes later."""
    products = _products(answers)

    def likeness(orders: Int[np.ndarray, "orders answers"]) -> np.ndarray:
        lags = range(1, len(answers) // 2)
        sums = [
            products[orders, np.roll(orders, -lag, axis=1)].sum(axis=1) for lag in lags
        ]
        largest: np.ndarray = np.abs(sums).max(axis=0)
        return largest

    return _is_extreme(likeness, len(answers))


def _products(
    answers: Float[np.ndarray, "answers classes"],
) -> Float[np.ndarray, "answers answers"]:
    centred = answers - answers.mean(axis=0)
    products: np.ndarray = centred @ centred.T
    return products


def _is_extreme(statistic: Callable[[np.ndarray], np.ndarray], answers: int) -> bool:
    """Whether the order as it is has more of it than all of many random orders."""
    generator = np.random.default_rng(0)
    asked = float(statistic(np.arange(answers)[None])[0])
    orders = np.tile(np.arange(answers), (_PERMUTATIONS // 9, 1))
    # Rounding must not make an order of equal answers extreme.
    return all(
        asked > statistic(generator.permuted(orders, axis=1)).max() * (1 + 1e-9)
        for _ in range(9)
    )


def take(inputs: Tensor, rows: Sequence[int]) -> Tensor:
    """Some inputs, laid out as all are."""
    taken = inputs[list(rows)]
    last = inputs.ndim == 4 and inputs.is_contiguous(memory_format=torch.channels_last)
    return taken.contiguous(memory_format=torch.channels_last) if last else taken
