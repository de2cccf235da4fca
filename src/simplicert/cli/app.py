"""Commands, loaded when they are called, and what their errors look like."""

import keyword
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import (
    App,
    CycloptsError,
    MissingArgumentError,
    Parameter,
    UnusedCliTokensError,
)

from simplicert import __version__
from simplicert.cli.printing import connected, note
from simplicert.errors import InputError
from simplicert.machine.lifeline import end_with_parent
from simplicert.machine.refusal import (
    hand_over,
    has_refused,
    others_refuse,
    was_launched_here,
)
from simplicert.machine.stopping import INTERRUPTED, stops_like_ctrl_c

USAGE = 2

# Which extra brings a package that only some commands need.
EXTRAS = {
    "torch": "torch",
    "safetensors": "torch",
    "sklearn": "digits",
    "onnxruntime": "onnx",
    "httpx": "http",
    "fastapi": "serve",
    "uvicorn": "serve",
    "prometheus_client": "serve",
}

COMMANDS = {
    "demo": "The whole pipeline on handwritten digits, in about a minute.",
    "train": "Train a network under Gaussian noise, from a recipe.",
    "sample": "Draw noisy forward passes of a model and store the votes.",
    "neighbours": "Choose points whose certificates may enlarge others'.",
    "certify": "Turn stored votes into certified radii. Needs no model.",
    "report": "Write one HTML page about one or more runs.",
    "simplex": "Compare mechanisms over the whole simplex. Needs no data.",
    "plan": "What a stopping rule would have saved on a finished run.",
    "compare": "Compare the mechanisms on one run, or two runs image by image.",
    "status": "How far a run is, and who draws it. Needs no model.",
    "compact": "Join the parts of a run and print its digest. Needs no model.",
    "audit": "Try to falsify the certificates of a run, a log or a table.",
    "serve": "Certify inputs over HTTP, and keep the votes behind every answer.",
    "merge": "Join run directories from machines that share no disk.",
    "import": "Turn counts or others' logs into a run.",
    "export": "Write a run's certificates as others want them.",
}


def _shown(default: object) -> str | None:
    """A default as help shows it; none where nothing is asked for."""
    if isinstance(default, tuple):
        return ", ".join(map(str, default)) or None
    return None if default is None or default is False else str(default)


def _app(*, listing: bool) -> App:
    """The commands: only their summaries, or each as its own module describes it."""
    app = App(
        name="simplicert",
        help="Certified robustness by randomised smoothing: "
        "sample once, certify any way.",
        help_epilogue="Start with: simplicert demo" if listing else None,
        version=__version__,
        help_format="markdown",
        # No --empty-radii and --no-json beside the options, and no "[default: False]".
        default_parameter=Parameter(negative=(), show_default=_shown),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for order, (name, summary) in enumerate(COMMANDS.items()):
        module = f"{name}_" if keyword.iskeyword(name) else name
        # A summary here stands in for the docstring there, which would be imported.
        described = {"help": summary} if listing else {}
        path = f"simplicert.cli.{module}:{name}_command"
        app.command(path, name=name, sort_key=order, **described)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0, 2 on bad input, 130 where it was stopped.

    1 is for what a command found, not for how it went: a falsified claim.
    """
    # Before torch is loaded: OpenMP's threads spin at every barrier, and where another
    # process holds a core, small networks then draw 20 times slower.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    end_with_parent()
    alone = arguments is None  # in a process that ends with it
    with connected(), stops_like_ctrl_c(to_the_end=alone):
        code = _exit_code(sys.argv[1:] if arguments is None else arguments)
    sys.exit(code)


def _exit_code(arguments: Sequence[str]) -> int:
    try:
        return _ending(arguments)
    except KeyboardInterrupt:  # also one that comes while another error is told
        if not was_launched_here():
            note("simplicert: interrupted")
        return INTERRUPTED


def _ending(arguments: Sequence[str]) -> int:  # noqa: PLR0911 (endings)
    if has_refused():
        return USAGE
    try:
        listing = not arguments or arguments[0].startswith("-")
        app = _app(listing=listing)
        code = app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()  # a full disk shows here, not after we are gone
    except (InputError, CycloptsError) as error:
        return _refuse(_said(error))
    except MemoryError as error:
        return _complain(f"not enough memory: {error or 'give it less at once'}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else _lost()
        return _complain(f"{where}{error.strerror or error}")
    except UnicodeEncodeError as error:  # in a library that wants UTF-8
        if error.reason != "surrogates not allowed":
            raise
        return _complain(f"{error.object}: this name is not UTF-8: choose another")
    except ImportError as error:
        cause = error.__cause__ or error  # cyclopts wraps what a lazy command raises
        package = (getattr(cause, "name", None) or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        return _refuse(
            f"this command needs {package}, which is not installed: "
            f"pip install 'simplicert[{EXTRAS[package]}]'"
        )
    except RuntimeError:  # torch.distributed's, of processes that are gone
        if not others_refuse():
            raise
        return USAGE
    return code if isinstance(code, int) else 0


def _lost() -> str:
    """What the system does not say: which directory is gone."""
    try:
        Path.cwd()
    except OSError:
        return "the working directory is gone: "
    return ""


def _said(error: InputError | CycloptsError) -> str:
    """An error in a sentence; two of cyclopts' are about its terms and not ours."""
    if isinstance(error, InputError):
        return str(error)
    command = " ".join(("simplicert", *(error.command_chain or ())))
    if isinstance(error, UnusedCliTokensError):
        rest = " ".join(error.unused_tokens or ())
        return (
            f"{rest}: {command} has no place for it. Several values of an option have "
            f"commas between, or the option before each: see {command} --help"
        )
    missing = isinstance(error, MissingArgumentError) and error.keyword is None
    if missing and error.argument and "Did you mean" not in str(error):
        name = error.argument.name
        return f"{command} needs {name}, which was not given: see {command} --help"
    return str(error)


def _refuse(message: str) -> int:
    """Of what would be refused again: launched workers are not restarted for it."""
    if not was_launched_here():
        return _complain(message)
    hand_over(message)
    return USAGE


def _complain(message: str) -> int:
    note(f"simplicert: {message}")
    return USAGE
