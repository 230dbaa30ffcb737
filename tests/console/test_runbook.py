"""Runbook pages beside the trouble."""

from pathlib import Path

from console.runbook import page
from controlplane.domain.refusals import RUNBOOKS

TEXT = "# 标题 · Title\n\n中文\n\n---\nEnglish\n"


def test_a_page_in_each_language(tmp_path: Path) -> None:
    (tmp_path / "a-page.md").write_text(TEXT, "utf-8")
    assert page("a-page", "zh", tmp_path) == ["# 标题 · Title", "", "中文"]
    assert page("a-page", "en", tmp_path) == ["# 标题 · Title", "", "English"]


def test_a_page_in_one_language_serves_both(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("# Only\ntext\n", "utf-8")
    assert page("one", "zh", tmp_path) == page("one", "en", tmp_path) == ["# Only", "text"]


def test_what_cannot_be_read_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "folder.md").mkdir()
    assert page("bad", "zh", tmp_path) == page("folder", "zh", tmp_path) == page("none", "zh", tmp_path) == []


def test_every_page_the_rules_name_is_there() -> None:
    for slug in RUNBOOKS:
        assert page(slug, "zh") and page(slug, "en"), slug
