"""Votes on their way from a model to a run: checked, and written now and then."""

import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from simplicert.classifiers.runtimes import eagerly
from simplicert.errors import InputError
from simplicert.sampling.asked import Asked
from simplicert.sampling.probe import QUESTIONS, same_function
from simplicert.votes.rows import VoteRows

if TYPE_CHECKING:
    from simplicert.sampling.memory import MemoryRun
    from simplicert.votes import RunDirectory

__all__ = ["WORTH_ASKING", "Outgoing"]

WORTH_ASKING = 100 * QUESTIONS
"""Draws after which it costs a hundredth to ask whether the classifier has changed."""


class Outgoing:
    """Rows that are drawn, until they are written.

    Also on Ctrl-C and on an error what waits is written in the end: it is paid for. But
    not what a classifier drew that turns out to be none, or another than it was.

    Args:
        run: Where they go.
        asked: The classifier.
        draws: How many will come.
        nonfinite: As ``Sampler`` takes it.
        flush: Seconds between two writes.
    """

    def __init__(
        self,
        run: "RunDirectory | MemoryRun",
        asked: Asked,
        *,
        draws: int,
        nonfinite: str,
        flush: float,
    ) -> None:
        self._run, self._plan, self._asked = run, run.manifest, asked
        self._nonfinite, self._seconds = nonfinite, flush
        self._recheck = asked.recheck(run.manifest, draws=draws)
        self._waiting: list[VoteRows] = []
        self._flushed, self._unchecked = time.monotonic(), 0

    @property
    def is_empty(self) -> bool:
        """Whether all that was taken is written."""
        return not self._waiting

    def hear(self, inputs: Tensor, outputs: Tensor) -> None:
        """What a pass was given and answered, of which some is asked again."""
        if self._recheck is not None:
            self._recheck.hear(inputs, outputs)

    def take(self, rows: VoteRows) -> None:
        """Check rows and keep them, until it is time to write.

        Raises:
            InputError: They are not finite, unless that is to be counted; or the
                classifier answers otherwise when it is asked again.
        """
        self._check_finite(rows)
        self._waiting.append(rows)
        self._unchecked += int(self._plan.draws_in(rows.blocks).sum())
        if time.monotonic() - self._flushed > self._seconds:
            self.flush()
        elif self._recheck is not None and self._recheck.is_due:
            self._settle()

    def flush(self) -> None:
        """Write what waits, when what was to be asked again of it has been."""
        if self._waiting:
            self._settle()
            self._ask_again()
            self._run.append(VoteRows.join(self._waiting))
        self._waiting, self._flushed = [], time.monotonic()

    def __enter__(self) -> "Outgoing":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._settle()
                self._ask_again()
            else:
                with suppress(InputError):  # the first error is the one to tell
                    self._settle()
        finally:
            if self._waiting:
                self._run.append(VoteRows.join(self._waiting))

    def _settle(self) -> None:
        """Ask the draws that wait for it; if in vain, the last rows are dropped."""
        if self._recheck is None:
            return
        with eagerly():
            complaint = self._recheck.settle()
        if complaint is not None:
            self._waiting.clear()
            raise InputError(complaint)

    def _ask_again(self) -> None:
        """Whether the classifier is what it was; else its last rows are dropped.

        Raises:
            InputError: It answers as another function than the run's.
        """
        plan = self._plan
        if plan.probe is None or self._unchecked < WORTH_ASKING:
            return
        if not same_function(plan.probe, self._asked.answers_now(plan, plan.probe)):
            self._waiting.clear()
            raise InputError(
                f"{plan.model.name} no longer answers the same inputs as when the run "
                "was begun: a service or a file behind it has changed. What was drawn "
                "up to the last time it was asked is kept, the rest is dropped"
            )
        self._unchecked = 0

    def _check_finite(self, rows: VoteRows) -> None:
        draws = self._plan.draws_in(rows.blocks)
        missing = draws - rows.counts.sum(axis=1)
        if self._nonfinite == "stop" and missing.any():
            first = int(np.argmax(missing > 0))
            what = (
                "numbers that are no probabilities"
                if self._asked.output == "probabilities"
                else "NaN or infinite logits"
            )
            raise InputError(
                f"the model returned {what} for {missing[first]} of {draws[first]} "
                f"draws of image {rows.images[first]}, block {rows.blocks[first]}. "
                "What was drawn before is kept. Mend the model, or pass --nonfinite "
                "count to count such draws for no class"
            )
