"""The rules load nothing but the standard library, and quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from controlplane import domain

SCRIPT = """
import sys
before = set(sys.modules)
import {modules}
foreign = sorted(
    name for name in set(sys.modules) - before
    if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("controlplane.domain")
    and name != "controlplane"
)
print(foreign)
"""


def test_the_rules_import_nothing_of_ours_or_anyones() -> None:
    names = [path.stem for path in Path(str(domain.__file__)).parent.glob("*.py") if path.stem != "__init__"]
    script = SCRIPT.format(modules=", ".join(f"controlplane.domain.{name}" for name in names))
    answer = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True, cwd=_root()
    )
    assert answer.stdout.strip() == "[]"


def _root() -> Path:
    return Path(__file__).parents[3]
