"""Every refusal has its page, every page is whole, and what the pages name exists."""

import configparser
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import console.screens
from console.screens.noun import Noun
from controlplane.domain import tax_server, virtual_device
from controlplane.domain.refusals import CATALOGUE, RUNBOOKS

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "runbooks"
PAGES = sorted(path for path in BOOK.glob("*.md") if path.stem not in ("README", "glossary"))
TEXTS = sorted([*BOOK.rglob("*.md")])
UNITS = sorted((BOOK / "deploy").glob("*.service"))


def console_nouns():
    """Every noun the console's screens know."""
    for found in pkgutil.iter_modules(console.screens.__path__):
        noun = getattr(importlib.import_module(f"console.screens.{found.name}"), "NOUN", None)
        if isinstance(noun, Noun):
            yield noun


def test_pages_and_slugs_are_the_same_set():
    assert {path.stem for path in PAGES} == set(RUNBOOKS)
    assert {rule.runbook for rule in CATALOGUE.values()} <= set(RUNBOOKS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_short_and_whole_in_both_languages(path):
    text = path.read_text("utf-8")
    chinese, _, english = text.partition("\n---\n")
    assert len(text.splitlines()) <= 60
    for part in ("**看到**", "**含义**", "## 先看", "## 处理", "\n1. ", "## 确认已好", "## 找谁"):
        assert part in chinese, part
    for part in ("**You see**", "**It means**", "**First look**", "\n1. ", "**Fixed when**", "**Call**"):
        assert part in english, part


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_steps_are_numbered_alike_in_both_languages(path):
    chinese, _, english = path.read_text("utf-8").partition("\n---\n")
    assert re.findall(r"(?m)^\d+\.", chinese) == re.findall(r"(?m)^\d+\.", english)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(BOOK)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


def test_the_index_names_every_page():
    index = (BOOK / "README.md").read_text("utf-8")
    assert all(f"({slug}.md)" in index for slug in RUNBOOKS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_console_commands_named_in_a_page_exist(path):
    known = {word for noun in console_nouns() for word in noun.aliases}
    assert set(re.findall(r"`:([a-z-]+)`", path.read_text("utf-8"))) <= known


def test_the_glossary_knows_every_verb():
    glossary = (BOOK / "glossary.md").read_text("utf-8")
    verbs = {*tax_server.JOB_KINDS, *virtual_device.JOB_KINDS} - {"read", "add_terminal"}
    assert [verb for verb in sorted(verbs) if f"`{verb}`" not in glossary] == []


@pytest.mark.parametrize("path", sorted((BOOK / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_record_fits_one_page(path):
    lines = path.read_text("utf-8").splitlines()
    assert re.fullmatch(r"\d{4}(-[a-z]+)+", path.stem) and lines[0].startswith(f"# {path.stem[:4]} ")
    assert len(lines) <= 70
    assert [line for line in lines if line.startswith("## ")][:3] == ["## Context", "## Decision", "## Consequences"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_start_commands_that_are_installed(path):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(path, "utf-8")
    command = Path(unit["Service"]["ExecStart"].split()[0]).name
    assert command in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert unit["Service"]["NoNewPrivileges"] == "yes" and unit["Service"]["UMask"] == "0077"
