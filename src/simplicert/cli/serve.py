"""``simplicert serve``: a certified classifier behind HTTP."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from cyclopts import Group, Parameter

from simplicert.certificates import ALPHA
from simplicert.classifiers import Classifier, as_classifier
from simplicert.cli.consent import check_agreed
from simplicert.cli.printing import note
from simplicert.cli.types import Names, Numbers, Whole, a_mechanism, a_noise
from simplicert.data import Dataset, load_dataset
from simplicert.data.cuts import choose_cut
from simplicert.data.given import as_dataset
from simplicert.data.units import find_unit
from simplicert.errors import InputError
from simplicert.sampling import Sampler
from simplicert.sampling.glance import GLANCED
from simplicert.serve.app import TIMEOUT
from simplicert.serve.bodies import Bodies
from simplicert.serve.listen import PLACES, bound, serve
from simplicert.serve.service import DRAWS, SHIFT, Service, prepare, served_inputs
from simplicert.units import Unit

INPUTS, LIMITS, LOG, CLASSIFIER, MACHINE = (
    Parameter(group=Group.create_ordered(name))
    for name in ("Inputs", "Limits", "Log", "Classifier", "Machine")
)


def serve_command(
    model: str,
    /,
    *,
    sigma: float,
    draws: Whole = DRAWS,
    triage: Annotated[Numbers, Parameter(show_default=False)] = (),
    alpha: float = ALPHA,
    noise: Annotated[str, a_noise("Noise that is added")] = "gaussian",
    mechanism: Annotated[
        str | None,
        a_mechanism("What names the class and the radius", "the tight one"),
    ] = None,
    hide_radii: bool = False,
    host: str = "127.0.0.1",
    port: Whole = 8000,
    hosts: Annotated[Names, Parameter(show_default=False)] = (),
    dry_run: bool = False,
    like: Annotated[str | None, INPUTS] = None,
    split: Annotated[str, INPUTS] = "test",
    shape: Annotated[Numbers | None, INPUTS] = None,
    names: Annotated[str | None, INPUTS] = None,
    size: Annotated[Whole | None, INPUTS] = None,
    unit: Annotated[str | None, INPUTS] = None,
    queue: Annotated[Whole, LIMITS] = PLACES,
    most: Annotated[Whole, LIMITS] = 64,
    timeout: Annotated[float, LIMITS] = TIMEOUT,
    log: Annotated[Path | None, LOG] = None,
    log_inputs: Annotated[bool, LOG] = False,
    shift: Annotated[Whole, LOG] = SHIFT,
    output: Annotated[str | None, CLASSIFIER] = None,
    mean: Annotated[Numbers | None, CLASSIFIER] = None,
    std: Annotated[Numbers | None, CLASSIFIER] = None,
    denoiser: Annotated[str | None, CLASSIFIER] = None,
    precision: Annotated[Literal["fp32", "bf16", "fp16"], CLASSIFIER] = "fp32",
    runtime: Annotated[str, CLASSIFIER] = "eager",
    yes: Annotated[bool, CLASSIFIER] = False,
    device: Annotated[str | None, MACHINE] = None,
    threads: Annotated[Whole | None, MACHINE] = None,
    batch: Annotated[Whole | None, MACHINE] = None,
) -> None:
    """Answer inputs over HTTP: a class and its certified radius, or why there is none.

    An input gets no more draws than decide its band of radii. POST it to /certify, or
    open / in a browser; what is understood is at /openapi.json. Stop it with Ctrl-C.

        simplicert serve digits-0.50.safetensors --like digits \\
            --sigma 0.5 --triage 0.1,0.5 --log votes/

    Args:
        model: As for sample.
        sigma: Standard deviation of the noise, in the inputs' unit: of images pixels in
            [0, 1].
        draws: The most that an input can get.
        triage: Radii between bands, as 0.1,0.5. Without, an input stops when its class
            is decided.
        alpha: Failure probability of each input's certificate.
        noise: What is added to the inputs.
        mechanism: What names the class and the radius.
        hide_radii: Answer with decisions alone: radii guide attackers.
        host: Where to listen; other machines reach 0.0.0.0.
        port: Likewise.
        hosts: Names by which it may be asked, with commas between, where a proxy passes
            them on. Where it listens on this machine alone, others are refused.
        dry_run: Say what would be done, and stop there.
        like: A data set of such inputs: their shape, the classes' names, and what the
            model is asked about before it is served.
        split: Part of it.
        shape: Of an input, as 3,32,32, where neither the model nor --like says it.
        names: Of the classes, with commas between.
        size: Cut photographs to a square of this side. Default: as published with the
            model, where that is known.
        unit: What sigma, radii and --triage are in, as for sample; deviations are those
            of --like. Inputs are sent in the values that the model takes, in the
            order of --like.
        queue: Inputs that may wait at a time; others get 503.
        most: Inputs that a request may have.
        timeout: Seconds that a request may take.
        log: A folder for the votes behind every answer, which certify and audit read.
        log_inputs: Keep the inputs there, too, so that votes can be drawn again.
        shift: Inputs that are logged in one run.
        output: What the model returns, as for sample.
        mean: As for sample.
        std: Likewise.
        denoiser: What is given the noisy pixels first, as for sample.
        precision: Of the forward pass; part of what is certified.
        runtime: What runs a torch model's passes, as for sample.
        yes: Spend what passes cost: whoever asks decides how many there are.
        device: A torch device. Default: CUDA where there is one.
        threads: CPU threads.
        batch: Most draws a forward pass. Default: found by a short trial.
    """
    if min(queue, most, shift) < 1 or not timeout > 0:
        raise InputError("--queue, --most, --shift and --timeout must be more than 0")
    if log_inputs and log is None:
        raise InputError("inputs are kept in the log: say where, with --log")
    with ExitStack() as held:
        there = None if dry_run else held.enter_context(bound(host, port))
        classifier = as_classifier(
            model,
            output=output,
            mean=mean,
            std=std,
            denoiser=denoiser,
            sigma=sigma if unit is None else None,
        )
        check_agreed(
            classifier,
            yes=yes,
            many=f"it is asked before it listens (also --dry-run), and up to {draws:,} "
            "times for every input that anybody sends",
        )
        cut = choose_cut(classifier.cuts, size=size)
        known = like and load_dataset(
            like, split=split, size=size, cut=cut, known_features=classifier.features
        )
        fixed = _fixed_unit(unit, known or None, shape=shape or classifier.shape)
        examples = _examples(
            classifier, known or None, shape=shape, names=names, unit=fixed
        )
        sampler = Sampler(
            classifier,
            examples,
            unit=fixed,
            noise=noise,
            precision=precision,
            runtime=runtime,
            device=device,
            threads=threads,
            nonfinite="count",  # of no class, which is sound: one input stops no others
        )
        service = prepare(
            sampler,
            sigma=sigma,
            draws=draws,
            triage=triage,
            alpha=alpha,
            mechanism=mechanism,
            batch=batch,
            hide=hide_radii,
            bodies=Bodies(like=examples, unit=sampler.dataset.unit, cut=cut, most=most),
        )
        for line in (*service.in_words(), *_seen(service, known or None)):
            note(line)
        if there is not None:
            serve(
                service,
                there,
                folder=log,
                inputs=log_inputs,
                places=queue,
                size=shift,
                timeout=timeout,
                names=hosts,
                said=note,
            )


def _seen(service: Service, like: Dataset | None) -> list[str]:
    """How the classifier does on the first of --like, if they have labels.

    Another order of the classes would give every answer another's name.
    """
    if like is None or like.labels is None or service.sampler.classifier.passes.cost:
        return []
    few = like.select(np.arange(min(GLANCED, len(like))))
    labels = like.labels[: len(few)].tolist()
    changes = {"images": few.indices.tolist(), "labels": labels}
    plan = service.plan.model_copy(update=changes)
    found = service.sampler.on(few).glance(plan)
    if found is None:
        return []
    warning = [f"warning: {found.warning}"] if found.warning else []
    return [found.line, *warning]


def _fixed_unit(
    spec: str | None, like: Dataset | None, *, shape: Sequence[float] | None
) -> Unit | None:
    """The unit of all inputs that will come; ``None``: the usual one.

    Raises:
        InputError: It would be that of a data set, and there is none.
    """
    if spec is None:
        return None
    if like is not None:
        return find_unit(spec)(like)
    of_a_data_set = InputError(
        f"the unit {spec} is that of a data set: give one of such inputs, --like"
    )

    def read(rows: np.ndarray) -> np.ndarray:  # noqa: ARG001 (a reader)
        raise of_a_data_set

    shaped = np.zeros((1, *map(int, shape or (1,))))
    stand_in = replace(as_dataset(shaped, None), reader=read)
    if spec.endswith(".csv"):
        raise of_a_data_set
    return find_unit(spec)(stand_in)


def _examples(
    classifier: Classifier,
    like: Dataset | None,
    *,
    shape: tuple[float, ...] | None,
    names: str | None,
    unit: Unit | None,
) -> Dataset:
    """What stands for the inputs that will come."""
    known = shape or classifier.shape
    if like is None and known is None:
        raise InputError(
            f"{classifier.name} does not say what shape its inputs have: give --shape, "
            "as 3,32,32, or --like with a data set of such inputs"
        )
    said = tuple(int(each) for each in known or ())
    if shape is not None and (said != tuple(shape) or min(said) < 1):
        raise InputError("--shape takes whole numbers, as 3,32,32")
    called = [name.strip() for name in names.split(",")] if names else []
    return served_inputs(said, like=like, names=called, unit=unit)
