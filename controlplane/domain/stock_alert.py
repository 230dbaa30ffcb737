"""A stock alert (库存余量预警): a threshold, whom to write, and when stock counts as low and as enough again."""

from __future__ import annotations

from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.lifecycle import machine

Level = Literal["low", "enough"]

MACHINE: Final = machine(
    "stock_alert",
    "enabled",
    (
        ("enabled", "change", "enabled"),
        ("enabled", "disable", "disabled"),
        ("enabled", "test", "enabled"),
        ("enabled", "remove", "removed"),
        ("disabled", "change", "disabled"),
        ("disabled", "enable", "enabled"),
        ("disabled", "test", "disabled"),
        ("disabled", "remove", "removed"),
    ),
)
"""A disabled alert forgets what it has told: enabled again, it tells anew."""

_NOUN = "stock-alerts"
_MAY = "alerts.change"
_THRESHOLD = Field("threshold", "count", 1_000_000)
_RECIPIENTS = Field("recipients", "mails")

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (
            Field("taxpayer_id", "taxpayer_id"),
            Field("device_id", "id", optional=True),
            Field("kind", "kind", optional=True),
            _THRESHOLD,
            _RECIPIENTS,
        ),
        _MAY,
        "collection",
    ),
    ActSpec(_NOUN, "change", (_THRESHOLD, _RECIPIENTS), _MAY),
    *acts(_NOUN, "enable", "disable", "test", permission=_MAY),
    ActSpec(_NOUN, "remove", permission=_MAY, dangerous=True),
)
"""What may be done with stock alerts."""

WORDS: Final[Words] = {
    "verb": {
        "change": ("修改", "change"),
        "enable": ("启用", "enable"),
        "disable": ("停用", "disable"),
        "test": ("发送测试", "send a test"),
        "remove": ("删除", "remove"),
    },
    "field": {
        "device_id": ("设备", "device"),
        "threshold": ("预警余量", "threshold"),
        "recipients": ("收件人", "recipients"),
    },
}
"""Words for verbs and fields."""

LABELS: Final = {
    "enabled": ("启用", "enabled"),
    "disabled": ("停用", "disabled"),
    "removed": ("已删除", "removed"),
    "low": ("不足", "low"),
    "enough": ("充足", "enough"),
}
"""State or level → (Chinese, English) as shown."""


def level(left: int, threshold: int, before: Level | None) -> Level:
    """low at or below the threshold; once low, enough again only at more than a tenth above it.

    The tenth keeps stock that hovers about the threshold (an invoice here, a small grant there) from writing all day.
    """
    if left <= threshold:
        return "low"
    if before == "low" and left * 10 <= threshold * 11:
        return "low"
    return "enough"
