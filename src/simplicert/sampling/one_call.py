"""The one expensive step: noisy forward passes → votes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from simplicert.certificates import ALPHA
from simplicert.data.given import Images
from simplicert.noises import Noise
from simplicert.sampling.progress import Progress, shown_progress
from simplicert.sampling.sampler import FLUSH_SECONDS, Sampler
from simplicert.sampling.soft import SoftScores
from simplicert.sampling.workers import writer
from simplicert.stopping import Rule, as_rule
from simplicert.units import Unit
from simplicert.votes import Votes

__all__ = ["sample"]


def sample(
    model: object,
    images: Images,
    *,
    sigma: float,
    draws: int,
    until: str | Rule | Sequence[float] | np.ndarray | float | None = None,
    alpha: float = ALPHA,
    margins: bool = False,
    rivals: int | None = None,
    temperature: float = 1.0,
    labels: Sequence[int] | Int[np.ndarray, " images"] | None = None,
    unit: str | Unit | None = None,
    noise: str | Noise = "gaussian",
    out: Path | str | None = None,
    seed: int | None = None,
    block: int | None = None,
    batch: int | None = None,
    precision: str = "fp32",
    runtime: str = "eager",
    device: str | None = None,
    threads: int | None = None,
    nonfinite: str = "stop",
    flush: float = FLUSH_SECONDS,
    progress: Progress | bool | None = None,
) -> Votes:
    """Draw noisy forward passes and count the votes.

    Args:
        model: A torch module (inputs → logits, normalisation inside); a
            ``TorchClassifier`` or ``NumpyClassifier``; a scikit-learn classifier; or,
            as text, what the command takes: a checkpoint, an ONNX file, ….
        images: A dataset; an array: (images, channels, height, width), in [0, 1] or
            bytes; or of any other shape, as (rows, features), without a range; or a
            ``DataFrame``, a list, a torch ``Dataset``, … (``docs/data.md``).
        sigma: Noise standard deviation, in the unit. The noise is added to the input,
            and the noisy input is not clipped.
        draws: Forward passes an image, a multiple of ``block``; or, with ``until``, the
            most that one can get.
        until: What is to be decided of an image, which then gets no more draws: radii,
            in input units and rising; or another rule, as ``stopping.within(0.05)``,
            ``stopping.budget(10_000_000)`` or ``"FILE.py:NAME"``. Default: every image
            gets all draws. It costs no certificate its proof (``docs/looks.md``).
        alpha: At which ``until`` asks. Certify at any other.
        margins: Whether to record how far the class was ahead in each draw, for the
            procedure ``margins`` (``docs/margins.md``): of the soft scores' margins
            over some rivals, and over all others. An image's first block chooses whose.
        rivals: How many. Default: 4, or as many as there are.
        temperature: What logits are divided by before the softmax. It is part of what
            is certified, so choose it before.
        labels: True classes, for an array of images. Optional.
        unit: What sigma and radii are measured in: ``"levels"`` (0 to 255),
            ``"deviations"`` of each feature over these inputs, a table ``FILE.csv``, a
            ``simplicert.units.Unit``, … (``docs/units.md``). The model takes the values
            as they are given, whatever the unit. Default: pixels in [0, 1] of images;
            of other inputs, their own numbers.
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
        runtime: What runs a torch module: ``"eager"`` (torch itself); ``"folded"``,
            ``"compiled"``, ``"onnxruntime"`` or ``"openvino"``, which are faster and
            round differently (``docs/speed.md``); or ``"auto"``: the fastest of those
            installed, by a short trial, or that of the run continued.
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
            another process is drawing into it; ``until`` asks for what ``draws`` can
            never certify.

    Example:
        >>> import torch
        >>> images = np.random.default_rng(0).random((2, 1, 8, 8), dtype=np.float32)
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> sample(model, images, sigma=0.5, draws=100, seed=0).counts.sum(axis=1)
        array([100, 100])
        >>> early = sample(model, images, sigma=0.5, draws=10_000, until=0.1, seed=0)
        >>> bool(early.draws.sum() < 20_000)
        True
    """
    sampler = Sampler(
        model,
        images,
        labels=labels,
        unit=unit,
        noise=noise,
        precision=precision,
        runtime=runtime,
        device=device,
        threads=threads,
        nonfinite=nonfinite,
        flush=flush,
    )
    rule = None if until is None else as_rule(until)
    plan = sampler.plan(
        sigma=sigma,
        draws=draws,
        out=out,
        seed=seed,
        block=block,
        batch=batch,
        rule=rule,
        alpha=alpha,
        scores=SoftScores(margins=margins, rivals=rivals, temperature=temperature),
    )
    if out is None:
        return sampler.votes(plan, rule=rule, progress=progress)
    with shown_progress(progress) as told, writer(out, plan) as run:
        sampler.draw(run, rule=rule, progress=told)
        run.compact()
        return run.read()
