"""Where inputs wait: one thread draws all that are there together, and answers them."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from simplicert.certificates import Certificates
from simplicert.errors import InputError
from simplicert.sampling.live import DrawError, Live, live
from simplicert.sampling.rounds import FULL_BATCHES
from simplicert.serve.answers import Answer, answers_of
from simplicert.serve.service import Service
from simplicert.serve.shift import Came, Log, Shift
from simplicert.votes import Votes

__all__ = ["ClosedError", "Desk", "FailedError", "FullError", "Waiting"]


class FullError(InputError):
    """There is no place for so many inputs now.

    Attributes:
        seconds: After which there may be.
    """

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class ClosedError(InputError):
    """Nothing is answered any more, and why."""


class FailedError(InputError):
    """The classifier failed at this input."""


@dataclass(eq=False)
class Waiting:
    """An input that waits for its answer.

    Attributes:
        values: The input.
        request: Who brought it.
        answer: Cancelled by whoever no longer waits for it.
        why: Why nobody waits any more: ``"late"``, or ``"gone"``.
    """

    values: np.ndarray
    request: str
    answer: Future[Answer] = field(default_factory=Future)
    why: str = "gone"

    def give_up(self, why: str) -> None:
        """Wait no longer; what was drawn is kept."""
        self.why = why
        self.answer.cancel()


@dataclass
class Told:
    """Whom the desk tells what happens; for numbers that people watch."""

    drawn: Callable[[int, int], None] = lambda _draws, _inputs: None
    certified: Callable[[Certificates], None] = lambda _certificates: None


class Desk:
    """Inputs that wait, and the thread that draws them.

    Args:
        service: What is served.
        log: Where the votes go.
        places: Inputs that may be there at a time.
        patience: Seconds after which nobody waits any more: no more are taken than can
            be answered by then, or all would be drawn and none answered.
        told: Of what happens.
    """

    def __init__(
        self,
        service: Service,
        log: Log,
        *,
        places: int,
        patience: float = math.inf,
        told: Told | None = None,
    ) -> None:
        self._patience, self._speed = patience, service.speed
        self._service, self._log, self._places = service, log, places
        self._told = told or Told()
        self._came: list[Waiting] = []
        self._drawing: dict[int, Waiting] = {}
        self._ended: list[Votes] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="desk")
        self._alone: set[int] = set()
        self._mean = service.plan.draws / 8  # until it is known
        self.closing = False
        self.broken: str | None = None

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def stop(self) -> None:
        """Refuse who waits, and end when those are answered who are being drawn."""
        self.closing = True
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Inputs that are there."""
        return len(self._came) + len(self._drawing)

    def seconds(self, inputs: int) -> float:
        """After which so many will be answered, about."""
        return inputs * self._mean / self._speed

    def check_open(self) -> None:
        """Refuse before anything is read of a request.

        Raises:
            ClosedError: The service stops, or cannot go on.
            FullError: There is no place.
        """
        if self.broken is not None:
            raise ClosedError(f"the service cannot go on: {self.broken}")
        if self.closing:
            raise ClosedError("the service is being stopped")
        self._check_places(1)

    def submit(self, inputs: Sequence[np.ndarray], request: str) -> list[Waiting]:
        """Let inputs wait: all of a request, or none.

        Raises:
            ClosedError: As ``check_open``.
            FullError: There is no place for all of them.
        """
        with self._changed:
            self.check_open()
            self._check_places(len(inputs))
            found = [Waiting(values, request) for values in inputs]
            self._came += found
            self._changed.notify_all()
        return found

    def _check_places(self, inputs: int) -> None:
        there = self.waiting
        late = there > 0 and self.seconds(there + inputs) > self._patience
        if there + inputs <= self._places and not late:
            return
        # How long it takes depends on the radii of those who wait.
        seconds = 5.0 if self._service.hide else max(1.0, self.seconds(there))
        raise FullError(
            f"there is room for {self._places} inputs at a time, or for as many as can "
            "be answered in time, and not for these now: try again later",
            seconds=seconds,
        )

    def _work(self) -> None:
        try:
            going = True
            while going:
                shift = self._log.open()
                try:
                    going = self._draw_shift(shift)
                finally:
                    self._log.close(shift)
        except BaseException as error:
            self.broken = str(error) or type(error).__name__
            if not isinstance(error, InputError | OSError):
                raise
        finally:
            self._refuse(self._take_all())
            self._refuse(self._drawing.values())
            self._drawing = {}

    def _draw_shift(self, shift: Shift) -> bool:
        """Draw until a shift is full, or the service stops; whether it goes on."""
        drawing = self._drawing

        def read(positions: np.ndarray) -> np.ndarray:
            values = np.stack([drawing[each].values for each in positions.tolist()])
            return self._service.bodies.numbers(values)

        with live(
            self._service.sampler,
            shift.run,
            self._service.rule,
            read=read,
            ended=self._ended.append,
        ) as drawer:
            while True:
                self._receive(shift)
                self._drop(shift, drawer)
                if drawing:
                    self._draw(shift, drawer)
                elif self.closing:
                    return False
                elif not shift.room:
                    return True

    def _receive(self, shift: Shift) -> None:
        """Number those who came; wait for somebody if nobody is there."""
        with self._changed:
            while not (self._came or self._drawing or self.closing):
                self._changed.wait()
        if self.closing:
            self._refuse(self._take_all())
            return
        with self._changed:
            took, self._came = self._came[: shift.room], self._came[shift.room :]
            if not took:
                return
            numbers = range(shift.came, shift.came + len(took))
            self._drawing.update(zip(numbers, took, strict=True))
        shift.receive([Came(each.values, each.request) for each in took])

    def _take_all(self) -> list[Waiting]:
        with self._changed:
            came, self._came = self._came, []
        return came

    def _refuse(self, those: Iterable[Waiting]) -> None:
        why = self.broken or "the service is being stopped"
        for each in those:
            _set_error(each.answer, ClosedError(why))

    def _drop(self, shift: Shift, drawer: Live) -> None:
        """Draw no more for whom nobody waits; what was drawn stays in the log."""
        gone = [n for n, each in self._drawing.items() if each.answer.cancelled()]
        if not gone:
            return
        self._alone -= set(gone)
        late = sum(self._drawing[number].why == "late" for number in gone)
        self._learn(self._service.plan.draws, of=late)  # at worst
        drawer.give_up(np.array(gone))
        drawer.flush()
        shift.end((number, self._drawing.pop(number).why) for number in gone)

    def _draw(self, shift: Shift, drawer: Live) -> None:
        waiting = [*self._drawing]
        suspects = [number for number in waiting if number in self._alone]
        if suspects:  # which shared a pass that failed: the others need not suffer
            waiting = suspects[:1]
        began = time.monotonic()
        try:
            ended, draws = drawer.draw(waiting, most=self._service.step)
        except DrawError as error:
            self._failed(shift, drawer, error)
            return
        if draws >= FULL_BATCHES * self._service.plan.batch:
            speed = draws / (time.monotonic() - began)
            self._speed += 0.2 * (speed - self._speed)
        self._alone -= set(waiting) if suspects else set()
        self._told.drawn(draws, len(waiting))
        if len(ended):
            drawer.flush()
            self._answer(shift)

    def _learn(self, draws: float, *, of: int) -> None:
        """So many draws took each of the last inputs."""
        self._mean += (1 - 0.98**of) * (draws - self._mean)

    def _take_ended(self) -> list[Votes]:
        ended, self._ended[:] = list(self._ended), []
        return ended

    def _failed(self, shift: Shift, drawer: Live, error: DrawError) -> None:
        """Draw those who shared a pass each alone; who was alone has failed."""
        if len(error.positions) > 1:
            self._alone |= set(error.positions.tolist())
            return
        [number] = error.positions.tolist()
        self._alone.discard(number)
        drawer.give_up(error.positions)
        drawer.flush()
        shift.end([(number, "failed")])
        failed = FailedError(f"the model failed at this input: {error}")
        _set_error(self._drawing.pop(number).answer, failed)

    def _answer(self, shift: Shift) -> None:
        """Answer those who have stopped, whose votes are on disk."""
        answers: dict[int, Answer] = {}
        for votes in self._take_ended():
            certificates = self._service.certify(votes)
            self._told.certified(certificates)
            numbers = certificates.indices.tolist()
            told = answers_of(certificates, self._service)
            answers.update(zip(numbers, told, strict=True))
            self._learn(float(votes.draws.mean()), of=len(votes))
        those = {number: self._drawing.pop(number) for number in answers}
        shift.end(
            (number, each.why if each.answer.cancelled() else "answered")
            for number, each in those.items()
        )
        for number, each in those.items():
            _set_result(each.answer, answers[number])


def _set_result(answer: Future[Answer], result: Answer) -> None:
    with suppress(InvalidStateError):  # nobody waits any more
        answer.set_result(result)


def _set_error(answer: Future[Answer], error: InputError) -> None:
    with suppress(InvalidStateError):
        answer.set_exception(error)
