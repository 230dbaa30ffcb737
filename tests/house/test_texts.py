"""What stands in the project's files: nothing of one machine, nothing of one package index, and no page missing."""

from __future__ import annotations

import re

import pytest

from controlplane.domain.refusals import CATALOGUE, RUNBOOKS
from tests.house import tree

SEPARATED = {
    "a place on one machine": re.compile("/" + r"(work|root|Users)/\w|/ho" + r"me/\w+/"),
    "a package index": re.compile(
        r"py" + r"pi\.org|python" + r"hosted|npm" + r"js\.(org|com)|(extra-)?index" + "-url="
    ),
}


@pytest.mark.parametrize("what", SEPARATED)
def test_no_file_names(what: str) -> None:
    assert [
        f"{tree.name(path)}:{number}"
        for path in tree.files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SEPARATED[what].search(line)
    ] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_are_hashed_and_hold_no_address(lock: str) -> None:
    text = (tree.HOUSE / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    pinned = re.split(r"\n(?=\S)", text.strip())
    assert [entry.splitlines()[0] for entry in pinned if "--hash=sha256:" not in entry] == []
    assert [entry.splitlines()[0] for entry in pinned if "==" not in entry.splitlines()[0]] == []


def test_what_builds_the_editable_install_is_locked_for_both() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (tree.HOUSE / lock).read_text(encoding="utf-8")
        assert re.search(r"^hatchling==", text, re.M), lock
        assert re.search(r"^editables==", text, re.M), lock


def test_every_refusal_has_its_runbook_page() -> None:
    pages = {path.stem for path in (tree.HOUSE / "runbooks").glob("*.md")}
    assert {rule.runbook for rule in CATALOGUE.values()} <= set(RUNBOOKS)
    assert set(RUNBOOKS) <= pages


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in tree.files():
        if page.suffix == ".md":
            for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
                if "://" not in target and not (page.parent / target).exists():
                    broken.append(f"{tree.name(page)}: {target}")
    assert broken == []
