"""Labels of fields that are columns in a list and facts on a page alike: Chinese, English."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "terminal": ("终端", "terminal"),
    "terminal_name": ("终端名称", "terminal name"),
    "device_no": ("设备号", "device no."),
    "taxpayer_id": ("纳税人识别号", "taxpayer id"),
    "enabled": ("启用", "enabled"),
    "form_no": ("申请单编号", "form number"),
    "red_form_no": ("信息表编号", "red form no."),
    "next_actor": ("该谁做", "next"),
    "days_waited": ("已等天数", "days"),
    "original_no": ("蓝字号码", "blue no."),
    "original": ("蓝字原票", "original"),
    "applicant": ("申请方", "applicant"),
    "bureau_status": ("税局状态", "bureau status"),
    "bureau_message": ("税局说明", "bureau's words"),
    "form_net": ("不含税金额", "net"),
    "form_tax": ("税额", "tax"),
    "line_no": ("行号", "line"),
    "red_sum": ("已冲金额", "offset"),
    "voided": ("作废", "voided"),
}
"""Key → (Chinese, English); a list's head shows the English one in capitals."""

TEXTS: Final[dict[str, tuple[str, str]]] = {
    **{f"column.{key}": (zh, en.upper()) for key, (zh, en) in LABELS.items()},
    **{f"fact.{key}": pair for key, pair in LABELS.items()},
}
