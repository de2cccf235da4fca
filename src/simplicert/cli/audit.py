"""``simplicert audit``: try to falsify what a run, a log or a table claims."""

from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from simplicert.audit import Audit, Finding, audit_claims
from simplicert.cli.output import print_json, width
from simplicert.cli.printing import say
from simplicert.cli.types import Numbers, Whole, a_noise
from simplicert.data.cuts import Interpolation
from simplicert.errors import InputError
from simplicert.interop import check_votes
from simplicert.votes import RunDirectory

FALSIFIED = 1
"""Exit code: a claim is false."""

_UNREADABLE = ("manifest", "stored parts")
_INDENT = 13

LOGS, IMAGES, PHOTOGRAPHS, CLASSIFIER, MACHINE = (
    Parameter(group=Group.create_ordered(name))
    for name in ("Logs and tables", "Images", "Photographs", "Classifier", "Machine")
)


def audit_command(
    subject: str,
    model: str | None = None,
    data: str | None = None,
    /,
    *,
    replay: str | None = None,
    seed: Whole | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: bool = False,
    sigma: Annotated[float | None, LOGS] = None,
    draws: Annotated[Whole | None, LOGS] = None,
    alpha: Annotated[float | None, LOGS] = None,
    noise: Annotated[str | None, LOGS, a_noise("Noise that was added")] = None,
    norm: Annotated[str | None, LOGS] = None,
    certificate: Annotated[Literal["cohen", "other"] | None, LOGS] = None,
    ignore_column: Annotated[tuple[str, ...], LOGS] = (),
    label_column: Annotated[str | None, LOGS, IMAGES] = None,
    split: Annotated[str, IMAGES] = "test",
    image_column: Annotated[str | None, IMAGES] = None,
    size: Annotated[Whole | None, PHOTOGRAPHS] = None,
    crop: Annotated[float | None, PHOTOGRAPHS] = None,
    interpolation: Annotated[Interpolation | None, PHOTOGRAPHS] = None,
    stretch: Annotated[bool | None, PHOTOGRAPHS, Parameter(negative=None)] = None,
    mean: Annotated[Numbers | None, CLASSIFIER] = None,
    std: Annotated[Numbers | None, CLASSIFIER] = None,
    device: Annotated[str | None, MACHINE] = None,
    threads: Annotated[Whole | None, MACHINE] = None,
) -> int:
    """Try to falsify what a run, a log or a table of certificates claims.

    The last line is the verdict: exit code 0, or 1 where a claim is false. Without a
    model it needs no torch. With the model and the data of a run, --replay draws some
    of its blocks again.

        simplicert audit runs/s0.50
        simplicert audit log.tsv --sigma 0.5 --draws 100000 --alpha 0.001
        simplicert audit runs/s0.50 digits-0.50.safetensors digits --replay 1%

    Args:
        subject: A run directory, an imported log, a log or table of counts as import
            reads them, or a table of certificates (.csv, .parquet) that certify wrote.
        model: The run's classifier, as sample takes it.
        data: The run's data, likewise.
        replay: Draw so many blocks again: a share, 1%, or a number.
        seed: Of what is chosen at random. Default: a new one, recorded.
        out: Write the audit as an HTML page.
        json: Print the findings as JSON.
        sigma: Standard deviation of the noise, where the subject does not say it.
        draws: Draws behind each radius, likewise.
        alpha: Failure probability of each row, likewise.
        noise: What was added: gaussian, if nothing is said; or the run's, if it is one
            of your own.
        norm: Of the balls: l1, l2 or linf; none, if they are no distances.
        certificate: What a log's radii are: cohen, or other.
        ignore_column: A column that is to be left out; repeatable.
        label_column: Column or array of the labels, if it has another name.
        split: Part of the dataset.
        image_column: Column or array of the images, if it has another name.
        size: Cut photographs to a square of this side, as for sample.
        crop: Part of the scaled shorter side that the square keeps.
        interpolation: How photographs are scaled.
        stretch: Whether to stretch photographs to squares instead of cutting.
        mean: What to subtract from pixels in [0, 1] first, as for sample.
        std: What to divide them by then.
        device: A torch device. Default: that kind which the run was drawn on.
        threads: CPU threads. Default: the run's.
    """
    if out is not None:
        from simplicert.report.page import check_page  # noqa: PLC0415 (plotly, late)

        check_page(out)
    if (model is None) != (replay is None) or (model is None) != (data is None):
        raise InputError(
            "MODEL and DATA go with --replay, and --replay with both: "
            "simplicert audit RUN MODEL DATA --replay 1%"
        )
    # A procedure in place of a path: its own audit goes here.
    audit = audit_claims(
        subject,
        sigma=sigma,
        draws=draws,
        alpha=alpha,
        noise=noise if model is None else None,
        norm=norm,
        certificate=certificate,
        label_column=label_column if model is None else None,
        ignore_column=ignore_column,
    )
    if model is not None and data is not None and replay is not None:
        check_votes(subject)
        run = _whole_run(audit)
        found = _not_replayed()
        if run is not None:
            from simplicert.audit.replay import replay as drawn_again  # noqa: PLC0415 (torch)
            from simplicert.audit.replay import run_images  # noqa: PLC0415
            from simplicert.cli.inputs import classifier_and_data  # noqa: PLC0415
            from simplicert.cli.progress import draw_progress  # noqa: PLC0415
            from simplicert.sampling import Sampler  # noqa: PLC0415

            plan = run.manifest
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
                mean=mean,
                std=std,
            )
            sampler = Sampler(
                classifier,
                run_images(dataset, run),
                noise=plan.noise.name if noise is None else noise,
                precision=plan.precision,
                compiled=plan.compiled,
                device=plan.device if device is None else device,
                threads=threads or plan.threads or None,
                nonfinite="count",
            )
            with draw_progress("replay") as progress:
                found = drawn_again(
                    sampler, run, share=replay, seed=seed, progress=progress
                )
        # An attack on the run's certificates, with the same sampler, goes here.
        audit = replace(
            audit,
            findings=(*audit.findings, *found),
            not_proved="blocks that were not drawn again may be forged, and a forgery "
            "of fewer draws than rounding turns is not seen",
        )
    if out is not None:
        _write(audit, out)
    _print(audit, json=json)
    return FALSIFIED if audit.falsified else 0


def _whole_run(audit: Audit) -> RunDirectory | None:
    """The run, if what is stored of it can be read; it may be forged nevertheless."""
    if audit.falsified and any(f.check in _UNREADABLE for f in audit.findings):
        return None
    return RunDirectory(audit.subject)


def _not_replayed() -> list[Finding]:
    says = "what is stored cannot be read as votes of one run"
    return [Finding(check="blocks drawn again", outcome="not checked", says=says)]


def _write(audit: Audit, out: Path) -> None:
    from simplicert.audit.page import render_audit  # noqa: PLC0415 (plotly, late)
    from simplicert.report.page import write_report  # noqa: PLC0415

    write_report(render_audit(audit), out)


def _print(audit: Audit, *, json: bool) -> None:
    if json:
        print_json(
            {
                "subject": audit.subject,
                "facts": audit.facts,
                "findings": [vars(each) for each in audit.findings],
                "not_proved": audit.not_proved,
                "falsified": audit.falsified,
                "verdict": audit.verdict,
            }
        )
        return
    say(f"{audit.subject}: " + ", ".join(f"{k} {v}" for k, v in audit.facts.items()))
    for finding in audit.findings:
        say(_lines(finding))
    say(audit.verdict)


def _lines(finding: Finding) -> str:
    """The outcome and the check, and below them the sentence, for a terminal."""
    said = [finding.says]
    if (columns := width()) is not None:
        said = wrap(finding.says, max(columns - _INDENT, 40))
    margin = " " * _INDENT
    return "\n".join(
        [f"{finding.outcome:<{_INDENT}}{finding.check}", *(margin + x for x in said)]
    )
