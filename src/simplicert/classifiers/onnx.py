"""ONNX files."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simplicert.classifiers.function import as_tensors
from simplicert.classifiers.onnx_file import onnx_digest
from simplicert.classifiers.onnx_input import BYTES, LAYOUTS, Arrange, Taken, taken_by
from simplicert.classifiers.onnx_output import as_array, output_of
from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.reading import Reading, reading_of
from simplicert.errors import InputError

Session = Callable[[int, torch.device], Any]
"""Threads, and a device → an onnxruntime session."""

_CUDA = "CUDAExecutionProvider"


def is_onnx(text: str) -> bool:
    """Whether a text names an ONNX file, with or without words behind it."""
    return text.endswith(".onnx") or ".onnx:" in text


def onnx_named(text: str) -> "OnnxClassifier":
    """``FILE.onnx``, and behind a colon what ``from_onnx`` takes as ``output``.

    Raises:
        InputError: As for ``from_onnx``.
    """
    file, colon, words = text.partition(".onnx:")
    return (
        from_onnx(Path(f"{file}.onnx"), output=words)
        if colon
        else from_onnx(Path(text))
    )


def from_onnx(path: Path, *, output: str | None = None) -> "OnnxClassifier":
    """An ONNX file with one input.

    Args:
        path: The file.
        output: What it returns, as for ``reading_of``: also the name of an output by
            itself, and where its channels are, ``channels_last``, if its shape does not
            tell. Default: logits.

    Raises:
        InputError: There is no such file, onnxruntime is not installed or cannot load
            it, or it takes or returns something else.
    """
    try:
        import onnxruntime  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise InputError(
            f"{path} needs onnxruntime: pip install 'simplicert[onnx]'"
        ) from error
    if not path.is_file():
        raise InputError(f"no ONNX file at {path}: check the path")
    digest = onnx_digest(path)  # before anything opens what it names

    @functools.cache  # one a process, made when the number of threads is known
    def session(threads: int, device: torch.device) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        providers = _providers(path, device, onnxruntime.get_available_providers())
        try:
            made = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # its exceptions have no public base
            raise InputError(
                f"onnxruntime cannot load {path}: {str(error).splitlines()[0]}"
            ) from error
        if device.type == "cuda" and _CUDA not in made.get_providers():
            raise InputError(
                f"onnxruntime cannot run {path} on {device}, though it was built for "
                "CUDA: its libraries do not load. Run it on the CPU: device cpu"
            )
        return made

    first = session(torch.get_num_threads(), torch.device("cpu"))
    layout, reading = _words(path, output, [o.name for o in first.get_outputs()])
    returned = output_of(path, first.get_outputs(), reading, said=output is not None)
    if len(first.get_outputs()) > 1:  # each is another classifier
        digest = hashlib.sha256(f"{digest} {returned}".encode()).hexdigest()
    return OnnxClassifier(
        session,
        taken_by(path, first.get_inputs(), layout=layout),
        returned,
        reading=Reading(
            kind=reading.kind, label=reading.label, classes=reading.classes
        ),
        digest=digest,
    )


class OnnxClassifier(Classifier):
    """A file that onnxruntime runs, given what it takes.

    Args:
        session: What runs it.
        taken: Its input.
        returned: The output that is meant, by its name.
        reading: What that is.
        digest: Of the file, and of what is not read of it otherwise.
    """

    def __init__(
        self,
        session: Session,
        taken: Taken,
        returned: str,
        *,
        reading: Reading,
        digest: str,
    ) -> None:
        if taken.facts:
            digest = hashlib.sha256(f"{digest} {taken.facts}".encode()).hexdigest()
        super().__init__(name=taken.path.name, digest=digest, output=reading)
        self._session, self._taken, self._returned = session, taken, returned
        self.of_bytes = taken.type == "tensor(uint8)"

    def warnings(self, *, precision: str) -> tuple[str, ...]:  # noqa: ARG002 (one)
        """That inputs are rounded, where they are."""
        if self.of_bytes:
            return (
                f"{self.name} takes bytes, so that it gets {BYTES}: that is part of "
                "the classifier that is certified",
            )
        if self._taken.type == "tensor(float16)":
            return (
                f"{self.name} takes float16, to which noisy inputs are rounded: that "
                "is part of the classifier that is certified",
            )
        return ()

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """The file between torch's tensors, on the CPU or on a GPU of CUDA.

        Raises:
            InputError: Inputs of this shape are none that it takes; or onnxruntime has
                nothing for this device.
        """
        if precision != "fp32" or runtime != "eager":
            raise InputError(
                f"{self.name} is not a torch module: it runs in fp32 (precision), and "
                "by no other runtime (runtime eager)"
            )
        arrange = self._taken.arranging(shape)
        self._session(torch.get_num_threads(), device)

        def forward(images: Tensor) -> Any:
            runner = self._session(torch.get_num_threads(), device)
            returned = _in_passes(
                lambda inputs: as_array(
                    runner.run([self._returned], {self._taken.name: inputs})[0]
                ),
                images.cpu().numpy(),
                arrange,
                size=self._taken.batch,
                name=self.name,
            )
            if self.output == "labels" and getattr(returned, "shape", ())[1:] == (1,):
                returned = returned[:, 0]
            found = as_tensors(returned)
            return found.to(device) if isinstance(found, Tensor) else found

        return forward


def _in_passes(
    run: Callable[[np.ndarray], Any],
    images: np.ndarray,
    arrange: Arrange,
    *,
    size: int | None,
    name: str,
) -> Any:
    """What a file returns for any number of inputs, though it may take a fixed one.

    The last pass is filled up with copies of its own inputs, whose rows are dropped.
    """
    if size is None:
        return run(arrange(images))
    rows = []
    for first in range(0, len(images), size):
        piece = images[first : first + size]
        full = piece[np.arange(size) % len(piece)]
        returned = run(arrange(full))
        if not isinstance(returned, np.ndarray) or len(returned) != size:
            shape = getattr(returned, "shape", type(returned).__name__)
            raise InputError(
                f"{name} takes {size} inputs at once, but returned {shape} for them, "
                "not a row each"
            )
        rows.append(returned[: len(piece)])
    return np.concatenate(rows)


def _words(
    path: Path, output: str | None, names: Sequence[str]
) -> tuple[str | None, Reading]:
    """Where the channels are, if that is said; and what is returned."""
    words = [] if output is None else output.split(":")
    layouts = [word for word in words if word in LAYOUTS and word not in names]
    if len(layouts) > 1:
        raise InputError(f"{path}:{output} says where its channels are twice")
    rest = ":".join(word for word in words if word not in layouts)
    try:
        if not rest and (output is None or layouts):
            reading = Reading(kind="logits")
        else:
            reading = reading_of(rest, names=names, kind="logits")
    except InputError as error:
        if "how many classes" in str(error):
            error = InputError(
                "labels do not tell how many classes there are: say "
                f"{path}:{rest}:NUMBER"
            )
        raise InputError(f"{path}: {error}; it returns {', '.join(names)}") from None
    return layouts[0] if layouts else None, reading


def _providers(
    path: Path, device: torch.device, available: Sequence[str]
) -> list[str | tuple[str, dict[str, int]]]:
    """What is to run a file on a device.

    Raises:
        InputError: There is nothing here that can.
    """
    if device.type == "cpu":
        return ["CPUExecutionProvider"]
    if device.type == "cuda" and _CUDA in available:
        # TensorFloat-32 is no fp32.
        settings = {"device_id": device.index or 0, "use_tf32": 0}
        return [(_CUDA, settings), "CPUExecutionProvider"]
    raise InputError(
        f"onnxruntime here cannot run {path} on {device}: it has "
        f"{', '.join(available)}. Install onnxruntime-gpu instead of onnxruntime, or "
        "run it on the CPU: device cpu (--device cpu)"
    )
