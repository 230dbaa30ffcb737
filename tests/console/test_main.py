"""The command ``taxplane``."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.__main__ import main, token_in


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TAXPLANE_")}
    return subprocess.run(
        [sys.executable, "-m", "console", *words],
        capture_output=True, text=True, timeout=30, env={**clean, **environment}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_help_is_quick_and_names_the_demo() -> None:
    started = time.monotonic()
    said = run("--help")
    assert said.returncode == 0 and "taxplane demo" in said.stdout
    assert time.monotonic() - started < 5


def test_nobody_in_particular_is_asked_who_they_are() -> None:
    said = run()
    assert said.returncode == 2 and "--token-file" in said.stderr


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    said = run("--token-file", str(tmp_path / "none"))
    assert said.returncode == 2 and "token file" in said.stderr


@pytest.mark.parametrize("words", [["--lang", "xx"], ["--theme", "pink"], ["--user", "a", "--token-file", "b"]])
def test_wrong_words_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)


@pytest.mark.parametrize(
    ("content", "token"),
    [("abc\n", "abc"), ('{"admin": "a", "operator": "o"}', "o"), ('{"admin": "a"}', "a")],
)
def test_token_files(content: str, token: str) -> None:
    assert token_in(content) == token


@pytest.mark.parametrize("content", ["", "  \n", "two words", "\x1b[2J", "{}", '{"admin": 5}', "{", "[1]x y"])
def test_files_without_a_token(content: str) -> None:
    with pytest.raises(ValueError):
        token_in(content)


def test_the_demo_is_passed_on() -> None:
    said = run("demo", "--help")
    assert said.returncode == 0 and "--headless" in said.stdout
