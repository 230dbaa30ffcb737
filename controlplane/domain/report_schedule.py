"""When due kinds are reported and cleared by themselves: per taxpayer, or for all without a schedule of their own."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "report_schedule",
    "enabled",
    (("enabled", "disable", "disabled"), ("disabled", "enable", "enabled")),
)

_NOUN = "report-schedules"

ACTS: Final = (
    ActSpec(
        _NOUN,
        "set",
        (
            Field("taxpayer_id", "taxpayer_id", optional=True),
            Field("hour", "count", 23, least=0),
            Field("minute", "count", 59, least=0),
            Field("days_before", "count", 28, least=0),
        ),
        "fleet.change",
        "collection",
    ),
    ActSpec(_NOUN, "enable", permission="fleet.change"),
    ActSpec(_NOUN, "disable", permission="fleet.change", dangerous=True),
)
"""``set`` without a taxpayer is the platform's default. A schedule that is off can leave devices to lock."""

WORDS: Final[Words] = {
    "verb": {
        "set": ("设置自动抄报", "set automatic reporting"),
        "enable": ("启用", "enable"),
        "disable": ("停用", "disable"),
    },
    "field": {
        "taxpayer_id": ("纳税人识别号 (空: 平台默认)", "taxpayer id (empty: the platform's default)"),
        "hour": ("时 (设备时间)", "hour (device time)"),
        "minute": ("分", "minute"),
        "days_before": ("截止日前几天开始", "days before the deadline"),
    },
}
"""Words for verbs and fields."""

LABELS: Final = {"enabled": ("启用", "enabled"), "disabled": ("停用", "disabled")}
"""State → (Chinese, English) as shown."""


def starts_at(deadline: date, days_before: int, at: time) -> datetime:
    """The moment from which a kind with this deadline is reported by the clock."""
    return datetime.combine(deadline - timedelta(days=days_before), at, DEVICE_ZONE)
