"""``simplicert neighbours``: where certificates about other points may help."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from simplicert.cli.consent import agreed
from simplicert.cli.inputs import classifier_and_data
from simplicert.cli.printing import escaped, say
from simplicert.cli.progress import draw_progress
from simplicert.cli.types import Names, Numbers, Radii, Whole
from simplicert.data.cuts import Interpolation
from simplicert.data.neighbours import save_neighbours
from simplicert.data.selection import select_images
from simplicert.errors import InputError
from simplicert.files import check_result, check_suffix
from simplicert.sampling import Sampler
from simplicert.sampling.bill import Bill
from simplicert.sampling.neighbours import DISTANCES, EACH, PILOT, find_neighbours

INPUTS, PHOTOGRAPHS, CLASSIFIER, MACHINE = (
    Parameter(group=Group.create_ordered(name))
    for name in ("Inputs", "Photographs", "Classifier", "Machine")
)


def neighbours_command(
    model: str,
    data: str,
    /,
    *,
    sigma: float,
    out: Annotated[Path, Parameter(alias="-o")],
    each: Whole = EACH,
    pilot: Whole = PILOT,
    distances: Annotated[
        Radii,
        Parameter(
            help="How many sigma away they are looked for.",
            show_default="0.25,0.5,1",
        ),
    ] = DISTANCES,
    seed: Whole | None = None,
    split: Annotated[str, INPUTS] = "test",
    images: Annotated[str | None, INPUTS] = None,
    per_class: Annotated[Whole | None, INPUTS] = None,
    image_column: Annotated[str | None, INPUTS] = None,
    label_column: Annotated[str | None, INPUTS] = None,
    feature_columns: Annotated[Names | None, INPUTS] = None,
    unit: Annotated[str | None, INPUTS] = None,
    size: Annotated[Whole | None, PHOTOGRAPHS] = None,
    crop: Annotated[float | None, PHOTOGRAPHS] = None,
    interpolation: Annotated[Interpolation | None, PHOTOGRAPHS] = None,
    stretch: Annotated[bool | None, PHOTOGRAPHS, Parameter(negative=None)] = None,
    output: Annotated[str | None, CLASSIFIER] = None,
    mean: Annotated[Numbers | None, CLASSIFIER] = None,
    std: Annotated[Numbers | None, CLASSIFIER] = None,
    denoiser: Annotated[str | None, CLASSIFIER] = None,
    precision: Annotated[Literal["fp32", "bf16", "fp16"], CLASSIFIER] = "fp32",
    runtime: Annotated[
        Literal["eager", "folded", "compiled", "onnxruntime", "openvino"], CLASSIFIER
    ] = "eager",
    cost: Annotated[float | None, CLASSIFIER] = None,
    yes: Annotated[bool, CLASSIFIER] = False,
    device: Annotated[str | None, MACHINE] = None,
    threads: Annotated[Whole | None, MACHINE] = None,
    batch: Annotated[Whole | None, MACHINE] = None,
) -> None:
    """Choose points beside each input whose certificates may enlarge its own.

    Its draws are not counted: they choose, and others certify. Sample the file as any
    data, and give its run to certify --neighbours:

        simplicert neighbours digits-0.50.safetensors digits \\
            --sigma 0.5 -o neighbours.npz

    Args:
        model: As for sample.
        data: Likewise, and the other options of inputs.
        sigma: Standard deviation of the noise.
        out: File to write, FILE.npz.
        each: Neighbours of an input. Every certificate, its own too, is then at
            alpha / (1 + each).
        pilot: Draws an input that look for them.
        distances: How many sigma away.
        seed: Decides the noise. Default: a new one.
        split: Part of the dataset.
        images: Which: a slice 0:100:2, a list 3,14,15, or a file of positions.
        per_class: Only the first so many of each class.
        image_column: Column or array of the images, if it has another name.
        label_column: Column or array of the labels, if it has another name.
        feature_columns: Columns of a table that are features.
        unit: What sigma and radii are in.
        size: Cut photographs to a square of this side.
        crop: Part of the scaled shorter side that the square keeps.
        interpolation: How photographs are scaled.
        stretch: Whether to stretch photographs to squares instead of cutting.
        output: What the model returns, if it does not say so itself.
        mean: What to subtract from pixels in [0, 1] first.
        std: What to divide them by then.
        denoiser: What is given the noisy pixels first, as for sample.
        precision: Of the forward pass.
        runtime: What runs a torch model.
        cost: What a pass costs. Default: as a service says.
        yes: Spend what it will cost without asking.
        device: A torch device. Default: CUDA where there is one.
        threads: CPU threads.
        batch: Most draws a forward pass.
    """
    check_suffix(out, [".npz"])
    check_result(out)
    classifier, dataset = classifier_and_data(
        model,
        data,
        split=split,
        size=size,
        crop=crop,
        interpolation=interpolation,
        stretch=stretch,
        image_column=image_column,
        label_column=label_column,
        output=output,
        feature_columns=feature_columns,
        mean=mean,
        std=std,
        denoiser=denoiser,
        sigma=sigma if unit is None else None,
        cost=cost,
    )
    dataset = select_images(dataset, images=images, per_class=per_class)
    if dataset.neighbours is not None:
        raise InputError(f"{data} holds neighbours already: give the inputs themselves")
    bill = None
    if classifier.passes.cost:
        bill = Bill.of(classifier, dataset, draws=pilot * len(dataset))
    if not agreed(bill, yes=yes, asks=True, dry_run=False):
        return
    sampler = Sampler(
        classifier,
        dataset,
        unit=unit,
        precision=precision,
        runtime=runtime,
        device=device,
        threads=threads,
    )
    plan = sampler.plan(sigma=sigma, draws=pilot, seed=seed, batch=batch)
    with draw_progress(escaped(out.name)) as progress:
        around = find_neighbours(
            sampler,
            plan,
            each=each,
            pilot=pilot,
            distances=distances,
            progress=progress,
        )
    save_neighbours(out, around)
    say(f"{out}: {each} neighbours of each of {len(dataset)} {plan.data.inputs}")
    before = "" if denoiser is None else f"--denoiser {denoiser} "
    say(
        f"next: simplicert sample {model} {out} {before}--sigma {sigma:g} --draws … "
        "-o RUN"
    )
    say("then: simplicert certify RUN_OF_THE_INPUTS --neighbours RUN")
