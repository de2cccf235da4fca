"""Noise, forward passes, votes. The one room that needs a model and time."""

from simplicert.sampling.sampler import Progress, Sampler, sample
from simplicert.sampling.seeds import block_seed

__all__ = ["Progress", "Sampler", "block_seed", "sample"]
