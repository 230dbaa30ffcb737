"""Labels of fields that are columns in a list and facts on a page alike: Chinese, English."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "terminal": ("终端", "terminal"),
    "terminal_name": ("终端名称", "terminal name"),
    "device_no": ("设备号", "device no."),
    "taxpayer_id": ("纳税人识别号", "taxpayer id"),
    "enabled": ("启用", "enabled"),
}
"""Key → (Chinese, English); a list's head shows the English one in capitals."""

TEXTS: Final[dict[str, tuple[str, str]]] = {
    **{f"column.{key}": (zh, en.upper()) for key, (zh, en) in LABELS.items()},
    **{f"fact.{key}": pair for key, pair in LABELS.items()},
}
