"""The one loader: what a text or an object names, of every kind that can be added.

A kind is a dictionary of what is built in, and a check at the door. What comes from
outside is imported, checked once, and from then on as good as what is built in.
"""

import ast
import importlib
import importlib.machinery
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial, reduce
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from simplicert.errors import InputError, unknown_name

__all__ = [
    "Kind",
    "Origin",
    "attribute_of",
    "built",
    "defined_name",
    "import_place",
    "kind_of_values",
    "shown_as_theirs",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where a thing is from: its name in columns and legends, and for messages."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind(Generic[T]):
    """One kind of thing that can be added: mechanisms, noises, data sets, ….

    Attributes:
        name: For messages, in the singular; in the plural, the group of entry points.
        built_in: What ships with Simplicert, by name.
        admit: The thing from outside and where it is from → the thing, checked.
            Raises ``InputError`` for what is not of this kind or breaks its laws.
        also: What else a text may be, for messages.
    """

    name: str
    built_in: Mapping[str, T]
    admit: Callable[[object, Origin], T]
    also: str = ""
    _found: WeakValueDictionary[int, T] = field(default_factory=WeakValueDictionary)

    @property
    def group(self) -> str:
        """The entry point group under which a package offers things of this kind."""
        return f"simplicert.{self.name.replace(' ', '_')}s"

    @property
    def names(self) -> list[str]:
        """What :meth:`find` knows by name: built-in things, then installed ones."""
        return [*self.built_in, *(point.name for point in self._installed())]

    def find(self, spec: object) -> T:
        """The thing that a text names, or an object of yours made one.

        Args:
            spec: A built-in name; ``path/to/file.py:thing``; ``package.module:thing``;
                the name of an installed entry point of the group; or an object.

        Raises:
            InputError: Nothing has that name, it cannot be imported, it is of another
                kind, or it breaks a law of its kind.
        """
        if not isinstance(spec, str):
            kind = type(spec).__name__
            with shown_as_theirs(f"a {kind}"):  # attributes can be code, too
                name = getattr(spec, "name", None) or getattr(spec, "__name__", None)
                origin = Origin(str(name or kind), repr(spec))
            return self._admitted(spec, origin)
        if spec in self.built_in:
            return self.built_in[spec]
        return self._admitted(*self.unchecked(spec))

    def unchecked(self, spec: str) -> tuple[object, Origin]:
        """What a text from outside names, before the check at the door.

        Raises:
            InputError: Nothing has that name, or it cannot be imported.
        """
        for point in self._installed():
            if point.name == spec:
                if not point.attr:
                    raise InputError(
                        f"the entry point {spec} names the module {point.value} alone: "
                        "it must be MODULE:NAME"
                    )
                thing = attribute_of(import_place(point.module), point.attr, spec)
                return thing, Origin(spec, point.value)
        place, colon, attribute = spec.rpartition(":")
        if not colon:
            error = unknown_name(self.name, spec, self.names)
            raise InputError(f"{error}, or FILE.py:NAME or PACKAGE:NAME{self.also}")
        short = Path(place).stem if place.endswith(".py") else place.rpartition(".")[2]
        thing = attribute_of(import_place(place), attribute, spec)
        return thing, Origin(f"{short}.{attribute}", spec)

    def _admitted(self, thing: object, origin: Origin) -> T:
        """The thing, checked; what was found before, or is ours, needs no check."""
        for ready in (*self.built_in.values(), self._found.get(id(thing))):
            if ready is not None and thing is ready:
                return ready
        with shown_as_theirs(origin.text):
            return self.keep(self.admit(thing, origin))

    def keep(self, ready: T) -> T:
        """The same thing, which needs no check when it is given again."""
        self._found[id(ready)] = ready
        return ready

    def _installed(self) -> list[EntryPoint]:
        return sorted(entry_points(group=self.group), key=lambda point: point.name)


def kind_of_values(
    name: str,
    type_: type[T],
    room: Mapping[str, object],
    *,
    expected: str,
    reserved: Collection[str] = (),
    check: Callable[[T], T] | None = None,
) -> Kind[T]:
    """A kind whose things are values of one type, with a ``name`` of their own.

    Args:
        name: As ``Kind`` has it.
        type_: The type.
        room: The variables of a module; those of the type are built in. Their names are
            taken: another thing would pass for them.
        expected: How to make one, for messages.
        reserved: Names that mean something else.
        check: Its laws: returns the thing, or raises ``InputError``.
    """
    ours = [each for each in room.values() if isinstance(each, type_)]
    built_in = {str(getattr(each, "name")): each for each in ours}  # noqa: B009 (of T)

    def admit(thing: object, origin: Origin) -> T:
        if not isinstance(thing, type_):
            raise InputError(f"{origin.text} is something else: expected {expected}")
        name = getattr(thing, "name", None)
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
            raise InputError(
                f"{origin.text} needs a name of letters, digits and any of _ . -, got "
                f"{name!r}: files and columns are called by it"
            )
        if name in built_in or name in reserved:
            raise InputError(
                f"{origin.text} cannot be called {name!r}: that is one of Simplicert's "
                "own, for which it would be taken"
            )
        return thing if check is None else check(thing)

    return Kind(name=name, built_in=built_in, admit=admit)


@contextmanager
def shown_as_theirs(what: str, advice: str = "") -> Iterator[None]:
    """Whatever somebody else's code raises in here is one line that says whose it is.

    What it prints goes to standard error: the other is for answers.

    Raises:
        InputError: Theirs as it is; of anything else, what was raised.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(
            f"{what} raised {type(error).__name__}: {error}{advice}"
        ) from error


def built(thing: Any, origin: Origin, *, ready: tuple[Any, ...], what: str) -> Any:
    """The thing itself if it is ready, or what it returns that builds one.

    Args:
        thing: From outside.
        origin: Where it is from, for messages.
        ready: Types whose objects are not called, although they may be callable.
        what: It must return, for messages.

    Raises:
        InputError: What it raised.
    """
    if not callable(thing) or (
        isinstance(thing, ready) and not isinstance(thing, type)
    ):
        return thing
    with shown_as_theirs(
        f"{origin.text}()", f". It must take no arguments and return the {what}"
    ):
        return thing()


def import_place(place: str) -> ModuleType:
    """The module of a path that ends in ``.py``, or of a dotted name.

    A file is run each time, and may import its neighbours, as a script may; modules are
    found in the working directory, too.

    Raises:
        InputError: There is none, or importing it raises; the error is shown as theirs.
    """
    path = Path(place)
    with shown_as_theirs(f"importing {place}"):
        if path.suffix == ".py":
            if not path.is_file():
                raise InputError(f"no file {place}: check the path")
            return _run(path.resolve())
        here = str(Path.cwd())
        if not {here, ""} & set(sys.path):
            sys.path.append(here)
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            if error.name != place.partition(".")[0]:
                raise
            raise InputError(
                f"no module {place}: is it installed? A file is named with .py"
            ) from error


def attribute_of(module: ModuleType, attribute: str, text: str) -> Any:
    """What ``attribute``, which may have dots, is in a module.

    Raises:
        InputError: It has no such attribute; lists its own. Looking for it raises.
    """
    with shown_as_theirs(text):
        try:
            return reduce(getattr, attribute.split("."), module)
        except AttributeError as error:
            own = [
                key
                for key, value in vars(module).items()
                if not key.startswith("_") and not isinstance(value, ModuleType)
            ]
            place = text.rpartition(":")[0] or text
            raise unknown_name(f"name in {place}", attribute, own) from error


def defined_name(function: Callable[..., Any]) -> str:
    """What a function or callable object is called where it was defined."""
    function = _unwrapped(function)
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, partial):
        function = function.func
    return getattr(inspect.unwrap(function), "__func__", function)


def _run(path: Path) -> ModuleType:
    name = f"simplicert_plugin_{path.stem}"  # no real module's name
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # the suffix is a known one
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    for neighbour, ours in _neighbours(path):
        loaded = getattr(sys.modules.get(neighbour), "__file__", None)
        _check_neighbour(path, ours, loaded)
    before = sys.modules.get(name)
    sys.modules[name] = module  # as importing does; dataclasses and pickle look there
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    finally:
        # Last from now on: what is imported later finds its neighbours, too.
        sys.path.remove(str(path.parent))
        if str(path.parent) not in sys.path:
            sys.path.append(str(path.parent))
    for neighbour, ours in _neighbours(path):
        if neighbour not in sys.modules:
            later = importlib.machinery.PathFinder.find_spec(neighbour)
            _check_neighbour(path, ours, later.origin if later else None)
    return module


def _neighbours(path: Path) -> Iterator[tuple[str, Path]]:
    """Modules beside a file that it imports, now or when something is called."""
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        for name in {name.partition(".")[0] for name in names}:
            beside = path.parent / f"{name}.py", path.parent / name / "__init__.py"
            ours = next((f for f in beside if f.is_file() and f != path), None)
            if ours is not None:
                yield name, ours


def _check_neighbour(path: Path, ours: Path, found: str | None) -> None:
    """Refuse an import that would find another file, as another plug-in's neighbour."""
    if found and ours.resolve() != Path(found).resolve():
        raise InputError(
            f"{path} imports {ours}, but {found} is loaded under that name already, or "
            "comes first: rename one of the two"
        )
