"""``simplicert audit``: try to falsify what a run, a log or a table claims."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from simplicert.audit import Audit, Finding, audit_claims
from simplicert.certificates import certify
from simplicert.certificates.certify import ALPHA
from simplicert.cli.output import print_json, width
from simplicert.cli.printing import say
from simplicert.cli.types import Names, Numbers, Whole, a_mechanism, a_noise
from simplicert.data.cuts import Interpolation
from simplicert.errors import InputError
from simplicert.files import check_result
from simplicert.interop import check_votes
from simplicert.structured import number
from simplicert.votes import RunDirectory

FALSIFIED = 1
"""Exit code: a claim is false."""

_REPLAYED = (
    "blocks that were not drawn again may be forged, and a forgery of fewer draws than "
    "rounding turns is not seen"
)
_SEARCHED = "another search may find what this one did not"
"""What an audit with a model could not have found."""

_UNREADABLE = ("manifest", "stored parts")
_INDENT = 13

_SUBJECTS, _TRIED = "a log or a table", "a procedure"
_DRAWN, _ATTACKED = "--replay or --attack", "--attack"
_INPUTS = (
    *("split", "image_column", "label_column", "feature_columns", "size", "crop"),
    *("interpolation", "stretch", "output", "mean", "std", "denoiser"),
)
_GOES_WITH = {
    _SUBJECTS: (
        *("sigma", "draws", "alpha", "noise", "norm", "certificate"),
        *("label_column", "ignore_column"),
    ),
    _TRIED: (
        *("alpha", "draws", "seed", "trials", "power", "detect", "mechanism"),
        "asymptotic",
    ),
    _DRAWN: ("seed", "noise", "device", "threads", "yes", *_INPUTS),
    _ATTACKED: ("alpha", "mechanism", "attacked"),
}
"""Which options say something of what is audited, and how."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}

LOGS, PROCEDURES, IMAGES, PHOTOGRAPHS, CLASSIFIER, MACHINE = (
    Parameter(group=Group.create_ordered(name))
    for name in (
        "Logs and tables",
        "Procedures",
        "Inputs",
        "Photographs",
        "Classifier",
        "Machine",
    )
)


def audit_command(
    subject: str,
    model: str | None = None,
    data: str | None = None,
    /,
    *,
    replay: str | None = None,
    attack: str | None = None,
    attacked: Path | None = None,
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
    trials: Annotated[Whole | None, PROCEDURES] = None,
    power: Annotated[float, PROCEDURES] = 0.99,
    detect: Annotated[float, PROCEDURES] = 2.0,
    asymptotic: Annotated[bool, PROCEDURES] = False,
    mechanism: Annotated[
        str | None, PROCEDURES, a_mechanism("Whose radii are attacked, or tried")
    ] = None,
    split: Annotated[str, IMAGES] = "test",
    image_column: Annotated[str | None, IMAGES] = None,
    feature_columns: Annotated[Names | None, IMAGES] = None,
    size: Annotated[Whole | None, PHOTOGRAPHS] = None,
    crop: Annotated[float | None, PHOTOGRAPHS] = None,
    interpolation: Annotated[Interpolation | None, PHOTOGRAPHS] = None,
    stretch: Annotated[bool | None, PHOTOGRAPHS, Parameter(negative=None)] = None,
    output: Annotated[str | None, CLASSIFIER] = None,
    mean: Annotated[Numbers | None, CLASSIFIER] = None,
    std: Annotated[Numbers | None, CLASSIFIER] = None,
    denoiser: Annotated[str | None, CLASSIFIER] = None,
    yes: Annotated[bool, CLASSIFIER] = False,
    device: Annotated[str | None, MACHINE] = None,
    threads: Annotated[Whole | None, MACHINE] = None,
) -> int:
    """Try to falsify a run, a log, a table of certificates, or a procedure.

    The last line is the verdict: exit code 0, or 1 where a claim is false. Without a
    model it needs no torch. With the model and the data of a run, --replay draws some
    of its blocks again, and --attack searches its certified balls for another class. A
    procedure (a built-in's name, FILE.py:NAME) is run thousands of times where the
    truth is known.

        simplicert audit runs/s0.50
        simplicert audit log.tsv --sigma 0.5 --draws 100000 --alpha 0.001
        simplicert audit runs/s0.50 digits-0.50.safetensors digits --replay 1%
        simplicert audit runs/s0.50 digits-0.50.safetensors digits --attack 5m
        simplicert audit mine.py:certify --alpha 0.05

    Args:
        subject: A run directory, an imported log, a log or table of counts as import
            reads them, a table of certificates (.csv, .parquet) that certify wrote; or
            a procedure.
        model: The run's classifier, as sample takes it.
        data: The run's data, likewise.
        replay: Draw so many blocks again: a share, 1%, or a number.
        attack: Search the certified balls for so long: 90s, 5m, 2h.
        attacked: Write the points of confirmed changes there (.npz), those inside the
            balls and those outside.
        seed: Of what is chosen at random. Default: a new one, recorded.
        out: Write the audit as an HTML page.
        json: Print the findings as JSON.
        sigma: Standard deviation of the noise, where the subject does not say it.
        draws: Draws behind each radius, likewise; of a procedure, in each certificate.
        alpha: Failure probability of each row, likewise; of a run's certificates that
            are attacked (default 0.001); or that a procedure is asked for (0.05).
        noise: What was added: gaussian, if nothing is said; or the run's, if it is one
            of your own.
        norm: Of the balls: l1, l2 or linf; none, if they are no distances.
        certificate: What a log's radii are: cohen, or other.
        ignore_column: A column that is to be left out; repeatable.
        label_column: Column or array of the labels, if it has another name.
        trials: At most so many certificates of each classifier.
        power: Probability of finding a rate of so many times alpha.
        detect: So many times.
        asymptotic: Try a procedure that is asymptotic, which claims no guarantee.
        mechanism: Whose radii are attacked, or tried. Default: as certify.
        split: Part of the dataset.
        image_column: Column or array of the images, if it has another name.
        feature_columns: Columns of a table that are features: a,b,c; as for the run.
        size: Cut photographs to a square of this side, as for sample.
        crop: Part of the scaled shorter side that the square keeps.
        interpolation: How photographs are scaled.
        stretch: Whether to stretch photographs to squares instead of cutting.
        output: What the model returns, as for sample.
        mean: What to subtract from pixels in [0, 1] first, as for sample.
        std: What to divide them by then.
        denoiser: What is given the noisy pixels first, as for sample.
        yes: Ask a model whose passes cost something, without a bill.
        device: A torch device. Default: that kind which the run was drawn on.
        threads: CPU threads. Default: the run's.
    """
    options = dict(locals())
    _check_written(out, attacked)
    seconds = None if attack is None else _seconds(attack)
    drawn = replay is not None or attack is not None
    procedure = _procedure(subject)
    if procedure is not None and (model is not None or drawn):
        raise InputError(
            f"{subject} is a procedure, which is tried without a model: leave MODEL, "
            "DATA, --replay and --attack out"
        )
    if drawn != (data is not None) or (model is None) != (data is None):
        raise InputError(
            "MODEL and DATA go with --replay or --attack, and these with both: "
            "simplicert audit RUN MODEL DATA --replay 1% --attack 5m"
        )
    if procedure is not None:
        audit = _tried(procedure, **_given(options, _TRIED))
    elif model is not None and data is not None:
        given = _given(options, _DRAWN, *([_ATTACKED] if attack else []))
        audit = audit_claims(subject)
        check_votes(subject)
        run = _whole_run(audit)
        if run is None:
            found = _not_drawn(replay=replay is not None, attack=attack is not None)
        elif not run.manifest.data.shape:
            raise InputError(
                f"{subject} was imported: nobody knows how its votes were drawn, so "
                "that they cannot be drawn again. Leave MODEL, DATA, --replay and "
                "--attack out"
            )
        else:
            from simplicert.cli.consent import check_agreed  # noqa: PLC0415 (torch)
            from simplicert.cli.inputs import classifier_and_data  # noqa: PLC0415

            columns = {name: options[name] for name in _INPUTS}
            of_pixels = run.manifest.data.unit is None
            columns["sigma"] = run.manifest.sigma if of_pixels else None
            inputs = classifier_and_data(model, data, **columns)
            check_agreed(
                inputs[0],
                yes=bool(given.pop("yes", False)),
                many="an audit asks as many as its time allows",
            )
            found = _drawn(run, *inputs, replay=replay, seconds=seconds, given=given)
        not_proved = [audit.not_proved if replay is None else _REPLAYED]
        not_proved += [] if attack is None else [_SEARCHED]
        audit = replace(
            audit,
            findings=(*audit.findings, *found),
            not_proved="; ".join(not_proved),
        )
    else:
        audit = audit_claims(subject, **_given(options, _SUBJECTS))
    if out is not None:
        _write(audit, out)
    _print(audit, json=json)
    return FALSIFIED if audit.falsified else 0


def _check_written(out: Path | None, attacked: Path | None) -> None:
    """Refuse what cannot be written; before any work."""
    if out is not None:
        from simplicert.report.page import check_page  # noqa: PLC0415 (plotly, late)

        check_page(out)
    if attacked is not None:
        check_result(attacked)
        if attacked.is_dir():
            raise InputError(f"{attacked} is a directory: name a file, such as it.npz")


def _given(options: Mapping[str, Any], *uses: str) -> dict[str, Any]:
    """The options that were given and say something of what is audited so.

    Raises:
        InputError: One was given that would say nothing.
    """
    taken = {name for use in uses for name in _GOES_WITH[use]}
    known, given = inspect.signature(audit_command).parameters, {}
    for name, value in options.items():
        fit = [use for use, names in _GOES_WITH.items() if name in names]
        if not fit or value == known[name].default:
            continue
        if name not in taken:
            raise InputError(
                f"--{name.replace('_', '-')} would say nothing here: it goes with "
                f"{', or '.join(fit)}"
            )
        given[name] = value
    return given


def _procedure(subject: str) -> object | None:
    """The procedure that is named in place of a path, if one is."""
    if Path(subject).exists() and not subject.endswith(".py"):
        return None
    from simplicert.audit.procedures import find_audited  # noqa: PLC0415 (late)

    return find_audited(subject)


def _tried(procedure: object, **options: Any) -> Audit:
    from simplicert.audit.procedures import try_procedure  # noqa: PLC0415
    from simplicert.sampling.progress import display  # noqa: PLC0415 (torch)

    with display("audit") as show:

        def told(done: int, total: int) -> None:
            show(done / total, f"{done:,} of {total:,} certificates")

        return try_procedure(procedure, progress=told, **options)


def _not_drawn(*, replay: bool, attack: bool) -> list[Finding]:
    """What a model says of votes that nobody can read: nothing."""
    asked = {"blocks drawn again": replay, "search inside the certified balls": attack}
    says = "what is stored cannot be read as votes of one run"
    return [
        Finding(check=check, outcome="not checked", says=says)
        for check, wanted in asked.items()
        if wanted
    ]


def _drawn(
    run: RunDirectory,
    classifier: Any,
    dataset: Any,
    *,
    replay: str | None,
    seconds: float | None,
    given: Mapping[str, Any],
) -> list[Finding]:
    """What is found with the model: blocks drawn again, and an attack."""
    from simplicert.audit.replay import replay as drawn_again  # noqa: PLC0415 (torch)
    from simplicert.audit.replay import run_images  # noqa: PLC0415
    from simplicert.cli.progress import draw_progress  # noqa: PLC0415
    from simplicert.sampling import Sampler  # noqa: PLC0415
    from simplicert.sampling.progress import display  # noqa: PLC0415

    plan, seed = run.manifest, given.get("seed")
    sampler = Sampler(
        classifier,
        run_images(dataset, run),
        noise=given.get("noise", plan.noise_facts.law),
        precision=plan.precision,
        runtime=plan.runtime,
        device=given.get("device", plan.device),
        threads=given.get("threads") or plan.threads or None,
        nonfinite="count",
    )
    found = []
    if replay is not None:
        with draw_progress("replay") as progress:
            found += drawn_again(
                sampler, run, share=replay, seed=seed, progress=progress
            )
    if seconds is not None:
        from simplicert.audit.attack import attack  # noqa: PLC0415

        certificates = certify(
            run.read(partial=True),
            alpha=given.get("alpha", ALPHA),
            mechanism=given.get("mechanism"),
        )
        with display("attack") as show:
            found += attack(
                sampler,
                certificates,
                plan=plan,
                seconds=seconds,
                seed=seed,
                out=given.get("attacked"),
                progress=show,
            )
    return found


def _seconds(told: str) -> float:
    """A time: ``90s``, ``5m``, ``2h``; a number alone is seconds."""
    text, unit = told.strip(), 1.0
    if text[-1:] in _UNITS:
        text, unit = text[:-1], _UNITS[text[-1]]
    try:
        found = number(text) * unit
    except InputError:
        found = 0.0
    if not 0.0 < found < math.inf:
        raise InputError(
            f"--attack takes a time such as 90s, 5m or 2h, got {told!r:.40}"
        )
    return found


def _whole_run(audit: Audit) -> RunDirectory | None:
    """The run, if what is stored of it can be read; it may be forged nevertheless."""
    if any(f.check in _UNREADABLE and f.outcome == "falsified" for f in audit.findings):
        return None
    return RunDirectory(audit.subject)


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
