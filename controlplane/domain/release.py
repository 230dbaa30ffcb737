"""A release (版本) of tax servers and secure proxies: what is published, what runs, and when nobody upgrades.

Whether something is behind is never stored: it follows from the version a device reports, the releases and the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.calendar import Calendar
from controlplane.domain.dated import Row, day_of, in_force, last_day_of

PRODUCTS: Final = ("tax_server", "secure_proxy")
Product = Literal["tax_server", "secure_proxy"]
Status = Literal["current", "update_available", "scheduled", "overdue", "unknown"]

JOB_KINDS: Final = {"check_releases": "release.check", "upgrade": "release.upgrade"}
"""Verbs → job kind; both are done by the tax server's agent."""

_UPGRADE = (Field("release_version", "word"), Field("override", "flag", optional=True))

ACTS: Final = (
    ActSpec("tax-servers", "check_releases", (Field("product", "choice", choices=PRODUCTS),)),
    ActSpec("tax-servers", "upgrade", _UPGRADE, dangerous=True),
    ActSpec("secure-proxies", "upgrade", _UPGRADE, dangerous=True),
)
"""What may be done about releases; ``override`` leaves the freeze aside and needs an administrator."""

WORDS: Final[Words] = {
    "verb": {
        "check_releases": ("新版本查询", "check for new releases"),
        "upgrade": ("升级", "upgrade"),
    },
    "field": {
        "product": ("产品", "product"),
        "release_version": ("目标版本", "target version"),
        "override": ("征期内强制升级 (仅管理员)", "upgrade in spite of the freeze (administrators)"),
    },
    "choice": {
        "tax_server": ("税控服务器", "tax server"),
        "secure_proxy": ("安全代理", "secure proxy"),
    },
}
"""Words for verbs, fields and choices."""

STATUS_LABELS: Final = {
    "current": ("最新", "current"),
    "update_available": ("有新版本", "update available"),
    "scheduled": ("待启用", "scheduled"),
    "overdue": ("逾期未升级", "overdue"),
    "unknown": ("未知", "unknown"),
}
"""Status → (Chinese, English) as shown."""

UPGRADABLE: Final = frozenset({"certified", "suspended"})
"""States of a tax server in which it, or its proxy, may be upgraded."""


@dataclass(frozen=True, slots=True)
class Release:
    """One published version. ``effective_on``: the day from which it has to run; None when nobody said."""

    version: str
    released_on: date
    effective_on: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a running version stands to what is published: the newest release, and days until (or since) it must run."""

    status: Status
    newest: str = ""
    due_on: date | None = None
    days: int | None = None


def standing(running: str, published: Sequence[Release], today: date) -> Standing:
    """Where a version stands. Overdue: a newer release is in force already; scheduled: the next one will be.

    Without a known running version nothing can be said. A newer release without a day, or with today's, is available.
    """
    ordered = sorted(published, key=_age)
    own = next((release for release in ordered if release.version == running), None)
    if not running or own is None:
        return Standing("unknown", ordered[-1].version if ordered else "")
    newer = [release for release in ordered if _age(release) > _age(own)]
    if not newer:
        return Standing("current", running)
    newest = newer[-1].version
    dated = sorted(release.effective_on for release in newer if release.effective_on is not None)
    if dated and dated[0] < today:
        return Standing("overdue", newest, dated[0], (today - dated[0]).days)
    if dated and dated[0] > today and all(release.effective_on is not None for release in newer):
        return Standing("scheduled", newest, dated[0], (dated[0] - today).days)
    return Standing("update_available", newest)


def is_older(wanted: Release, running: str, published: Sequence[Release]) -> bool:
    """Whether a release is older than the version that runs; False when that one is not among the published."""
    own = next((release for release in published if release.version == running), None)
    return own is not None and _age(wanted) < _age(own)


def _age(release: Release) -> tuple[date, str]:
    return release.released_on, release.version


@dataclass(frozen=True, slots=True)
class FreezeRule:
    """One dated row: so many days before a filing deadline nobody upgrades, the deadline included."""

    days_before: int
    valid_from: date
    valid_to: date | None


class FreezeCalendar:
    """The days on which nothing is upgraded, because everybody reports and clears."""

    def __init__(self, rows: Iterable[Row], calendar: Calendar) -> None:
        """Rows have days_before, valid_from, valid_to; deadlines come from the filing calendar."""
        self._rules = tuple(
            FreezeRule(int(row["days_before"]), day_of(row["valid_from"]), last_day_of(row["valid_to"])) for row in rows
        )
        self._calendar = calendar

    def until(self, day: date) -> date | None:
        """The filing deadline whose freeze covers the day; None when upgrades are free."""
        for rule in self._rules:
            if in_force(rule, day):
                due = self._calendar.next_deadline(day).due
                return due if due - timedelta(days=rule.days_before) <= day else None
        return None
