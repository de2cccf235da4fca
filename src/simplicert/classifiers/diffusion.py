"""One step of a diffusion model, as a denoiser (Carlini et al. 2023)."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from simplicert.classifiers.zoo import imported, theirs
from simplicert.errors import InputError


@runtime_checkable
class Pipeline(Protocol):
    """What diffusers calls a pipeline: a network and the schedule of its noise."""

    unet: Any
    scheduler: Any


class OneStep(nn.Module):
    """Noisy images in pixels of [0, 1] → what a diffusion model sees behind the noise.

    The model was trained on ``sqrt(kept) * x + sqrt(1 - kept) * noise`` for pixels
    ``x`` in [-1, 1], where the noise of sigma is twice as large. At the step at which
    ``(1 - kept) / kept = (2 * sigma)²`` a noisy image, scaled by ``sqrt(kept)``, is
    such a sum. Nothing is clipped before the model.

    Attributes:
        unet: The model, of images and a step.
        step: Which.
        kept: Of the signal's variance, there: the schedule's cumulative product.
        answers: What the model returns: ``"epsilon"``, the noise; ``"sample"``, the
            image; or ``"v_prediction"``, ``sqrt(kept) * noise - sqrt(1 - kept) * x``.
        clip: Bound of the image that comes out, in the model's range, where its
            scheduler has one.

    References:
        Carlini et al. 2023, arXiv:2206.10550, Algorithm 1; Salimans and Ho 2022,
        arXiv:2202.00512, for ``v_prediction``.
    """

    def __init__(
        self,
        unet: nn.Module,
        *,
        step: int,
        kept: float,
        answers: str,
        clip: float | None,
    ) -> None:
        super().__init__()
        self.unet, self.step, self.kept = unet, step, kept
        self.answers, self.clip = answers, clip

    def forward(self, images: Tensor) -> Tensor:
        """Images in pixels of [0, 1]."""
        signal, noise = math.sqrt(self.kept), math.sqrt(1 - self.kept)
        given = signal * (2 * images - 1)
        answer = self.unet(given, self.step)
        answer = getattr(answer, "sample", answer)
        channels = images.shape[1]
        if answer.shape[1] not in {channels, 2 * channels}:
            raise InputError(
                f"the diffusion model answers {channels} channels with "
                f"{answer.shape[1]}: it must be as many, or twice as many where it "
                "tells a variance too"
            )
        answer = answer[:, :channels]  # the rest is the variance
        clean: Tensor
        if self.answers == "epsilon":
            clean = (given - noise * answer) / signal
        elif self.answers == "v_prediction":
            clean = signal * given - noise * answer
        else:
            clean = answer
        if self.clip is not None:
            clean = clean.clamp(-self.clip, self.clip)
        return (clean + 1) / 2


def matching_step(
    kept: Float[np.ndarray, " steps"], *, sigma: float
) -> tuple[int, float]:
    """The step whose noise is nearest to sigma, and the sigma that is its own.

    Args:
        kept: Of the signal's variance after each step, in [0, 1].
        sigma: Standard deviation of the noise, in pixels of [0, 1].

    Raises:
        InputError: The schedule has neither so little noise nor so much; or is none.

    Example:
        >>> step, level = matching_step(np.array([0.9, 0.8, 0.5]), sigma=0.24)
        >>> step, round(level, 6)
        (1, 0.25)
    """
    some = kept > 0  # of the image is left
    if kept.ndim != 1 or not some.any() or not ((kept >= 0) & (kept <= 1)).all():
        raise InputError(
            "alphas_cumprod of the scheduler must be numbers in [0, 1], one a step, "
            "and not all 0"
        )
    levels = np.sqrt((1 - kept) / np.where(some, kept, np.nan)) / 2
    least, most = float(np.nanmin(levels)), float(np.nanmax(levels))
    if not least <= sigma <= most:
        raise InputError(
            f"the diffusion model's noise is of sigma {least:.3g} to {most:.3g} in "
            f"pixels of [0, 1], and none of its steps has {sigma:g}"
        )
    step = int(np.nanargmin(np.abs(levels - sigma)))
    return step, float(levels[step])


def one_step(
    pipeline: Pipeline, *, sigma: float, name: str
) -> tuple[OneStep, float, int]:
    """The step for sigma; the sigma that is its own; and of how many steps it is.

    Raises:
        InputError: The model does not work on pixels and a step alone; its schedule
            does not say how much noise there is, or not so little or so much.
    """
    unet, scheduler = pipeline.unet, pipeline.scheduler
    config, schedule = (getattr(each, "config", {}) for each in (unet, scheduler))
    if not isinstance(unet, nn.Module):
        raise InputError(f"{name}: its unet is no torch module")
    beyond = [
        said
        for said, asked in {
            "a text or image (cross_attention_dim)": _of(config, "cross_attention_dim"),
            "a class (num_class_embeds)": _of(config, "num_class_embeds"),
            "a class (class_embed_type)": _of(config, "class_embed_type"),
            "latents of a vae": getattr(pipeline, "vae", None),
        }.items()
        if asked is not None
    ]
    if beyond:
        raise InputError(
            f"{name} wants {beyond[0]}, but a denoiser is given pixels alone: choose a "
            "model of pixels without conditions"
        )
    kept = getattr(scheduler, "alphas_cumprod", None)
    if kept is None:
        raise InputError(
            f"{name}: its scheduler ({type(scheduler).__name__}) has no "
            "alphas_cumprod, which say how much noise each step has: choose a model of "
            "the DDPM kind"
        )
    answers = _of(schedule, "prediction_type") or "epsilon"
    if answers not in {"epsilon", "sample", "v_prediction"}:
        raise InputError(
            f"{name} predicts {answers!r}: expected epsilon, sample or v_prediction"
        )
    levels = np.asarray(kept, dtype=np.float64)
    step, level = matching_step(levels, sigma=sigma)
    clip = None
    if _of(schedule, "clip_sample"):
        clip = float(_of(schedule, "clip_sample_range") or 1.0)
    module = OneStep(
        unet, step=step, kept=float(levels[step]), answers=answers, clip=clip
    )
    return module, level, len(levels)


def shape_taken(unet: Any) -> tuple[int | None, tuple[int, int] | None]:
    """Channels and sides that a model says it is for; ``None`` where it does not."""
    config = getattr(unet, "config", {})
    channels, side = _of(config, "in_channels"), _of(config, "sample_size")
    if isinstance(side, int):
        side = side, side
    return channels, None if side is None else (int(side[0]), int(side[1]))


def load_pipeline(name: str) -> Pipeline:
    """The model and the schedule that diffusers saved in a folder, or knows by name.

    Raises:
        InputError: diffusers is missing, or cannot load them.
    """
    diffusers = imported("diffusers", f"diffusers:{name}")
    folders = [True, False]  # of their own, or one for both
    if Path(name).is_dir():
        folders = folders[:1] if (Path(name) / "unet").is_dir() else folders[1:]
    errors: list[InputError] = []
    for apart in folders:
        try:
            loaded: Pipeline = theirs(
                "diffusers", name, partial(_loaded, diffusers, name, apart)
            )
        except InputError as error:
            errors.append(error)
        else:
            return loaded
    raise errors[0]


class _Loaded:
    def __init__(self, unet: nn.Module, scheduler: object) -> None:
        self.unet, self.scheduler = unet, scheduler


def _loaded(diffusers: Any, name: str, apart: bool) -> _Loaded:
    of_unet, of_scheduler = (
        {"subfolder": part} if apart else {} for part in ("unet", "scheduler")
    )
    unet = diffusers.UNet2DModel.from_pretrained(
        name,
        use_safetensors=True,  # the other format is a pickle
        low_cpu_mem_usage=False,  # or it wants another package
        **of_unet,
    )
    unet.register_to_config(_name_or_path=None)  # wherever it lies, it is the same
    config = diffusers.DDPMScheduler.load_config(name, **of_scheduler)
    kind = getattr(diffusers, str(config.get("_class_name")), diffusers.DDPMScheduler)
    return _Loaded(unet, kind.from_config(config))


def _of(config: Any, key: str) -> Any:
    """A setting, of a dictionary or of an object."""
    if isinstance(config, Mapping):
        return config.get(key)
    return getattr(config, key, None)
