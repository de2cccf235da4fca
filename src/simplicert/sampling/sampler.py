"""The one expensive step: noisy forward passes → votes."""

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from simplicert.arguments import checked_threads
from simplicert.classifiers.catalogue import as_classifier
from simplicert.classifiers.class_names import in_order_of
from simplicert.data import Dataset
from simplicert.data.given import Images, as_dataset
from simplicert.errors import InputError, unknown_name
from simplicert.machine.allocator import keep_freed_memory
from simplicert.machine.device import DTYPES, cpu_threads, usable_device
from simplicert.noises import NOISES, Noise
from simplicert.sampling.asked import Asked
from simplicert.sampling.batch import WORTH_DRAWS, find_batch, usual_batch
from simplicert.sampling.engine import (
    Drawer,
    Task,
    Tasks,
    buffer_draws,
)
from simplicert.sampling.glance import Glance
from simplicert.sampling.memory import MemoryRun
from simplicert.sampling.noisy import check_noise
from simplicert.sampling.plan import describe_run
from simplicert.sampling.probe import (
    QUESTIONS,
    Questions,
    same_function,
)
from simplicert.sampling.progress import Progress, shown_progress
from simplicert.sampling.recheck import Recheck
from simplicert.sampling.workers import writer
from simplicert.votes import Manifest, RunDirectory, Votes
from simplicert.votes.manifest import Probe
from simplicert.votes.rows import VoteRows

WORTH_ASKING = 100 * QUESTIONS
"""Draws after which it costs a hundredth to ask whether the classifier has changed."""

FLUSH_SECONDS = 20.0
"""Between two flushes; what was drawn since the last is all that a crash can lose."""

TITLE = "sampling"
"""Beside the progress."""

TRIAL_SECONDS = 1.0
"""About how long ``Sampler.trial`` draws."""


def sample(
    model: object,
    images: Images,
    *,
    sigma: float,
    draws: int,
    labels: Sequence[int] | Int[np.ndarray, " images"] | None = None,
    noise: str | Noise = "gaussian",
    out: Path | str | None = None,
    seed: int | None = None,
    block: int | None = None,
    batch: int | None = None,
    precision: str = "fp32",
    compiled: bool = False,
    device: str | None = None,
    threads: int | None = None,
    nonfinite: str = "stop",
    flush: float = FLUSH_SECONDS,
    progress: Progress | bool | None = None,
) -> Votes:
    """Draw noisy forward passes and count the votes.

    Args:
        model: A torch module (images in [0, 1] → logits, normalisation inside); a
            ``TorchClassifier`` or ``NumpyClassifier``; a scikit-learn classifier; or,
            as text, what the command takes: a checkpoint, an ONNX file, ….
        images: A dataset, or an array (images, channels, height, width), in [0, 1].
        sigma: Noise standard deviation, in input units. The noise is added to the
            input in [0, 1], and the noisy input is not clipped.
        draws: Forward passes an image; a multiple of ``block``.
        labels: True classes, for an array of images. Optional.
        noise: What is added: ``"gaussian"``, for l2 radii; ``"uniform"``, for l1; or
            one of your own, as ``NOISES.find`` takes it. Sigma is its standard
            deviation.
        out: Run directory. An unfinished one with the same settings is continued;
            nothing is drawn or counted twice. Default: votes stay in memory.
        seed: Decides the noise. Default: that of the run continued, or a new one,
            recorded.
        block: Draws of one seed, the unit of storage and resumption. Default: what
            divides ``draws`` and is nearest to 1,000.
        batch: Most draws a forward pass; it may span images, and changes no noise.
            Default: that of the run continued; or found by a short trial, if there are
            more than a few draws.
        precision: Of the forward pass: ``"fp32"``, ``"bf16"`` or ``"fp16"``. It is part
            of what is certified.
        compiled: Whether to compile a torch module with ``torch.compile`` first.
        device: A torch device. Default: CUDA where there is one.
        threads: CPU threads. Default: that of the run continued, or torch's.
        nonfinite: What to do about NaN or infinite logits: ``"stop"``, or ``"count"``
            such draws as votes for no class, which is sound.
        flush: Seconds between two writes to ``out``.
        progress: Whether to show how far it is; or a function that is told how many
            draws are done, and of how many. Default: on a terminal and in a notebook,
            where it takes more than a moment.

    Returns:
        The votes of all images.

    Raises:
        KeyboardInterrupt: Without ``out`` this, like any other exception, takes what
            was drawn with it: ``error.run`` (in a notebook ``sys.last_value.run``) has
            ``read(partial=True)``, the votes of the complete images, and
            ``save(path)``, after which ``out=path`` goes on.
        InputError: Bad arguments; images outside [0, 1]; a model that does not return
            one row of logits an image; non-finite logits; ``out`` holds another run, or
            another process is drawing into it.

    Example:
        >>> images = np.random.default_rng(0).random((2, 1, 8, 8), dtype=np.float32)
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> sample(model, images, sigma=0.5, draws=100, seed=0).counts.sum(axis=1)
        array([100, 100])
    """
    sampler = Sampler(
        model,
        images,
        labels=labels,
        noise=noise,
        precision=precision,
        compiled=compiled,
        device=device,
        threads=threads,
        nonfinite=nonfinite,
        flush=flush,
    )
    plan = sampler.plan(
        sigma=sigma, draws=draws, out=out, seed=seed, block=block, batch=batch
    )
    if out is None:
        return sampler.votes(plan, progress=progress)
    with shown_progress(progress, TITLE) as told, writer(out, plan) as run:
        sampler.draw(run, progress=told)
        run.compact()
        return run.read()


class Sampler:
    """A classifier and images that fit each other, ready to be drawn from.

    ``sample`` is all of it in one call; the command line uses the steps one by one, to
    show the plan first and to share a run among processes.

    Args:
        model: As for ``sample``, like the other arguments.
    """

    def __init__(
        self,
        model: object,
        images: Images,
        *,
        labels: Sequence[int] | Int[np.ndarray, " images"] | None = None,
        noise: str | Noise = "gaussian",
        precision: str = "fp32",
        compiled: bool = False,
        device: str | None = None,
        threads: int | None = None,
        nonfinite: str = "stop",
        flush: float = FLUSH_SECONDS,
    ) -> None:
        if precision not in DTYPES:
            raise unknown_name("precision", precision, DTYPES)
        if nonfinite not in {"stop", "count"}:
            raise unknown_name("nonfinite policy", nonfinite, ("stop", "count"))
        if threads is not None:
            checked_threads(threads)
        if not 0 <= flush < math.inf:
            raise InputError(f"flush must be a number of seconds, got {flush!r}")
        keep_freed_memory()
        self.noise = NOISES.find(noise)
        if self.noise.digest is not None:
            check_noise(self.noise)
        self._given = as_classifier(model)
        self.device = usable_device(device)
        self.precision, self.nonfinite = precision, nonfinite
        self.compiled = compiled
        self._threads, self._flush = threads, flush
        self._attach(as_dataset(images, labels))

    @property
    def is_outdated(self) -> bool:
        """Whether the classifier has changed since it was made ready."""
        return self._given.has_changed()

    def on(self, images: Images) -> "Sampler":
        """The same classifier, as it was made ready, on other inputs."""
        other = copy(self)
        other._attach(as_dataset(images, None), before=self.dataset)
        return other

    def _attach(self, dataset: Dataset, before: Dataset | None = None) -> None:
        """Take these inputs; the classifier is made ready once a shape and names."""
        self.dataset = dataset
        if before is None or (dataset.shape, dataset.class_names) != (
            before.shape,
            before.class_names,
        ):
            self.classifier = in_order_of(
                self._given, dataset.class_names, source=dataset.name
            )
            self._check_shape()
            self._asked = Asked(
                self.classifier,
                dataset,
                noise=self.noise,
                precision=self.precision,
                device=self.device,
                compiled=self.compiled,
            )
        self._asked = self._asked.on(dataset)
        dataset.check_classes(self.classes)

    @property
    def classes(self) -> int:
        """How many the classifier has."""
        return self._asked.classes

    def plan(
        self,
        *,
        sigma: float,
        draws: int,
        out: Path | str | None = None,
        seed: int | None = None,
        block: int | None = None,
        batch: int | None = None,
    ) -> Manifest:
        """The manifest of the run to be drawn; what is not given is as at ``out``."""
        there = RunDirectory.manifest_at(out) if out is not None else None
        if there is not None:
            seed = there.seed if seed is None else seed
            block = there.block if block is None else block
            batch = there.batch if batch is None else batch
        threads = self._threads or (there.threads if there is not None else 0)
        plan = describe_run(
            self.classifier,
            self.dataset,
            self.classes,
            sigma=sigma,
            noise=self.noise,
            draws=draws,
            block=block,
            batch=usual_batch(self.dataset.shape, self.device.type)
            if batch is None
            else batch,
            seed=seed,
            precision=self.precision,
            compiled=self.compiled,
            device=self.device,
            threads=threads or torch.get_num_threads(),
        )
        plan = plan.model_copy(update={"probe": self.probe(plan)})
        if (
            there is not None
            and there.difference(plan, whole=True) is None
            and not same_function(there.probe, plan.probe)
        ):
            raise InputError(
                f"{self.classifier.name} answers the same inputs otherwise than when "
                f"{out} was begun, though its digest is the same: it computes with "
                "something that the digest does not see, such as another file or a "
                "service. Put that back as it was, or choose another run directory"
            )

        # Each size would be compiled anew.
        total = draws * len(self.dataset)
        if batch is not None or total < WORTH_DRAWS or self.compiled:
            return plan

        def speed(size: int) -> float:
            return self.trial(plan.model_copy(update={"batch": size}), seconds=0.2)

        found = find_batch(speed, usual=plan.batch, most=total)
        plan = plan.model_copy(update={"batch": found})
        self._asked.probe(plan)
        return plan

    def probe(self, plan: Manifest) -> Probe:
        """What the classifier answers to a few draws of a plan, before the first."""
        return self._asked.probe(plan)

    def outputs(self, inputs: Tensor) -> Tensor:
        """What the classifier returns for inputs as they are, which no run counts.

        With a gradient, where it has one.
        """
        return self._asked.outputs(inputs)

    def noise_alone(self, plan: Manifest, seeds: range) -> Tensor:
        """Noise as a plan's draws have it, one a seed, which no run counts."""
        zero = torch.zeros(1, *self.dataset.shape, device=self.device)
        questions = Questions(zero, plan, noise=self.noise, device=self.device)
        return questions.draw(seeds).float()

    def glance(self, plan: Manifest) -> Glance | None:
        """How the classifier does on the first hundred images, clean and noisy.

        ``None`` where there are no labels.
        """
        return self._asked.glance(plan)

    def trial(self, plan: Manifest, *, seconds: float = TRIAL_SECONDS) -> float:
        """Draws a second, measured for about so long, after a batch to warm up."""
        # No longer than it takes to show: a block of photographs can be minutes.
        most = buffer_draws(self.dataset.shape, plan.batch)
        block = min(plan.block, most)
        plan = plan.model_copy(update={"block": block})
        tasks = itertools.cycle(Tasks(plan))
        began, drawn = 0.0, 0

        def for_a_while() -> Iterator[Task]:
            nonlocal began, drawn
            yield next(tasks)
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            began = time.monotonic()
            while drawn == 0 or time.monotonic() - began < seconds:
                task = next(tasks)
                drawn += len(task.blocks) * plan.block
                yield task

        with cpu_threads(plan.threads):
            for _ in self._draw(for_a_while(), plan):
                pass
        return drawn / (time.monotonic() - began)

    def fp32_speed(self, plan: Manifest) -> float | None:
        """Draws a second in fp32, on a CPU that is asked for another precision."""
        if plan.precision == "fp32" or plan.device != "cpu":
            return None
        other = copy(self)
        other.precision = "fp32"
        other._attach(self.dataset)
        return other.trial(plan.model_copy(update={"precision": "fp32"}), seconds=0.3)

    def votes(
        self, plan: Manifest, *, progress: Progress | bool | None = None
    ) -> Votes:
        """All draws of a plan, in memory; an exception takes with it what there is."""
        memory = MemoryRun(plan)
        with shown_progress(progress, TITLE) as told, memory.kept():
            self.draw(memory, progress=told)
        return memory.read()

    def draw(
        self,
        run: "RunDirectory | MemoryRun",
        *,
        share: tuple[int, int] = (0, 1),
        progress: Progress | None = None,
    ) -> None:
        """Draw what ``run`` lacks, flushing as it goes.

        Args:
            run: Where to.
            share: ``(rank, world)``: every process takes each ``world``-th task, so
                that they need not talk to each other.
            progress: Told how much of the share is done.

        Raises:
            InputError: Non-finite logits, unless they are to be counted; images outside
                [0, 1]; a model that changes its mind about the shape of its output.
        """
        plan = run.manifest
        mine = Tasks(plan, share=share)
        todo = mine.missing(run.done(skip_damaged=True))
        total = mine.count_blocks(np.arange(len(mine))) * plan.block
        counted = total - mine.count_blocks(todo) * plan.block
        if progress is not None:
            progress(counted, total)
        waiting: list[VoteRows] = []
        flushed, unchecked = time.monotonic(), 0
        recheck = self._asked.recheck(plan, draws=total - counted)
        heard = None if recheck is None else recheck.hear
        tasks = (mine[task] for task in todo)
        try:
            with cpu_threads(plan.threads):
                for rows in self._draw(tasks, plan, heard=heard):
                    self._check_finite(rows, plan)
                    waiting.append(rows)
                    unchecked += len(rows.blocks) * plan.block
                    flush = time.monotonic() - flushed > self._flush
                    if recheck and (flush or recheck.is_due):
                        self._settle(recheck, waiting)
                    if flush:
                        unchecked = self._ask_again(plan, unchecked, waiting)
                        run.append(VoteRows.join(waiting))
                        waiting, flushed = [], time.monotonic()
                    if progress is not None:
                        counted += len(rows.blocks) * plan.block
                        progress(counted, total)
                if recheck:
                    self._settle(recheck, waiting)
                self._ask_again(plan, unchecked, waiting)
        except BaseException:
            with suppress(InputError):  # the first error is the one to tell
                if recheck:
                    self._settle(recheck, waiting)
            raise
        finally:
            # Also on Ctrl-C and on an error: what was drawn is paid for.
            if waiting:
                run.append(VoteRows.join(waiting))

    def again(
        self,
        plan: Manifest,
        positions: Int[np.ndarray, " rows"],
        blocks: Int[np.ndarray, " rows"],
    ) -> Iterator[VoteRows]:
        """Draw some blocks of a run once more, in the company that they had.

        Args:
            plan: The run's manifest.
            positions: Each block's image, by its position in the run.
            blocks: Its number within the image.

        Yields:
            The votes of these blocks, and of others that share their passes.
        """
        done = np.ones((len(plan.images), plan.blocks), dtype=bool)
        done[positions, blocks] = False
        tasks = Tasks(plan)
        with cpu_threads(plan.threads):
            yield from self._draw((tasks[task] for task in tasks.missing(done)), plan)

    def _settle(self, recheck: Recheck, rows: list[VoteRows]) -> None:
        """Ask the draws that wait for it; if in vain, the last rows are dropped."""
        with self._asked.eager():
            complaint = recheck.settle()
        if complaint is not None:
            rows.clear()
            raise InputError(complaint)

    def _ask_again(self, plan: Manifest, unchecked: int, rows: list[VoteRows]) -> int:
        """Whether the classifier is what it was; else its last rows are dropped.

        Returns:
            Draws since the classifier was asked last.

        Raises:
            InputError: It answers as another function than the run's.
        """
        if plan.probe is None or unchecked < WORTH_ASKING:
            return unchecked
        if not same_function(plan.probe, self._asked.answers_now(plan, plan.probe)):
            rows.clear()
            raise InputError(
                f"{self.classifier.name} no longer answers the same inputs as when the "
                "run was begun: a service or a file behind it has changed. What was "
                "drawn up to the last time it was asked is kept, the rest is dropped"
            )
        return 0

    def _drawer(
        self,
        plan: Manifest,
        heard: Callable[[Tensor, Tensor], None] | None = None,
    ) -> Drawer:
        return Drawer(
            self._asked.forward,
            self._asked.read,
            plan,
            noise=self.noise,
            output=self.classifier.output,
            device=self.device,
            heard=heard,
        )

    def _draw(
        self,
        tasks: Iterable[Task],
        plan: Manifest,
        heard: Callable[[Tensor, Tensor], None] | None = None,
    ) -> Iterator[VoteRows]:
        return self._drawer(plan, heard).votes(tasks)

    def _check_shape(self) -> None:
        needed = self.classifier.shape
        if needed is not None and not self.classifier.takes(self.dataset.shape):
            raise InputError(
                f"{self.classifier.name} takes images of shape {tuple(needed)}, but "
                f"{self.dataset.name} has {self.dataset.shape}: load them at that size"
            )

    def _check_finite(self, rows: VoteRows, plan: Manifest) -> None:
        missing = plan.block - rows.counts.sum(axis=1)
        if self.nonfinite == "stop" and missing.any():
            first = int(np.argmax(missing > 0))
            what = {"probabilities": "numbers that are no probabilities"}
            raise InputError(
                "the model returned "
                f"{what.get(self.classifier.output, 'NaN or infinite logits')} for "
                f"{missing[first]} of {plan.block} draws of image "
                f"{rows.images[first]}, block {rows.blocks[first]}. What was drawn "
                "before is kept. Mend the model, or pass --nonfinite count to count "
                "such draws for no class"
            )
