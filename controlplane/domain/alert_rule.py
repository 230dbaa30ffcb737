"""Alert rules (预警配置): which lines, after how many slots, to whom; and what may be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.lifecycle import machine
from controlplane.domain.line_watch import Streak

NOUN: Final = "alert-rules"
Scope = Literal["all", "regions", "services", "lines"]
SCOPES: Final[tuple[Scope, ...]] = ("all", "regions", "services", "lines")
Move = Literal["opened", "closed"]

MACHINE: Final = machine(
    "alert_rule",
    "enabled",
    (
        ("enabled", "change", "enabled"),
        ("enabled", "test_send", "enabled"),
        ("enabled", "disable", "disabled"),
        ("enabled", "remove", "removed"),
        ("disabled", "change", "disabled"),
        ("disabled", "test_send", "disabled"),
        ("disabled", "enable", "enabled"),
        ("disabled", "remove", "removed"),
    ),
)
"""A removed rule stays on record, because flips and letters name it; alerts it has opened still close."""

_MOST_SLOTS: Final = 24
_FIELDS: Final = (
    Field("name", "text", 60),
    Field("scope", "choice", choices=SCOPES),
    Field("scope_values", "words", optional=True),
    Field("recipients", "mails"),
    Field("open_after", "count", _MOST_SLOTS, optional=True),
    Field("close_after", "count", _MOST_SLOTS, optional=True),
)

ACTS: Final = (
    ActSpec(NOUN, "register", _FIELDS, "alerts.change", "collection"),
    ActSpec(NOUN, "change", _FIELDS, "alerts.change"),
    ActSpec(NOUN, "enable", permission="alerts.change"),
    ActSpec(NOUN, "disable", permission="alerts.change"),
    ActSpec(NOUN, "test_send", permission="alerts.change"),
    ActSpec(NOUN, "remove", permission="alerts.change", dangerous=True),
)
"""What may be done with alert rules. Thresholds that are left out are those of the dated line rules."""

WORDS: Final[Words] = {
    "verb": {
        "change": ("修改", "change"),
        "enable": ("启用", "enable"),
        "disable": ("停用", "disable"),
        "test_send": ("试发", "send a test mail"),
        "remove": ("删除", "remove"),
    },
    "field": {
        "name": ("名称", "name"),
        "scope": ("范围", "scope"),
        "scope_values": ("地区代码、服务或线路编号", "area codes, services or line ids"),
        "recipients": ("收件人", "recipients"),
        "open_after": ("连续失败几次后报警", "alarm after failed slots"),
        "close_after": ("连续成功几次后恢复", "recovered after good slots"),
    },
    "choice": {
        "all": ("全部", "all"),
        "regions": ("按地区", "regions"),
        "services": ("按服务", "services"),
        "lines": ("按线路", "lines"),
    },
}
"""Words for verbs, fields and choices."""

_COLUMN: Final[dict[Scope, str]] = {"regions": "area_code", "services": "service", "lines": "id"}


def covers(scope: Scope, values: Sequence[str], line: dict[str, str]) -> bool:
    """True when a line (id, area_code, service) lies in the scope."""
    return scope == "all" or line[_COLUMN[scope]] in values


def move(is_open: bool, streak: Streak, open_after: int, close_after: int) -> Move | None:
    """What becomes of an alert after a check: opened, closed, or nothing. A missed slot moves nothing."""
    if not is_open:
        return "opened" if streak.failed >= open_after else None
    return "closed" if streak.good >= close_after else None
