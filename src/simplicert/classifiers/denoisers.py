"""What may stand before a classifier: torch modules, noisy images → images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn
from torch.export import ExportedProgram

from simplicert.arguments import checked_sigma
from simplicert.classifiers.diffusion import (
    Pipeline,
    load_pipeline,
    one_step,
    shape_taken,
)
from simplicert.classifiers.torch_module import is_script, load_script
from simplicert.errors import InputError
from simplicert.models import load_trained_denoiser
from simplicert.models.denoiser import check_sides
from simplicert.plugins import Kind, Origin, built

__all__ = ["DENOISERS", "Denoiser", "find_denoiser"]

_DIFFUSERS = "diffusers"
_FORMS = (
    "a checkpoint (.safetensors) of a denoiser, TorchScript (.pt), FILE.py:NAME or "
    "PACKAGE:NAME that returns a torch module, or diffusers:FOLDER"
)


def _any(shape: Sequence[int]) -> None:
    """Take every shape."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Denoiser:
    """What stands before a classifier, and what is said of it.

    Attributes:
        module: Noisy images, of pixels in [0, 1] before the noise → images of the same
            shape.
        name: For people.
        training_sigma: Noise that it is for, where that is known.
        facts: What else is to be recorded of it, in words.
        check: Raises ``InputError`` for a shape of images that it cannot take.
    """

    module: nn.Module
    name: str
    training_sigma: float | None = None
    facts: str | None = None
    check: Callable[[Sequence[int]], None] = _any


def find_denoiser(spec: object, *, sigma: float | None = None) -> Denoiser:
    """A denoiser that a text names, or an object that is one.

    Args:
        spec: A ``Denoiser``; a torch module, or a pipeline of diffusers; or, in words,
            what ``--denoiser`` takes (docs/denoised.md).
        sigma: Of the noise, in pixels of [0, 1]: a diffusion model has a step for each.

    Raises:
        InputError: It is none of these, or cannot be loaded; a diffusion model has no
            such step, or none was asked for.
    """
    if not isinstance(spec, str | Path):
        return _object(spec, name=None, sigma=sigma)
    text, path = str(spec), Path(spec)
    library, colon, name = text.partition(":")
    if colon and library == _DIFFUSERS:
        _checked(sigma, text)  # before it is loaded
        return _of_pipeline(load_pipeline(name), name=text, sigma=sigma)
    if path.suffix == ".safetensors":
        module, metadata = load_trained_denoiser(path)
        channels = metadata.shape[0]

        def check(shape: Sequence[int]) -> None:
            _check_channels(shape, channels, path.name)
            check_sides(shape[1:])

        return Denoiser(
            module=module,
            name=path.name,
            training_sigma=metadata.sigma,
            check=check,
        )
    if is_script(path):
        return Denoiser(module=load_script(path), name=path.name)
    if ":" not in text and text not in DENOISERS.names:
        raise InputError(f"unknown denoiser {text!r}: expected {_FORMS}")
    found, origin = DENOISERS.find(text)()
    return _object(found, name=origin, sigma=sigma)


def _object(given: object, *, name: str | None, sigma: float | None) -> Denoiser:
    if isinstance(given, Denoiser):
        return given
    what = name or type(given).__name__
    if isinstance(given, ExportedProgram):
        given = given.module()
    if isinstance(given, nn.Module) and not isinstance(given, Pipeline):
        return Denoiser(module=given, name=what)
    if isinstance(given, Pipeline):
        return _of_pipeline(given, name=what, sigma=sigma)
    raise InputError(
        f"{what} is no denoiser: expected a torch module, noisy images → images of the "
        f"same shape; a pipeline of diffusers; or, as text, {_FORMS}"
    )


def _of_pipeline(pipeline: Pipeline, *, name: str, sigma: float | None) -> Denoiser:
    wanted = _checked(sigma, name)
    module, level, steps = one_step(pipeline, sigma=wanted, name=name)
    channels, sides = shape_taken(pipeline.unet)

    def check(shape: Sequence[int]) -> None:
        if channels is not None:
            _check_channels(shape, channels, name)
        if sides is not None and tuple(shape[1:]) != sides:
            raise InputError(
                f"{name} is for images of {sides[0]} × {sides[1]} pixels, not of shape "
                f"{tuple(shape)}: cut them to that size, or take another model"
            )

    return Denoiser(
        module=module,
        name=name,
        training_sigma=level,
        facts=f"step {module.step} of {steps}, where sigma is {level:.4g}",
        check=check,
    )


def _checked(sigma: float | None, name: str) -> float:
    if sigma is None:
        raise InputError(
            f"{name} is a diffusion model, with a step for each noise: give "
            "sigma in pixels of [0, 1], the inputs' usual unit (in Python sigma=…)"
        )
    return checked_sigma(sigma)


def _check_channels(shape: Sequence[int], channels: int, name: str) -> None:
    if len(shape) != 3 or shape[0] != channels:
        raise InputError(
            f"the denoiser {name} takes images of {channels} channels, not inputs of "
            f"shape {tuple(shape)}"
        )


def _admit(thing: object, origin: Origin) -> Callable[[], tuple[object, str]]:
    """Builds the denoiser anew each time, as with classifiers."""

    def build() -> tuple[object, str]:
        ready = nn.Module, ExportedProgram, Denoiser, Pipeline
        return built(thing, origin, ready=ready, what="denoiser"), origin.text

    return build


DENOISERS: Kind[Callable[[], tuple[object, str]]] = Kind(
    name="denoiser", built_in={}, admit=_admit
)
