"""What tells Python values apart: one digest, the same in every process.

A value is its kind and the digests of its parts, so that no two values run into each
other; an object is what pickle would keep of it. Addresses, line numbers, padding and
the names of files are no part of it.
"""

import copyreg
import dis
import hashlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache, partial
from importlib.machinery import PathFinder
from pathlib import Path
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from simplicert.errors import InputError

__all__ = ["Special", "digest_of", "is_known", "package_of"]

Special: TypeAlias = Callable[[Any], "tuple[object, ...] | None"]
"""Another way to describe some values: their kind in words, then their parts."""

_LEAVES = (type(None), bool, float, complex, str, type(...))
_KNOWN = {"torch", "simplicert", "numpy", "scipy", "sklearn"} | sys.stdlib_module_names
_LOADS = {"LOAD_GLOBAL", "LOAD_NAME"}
_MOST = 100_000  # objects that hold each other in circles: more could take for ever


def digest_of(
    value: object, *, home: Collection[str] = (), special: Special | None = None
) -> str:
    """SHA-256 of what a value is here and now, as far as Python can see it.

    A function is the file that defines it, or its bytecode where there is none; what
    it was made with (defaults, what it closes over); and, followed in the same way, the
    globals that it reads. So is a class, by its methods. What is installed goes by its
    name; an object that cannot be pickled by its attributes, or by its type alone.

    Args:
        value: Anything.
        home: Installed packages of which the source counts, too.
        special: Asked first; ``None`` for what it leaves to this.

    Raises:
        InputError: It is nested too deeply.

    Example:
        >>> by = 2
        >>> digest_of(lambda x: x + by) == digest_of(lambda x: x + by)
        True
        >>> digest_of(lambda x: x + by) == digest_of(lambda x: x - by)
        False
    """
    try:
        return _Reader(frozenset(home) - _KNOWN, special).whole(value).hex()
    except RecursionError:
        raise InputError(
            f"a {type(value).__name__} is nested too deeply for its digest: say what "
            "identifies it (digest=…)"
        ) from None


def package_of(thing: object) -> str:
    """The top-level package that defines a class or a function, also a partial one."""
    while isinstance(thing, partial):
        thing = thing.func
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0]


def is_known(thing: object) -> bool:
    """Whether Python, or a library that Simplicert stands on, defines it."""
    return package_of(thing) in _KNOWN


class _Reader:
    """One walk through a value, in an order that depends on the value alone.

    Functions and classes are a number where they occur, and are read at the end, once
    each: they refer to each other in circles. Anything else is read where it occurs,
    shared or not, and what holds itself ends there.
    """

    def __init__(self, home: Collection[str], special: Special | None) -> None:
        self._home, self._special = home, special
        self._code: dict[int, tuple[int, Any]] = {}
        self._above: dict[int, int] = {}  # depths of what is being read
        self._highest = 0  # depth that what was read last refers to
        self._read: dict[int, tuple[bytes, object]] = {}  # kept alive for its address
        self._open = 0

    def whole(self, value: object) -> bytes:
        parts, done = [self.digest(value)], 0
        while done < len(self._code):  # there are more with each
            _, thing = list(self._code.values())[done]
            parts.append(self._node(*self._of_code(thing)))
            done += 1
        return _leaf("whole", b"".join(parts))

    def digest(self, value: Any) -> bytes:  # noqa: PLR0911 (a case a kind)
        kind = type(value)
        if kind in _LEAVES:
            return _leaf(kind.__name__, repr(value).encode())
        if kind is int:
            return _leaf("int", hex(value).encode())  # of any length
        if kind is bytes:
            return _leaf("bytes", value)
        if isinstance(value, type | FunctionType):
            number, _ = self._code.setdefault(id(value), (len(self._code), value))
            return _leaf("code", str(number).encode())
        key, depth = id(value), len(self._above)
        if key in self._read:
            return self._read[key][0]
        if key in self._above:
            self._highest = min(self._highest, self._above[key])
            return _leaf("above", str(depth - self._above[key]).encode())
        around, self._highest = self._highest, depth
        self._above[key] = depth
        try:
            found = self._node(*self._parts(value))
        finally:
            del self._above[key]
        if self._highest >= depth:  # the same wherever it occurs
            self._read[key] = found, value
        else:
            self._open += 1
            if self._open > _MOST:
                raise RecursionError
        self._highest = min(around, self._highest)
        return found

    def _node(self, kind: str, parts: Iterable[object]) -> bytes:
        return _leaf(f"{kind} of", b"".join([self.digest(part) for part in parts]))

    def _parts(  # noqa: PLR0911 (a case a kind)
        self, value: Any
    ) -> tuple[str, Iterable[object]]:
        kind = type(value)
        if kind in {tuple, list}:
            return kind.__name__, value
        if special := self._special and self._special(value):
            return f"special {special[0]}", special[1:]
        if kind is dict:
            return "dict", [part for item in value.items() for part in item]
        if kind in {set, frozenset}:  # in no order, so each by itself
            each = [_Reader(self._home, self._special).whole(part) for part in value]
            return "set", sorted(each)
        if isinstance(value, np.ndarray | np.generic):
            return self._of_array(np.asanyarray(value))
        if isinstance(value, CodeType):
            return "code", _code(value)
        if isinstance(value, MethodType):
            return "method", (value.__func__, value.__self__)
        if isinstance(value, ModuleType):
            return "module", [value.__name__, self._source(value)]
        if isinstance(value, property):
            return "property", [value.fget, value.fset, value.fdel]
        if hasattr(kind, "detach") and hasattr(kind, "tolist"):  # a tensor
            return "tensor", [kind, str(value.dtype), value.tolist()]
        if callable(getattr(value, "__wrapped__", None)):  # a cache around it, say
            return "wrapped", [kind, value.__wrapped__]
        return "object", self._of_object(value)

    def _of_code(self, thing: Any) -> tuple[str, Iterable[object]]:
        if isinstance(thing, type):
            return "class", self._of_class(thing)
        return "function", self._of_function(thing)

    def _of_array(self, array: Any) -> tuple[str, Iterable[object]]:
        if not array.dtype.isnative:  # as pickle makes it
            array = array.astype(array.dtype.newbyteorder("="))
        kind = "ndarray" if isinstance(array, np.memmap) else type(array).__qualname__
        head = kind, array.dtype.str, array.shape
        if isinstance(array, np.ma.MaskedArray):  # what is under the mask is anything
            hidden = np.ma.getmaskarray(array)
            data = np.where(hidden, np.zeros((), array.dtype), np.ma.getdata(array))
            return "masked", (*head, data, np.asarray(hidden))
        if array.dtype.names is not None:  # field by field: between them is padding
            names = array.dtype.names
            return "fields", (kind, array.shape, names, [array[n] for n in names])
        if array.dtype.kind == "O":
            return "objects", (*head, array.ravel().tolist())
        if array.dtype.char in "gG":  # padded to 16 bytes
            return "long", (*head, [str(each) for each in array.ravel()])
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return "numbers", (*head, hashlib.sha256(content.data).digest())

    def _of_object(self, value: Any) -> list[object]:
        """What makes it again, as pickle would."""
        if value is np.random.mtrand._rand:  # moves with whoever draws
            return ["numpy.random"]
        try:
            registered = copyreg.dispatch_table.get(type(value))
            reduced = registered(value) if registered else value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 (whatever it is: a lock, a file)
            reduced = type(value), (), getattr(value, "__dict__", None)
        if isinstance(reduced, str):  # a global's name
            return [type(value), getattr(value, "__module__", None), reduced]
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        kept = [_kept(value, part) for part in _both(state)]
        return [make, arguments, kept, list(items or ()), list(pairs or ())]

    def _of_class(self, kind: type) -> list[object]:
        name = [kind.__qualname__, self._source(kind)]
        if not self._is_followed(kind):
            return [kind.__module__, *name]
        members = {
            key: member
            for key, member in vars(kind).items()
            if not (key.startswith("__") and not callable(member))
            and key not in {"_abc_impl", "__weakref__", "__dict__"}
            and not (name[1] and _is_generated(member))  # its file says it all
        }
        return [*name, kind.__bases__, sorted(members.items(), key=lambda m: m[0])]

    def _of_function(self, function: FunctionType) -> list[object]:
        code, source = function.__code__, self._source(function)
        by_name = "<" not in function.__qualname__  # neither a lambda nor local
        if by_name and not self._is_followed(function):
            return [function.__module__, function.__qualname__, source]
        cells = [cell for cell in function.__closure__ or () if cell != CellType()]
        return [
            function.__qualname__,
            source,
            # A file may have many lambdas, and other code by now.
            None if code in _codes(source) and code.co_name != "<lambda>" else code,
            function.__defaults__,
            function.__kwdefaults__,
            [cell.cell_contents for cell in cells],
            list(self._globals(function)) if self._is_followed(function) else [],
        ]

    def _globals(self, function: FunctionType) -> Iterator[tuple[str, object]]:
        """The globals that its code reads: of modules of one's own what it takes there.

        And the files that it imports when it is called, but not what they import.
        """
        for name in sorted(_imports(function.__code__)):
            spec = None if name in _KNOWN else PathFinder.find_spec(name)
            if spec is not None and _is_somebodys(spec.origin or ""):
                yield f"import {name}", _content(spec.origin or "")
        for name, *attributes in sorted(_paths(function.__code__)):
            if name not in function.__globals__:  # Python's own
                continue
            value = function.__globals__[name]
            for attribute in attributes:
                if not isinstance(value, ModuleType) or not self._is_followed(value):
                    break
                value = getattr(value, attribute, None)
            yield ".".join((name, *attributes)), value

    def _is_followed(self, thing: Any) -> bool:
        """Whether it is somebody's own code, not an installed package's."""
        module = thing.__name__ if isinstance(thing, ModuleType) else None
        package = module.partition(".")[0] if module else package_of(thing)
        if package in _KNOWN or package == "__main__":
            return package == "__main__"
        return _is_somebodys(_file_of(thing))

    def _source(self, thing: Any) -> bytes:
        """The file that defines it, if that counts and there is one."""
        if not self._is_followed(thing) and package_of(thing) not in self._home:
            return b""
        return _content(_file_of(thing))


@lru_cache(maxsize=16)
def _codes(source: bytes) -> frozenset[CodeType]:
    """All code that a file has now."""
    try:
        found = [compile(source, "", "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        found = []
    for code in found:  # there are more with each
        found += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    return frozenset(found)


def _leaf(kind: str, content: bytes) -> bytes:
    return hashlib.sha256(kind.encode() + b"\0" + content).digest()


def _code(code: CodeType) -> tuple[object, ...]:
    """What it does: neither where it stands nor what its variables are called."""
    return (
        code.co_code,
        code.co_consts,
        code.co_names,
        code.co_exceptiontable,
        code.co_flags,
        code.co_varnames[: code.co_argcount + code.co_kwonlyargcount],
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_cellvars, code.co_freevars),
    )


def _paths(code: CodeType) -> set[tuple[str, ...]]:
    """Globals that code reads, each with the attributes that it reads of them."""
    found: set[tuple[str, ...]] = set()
    path: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if step.opname in _LOADS:
            path = (step.argval,)
        elif path and step.opname in {"LOAD_ATTR", "LOAD_METHOD"}:
            found.discard(path)
            path = (*path, step.argval)
        elif step.opname not in {"CACHE", "PUSH_NULL"}:
            path = ()
        if path:
            found.add(path)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= _paths(inner)
    return found


def _imports(code: CodeType) -> set[str]:
    """Top-level names of what code imports when it runs."""
    found = {
        step.argval.partition(".")[0]
        for step in dis.get_instructions(code)
        if step.opname == "IMPORT_NAME"
    }
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return found.union(*map(_imports, inner)) - {""}


def _is_somebodys(file: str) -> bool:
    return not {"site-packages", "dist-packages"} & set(Path(file).parts)


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:  # typed into an interpreter
        return b""


def _both(state: Any) -> tuple[Any, ...]:
    """Attributes, and those in slots, if that is what a state is."""
    slots = isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict)
    return state if slots else (state,)


def _kept(value: object, state: Any) -> object:
    """A state; of attributes, in order of their names, those that are no caches."""
    if not isinstance(state, Mapping) or not all(isinstance(k, str) for k in state):
        return state
    return [
        (key, state[key])
        for key in sorted(state)
        if not isinstance(getattr(type(value), key, None), cached_property)
    ]


def _is_generated(member: object) -> bool:
    """Whether it is a method that no file has, as those of dataclasses."""
    return isinstance(member, FunctionType) and not Path(_file_of(member)).is_file()


def _file_of(thing: Any) -> str:
    if isinstance(thing, type):  # its module's file need not be its own
        methods = (each for each in vars(thing).values() if hasattr(each, "__code__"))
        files = [each.__code__.co_filename for each in methods]
        found = next((file for file in files if Path(file).is_file()), None)
        if found or (files and thing.__module__ == "__main__"):
            return found or ""
    try:
        return inspect.getsourcefile(thing) or ""
    except (TypeError, OSError):  # built in, or typed into an interpreter
        return ""
