"""Manifests of any schema that there was, read as those of today's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simplicert.errors import InputError
from simplicert.noises import FLOAT32
from simplicert.structured import parse_json
from simplicert.votes.manifest import Manifest

__all__ = ["SCHEMA", "parse_manifest", "upgraded"]

SCHEMA = 3
"""Raised whenever an older Simplicert could misread a run."""

_FIRST: Mapping[str, Mapping[str, object]] = {
    "noise": {"gaussian": {"name": "gaussian", "norm": "l2", "digest": None}},
    "scores": {"False": ["multinomial"], "True": ["multinomial", "softmax"]},
}
"""What fields of schema 1 meant, by their values in words."""

_FLOATS = {noise.law: noise.name for noise in FLOAT32.values()}
"""What names of noises meant up to schema 2."""


def upgraded(fields: dict[str, Any], *, draws: object) -> dict[str, Any]:
    """A manifest's or a part's fields of any schema, as those of today's.

    Args:
        fields: As they were stored.
        draws: An image's in the run; of schema 1 they were fixed, which is one look.
    """
    if fields.get("schema_number") == 1:
        meant = {
            field: values.get(str(fields.get(field)), fields.get(field))
            for field, values in _FIRST.items()
        }
        fields = {key: each for key, each in fields.items() if key not in meant} | {
            "schema_number": 2,
            "noise": meant["noise"],
            "statistics": meant["scores"],
            "looks": [{"draws": draws, "share": 1.0}],
        }
    if fields.get("schema_number") == 2:
        fields = fields | {"schema_number": SCHEMA}
        noise = fields.get("noise")
        if isinstance(noise, dict):
            name = str(noise.get("name"))
            if noise.get("digest") is None:
                name = _FLOATS.get(name, name)
            fields |= {"noise": noise | {"name": name, "step": None}}
    return fields


def parse_manifest(content: bytes, *, source: Path) -> Manifest:
    """Read a manifest, or say in one line what is wrong with it."""
    fields = parse_json(content, source)
    found = fields.get("schema_number") if isinstance(fields, dict) else None
    if type(found) is not int or found not in range(1, SCHEMA + 1):
        raise InputError(
            f"{source} has schema number {found!r:.40}, this Simplicert reads 1 to "
            f"{SCHEMA}: use the version of Simplicert that wrote it"
        )
    draws = fields.pop("draws", None) if found == 1 else None
    if isinstance(fields.get("compiled"), bool):  # up to version 0.1
        compiled = fields.pop("compiled")
        fields = {"runtime": "compiled" if compiled else "eager"} | fields
    try:
        return Manifest.model_validate_json(json.dumps(upgraded(fields, draws=draws)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise InputError(
            f"{source}: {where}: {first['msg']}; the manifest was edited or damaged"
        ) from error
