"""A classifier and inputs that fit each other, ready to be drawn from."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from simplicert.arguments import checked_draws, checked_threads
from simplicert.certificates import ALPHA
from simplicert.classifiers.catalogue import as_classifier
from simplicert.classifiers.class_names import in_classes_of
from simplicert.classifiers.runtimes import RUNTIMES
from simplicert.data import Dataset
from simplicert.data.given import Images, as_dataset
from simplicert.data.units import find_unit, measured_in
from simplicert.errors import InputError, unknown_name
from simplicert.machine.allocator import keep_freed_memory
from simplicert.machine.device import DTYPES, cpu_threads, usable_device
from simplicert.machine.locks import Claims
from simplicert.noises import NOISES, Noise
from simplicert.sampling.asked import Asked, facts_of, made_for
from simplicert.sampling.batch import WORTH_DRAWS, find_batch, usual_batch
from simplicert.sampling.engine import Drawer, Task, Tasks
from simplicert.sampling.glance import Glance
from simplicert.sampling.memory import MemoryRun
from simplicert.sampling.noisy import check_noise
from simplicert.sampling.outgoing import Outgoing
from simplicert.sampling.plan import describe_run
from simplicert.sampling.probe import Questions, same_function
from simplicert.sampling.progress import Progress, Told, shown_progress
from simplicert.sampling.rounds import Rounds, check_alone
from simplicert.sampling.soft import MEANS, SoftScores
from simplicert.sampling.speed import measured, shortened
from simplicert.sampling.trials import AUTO, RuntimeTrial, fastest
from simplicert.stopping import Rule
from simplicert.units import Unit
from simplicert.votes import Manifest, RunDirectory, Votes
from simplicert.votes.holding import claiming
from simplicert.votes.rows import VoteRows
from simplicert.votes.sources import Probe

FLUSH_SECONDS = 20.0
"""Between two flushes; what was drawn since the last is all that a crash can lose."""

TRIAL_SECONDS = 1.0
"""About how long ``Sampler.trial`` draws."""


class Sampler:
    """A classifier and images that fit each other, ready to be drawn from.

    ``sample`` is all of it in one call; the command line uses the steps one by one, to
    show the plan first and to share a run among processes.

    Args:
        model: As for ``sample``, like the other arguments.

    Attributes:
        runtime: That runs it now.
        runtimes: What a trial found, where one chose.
    """

    def __init__(
        self,
        model: object,
        images: Images,
        *,
        labels: Sequence[int] | Int[np.ndarray, " images"] | None = None,
        unit: str | Unit | None = None,
        noise: str | Noise = "gaussian",
        precision: str = "fp32",
        runtime: str = "eager",
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
        self.runtime = "eager" if runtime == AUTO else runtime
        self._chooses = runtime == AUTO
        self.runtimes: RuntimeTrial | None = None
        self._threads, self._flush = threads, flush
        self._unit = unit
        self._attach(self._measured(as_dataset(images, labels)))

    @property
    def is_outdated(self) -> bool:
        """Whether the classifier has changed since it was made ready."""
        return self._given.has_changed()

    def on(self, images: Images) -> "Sampler":
        """The same classifier, as it was made ready, on other inputs."""
        other = copy(self)
        dataset = other._measured(as_dataset(images, None))
        if self._unit is not None and dataset.unit != self.dataset.unit:
            raise InputError(
                f"these inputs are in {dataset.unit}, and those before them were in "
                f"{self.dataset.unit} of other scales: radii would be no distances of "
                "one kind. Give one simplicert.units.Unit for all"
            )
        other._attach(dataset, before=self.dataset)
        return other

    def _measured(self, dataset: Dataset) -> Dataset:
        """In the unit that was asked for, if one was: that of the whole split."""
        if self._unit is None:
            return dataset
        return measured_in(dataset, find_unit(self._unit)(dataset.whole))

    def _attach(self, dataset: Dataset, before: Dataset | None = None) -> None:
        """Take these inputs; the classifier is made ready once a shape and names."""
        self.dataset = dataset = in_classes_of(dataset, self._given)
        if before is None or facts_of(dataset) != facts_of(before):
            self.classifier = made_for(self._given, dataset)
            self.asked = Asked(
                self.classifier,
                dataset,
                noise=self.noise,
                precision=self.precision,
                device=self.device,
                runtime=self.runtime,
            )
        self.asked = self.asked.on(dataset)
        dataset.check_classes(self.classes)

    @property
    def classes(self) -> int:
        """How many the classifier has."""
        return self.asked.classes

    def plan(
        self,
        *,
        sigma: float,
        draws: int,
        out: Path | str | None = None,
        seed: int | None = None,
        block: int | None = None,
        batch: int | None = None,
        rule: Rule | None = None,
        alpha: float = ALPHA,
        scores: SoftScores = MEANS,
    ) -> Manifest:
        """The manifest of the run to be drawn; what is not given is as at ``out``.

        ``rule`` stops its images; ``alpha`` is that of the certificates it asks for.
        """
        there = RunDirectory.manifest_at(out) if out is not None else None
        total = checked_draws(draws) * len(self.dataset)
        if self._chooses and there is not None:
            if there.runtime != self.runtime:
                self._run_as(self.by(there.runtime))
        elif (
            self._chooses
            and self.runtimes is None
            and total >= WORTH_DRAWS
            and self.classifier.passes.trial is None  # else each trial has its price
        ):
            asked = self.by("eager").plan(
                sigma=sigma, draws=draws, batch=batch, rule=rule, alpha=alpha
            )
            self._run_as(fastest(self, asked))
            if RUNTIMES[self.runtime].compiles:
                batch = asked.batch
        if there is not None:
            seed = there.seed if seed is None else seed
            block = there.block if block is None and rule is None else block
            batch = there.batch if batch is None else batch
        if batch is None:
            batch = self.classifier.usual_batch(self.dataset.shape)
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
            runtime=self.runtime,
            device=self.device,
            threads=threads or torch.get_num_threads(),
            rule=rule,
            alpha=alpha,
            scores=scores,
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

        # Some compile each size anew.
        if batch is not None or total < WORTH_DRAWS or RUNTIMES[self.runtime].compiles:
            return plan

        def speed(size: int) -> float:
            return self.trial(plan.model_copy(update={"batch": size}), seconds=0.2)

        found = find_batch(speed, usual=plan.batch, most=total)
        plan = plan.model_copy(update={"batch": found})
        self.asked.probe(plan)
        return plan

    def by(self, runtime: str, *, precision: str | None = None) -> "Sampler":
        """The same by another runtime, or in another precision."""
        other = copy(self)
        other.runtime, other.precision = runtime, precision or self.precision
        other._chooses = False
        other._attach(self.dataset)
        return other

    def _run_as(self, other: "Sampler") -> None:
        self.runtime, self.runtimes = other.runtime, other.runtimes
        self.classifier, self.asked = other.classifier, other.asked

    def probe(self, plan: Manifest) -> Probe:
        """What the classifier answers to a few draws of a plan, before the first."""
        return self.asked.probe(plan)

    def outputs(self, inputs: Tensor) -> Tensor:
        """What the classifier returns for inputs as they are, which no run counts.

        With a gradient, where it has one.
        """
        return self.asked.outputs(inputs)

    def noise_alone(self, plan: Manifest, seeds: range) -> Tensor:
        """Noise as a plan's draws have it, one a seed, which no run counts."""
        zero = torch.zeros(1, *self.dataset.shape, device=self.device)
        questions = Questions(zero, plan, noise=self.noise, device=self.device)
        return questions.draw(seeds).float()

    def glance(self, plan: Manifest) -> Glance | None:
        """How the classifier does on the first hundred images, clean and noisy.

        ``None`` where there are no labels.
        """
        return self.asked.glance(plan)

    def trial(self, plan: Manifest, *, seconds: float = TRIAL_SECONDS) -> float:
        """Draws a second, measured for about so long, after a batch to warm up.

        Of a classifier that says how many draws a trial may take, in one pass.
        """
        once = self.classifier.passes.trial
        plan = shortened(plan, most=once)
        with cpu_threads(plan.threads):
            return measured(
                self.drawer(plan), plan, seconds=seconds if once is None else None
            )

    def fp32_speed(self, plan: Manifest) -> float | None:
        """Draws a second in fp32, on a CPU that is asked for another precision."""
        if plan.precision == "fp32" or plan.device != "cpu":
            return None
        other = self.by(self.runtime, precision="fp32")
        return other.trial(plan.model_copy(update={"precision": "fp32"}), seconds=0.3)

    def votes(
        self,
        plan: Manifest,
        *,
        rule: Rule | None = None,
        progress: Progress | bool | None = None,
    ) -> Votes:
        """All draws of a plan, in memory; an exception takes with it what there is."""
        memory = MemoryRun(plan)
        with shown_progress(progress) as told, memory.kept():
            self.draw(memory, rule=rule, progress=told)
        return memory.read()

    def draw(
        self,
        run: "RunDirectory | MemoryRun",
        *,
        rule: Rule | None = None,
        share: tuple[int, int] = (0, 1),
        progress: Told | None = None,
    ) -> None:
        """Draw what ``run`` lacks, flushing as it goes.

        Args:
            run: Where to.
            rule: What stops its images, if something does: what its manifest names, as
                an object. Others' code is not loaded because a file says so.
            share: ``(rank, world)``: every process takes each ``world``-th task, so
                that they need not talk to each other.
            progress: Told how much of the share is done.

        Raises:
            InputError: Non-finite logits, unless they are to be counted; images outside
                [0, 1]; a model that changes its mind about the shape of its output.
        """
        plan = run.manifest
        out = partial(
            Outgoing, run, self.asked, nonfinite=self.nonfinite, flush=self._flush
        )
        if plan.stops_early:
            self._draw_rounds(run, rule, out, share=share, progress=progress)
            return
        mine = Tasks(plan, share=share)
        found = run.found(skip_damaged=True)
        todo = mine.missing(found.done)
        assert plan.block is not None
        size = plan.block
        total = mine.count_blocks(np.arange(len(mine))) * size
        counted = total - mine.count_blocks(todo) * size
        if progress is not None:
            progress(counted, total)
        with cpu_threads(plan.threads), out(draws=total - counted) as going:
            drawer = self.drawer(plan, heard=going.hear, rivals=found.rivals)
            for rows in drawer.votes(mine[task] for task in todo):
                going.take(rows)
                counted += len(rows.blocks) * size
                if progress is not None:
                    progress(counted, total)

    def _draw_rounds(
        self,
        run: "RunDirectory | MemoryRun",
        rule: Rule | None,
        out: Callable[..., Outgoing],
        *,
        share: tuple[int, int],
        progress: Told | None,
    ) -> None:
        plan = run.manifest
        assert rule is not None, "whoever continues a run says by what rule"
        check_alone(rule, drawers=share[1])
        claims: AbstractContextManager[Claims | None] = nullcontext()
        if share[1] > 1 and isinstance(run, RunDirectory):
            claims = claiming(run.path, len(plan.images))
        with (
            cpu_threads(plan.threads),
            claims as claimed,
            out(draws=len(plan.images) * plan.looks[0].draws) as going,
        ):
            Rounds(run, rule, out=going, share=share, claims=claimed).draw(
                self.drawer(plan, heard=going.hear),
                ahead=1 if self.device.type == "cuda" else 0,
                told=progress,
            )

    def again(
        self,
        plan: Manifest,
        positions: Int[np.ndarray, " rows"],
        blocks: Int[np.ndarray, " rows"],
        *,
        rivals: Int[np.ndarray, "images chosen"] | None = None,
    ) -> Iterator[VoteRows]:
        """Draw some blocks of a run once more, in the company that they had.

        Of a run whose images stop, each alone.

        Args:
            plan: The run's manifest.
            positions: Each block's image, by its position in the run.
            blocks: Its number within the image.
            rivals: Whose margins there are, of each image of a run that has margins.

        Yields:
            The votes of these blocks, and of others that share their passes.
        """
        if plan.stops_early:  # who shared a pass, the rule decided then
            rows = np.arange(len(blocks))[:, None]
            again = (Task(positions=positions[i], blocks=blocks[i]) for i in rows)
        else:
            done = np.ones((len(plan.images), plan.blocks), dtype=bool)
            done[positions, blocks] = False
            tasks = Tasks(plan)
            again = (tasks[task] for task in tasks.missing(done))
        with cpu_threads(plan.threads):
            yield from self.drawer(plan, rivals=rivals).votes(again)

    def drawer(
        self,
        plan: Manifest,
        heard: Callable[[Tensor, Tensor], None] | None = None,
        rivals: Int[np.ndarray, "images chosen"] | None = None,
        read: Callable[[Int[np.ndarray, " n"]], np.ndarray] | None = None,
    ) -> Drawer:
        """What draws a plan; ``read`` gives inputs in the place of the data set's."""
        return Drawer(
            self.asked.forward,
            read or self.asked.read,
            plan,
            noise=self.noise,
            output=self.classifier.output,
            device=self.device,
            heard=heard,
            rivals=rivals,
        )
