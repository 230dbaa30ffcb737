"""The size of things: small files, short functions, few arguments, and a plate on every door."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house import tree

SOURCE = [path for path in tree.modules(*tree.PACKAGES) if path.parent != tree.MIGRATIONS]
EVERYTHING = [path for path in tree.modules(*tree.PACKAGES, "tests") if path.parent != tree.MIGRATIONS]
FORBIDDEN_WORDS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _share(sizes: list[int], limit: int) -> float:
    return sum(size <= limit for size in sizes) / len(sizes)


def test_no_file_is_over_500_lines_and_95_in_100_are_under_350() -> None:
    sizes = {tree.name(path): _lines(path) for path in EVERYTHING}
    assert {name: size for name, size in sizes.items() if size > 500} == {}
    assert _share([_lines(path) for path in SOURCE], 350) >= 0.95


def test_no_function_is_over_60_lines_and_95_in_100_are_under_40() -> None:
    sizes = {
        f"{tree.name(path)}:{function.lineno} {function.name}": tree.length(function)
        for path in EVERYTHING
        for function in tree.functions(path)
    }
    assert {name: size for name, size in sizes.items() if size > 60} == {}
    assert _share([tree.length(one) for path in SOURCE for one in tree.functions(path)], 40) >= 0.95


def test_six_arguments_are_the_most() -> None:
    assert [
        f"{tree.name(path)}:{function.lineno} {function.name}"
        for path in SOURCE
        for function in tree.functions(path)
        if len(tree.arguments(function)) > 6
    ] == []


def test_every_function_says_what_it_returns() -> None:
    assert [
        f"{tree.name(path)}:{function.lineno} {function.name}"
        for path in SOURCE
        for function in tree.functions(path)
        if function.returns is None
    ] == []


def test_every_module_says_what_it_is() -> None:
    silent = [tree.name(path) for path in SOURCE if not ast.get_docstring(tree.tree(path))]
    silent += [
        tree.name(path)
        for path in EVERYTHING
        if path not in SOURCE and path.name != "__init__.py" and not ast.get_docstring(tree.tree(path))
    ]
    assert silent == []


def test_files_are_named_after_nouns_of_the_trade() -> None:
    assert [tree.name(path) for path in tree.files() if _words(path) & FORBIDDEN_WORDS] == []


def _words(path: Path) -> set[str]:
    folders = tree.name(path).lower().split("/")[:-1]
    return {*folders, *path.stem.lower().replace("-", "_").split("_")}
