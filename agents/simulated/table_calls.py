"""The calls that fetch taxpayers and code tables: both pass on what the bureau says now."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from agents.simulated.bureau_tables import MOST_ROWS
from agents.simulated.refusals import Refusal
from agents.simulated.tax_server import Ask, Call, Done


async def taxpayer(ask: Ask) -> Done:
    """TP_NSRXX: a taxpayer as the bureau knows it; the server must be commissioned."""
    _commissioned(ask)
    known = await ask.server.line.call("GET", f"/taxpayers/{quote(ask.text('NSRSBH', 20), safe='')}")
    return Done(
        {
            "NSRSBH": known["taxpayer_id"],
            "NSRMC": known["name"],
            "NSRXZ": known["kind"],
            "DJXH": known["registration_seq"],
            "ZGSWJGDM": known["authority_code"],
            "ZGSWJGMC": known["authority_name"],
            "KPBZ": "00" if known["may_issue"] else "01",
            "BZ": [_flag(flag) for flag in known["flags"]],
        }
    )


def _flag(flag: dict[str, Any]) -> dict[str, str]:
    return {"BZDM": flag["name"], "BZZ": flag["value"], "YXQQ": flag["valid_from"], "YXQZ": flag["valid_to"]}


async def codes(ask: Ask) -> Done:
    """TP_SSBMQQ: a page of the code table."""
    _commissioned(ask)
    version, start = str(ask.body.get("BBH", "")), str(ask.body.get("QSXH", ""))
    if not (start.isascii() and start.isdigit() and len(start) <= 9):
        raise Refusal("092400", "QSXH")
    wish = f"version={quote(version[:20], safe='')}&start={start}&most={ask.count('ZS', MOST_ROWS)}"
    page = await ask.server.line.call("GET", f"/codes?{wish}")
    return Done(
        {
            "BBH": page["version"],
            "FBRQ": page["published_on"],
            "ZS": page["total"],
            "QSXH": page["start"],
            "ZY": page["digest"],
            "BM": page["rows"],
        }
    )


def _commissioned(ask: Ask) -> None:
    if not ask.server.facts.commissioned_at:
        raise Refusal("200001", "税控服务器未发行")


CALLS: dict[str, Call] = {
    "TP_NSRXX": Call(taxpayer, for_server=True),
    "TP_SSBMQQ": Call(codes, for_server=True),
}
