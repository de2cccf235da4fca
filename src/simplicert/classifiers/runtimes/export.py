"""A torch module as an ONNX program, in memory."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import StringIO

import torch
from torch import Tensor

from simplicert.classifiers.runtimes.protocol import Part
from simplicert.errors import InputError

__all__ = ["check_installed", "exported"]


def check_installed(package: str, *, extra: str) -> None:
    """Refuse where a runtime, or what exports to it, is missing.

    Raises:
        InputError: As said.
    """
    missing = [each for each in (package, "onnxscript") if find_spec(each) is None]
    if missing:
        raise InputError(
            f"it needs {' and '.join(missing)}: pip install 'simplicert[{extra}]'"
        )


def exported(module: Part, inputs: Tensor) -> bytes:
    """The program, which takes any number of such inputs at once.

    Raises:
        InputError: torch cannot export the module, or not for any number of inputs.
    """
    if isinstance(module.module, torch.jit.ScriptModule):
        raise InputError("TorchScript cannot be exported: name the module it is of")
    some = inputs[:1].expand(2, *inputs.shape[1:]).contiguous()  # of one it would be 1
    try:
        with _quietly():
            program = torch.onnx.export(
                module,
                (some,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                verbose=False,
            )
            assert program is not None
            content: bytes = program.model_proto.SerializeToString()
    except Exception as error:
        cause = error.__cause__ or error
        reason = next((line for line in str(cause).splitlines() if line.strip()), "")
        raise InputError(
            "torch cannot export it for any number of inputs "
            f"({type(cause).__name__}: {reason.strip():.200})"
        ) from error
    return content


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what the exporter says of what is not installed and of its progress."""
    before = logging.root.manager.disable
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()),
        ):
            warnings.simplefilter("ignore")
            logging.disable(logging.ERROR)
            yield
    finally:
        logging.disable(before)
