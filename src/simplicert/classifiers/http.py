"""Classifiers behind a service: a small protocol over http (docs/remote.md)."""

import hashlib
import json
import math
import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.protocol import Classifier, Passes, checked_cost
from simplicert.classifiers.service import (
    TOKEN,
    Answer,
    Patience,
    Service,
    Together,
    plain_url,
)
from simplicert.classifiers.wire import (
    JSON,
    NPY,
    VERSION,
    Metadata,
    decoded,
    encoded,
    most_bytes,
)
from simplicert.errors import InputError

__all__ = ["HttpClassifier"]

TRIAL = 1024
"""Most draws that a service is asked to see how fast it is."""

_USUAL_ROWS, _MOST_ROWS = 64, 128
"""Inputs a request: of a service that does not say how many, and of any."""

_REQUEST_BYTES = 4 << 20
_MOST_METADATA = 1 << 24
_BRIEFLY = Patience(retries=4)


class HttpClassifier(Classifier):
    """A classifier that a service is asked for.

    What identifies it is its URL and all that its metadata say of it; above all the
    version, which every answer must then have in its header ``X-Model-Version``. An
    answer of another version ends the run. A token for it is taken from the environment
    variable ``SIMPLICERT_HTTP_TOKEN``, and stored nowhere.

    Args:
        url: ``http://HOST:PORT/PATH`` or ``https://…``, before ``/metadata`` and
            ``/predict``.
        cost: Of a pass, in whatever currency. Default: as the metadata say, or 0.
        max_batch: Most inputs a request. Default: as the metadata say, or 64.
        connections: Most requests at once.
        timeout: Seconds after which one that was not answered is given up.
        patience: How often a service that is busy or away is asked again.
        body: What requests and, if it can, answers are in: ``"npy"`` or ``"json"``.
        digest: What identifies it instead, as where its URL changes.

    Raises:
        InputError: The service cannot be reached, or has no such metadata.
    """

    def __init__(
        self,
        url: str,
        *,
        cost: float | None = None,
        max_batch: int | None = None,
        connections: int = 8,
        timeout: float = 60.0,
        patience: Patience | None = None,
        body: str = "npy",
        digest: str | None = None,
    ) -> None:
        url = plain_url(url)
        if body not in {"npy", "json"}:
            raise InputError(f"body must be 'npy' or 'json', got {body!r}")
        for name, number in (("connections", connections), ("max_batch", max_batch)):
            if number is not None and number < 1:
                raise InputError(f"{name} must be at least 1, got {number!r}")
        if not 0 < timeout < math.inf:
            raise InputError(f"timeout must be a number of seconds, got {timeout!r}")
        self._service = Service(
            url,
            timeout=timeout,
            connections=connections,
            token=os.environ.get(TOKEN) or None,
        )
        self._patience = patience or Patience()
        self._kind = NPY if body == "npy" else JSON
        self._together, self._connections = Together(connections), connections
        self.metadata = self._ask_metadata()
        self._rows = min(
            max_batch or self.metadata.max_batch or _USUAL_ROWS, _MOST_ROWS
        )
        version = self.metadata.version
        super().__init__(
            name=url if version is None else f"{url} version {version}",
            digest=digest or self._digest(self.metadata),
            output=self.metadata.output,
            classes=self.metadata.classes,
            shape=self.metadata.shape,
            class_names=self.metadata.class_names,
        )
        cost = self.metadata.cost_per_pass if cost is None else checked_cost(cost)
        self.passes = Passes(cost=cost, trial=TRIAL)

    def warnings(self, *, precision: str) -> tuple[str, ...]:
        """Where nothing says that the model stays the same, or a token can be read."""
        said = super().warnings(precision=precision)
        if self.metadata.version is None:
            said += (
                f"{self.name} states no version: whether it is the same model all the "
                "time is seen by its answers to a few draws alone",
            )
        if self._service.sends_token_in_the_clear:
            said += (
                f"the token in {TOKEN} goes to {self.name} over http, where others may "
                "read it: use https",
            )
        return said

    def has_changed(self) -> bool:
        """Whether the service says of itself something else now."""
        return self._ask_metadata() != self.metadata

    def usual_batch(self, shape: Sequence[int]) -> int | None:
        """As many draws as are asked at once, by all connections."""
        return self._connections * self._rows_of(shape)

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """A pass in as many requests as the service wants, several at a time.

        Raises:
            InputError: Another device than the CPU, or another precision than fp32.
        """
        if precision != "fp32" or runtime != "eager" or device.type != "cpu":
            raise InputError(
                f"{self.name} is asked over a network: from the CPU (device), in fp32 "
                "(precision), and by no other runtime (runtime eager)"
            )
        rows = self._rows_of(shape)

        def forward(images: Tensor) -> Tensor:
            batch = np.ascontiguousarray(images.numpy())
            pieces = [batch[i : i + rows] for i in range(0, len(batch), rows)]
            return torch.from_numpy(
                np.concatenate(self._together.map(self._predict, pieces))
            )

        return forward

    def _rows_of(self, shape: Sequence[int]) -> int:
        return max(1, min(self._rows, _REQUEST_BYTES // (4 * math.prod(shape))))

    def _predict(self, inputs: np.ndarray, stop: threading.Event) -> np.ndarray:
        answer = self._post(inputs, stop)
        if answer.status == 415:  # it reads no npy; from now on it gets none
            self._kind = JSON
            answer = self._post(inputs, stop)
        self._check_version(answer)
        return decoded(
            answer.content,
            answer.headers.get("Content-Type", ""),
            rows=len(inputs),
            classes=self.metadata.classes,
            output=self.metadata.output,
            source=f"{self._service.url}/predict",
        )

    def _post(self, inputs: np.ndarray, stop: threading.Event) -> Answer:
        kind = self._kind
        accepted = f"{NPY}, {JSON};q=0.5" if kind == NPY else JSON
        return self._service.ask(
            "/predict",
            content=encoded(inputs, kind),
            headers={"Content-Type": kind, "Accept": accepted},
            most=most_bytes(len(inputs), self.metadata.classes),
            patience=self._patience,
            usable=(200, 415) if kind == NPY else (200,),
            stop=stop,
        )

    def _check_version(self, answer: Answer) -> None:
        """Whose answer it is.

        Raises:
            InputError: Another model's than the metadata were about.
        """
        stated, now = self.metadata.version, answer.headers.get(VERSION)
        if now == stated:
            return
        url = self._service.url
        if now is None:
            raise InputError(
                f"{url} states version {stated!r}, but an answer has no {VERSION}: "
                "every answer must say it, since it is what tells that the model has "
                "not changed"
            )
        if stated is None:
            raise InputError(
                f"{url} answers with {VERSION} {now[:80]!r}, but its metadata state no "
                "version: they must state it, too"
            )
        raise InputError(
            f"{url} is version {now[:80]!r} now, and was {stated!r} when the run was "
            "begun: its votes would be of two classifiers. What was drawn before is "
            "kept; go on with the version that was, or begin another run"
        )

    def _ask_metadata(self) -> Metadata:
        headers = {"Accept": JSON}
        for path in ("/metadata", "/"):
            answer = self._service.ask(
                path,
                headers=headers,
                most=_MOST_METADATA,
                patience=_BRIEFLY,
                usable=(200, 404) if path == "/metadata" else (200,),
            )
            if answer.status == 200:
                break
        source = f"{self._service.url}{path}"
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind.lower() != JSON:
            raise InputError(
                f"{source} answered with {kind or 'no Content-Type'}, not the metadata "
                f"of a model as {JSON}: is this its URL? docs/remote.md says what it "
                "must answer"
            )
        found = Metadata.read(answer.content, source)
        if found.version != answer.headers.get(VERSION, found.version):
            raise InputError(
                f"{source} states version {found.version!r}, and in its header "
                f"{VERSION} {answer.headers[VERSION][:80]!r}: it must be one"
            )
        return found

    def _digest(self, metadata: Metadata) -> str:
        """Of what makes it this classifier: not of what a pass costs or holds."""
        facts: dict[str, Any] = {
            "url": self._service.url,
            "classes": metadata.classes,
            "output": metadata.output,
            "class_names": metadata.class_names,
            "name": metadata.name,
            "version": metadata.version,
        }
        written = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(f"http classifier {written}".encode()).hexdigest()
