"""The project's own files, as the house rules look at them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PACKAGES = ("console", "agents", "controlplane", "inventory", "probes")
MIGRATIONS = HOUSE / "controlplane" / "store" / "migrations" / "versions"
_NOT_OURS = {".git", "__pycache__", "dist", "build", "node_modules"}
_BINARY = {".png", ".xlsx", ".ico", ".gz", ".whl", ".db"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    """The path as one writes it in the project."""
    return path.relative_to(HOUSE).as_posix()


@cache
def files() -> tuple[Path, ...]:
    """Every text file of the project; what tools and runs leave behind (hidden folders) is not part of it."""
    return tuple(sorted(path for path in _walk(HOUSE) if path.suffix not in _BINARY))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_file():
            yield path
        elif path.name == ".ci" or not (path.name in _NOT_OURS or path.name.startswith(".")):
            yield from _walk(path)


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """The Python files below these folders."""
    return tuple(path for path in files() if path.suffix == ".py" and name(path).partition("/")[0] in folders)


@cache
def tree(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), name(path))


def functions(path: Path) -> Iterator[Function]:
    """All functions and methods of a module, nested ones included."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from ``def`` to the last."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def arguments(function: Function) -> list[str]:
    """Names of the arguments but self and cls."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [argument.arg for argument in every if argument.arg not in ("self", "cls")]
