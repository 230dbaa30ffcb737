"""A supervision seal (电子监制章): four gated steps per province, a canary before use, two persons to replace it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.dated import Row, day_of, in_force, last_day_of
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "seal",
    "not_applied",
    (
        ("not_applied", "fetch_key", "key_fetched"),
        ("not_applied", "abandon", "abandoned"),
        ("key_fetched", "apply", "applied"),
        ("key_fetched", "abandon", "abandoned"),
        ("applied", "download", "downloaded"),
        ("applied", "decline", "key_fetched"),
        ("applied", "abandon", "abandoned"),
        ("downloaded", "upload", "uploaded"),
        ("downloaded", "abandon", "abandoned"),
        ("uploaded", "test", "in_use"),
        ("uploaded", "abandon", "abandoned"),
        ("in_use", "test", "in_use"),
        ("in_use", "request_replacement", "in_use"),
        ("in_use", "request_revocation", "in_use"),
        ("in_use", "withdraw_request", "in_use"),
        ("in_use", "approve", "in_use"),
        ("in_use", "replace", "replaced"),
        ("in_use", "revoke", "revoked"),
    ),
)
"""Each step waits for the one before it. ``decline``: the bureau refused the application; ``replace`` follows from the
passed canary of the seal's successor, ``revoke`` from an approved revocation. A canary that fails moves nothing."""

JOB_KINDS: Final = {
    "fetch_key": "seal.fetch_key",
    "apply": "seal.apply",
    "download": "seal.download",
    "upload": "seal.upload",
    "test": "seal.test",
}
"""Verbs that need an agent → job kind. The other verbs settle at once."""

_NOUN = "seals"

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (Field("tax_server_id", "id"), Field("area_code", "area"), Field("seal_name", "text", 60)),
        "fleet.change",
        "collection",
    ),
    *acts(_NOUN, "fetch_key"),
    ActSpec(
        _NOUN,
        "apply",
        (Field("handler_name", "text", 30), Field("handler_mobile", "mobile"), Field("handler_id", "person_id")),
    ),
    *acts(_NOUN, "download", "upload", "test", "withdraw_request"),
    ActSpec(_NOUN, "request_replacement"),
    ActSpec(_NOUN, "request_revocation"),
    ActSpec(_NOUN, "approve", dangerous=True),
    ActSpec(_NOUN, "abandon", dangerous=True),
)
"""What may be done with seals."""

WORDS: Final[Words] = {
    "verb": {
        "fetch_key": ("获取签名公钥", "fetch signing key"),
        "apply": ("税局申请印章", "apply for seal"),
        "download": ("税局下载印章", "download seal"),
        "upload": ("签章上传", "upload seal"),
        "test": ("试签验证", "test seal"),
        "request_replacement": ("申请更换印章", "request replacement"),
        "request_revocation": ("申请停用印章", "request revocation"),
        "withdraw_request": ("撤回请求", "withdraw request"),
        "approve": ("复核批准", "approve"),
        "abandon": ("放弃办理印章", "abandon seal"),
        "decline": ("税局退回", "declined by bureau"),
        "replace": ("更换", "replace"),
    },
    "field": {
        "tax_server_id": ("税控服务器", "tax server"),
        "area_code": ("地区代码", "area code"),
        "seal_name": ("电子签章名称", "seal name"),
        "handler_name": ("经办人姓名", "handler's name"),
        "handler_mobile": ("经办人手机", "handler's mobile"),
        "handler_id": ("经办人身份证号", "handler's ID number"),
    },
}
"""Words for verbs and fields."""

LABELS: Final = {
    "not_applied": ("未申请", "not applied"),
    "key_fetched": ("已获取公钥", "key fetched"),
    "applied": ("已申请", "applied"),
    "downloaded": ("已下载", "downloaded"),
    "uploaded": ("印章已上传", "uploaded"),
    "in_use": ("使用中", "in use"),
    "replaced": ("已更换", "replaced"),
    "revoked": ("已停用", "revoked"),
    "abandoned": ("已放弃", "abandoned"),
}
"""State → (Chinese, English) as shown."""

LIVE: Final = frozenset({"not_applied", "key_fetched", "applied", "downloaded", "uploaded", "in_use"})
"""States of a seal that is being prepared or used; the others are final."""

FULL_VIEW_ROLES: Final = frozenset({"admin", "operator"})
"""Roles that see a handler's personal data in full; others see it masked."""

Expiry = Literal["valid", "expiring", "expired", "unknown"]


@dataclass(frozen=True, slots=True)
class SealRules:
    """One dated row: how long a request waits for its second person, and the days before the end that are told."""

    approval_minutes: int
    ladder: tuple[int, ...]
    valid_from: date
    valid_to: date | None

    @property
    def window(self) -> timedelta:
        """Time from a request to the end of its approval."""
        return timedelta(minutes=self.approval_minutes)


class SealRuleTable:
    """The dated rows of seals."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Rows have approval_minutes, expiry_days (``60 30 7 1``), valid_from, valid_to."""
        self._rows = tuple(
            SealRules(
                int(row["approval_minutes"]),
                tuple(sorted(map(int, row["expiry_days"].split()))),
                day_of(row["valid_from"]),
                last_day_of(row["valid_to"]),
            )
            for row in rows
        )

    def on(self, day: date) -> SealRules:
        """The rules in force; LookupError on a day without any."""
        for row in self._rows:
            if in_force(row, day):
                return row
        raise LookupError(f"no rules for seals on {day}")


@dataclass(frozen=True, slots=True)
class Standing:
    """How long a seal still serves: ``days`` left (negative once expired), ``rung`` the ladder's step it is on."""

    expiry: Expiry
    days: int | None = None
    rung: int | None = None


def standing(not_after: datetime | None, now: datetime, rules: SealRules) -> Standing:
    """Where a seal stands on the ladder; a seal whose end nobody told is ``unknown``."""
    if not_after is None:
        return Standing("unknown")
    left = not_after - now
    days = left.days
    if left <= timedelta(0):
        return Standing("expired", days, 0)
    rung = next((step for step in rules.ladder if left <= timedelta(days=step)), None)
    return Standing("valid" if rung is None else "expiring", days, rung)


def approval_ends(requested_at: datetime | None, rules: SealRules) -> datetime | None:
    """When a request can no longer be approved; None when there is no request."""
    return None if requested_at is None else requested_at + rules.window


def serves_province(server_region: str, area_code: str) -> bool:
    """Whether a tax server of this region can carry the seal of this area: both lie in one province."""
    return server_region[:2] == area_code[:2]


def masked_name(name: str) -> str:
    """A person's name with all but its first character hidden."""
    return name[:1] + "*" * max(0, len(name) - 1)


def masked_number(number: str) -> str:
    """A mobile or ID number of which the first three and the last two characters show."""
    return number if len(number) < 6 else number[:3] + "*" * (len(number) - 5) + number[-2:]
