"""What a run, a log or a table says, held against what can be true. No torch.

One file a check; a new one is a file and a line in ``CHECKS``.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from simplicert.audit.claims.blocks import blocks
from simplicert.audit.claims.ceiling import ceiling
from simplicert.audit.claims.certificates import certificates
from simplicert.audit.claims.lattice import lattice
from simplicert.audit.claims.margins import margins
from simplicert.audit.claims.noise import noise
from simplicert.audit.claims.reading import claims_at
from simplicert.audit.claims.recount import recount
from simplicert.audit.claims.rows import rows
from simplicert.audit.claims.stops import stops
from simplicert.audit.claims.stored import stored
from simplicert.audit.claims.subject import Claims
from simplicert.audit.claims.sums import sums
from simplicert.audit.finding import Audit, Finding
from simplicert.errors import InputError
from simplicert.files import MANIFEST, read_bytes
from simplicert.interop import Asked
from simplicert.noises import in_float32
from simplicert.structured import parse_json
from simplicert.votes.schemas import SCHEMA

__all__ = ["audit_claims"]

CHECKS: tuple[Callable[[Claims], Iterable[Finding]], ...] = (
    stored,
    stops,
    noise,
    blocks,
    margins,
    rows,
    sums,
    ceiling,
    recount,
    lattice,
    certificates,
)
"""In the order of the report."""


def audit_claims(
    subject: Path | str,
    *,
    sigma: float | None = None,
    draws: int | None = None,
    alpha: float | None = None,
    noise: str | None = None,
    norm: str | None = None,
    certificate: str | None = None,
    label_column: str | None = None,
    ignore_column: tuple[str, ...] = (),
) -> Audit:
    """Hold what is claimed against what can be true. Needs no model.

    Args:
        subject: A run directory; an imported log; a log or a table of counts, as
            ``import_file`` reads them; or a table of certificates, as
            ``write_certificates`` writes it.
        sigma: Noise standard deviation, where the subject does not say it.
        draws: Draws behind each bound, likewise.
        alpha: Failure probability of each row, likewise.
        noise: As for ``import_file``, like the rest.
        norm: Likewise.
        certificate: Likewise.
        label_column: Likewise.
        ignore_column: Likewise.

    Raises:
        InputError: The subject cannot be read, or contradicts what was given.
    """
    if not str(subject):
        raise InputError("an audit needs a path or a procedure, got an empty name")
    path = Path(subject)
    asked = Asked(
        sigma=sigma,
        draws=draws,
        alpha=alpha,
        noise=noise,
        norm=norm,
        certificate=certificate,
        label_column=label_column,
        ignore_column=tuple(ignore_column),
    )
    if certificate not in (None, "cohen", "other"):
        raise InputError(f"certificate must be 'cohen' or 'other', got {certificate!r}")
    try:
        claims = claims_at(path, asked)
    except InputError as error:
        if not _has_manifest(path):
            raise
        refused = Finding(check="manifest", outcome="falsified", says=f"{error}")
        return _audit(path, {"kind": "run"}, [refused])
    given = asked.given - ({"ignore_column"} if claims.table is not None else set())
    if claims.complete and given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(given))
        raise InputError(
            f"{path} is {claims.complete}, which says all of it: leave {options} out"
        )
    if claims.kind in ("log", "counts"):  # of others' programs
        claims = replace(claims, noise=in_float32(claims.noise))
    found = [finding for check in CHECKS for finding in check(claims)]
    facts = dict(claims.facts)
    if claims.run is not None and all(f.outcome != "falsified" for f in found):
        facts |= _run_facts(claims)
    return _audit(path, facts, found)


def _audit(path: Path, facts: dict[str, str | float], found: list[Finding]) -> Audit:
    return Audit(
        subject=str(path),
        facts=facts,
        findings=tuple(found),
        not_proved="nothing here shows that anybody drew, or that no image was left "
        "out; a forgery that agrees with itself is found by --replay alone, and only "
        "where there is a run",
    )


def _run_facts(claims: Claims) -> dict[str, str | float]:
    assert claims.run is not None
    manifest = claims.run.manifest
    draws = f"{manifest.draws:,}"
    try:
        votes = claims.run.read(partial=True)
        digest = votes.digest
        if manifest.stops_early:
            few, many = int(votes.draws.min()), int(votes.draws.max())
            draws = f"{few:,} to {many:,}, of {draws} at most"
    except InputError:
        digest = "no image is complete"
    return {
        "draws": draws,
        "seed": str(manifest.seed),
        "model": f"{manifest.model.name} ({manifest.model.digest[:16]}…)",
        "data": f"{manifest.data.name} ({manifest.data.digest[:16]}…)",
        "votes": digest,
    }


def _has_manifest(path: Path) -> bool:
    """Whether there is a run whose manifest can be read, but cannot be true."""
    try:
        fields = parse_json(read_bytes(path / MANIFEST), path / MANIFEST)
    except (InputError, OSError):
        return False
    known = isinstance(fields, dict) and fields.get("schema_number") in range(
        1, SCHEMA + 1
    )
    return bool(known and "images" in fields and "sigma" in fields)
