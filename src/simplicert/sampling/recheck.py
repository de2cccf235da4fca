"""Whether a run counts what its draws are answered alone, asked while it is drawn."""

import random
from collections.abc import Callable

import torch
from torch import Tensor

from simplicert.classifiers.alike import Alike
from simplicert.sampling.probe import Ask, take
from simplicert.votes import Manifest

__all__ = ["Recheck", "spacing"]

_SPACING = 100
"""One draw in so many is asked again: a hundredth of the time."""

_ENOUGH = 64
"""Draws of a short run that are asked again, if it has so many."""

_TOLERANCE = 1e-2
"""Of an output's size: a hundred times the probe's, as many more are compared."""

_ROUNDED = 2, 1e-3
"""So many answers, or this share, may turn: rounding can, at a step of the model."""


def spacing(draws: int) -> int:
    """Of how many draws one is asked again, on average, where so many will come.

    Example:
        >>> [spacing(draws) for draws in (10, 1_000, 100_000)]
        [1, 15, 100]
    """
    return max(1, min(_SPACING, draws // _ENOUGH))


class Recheck:
    """Draws of a run, and how they were answered, to be asked again in other company.

    The probe cannot see what happens later, at places of a pass where it did not look,
    or for inputs that it did not ask: here it is the counted answers that are checked.

    Args:
        ask: The classifier, whose answers are repeatable.
        comparable: What it returned, as ``ask`` has it.
        plan: The run's manifest.
        draws: How many will come.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        comparable: Callable[[Tensor], Tensor],
        plan: Manifest,
        draws: int,
    ) -> None:
        self._ask, self._comparable = ask, comparable
        self._alike = Alike(_TOLERANCE, precision=plan.precision)
        self._name, self._batch = plan.model.name, plan.batch
        self._full = max(plan.batch, _ENOUGH)
        self._most = 2 * spacing(draws) - 1
        self._random = random.Random(plan.seed)
        self._next = self._gap() - 1
        self._inputs: list[Tensor] = []
        self._answers: list[Tensor] = []
        self._asked = self._otherwise = 0

    @property
    def is_due(self) -> bool:
        """Whether a pass can be filled."""
        return sum(map(len, self._inputs)) >= self._full

    def hear(self, inputs: Tensor, answers: Tensor) -> None:
        """Keep some draws of a pass, and what was answered."""
        rows = []
        while self._next < len(inputs):
            rows.append(self._next)
            self._next += self._gap()
        self._next -= len(inputs)
        if rows:
            self._inputs.append(take(inputs, rows))
            self._answers.append(answers[rows])

    @torch.inference_mode()
    def settle(self) -> str | None:
        """Ask what was kept.

        Returns:
            What is wrong, if answers are others now and in other company.

        Raises:
            InputError: The classifier raises.
        """
        if not self._inputs:
            return None
        inputs, answers = torch.cat(self._inputs), torch.cat(self._answers)
        self._inputs, self._answers = [], []
        order = range(len(inputs))[::-1]  # nor at the same place
        now = self._ask_all(take(inputs, order))
        if now is None:
            return None
        same = self._alike.rows(now, self._comparable(answers[list(order)]))
        self._asked += len(same)
        self._otherwise += int((~same).sum())
        number, share = _ROUNDED
        if self._otherwise <= max(number, share * self._asked):
            return None
        return (
            f"{self._name} answered {self._otherwise:,} of {self._asked:,} draws that "
            "were asked again otherwise, at another time and beside others: it looks "
            "at what shares a pass, or at where in it a draw is, or keeps a state, or "
            "is random now and then, or has changed. It is no function of its input, "
            "so that nothing about it can be certified; votes since the last that were "
            "written are dropped. Where it looks at others, give every draw a pass of "
            "its own: batch 1 (--batch 1)"
        )

    def _ask_all(self, inputs: Tensor) -> Tensor | None:
        """``None`` where there is no memory for it."""
        while self._batch:
            try:
                pieces = torch.split(inputs, self._batch)
                return torch.cat([self._ask(piece) for piece in pieces])
            except torch.OutOfMemoryError:  # as drawing itself does
                self._batch //= 2
        return None

    def _gap(self) -> int:
        return self._random.randint(1, self._most)
