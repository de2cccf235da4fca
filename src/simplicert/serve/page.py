"""The page on which anybody can try an input: one file, which fetches nothing else."""

import base64
from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from markupsafe import Markup
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]  # has none

from simplicert import __version__
from simplicert.certificates.certify import default_of
from simplicert.mechanisms.catalogue import applying, find_mechanism
from simplicert.report.page import asset, page_environment, page_policy
from simplicert.rounding import round_down
from simplicert.serve.bodies import IMAGES
from simplicert.serve.service import Service

__all__ = ["render_page"]

_SIDE = 0.01
"""Between two points of the simplex at which radii are drawn."""

_MOST_VALUES = 3 * 64 * 64
"""Of an input that is shown as an example, or as numbers to begin with."""


def render_page(service: Service) -> tuple[str, str]:
    """The page, and the content security policy that it is sent with."""
    scripts = [_asset("serve.js")]
    if not service.hide:
        scripts.insert(0, get_plotlyjs())
    policy = f"{page_policy(scripts)}; connect-src 'self'"
    plan, shape = service.plan, service.bodies.like.shape
    html = (
        page_environment()
        .from_string(_asset("serve.html.jinja"))
        .render(
            css=Markup(asset("report.css") + _asset("serve.css")),
            scripts=[Markup(script) for script in scripts],
            data=_data(service),
            conditions=service.conditions(),
            model=plan.model.name,
            hide=service.hide,
            images=service.bodies.takes_images,
            kinds=",".join(IMAGES),
            shape=" × ".join(map(str, shape)),
            cut=service.bodies.cut,
            features=len(shape) == 1 and service.bodies.like.features,
            scales=_scales(service),
            draws=f"{plan.draws:,}",
            looks=len(plan.looks),
            version=__version__,
        )
    )
    return html, policy


def _data(service: Service) -> dict[str, object]:
    """What the script needs."""
    return {
        "shape": list(service.bodies.like.shape),
        "hide": service.hide,
        "triage": list(service.triage),
        "bands": list(service.bands),
        "sigma": service.plan.sigma,
        "unit": service.conditions()["unit"],
        "norm": service.plan.noise.norm,
        "examples": _examples(service),
        "features": list(service.bodies.like.features),
        "simplex": None if service.hide else _radii(service),
    }


def _scales(service: Service) -> list[str]:
    """How large one of the unit is in each entry of an input, where it is said."""
    scale, like = service.bodies.unit.scale or (), service.bodies.like
    if len(scale) < 2:
        return [f"{each:.6g}" for each in scale]
    named = like.features or [f"entry {k}" for k in range(len(scale))]
    return [f"{each:.6g} ({name})" for name, each in zip(named, scale, strict=True)]


def _examples(service: Service) -> list[str]:
    """The first inputs, in base64 of float64, where they are small."""
    like = service.bodies.like
    if int(np.prod(like.shape)) > _MOST_VALUES:
        return []
    values = like.read(np.arange(len(like))).astype("<f8")
    return [base64.b64encode(each.tobytes()).decode() for each in values]


def _radii(service: Service) -> dict[str, Sequence[object]]:
    """The radius at each point of the simplex that names a class, rounded down."""
    e0 = np.arange(0.0, 1.0 + _SIDE / 2, _SIDE)
    e1 = np.arange(0.0, 0.5 + _SIDE / 2, _SIDE)
    across, up = np.meshgrid(e0, e1)
    inside = (up <= across + 1e-9) & (across + up <= 1 + 1e-9)
    spec, noise = service.mechanism, service.sampler.noise
    ours = applying(noise, "multinomial")
    mechanism = default_of(ours) if spec is None else find_mechanism(spec)
    x = np.clip(across[inside], 0.0, 1.0 - 1e-6)  # where radii are finite
    y = np.minimum(np.clip(up[inside], 1e-6, 0.5), 1.0 - x)
    radii = np.full(across.shape, np.nan)
    radii[inside] = mechanism(x, y, sigma=service.plan.sigma)
    shown = round_down(radii, 4)
    return {
        "e0": e0.round(4).tolist(),
        "e1": e1.round(4).tolist(),
        "radius": [[None if np.isnan(r) else r for r in row] for row in shown.tolist()],
    }


def _asset(name: str) -> str:
    return (files("simplicert.serve") / "assets" / name).read_text("utf-8")
