"""What is watched of a service, as Prometheus reads it.

With hidden radii requests alone are counted. All else depends on how many draws an
input took, which whoever sends one and reads the numbers before and after would know.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from simplicert.certificates import Certificates
from simplicert.serve.desk import Desk, Told
from simplicert.serve.service import Service

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_FILL = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class Metrics:
    """Numbers of one service.

    Args:
        service: What is served.
    """

    def __init__(self, service: Service) -> None:
        self._service, registry = service, CollectorRegistry()
        self._registry = registry
        self.requests = Counter(
            "simplicert_requests",
            "Requests by how they ended: the status of their answer, or gone.",
            ["outcome"],
            registry=registry,
        )
        self._open = not service.hide
        if not self._open:
            return
        self._waiting = Gauge(
            "simplicert_inputs_waiting", "Inputs that wait now.", registry=registry
        )
        self.seconds = Histogram(
            "simplicert_request_seconds",
            "From a request to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._draws = Counter(
            "simplicert_draws", "Noisy forward passes.", registry=registry
        )
        self._fill = Histogram(
            "simplicert_batch_fill",
            "How full the passes of a step are.",
            buckets=_FILL,
            registry=registry,
        )
        self._beside = Histogram(
            "simplicert_inputs_drawn_together",
            "Inputs that are there while a step is drawn.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        self._outcomes = Counter(
            "simplicert_inputs",
            "Inputs by why no class is named; certified where one is.",
            ["outcome"],
            registry=registry,
        )
        self._bands = Counter(
            "simplicert_bands", "Inputs by their band.", ["band"], registry=registry
        )

    def ended(self, outcome: str, seconds: float) -> None:
        """A request has its answer."""
        self.requests.labels(outcome).inc()
        if self._open:
            self.seconds.observe(seconds)

    @property
    def told(self) -> Told:
        """What the desk is to tell."""
        return (
            Told(drawn=self._drawn, certified=self._certified) if self._open else Told()
        )

    def _drawn(self, draws: int, inputs: int) -> None:
        self._draws.inc(draws)
        self._beside.observe(inputs)
        batch = self._service.plan.batch
        self._fill.observe(draws / (-(-draws // batch) * batch))

    def _certified(self, certificates: Certificates) -> None:
        for why, radius in zip(
            certificates.abstention.tolist(), certificates.radius.tolist(), strict=True
        ):
            self._outcomes.labels(why or "certified").inc()
            band = self._service.band(radius)
            if band is not None:
                self._bands.labels(band).inc()

    def text(self, desk: Desk) -> bytes:
        """All of them now."""
        if self._open:
            self._waiting.set(desk.waiting)
        return generate_latest(self._registry)
