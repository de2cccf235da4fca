"""A class of the shape of Cohen's ``Smooth``, from the paper's pseudocode."""

import torch
from scipy.special import betaincinv, ndtri


class SmoothLike:
    """Algorithm CERTIFY of Cohen et al. 2019, in its usual signature."""

    def __init__(self, base_classifier, num_classes, sigma):
        self.base_classifier = base_classifier
        self.num_classes = num_classes
        self.sigma = sigma

    def certify(self, x, n0, n, alpha, batch_size):
        named = int(self._counts(x, n0, batch_size).argmax())
        votes = int(self._counts(x, n, batch_size)[named])
        radius = self._radius(votes, n, alpha)
        return (named, radius) if radius > 0 else (-1, 0.0)

    def _radius(self, votes, n, alpha):
        return self.sigma * float(
            ndtri(betaincinv(max(votes, 1), n + 1 - votes, alpha))
        )

    def _counts(self, x, number, batch_size):
        counts = torch.zeros(self.num_classes, dtype=torch.int64)
        while number > 0:
            size = min(batch_size, number)
            number -= size
            batch = self._noisy(x.repeat(size, *[1] * x.ndim))
            with torch.no_grad():
                labels = self.base_classifier(batch).argmax(dim=1)
            counts += torch.bincount(labels, minlength=self.num_classes).cpu()
        return counts

    def _noisy(self, batch):
        return batch + torch.randn_like(batch) * self.sigma


class Narrow(SmoothLike):
    """Its noise is narrower than it says."""

    def _noisy(self, batch):
        return batch + torch.randn_like(batch) * self.sigma / 2


class Shared(SmoothLike):
    """One value of noise for all pixels of an image."""

    def _noisy(self, batch):
        return batch + torch.randn_like(batch)[:, :1] * self.sigma


class Fixed(SmoothLike):
    """The same noise for every image."""

    def _noisy(self, batch):
        generator = torch.Generator().manual_seed(0)
        return batch + torch.randn(batch.shape, generator=generator) * self.sigma


class Clipped(SmoothLike):
    """The noisy image is clipped: a map that is part of the base classifier."""

    def _noisy(self, batch):
        return super()._noisy(batch).clamp(0, 1)


class Confident(SmoothLike):
    """The class's estimate in the place of its bound."""

    def _radius(self, votes, n, alpha):  # noqa: ARG002 (that is the fault)
        return self.sigma * float(ndtri(votes / (n + 1)))
