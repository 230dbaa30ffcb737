"""What a form can fill in by itself, so that nobody copies numbers by hand at night."""

from __future__ import annotations

from console.link import Link
from console.records import Record, mapping, rows, text, whole

APPLY_COUNT = 500


async def suggested(link: Link, noun: str, record: Record, verb: str) -> dict[str, str]:
    """Values for a verb's arguments by name; whatever cannot be known is left out."""
    if noun == "taxpayers" and verb in ("apply", "discard"):
        return await _undecided(link, record)
    if noun != "virtual-devices":
        return {}
    if verb == "apply":
        return {"kind": _scarcest(record), "count": str(APPLY_COUNT)}
    if verb == "receive":
        return {"kind": _scarcest(record)}
    if verb == "distribute":
        return await _distribution(link, record)
    if verb == "add_terminal":
        return {"terminal_code": "1"}
    return {}


async def _undecided(link: Link, record: Record) -> dict[str, str]:
    """The look at the bureau that waits for a decision; a list's record does not tell it, its page does."""
    whole_record = record if "fetches" in record else await link.one("taxpayers", record["id"])
    pending = (text(fetch, "id") for fetch in rows(whole_record, "fetches") if text(fetch, "state") == "pending")
    found = next(pending, "")
    return {"fetch_id": found} if found else {}


def _scarcest(record: Record) -> str:
    stock = {kind: whole(mapping(record, "stock"), kind) or 0 for kind in mapping(record, "stock")}
    kinds = sorted({*stock, *(text(kind, "kind") for kind in rows(record, "kinds"))} - {""})
    return min(kinds, key=lambda kind: stock.get(kind, 0), default="026")


async def _distribution(link: Link, record: Record) -> dict[str, str]:
    filters = {"device_id": record["id"]}
    segments = (await link.page("segments", 100, filters)).items
    terminals = (await link.page("terminals", 100, filters)).items
    found: dict[str, str] = {}
    for segment in segments:
        if text(segment, "state") == "on_device" and (whole(segment, "left") or 0) > 0:
            found = {
                "kind": text(segment, "kind"),
                "invoice_code": text(segment, "invoice_code"),
                "start_no": text(segment, "next_no"),
                "count": text(segment, "left"),
            }
            break
    for terminal in terminals:
        if terminal.get("enabled") is not False:
            found["terminal_code"] = text(terminal, "terminal_code")
            break
    return found
