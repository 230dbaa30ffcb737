"""Versions of the code table as the API shows them: progress, differences, search, and how old the table is."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain import tax_code as rule
from controlplane.domain.dated import DEVICE_ZONE, day_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.domain.tax_code import CodeBook, CodeEdition, TaxCode, TaxCodeTable
from controlplane.operations import acts, tax_codes
from controlplane.operations.acts import Viewer
from controlplane.store import jobs, listing, times
from controlplane.store import tax_codes as store
from controlplane.store.listing import Page
from controlplane.store.statement import Connection, Row


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A version with its progress and the verbs that are allowed now."""
    edition = viewer.rules.codes.edition_on(_today(viewer))
    held = jobs.open_of(hand, row["id"])
    return row | {
        "current": edition is not None and edition.record_id == row["id"],
        "percent": row["rows_done"] * 100 // row["total"] if row["total"] else 0,
        "open_job": held,
        "allowed": [
            acts.verdict(spec, _why_not(hand, spec, row, viewer.caller)) for spec in acts_of("code-versions")
        ],
    }  # fmt: skip


def _why_not(hand: Connection, spec: Any, row: Row, caller: Principal) -> str | None:
    why = acts.why_not(spec, row["state"], rule.MACHINE, None, caller)
    if why is not None:
        return why
    if spec.verb == "rollback":
        found = tax_codes.not_latest(hand, row)
        return found.message if found else None
    running = store.fetching(hand) if spec.verb == "resume" else None
    if running is not None:
        return refuse("code_sync_running", "", done=running["rows_done"], total=running["total"] or "?").message
    return None


def _today(viewer: Viewer) -> Any:
    return viewer.now.astimezone(DEVICE_ZONE).date()


# --- the book of a process


def editions(hand: Connection, known: CodeBook) -> list[CodeEdition] | None:
    """The versions put in force; None when the book has just these. Tables that are known are not read again."""
    active = store.active(hand)
    here = {edition.record_id: edition for edition in known.editions}
    told = [(row["id"], day_of(row["valid_from"])) for row in active]
    if told == [(edition.record_id, edition.valid_from) for edition in known.editions]:
        return None
    found = []
    for row in active:
        had = here.get(row["id"])
        table = had.table if had else _table(hand, row["id"])
        found.append(CodeEdition(row["id"], row["table_version"], day_of(row["valid_from"]), table))
    return found


def refresh(hand: Connection, book: CodeBook) -> None:
    """Bring the book up to date with the ledger."""
    found = editions(hand, book)
    if found is not None:
        book.take(found)


def _table(hand: Connection, version_id: str) -> TaxCodeTable:
    return TaxCodeTable(rule.of_facts(tax_codes.facts_of(row)) for row in store.rows(hand, version_id))


# --- how old it is


def current(hand: Connection, viewer: Viewer) -> dict[str, Any]:
    """The table in force today, the one to come, and whether too long has passed since a synchronisation."""
    book, today = viewer.rules.codes, _today(viewer)
    edition = book.edition_on(today)
    limit = viewer.rules.table_rules.get("codes_stale_days", 45)
    last = store.last_success(hand)
    days = (viewer.now - times.from_text(last)).days if last else None
    coming = [one for one in book.editions if one.valid_from > today]
    return {
        "id": "current",
        "version": edition.version if edition else rule.SHIPPED,
        "record_id": edition.record_id if edition else None,
        "valid_from": edition.valid_from.isoformat() if edition else None,
        "rows": len(book.on(today)),
        "coming": [{"version": one.version, "valid_from": one.valid_from.isoformat()} for one in coming],
        "last_success_at": last,
        "days": days,
        "limit": limit,
        "stale": days is None or days > limit,
    }


# --- differences


def diff(hand: Connection, row: Row, against: str | None, viewer: Viewer, wanted: Page) -> dict[str, Any]:
    """What changed from another version (the one before it by default) to this one, with the lines that use it."""
    older, name = _older(hand, row, against, viewer)
    newer = _table(hand, row["id"])
    changes = rule.differences(older, newer)
    days = viewer.rules.table_rules.get("codes_usage_days", 90)
    scope = None if viewer.caller.scope is None else sorted(viewer.caller.scope)
    used = store.used_since(hand, _first_id(viewer.now - timedelta(days=days)), scope)
    items = [
        {"id": f"{one.code}.{one.what}", "what": one.what, "code": one.code, "old": one.old, "new": one.new,
         "used": used.get(one.code, 0)}
        for one in changes
    ]  # fmt: skip
    shown, following = listing.page_of(sorted(items, key=lambda one: one["id"]), wanted)
    counts = Counter(one.what for one in changes)
    affected = {one.code for one in changes if one.what != "added"} & used.keys()
    return {
        "version": row["table_version"],
        "against": name,
        "counts": {what: counts[what] for what in ("added", "ended", "rate_changed", "renamed")},
        "used_codes": len(affected),
        "used_lines": sum(used[code] for code in affected),
        "days": days,
        "items": shown,
        "next": following,
    }


def _older(hand: Connection, row: Row, against: str | None, viewer: Viewer) -> tuple[Iterable[TaxCode], str]:
    if against is not None and against != rule.SHIPPED:
        other = named(hand, against)
        return _table(hand, other["id"]), other["table_version"]
    before = [one for one in viewer.rules.codes.editions if one.record_id != row["id"]]
    if row["state"] == "active":
        before = [one for one in before if one.valid_from.isoformat() < row["valid_from"]]
    if against is None and before:
        return before[-1].table, before[-1].version
    return viewer.rules.codes.shipped, rule.SHIPPED


def named(hand: Connection, name: str) -> Row:
    """A whole version by its record's id or by the bureau's name for it (the latest copy); ``not_found``."""
    row = store.find(hand, name) or store.by_name(hand, name)
    if row is None or row["state"] not in ("complete", "active", "rolled_back"):
        raise refuse("not_found", "version")
    return row


def _first_id(moment: datetime) -> str:
    """The smallest time-ordered id of a moment."""
    return str(uuid.UUID(int=int(moment.timestamp() * 1000) << 80))


# --- search


def search(
    hand: Connection, wanted: str, version: str | None, viewer: Viewer, page: Page
) -> tuple[list[dict[str, Any]], str | None]:
    """Codes that begin with, or names that hold, a text; of the table in force today when no version is named."""
    edition = viewer.rules.codes.edition_on(_today(viewer))
    if version is None and edition is not None:
        row = store.find(hand, edition.record_id)
        assert row is not None
    elif version is None or version == rule.SHIPPED:
        return _search_shipped(viewer.rules.codes.shipped, wanted, page)
    else:
        row = named(hand, version)
    found = store.search(hand, row["id"], wanted, listing.after(page), page.limit + 1)
    shown = [_shown(rule.of_facts(tax_codes.facts_of(one)), row["table_version"], one) for one in found]
    return listing.page_of(shown, page)


def _search_shipped(table: TaxCodeTable, wanted: str, page: Page) -> tuple[list[dict[str, Any]], str | None]:
    digits = wanted.isascii() and wanted.isdigit()
    folded = wanted.lower()
    found = [
        _shown(code, rule.SHIPPED)
        for code in sorted(table)
        if (code.code.startswith(wanted) if digits else folded in code.name.lower())
    ]
    return listing.page_of(found, page)


def _shown(code: TaxCode, version: str, row: Row | None = None) -> dict[str, Any]:
    return {
        "id": code.code,
        "code": code.code,
        "name": code.name,
        "short_name": code.short_name,
        "rates": list(code.usual_rates),
        "sum_only": code.summary,
        "usable": code.usable,
        "valid_from": row["valid_from"] if row else "",
        "valid_to": row["valid_to"] if row else "",
        "note": row["note"] if row else "",
        "version": version,
    }
