"""The bureau's counter for taxpayers (纳税人信息) and the tax class code table (税收分类编码)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from agents.simulated import code_tables
from agents.simulated.bureau_memory import BureauMemory
from agents.simulated.http_peer import Reply, Request
from agents.simulated.scenario import BureauConfig, TaxpayerProfile

MOST_ROWS = 500
NOT_KNOWN = 409
Work = Callable[[], Awaitable[Reply]]


class Flag(Struct):
    """One flag with its days (yyyyMMdd, empty = no end known)."""

    name: str
    value: str
    valid_from: str = ""
    valid_to: str = ""


class Facts(Struct):
    """What the bureau knows of a taxpayer."""

    taxpayer_id: str
    name: str
    kind: str
    registration_seq: str
    authority_code: str
    authority_name: str
    may_issue: bool
    flags: list[Flag]


class TableDesk:
    """Tells what it knows of a taxpayer, and gives out the code table page by page."""

    def __init__(
        self, config: BureauConfig, memory: BureauMemory, profile_of: Callable[[str], TaxpayerProfile]
    ) -> None:
        self._config = config
        self._memory = memory
        self._profile_of = profile_of

    def route(self, request: Request) -> tuple[str, Work] | None:
        """TAXPAYER and CODES."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["taxpayers", taxpayer_id]:
                return "TAXPAYER", lambda: self._tell(taxpayer_id)
            case "GET", ["codes"]:
                return "CODES", lambda: self._page(request.query)
        return None

    async def _tell(self, taxpayer_id: str) -> Reply:
        facts = self._facts(taxpayer_id)
        return Reply.of(facts) if facts else Reply.of({"message": "无此纳税人"}, NOT_KNOWN)

    def _facts(self, taxpayer_id: str) -> Facts | None:
        """What follows from its profile and from the devices commissioned for it; None when it has neither."""
        devices = self._memory.memory.read(
            "SELECT taxpayer_name, area FROM devices WHERE taxpayer_id = ? ORDER BY device_no LIMIT 1", (taxpayer_id,)
        )
        known = self._memory.profile(taxpayer_id) is not None or taxpayer_id in self._config.taxpayers
        if not devices and not known:
            return None
        profile = self._profile_of(taxpayer_id)
        name, area = devices[0] if devices else (f"纳税人{taxpayer_id[-4:]}", taxpayer_id[2:6])
        return Facts(
            taxpayer_id=taxpayer_id,
            name=profile.name or name,
            kind=profile.kind,
            registration_seq=f"10{hashlib.sha256(taxpayer_id.encode()).hexdigest()[:18]}".upper(),
            authority_code=f"1{area}000000",
            authority_name=f"国家税务总局（{area}）税务局",
            may_issue=profile.may_issue,
            flags=[
                Flag(flag, value, *profile.flag_days.get(flag, ("", "")))
                for flag, value in sorted(profile.flags.items())
            ],
        )

    async def _page(self, query: dict[str, str]) -> Reply:
        """Rows ``start`` to ``start + most`` of a version, the newest one when none is named."""
        edition = code_tables.edition(query.get("version", ""))
        if edition is None:
            return Reply.of({"message": "无此版本"}, NOT_KNOWN)
        start, most = int(query.get("start", "0")), min(MOST_ROWS, int(query.get("most", str(MOST_ROWS))))
        if start < 0 or most < 1:
            raise ValueError("start, most")
        answer: dict[str, Any] = {
            "version": edition.version,
            "published_on": edition.published_on,
            "total": len(edition.rows),
            "start": start,
            "digest": edition.digest,
            "rows": [row.shown() for row in edition.rows[start : start + most]],
        }
        return Reply.of(answer)
