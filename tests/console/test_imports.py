"""What the console's rooms load, and what they must not use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import console

ROOM = Path(console.__file__).parent
FILES = [path for path in ROOM.rglob("*.py") if "demo" not in path.relative_to(ROOM).parts]


def loaded(statement: str) -> set[str]:
    """Top-level modules a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import console.link", {"sqlmodel", "sqlalchemy", "fastapi", "starlette", "pydantic", "textual", "rich"}),
        ("import console.feed", {"sqlmodel", "fastapi", "pydantic", "textual"}),
        ("import console.app", {"sqlmodel", "sqlalchemy", "fastapi", "pydantic", "agents", "probes", "inventory"}),
        ("import console.__main__", {"textual", "httpx2", "msgspec", "rich", "asyncio"}),
    ],
)
def test_what_is_not_loaded(statement: str, absent: set[str]) -> None:
    assert not loaded(statement) & absent


DRAWING = {
    "Static",
    "Label",
    "Button",
    "DataTable",
    "Tree",
    "OptionList",
    "Log",
    "RichLog",
    "Markdown",
    "Text",
    "Select",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOM)))
def test_only_our_own_widgets_draw_text(path: Path) -> None:
    """Stock widgets take markup or let control sequences through; ``widgets.ink`` is the one place that draws."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("textual", "rich")):
            assert not {name.name for name in node.names} & DRAWING
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("from_markup", "update_title")
            assert node.func.attr != "notify", "toasts take markup; use Frame.notice"


def test_only_the_link_knows_http() -> None:
    for path in FILES:
        if path.name != "link.py":
            assert "httpx2" not in path.read_text("utf-8"), path


def test_only_one_place_catches_everything() -> None:
    catching = [path.name for path in FILES if "except Exception" in path.read_text("utf-8")]
    assert catching == ["worker.py"]
