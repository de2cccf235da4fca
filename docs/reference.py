"""What is public, and the page about it: one rule, for the site and for its test.

A name is public if its module has it in ``__all__``, imports it ``as`` itself, or
holds a registry (a ``Kind``) by that name; and does not begin with an underscore.
"""

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import Any

from simplicert.plugins import Kind

PUBLIC = (
    "simplicert",
    "simplicert.data",
    "simplicert.models",
    "simplicert.classifiers",
    "simplicert.training",
    "simplicert.training.methods",
    "simplicert.noises",
    "simplicert.sampling",
    "simplicert.votes",
    "simplicert.bounds",
    "simplicert.procedures",
    "simplicert.mechanisms",
    "simplicert.certificates",
    "simplicert.stopping",
    "simplicert.interop",
    "simplicert.simplex",
    "simplicert.analysis",
    "simplicert.figures",
    "simplicert.report",
    "simplicert.exchange",
    "simplicert.audit",
    "simplicert.audit.attack",
    "simplicert.audit.procedures",
    "simplicert.plugins",
)
"""In the order of the page, which is that of the house."""

INTERNAL = ("cli", "machine", "serve")
"""Rooms that nobody should import from."""

HEAD = """# Reference

Every public name, from the modules themselves: what `__all__` has, what a room imports
`as` itself, and its registries. What [commands](commands.md) call is here too.
"""


def public_names(module: str) -> list[str]:
    """The public names of a module, in alphabetical order."""
    loaded = importlib.import_module(module)
    names = set(getattr(loaded, "__all__", ()))
    for node in ast.walk(_source(module)):
        if isinstance(node, ast.ImportFrom):
            names |= {each.name for each in node.names if each.asname == each.name}
    names |= {
        name
        for name in _assigned(module)
        if isinstance(getattr(loaded, name, None), Kind)
    }
    return sorted(name for name in names if not name.startswith("_"))


def home(module: str, name: str) -> tuple[str, str]:
    """Where a name is defined, and what it is called there: imports are followed."""
    for node in ast.walk(_source(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                if (each.asname or each.name) == name:
                    return home(node.module, each.name)
    return module, name


def documentation(module: str, name: str) -> str:
    """What stands with a name where it is defined; "" where nothing does.

    Of a function or class its own docstring; of a registry what is in it; of other data
    the text below it, or, where it is what its file is about, that file's first line.
    """
    value = getattr(importlib.import_module(module), name)
    if _has_docstring(value):
        return inspect.cleandoc(value.__doc__ or "")
    if isinstance(value, Kind):
        known = ", ".join(f"``{each}``" for each in value.built_in) or "none"
        return (
            f"Every {value.name}, by name: ``{name}.find(spec)``. Built in: {known}. "
            f"Entry points: ``{value.group}``."
        )
    place, own = home(module, name)
    if own in _assigned(place):
        below = _assigned(place)[own]
        if below:
            return below
    if type(value).__module__.startswith("simplicert."):
        return (ast.get_docstring(_source(place)) or "").partition("\n")[0]
    return ""


def page() -> str:
    """The whole page."""
    parts, seen = [HEAD], dict[tuple[str, str], str]()
    for module in PUBLIC:
        about = inspect.getdoc(importlib.import_module(module)) or ""
        parts.append(f"## `{module}`\n\n{about.partition(chr(10))[0]}\n")
        entries = []
        for name in public_names(module):
            path = f"{module}.{name}"
            first = seen.setdefault(home(module, name), path)
            entries += _entry(module, name) if first == path else _see(name, first)
        parts.append("```{eval-rst}\n" + "\n".join(entries) + "\n```\n")
    return "\n".join(parts)


def _entry(module: str, name: str) -> list[str]:
    value = getattr(importlib.import_module(module), name)
    path = f"{module}.{name}"
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        options = ["   :members:", "   :exclude-members: model_config"]
        return [f".. auto{kind}:: {path}", *options, ""]
    if inspect.isfunction(value):
        return [f".. autofunction:: {path}", ""]
    text = documentation(module, name).splitlines()
    return [f".. py:data:: {path}", "", *(f"   {line}".rstrip() for line in text), ""]


def _see(name: str, path: str) -> list[str]:
    return [f"``{name}`` is :py:obj:`{path}`.", ""]


def _has_docstring(value: Any) -> bool:
    """Of its own: dataclasses without one are given their signature."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return False
    return bool(value.__doc__) and not value.__doc__.startswith(f"{value.__name__}(")


@cache
def _source(module: str) -> ast.Module:
    file = importlib.import_module(module).__file__
    assert file is not None  # all of them are files
    return ast.parse(Path(file).read_text("utf-8"))


@cache
def _assigned(module: str) -> dict[str, str]:
    """What a module assigns at its top, and the text below each."""
    found, body = {}, _source(module).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        text = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = inspect.cleandoc(str(after.value.value))
        found |= {each.id: text for each in targets if isinstance(each, ast.Name)}
    return found
