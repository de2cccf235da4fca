"""``simplicert demo``: everything, once, on data that ships with a dependency."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.arguments import checked_alpha
from simplicert.certificates import ALPHA, certify, find_procedure
from simplicert.certificates.reach import reach
from simplicert.cli.output import print_table1
from simplicert.cli.printing import say
from simplicert.cli.progress import draw_progress, training_progress
from simplicert.cli.train import trained_already
from simplicert.cli.types import Whole
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.interop import write_certificates
from simplicert.models import build_model, save_checkpoint
from simplicert.report import write
from simplicert.sampling import Sampler, sample
from simplicert.training import load_recipe, train

SIGMAS = (0.25, 0.5, 1.0)


def demo_command(
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("demo"),
    draws: Whole = 10_000,
    alpha: float = ALPHA,
    seed: Whole = 0,
) -> None:
    """Train, sample, certify and report on handwritten digits, at three sigmas.

    1,442 real 8×8 scans train a small network under noise; 355 others are certified.
    Run it again and it goes on where it stopped.

        simplicert demo

    Args:
        out: Directory for the models, runs, tables and the report.
        draws: Noisy forward passes an image.
        alpha: Failure probability of each image's certificate.
        seed: Decides the weights and the noise.
    """
    checked_alpha(alpha)
    training, test = load_dataset("digits", split="train"), load_dataset("digits")
    runs = {
        out / f"sigma-{sigma:.2f}": load_recipe("digits", sigma=sigma, seed=seed)
        for sigma in SIGMAS
    }
    # What sampling would refuse, and what another demo left, before the first training.
    architecture = load_recipe("digits").architecture
    network = build_model(architecture, shape=test.shape, classes=len(test.class_names))
    sampler = Sampler(network, test)
    for run, recipe in runs.items():
        plan = sampler.plan(
            sigma=recipe.sigma, draws=draws, seed=seed, out=run, batch=1
        )
        least = reach(
            find_procedure(),
            looks=plan.looks,
            noise=sampler.noise,
            sigma=plan.sigma,
            alpha=alpha,
        )
        if least.warning:
            raise InputError(least.warning)
        trained_already(_checkpoint(run), recipe, training)
    out.mkdir(parents=True, exist_ok=True)
    for run, recipe in runs.items():
        checkpoint, sigma = _checkpoint(run), recipe.sigma
        if not checkpoint.is_file():
            with training_progress(f"training, sigma {sigma:.2f}") as watcher:
                model, facts = train(
                    training, recipe, validation=test, progress=watcher
                )
            save_checkpoint(checkpoint, model, facts)
        with draw_progress(f"sampling, sigma {sigma:.2f}") as progress:
            votes = sample(
                checkpoint,
                test,
                sigma=sigma,
                draws=draws,
                seed=seed,
                out=run,
                progress=progress,
            )
        for framework in ("multinomial", "softmax"):
            certificates = certify(votes, alpha=alpha, framework=framework)
            write_certificates(certificates, out / f"{run.name}-{framework}.parquet")
            print_table1(certificates)
    written = write(list(runs), page=out / "report.html", alpha=alpha, dataset=test)
    say(f"votes:        {', '.join(str(run) for run in runs)}")
    say(f"certificates: {out}/sigma-*.parquet")
    say(f"report:       {written.page}")


def _checkpoint(run: Path) -> Path:
    return run.with_name(f"{run.name}.safetensors")
