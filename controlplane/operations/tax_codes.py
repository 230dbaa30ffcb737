"""The tax class code table: versions fetched page by page, put in force by an act, rolled back by another."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain import tax_code as rule
from controlplane.domain.dated import day_of
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.tax_code import CodeFactsLike
from controlplane.operations import acts, jobs
from controlplane.operations.acts import Act
from controlplane.operations.principals import SYSTEM
from controlplane.store import jobs as job_store
from controlplane.store import tax_codes as store
from controlplane.store import tax_servers, times
from controlplane.store.statement import Connection, Row
from controlplane.store.tax_codes import CodeRow, CodeVersionRow
from controlplane.store.transaction import Entry, Event, Transaction, row_of
from controlplane.wire.evidence import CodePage
from controlplane.wire.work import FetchCodes

NOUN = "code-versions"
TOPIC = "tax-codes"
"""Woken when what is in force may have changed."""


def synchronise(tx: Transaction, caller: Principal, values: dict[str, Any], rules: IssuingRules) -> str:
    """Begin to fetch a version (the newest when none is named) through a tax server; the new record's id.

    One at a time: ``code_sync_running`` while another is under way.
    """
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, f"{NOUN}.synchronise", NOUN))
    entry.detail = {name: value for name, value in values.items() if value is not None}
    _none_running(tx)
    server = _server(tx, values.get("tax_server_id"))
    row = row_of(
        CodeVersionRow,
        id=times.new_id(),
        wanted=values.get("wanted") or "",
        tax_server_id=server["id"],
        state=rule.MACHINE.initial,
        requested_by=caller.name,
        started_at=tx.now,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add_rows(CodeVersionRow, [row])
    entry.subject_id = row["id"]
    _ask(tx, row, rules.table_rules.get("codes_page_rows", 250), caller)
    _tell(tx, row["id"], "synchronise", 1)
    return str(row["id"])


def _none_running(tx: Transaction) -> None:
    running = store.fetching(tx)
    if running is not None:
        raise refuse("code_sync_running", "", done=running["rows_done"], total=running["total"] or "?")


def _server(tx: Transaction, named: str | None) -> Row:
    server = store.any_server(tx) if named is None else tax_servers.find(tx, named)
    if server is None:
        if named is not None:
            raise refuse("not_found", "tax_server_id")
        raise refuse("no_tax_server", "tax_server_id", region="—")
    if server["state"] != "certified":
        raise refuse("server_stopped", "tax_server_id", device_no=server["tax_server_no"], state=server["state"])
    return server


def _ask(tx: Transaction, row: Row, most: int, caller: Principal) -> None:
    """Open the job for the next page."""
    work = FetchCodes(version=row["table_version"] or row["wanted"], start=row["rows_done"], most=most)
    jobs.open_job(tx, ("tax-servers", row["tax_server_id"]), (NOUN, row["id"], jobs.PLATFORM), work, caller)


def _tell(tx: Transaction, version_id: str, verb: str, version: int) -> None:
    tx.raise_event(Event(NOUN, version_id, jobs.PLATFORM, verb, version, topic=TOPIC))


def act(tx: Transaction, wanted: Act, rules: IssuingRules) -> None:
    """Do one verb."""
    acts.begin(tx, wanted, NOUN)
    row = acts.check(store.find(tx, wanted.record_id, lock=True), wanted, rule.MACHINE)
    values: dict[str, Any] = {"state": rule.MACHINE.after(row["state"], wanted.verb)}
    if wanted.verb == "resume":
        _none_running(tx)
        values |= {"error": "", "ended_at": None}
    elif wanted.verb == "stop":
        _withdraw(tx, row)
        values |= {"error": wanted.reason, "ended_at": tx.now}
    elif wanted.verb == "activate":
        values["valid_from"] = _first_day(tx, wanted.arguments["valid_from"])
    elif (why := not_latest(tx, row)) is not None:
        raise why
    store.change(tx, row["id"], values, tx.now)
    if wanted.verb == "resume":
        _ask(tx, row, rules.table_rules.get("codes_page_rows", 250), wanted.caller)
    _tell(tx, row["id"], wanted.verb, row["version"] + 1)


def _first_day(tx: Transaction, text: str) -> str:
    """The day a version begins, after the one of the version put in force last."""
    try:
        day = day_of(text).isoformat()
    except ValueError as fault:
        raise refuse("field_invalid", "valid_from", problem="no such day") from fault
    active = store.active(tx)
    if active and active[-1]["valid_from"] >= day:
        raise refuse("code_version_order", "valid_from", version=active[-1]["table_version"],
                     before=active[-1]["valid_from"])  # fmt: skip
    return day


def not_latest(hand: Connection, row: Row) -> Refusal | None:
    """Only the version put in force last can be rolled back; what came before would come back in between."""
    active = store.active(hand)
    if not active or active[-1]["id"] == row["id"]:
        return None
    return refuse("code_version_not_latest", "", version=active[-1]["table_version"])


def _withdraw(tx: Transaction, row: Row) -> None:
    """End the page's job that no agent holds yet."""
    held = job_store.open_of(tx, row["id"])
    if held is None:
        return
    if held["state"] != "queued":
        raise refuse("job_held_by_agent")
    job = job_store.find(tx, jobs.PLATFORM, held["id"])
    assert job is not None
    values = {
        "taxpayer_id": job["taxpayer_id"], "id": job["id"], "state": "refused", "code": "withdrawn", "message": "",
        "trail": jobs.trail(job["trail"], tx.now, "withdrawn"), "settled_at": tx.now, "now": tx.now,
    }  # fmt: skip
    job_store.settle(tx, values)
    tx.raise_event(Event("jobs", job["id"], job["taxpayer_id"], "refused", job["version"] + 1))


# --- what agents bring


def page_arrived(tx: Transaction, job: Row, page: CodePage) -> None:
    """Keep one page and ask for the next, or come to the end; a page that cannot be of this version stops it."""
    row = store.find(tx, job["subject_id"], lock=True)
    assert row is not None
    asked = msgspec.json.decode(job["work"], type=FetchCodes)
    if row["state"] != "fetching":
        return
    problem, anew = _contradiction(row, page, asked)
    if problem:
        _stop(tx, row, problem, anew)
        return
    values = {"table_version": page.version, "published_on": page.published_on, "total": page.total,
              "digest": page.digest}  # fmt: skip
    row |= values
    if page.start == 0 and store.twin(tx, row) is not None:
        _end(tx, row, "recognise", values)
        return
    tx.add_rows(CodeRow, [_row(row["id"], page.start + number, one) for number, one in enumerate(page.rows)])
    row["rows_done"] = page.start + len(page.rows)
    values["rows_done"] = row["rows_done"]
    if row["rows_done"] < row["total"]:
        store.change(tx, row["id"], values, tx.now)
        _ask(tx, row, asked.most, SYSTEM)
        _tell(tx, row["id"], "page", row["version"] + 1)
        return
    wrong = _damage(tx, row)
    if wrong:
        _stop(tx, row, wrong, anew=True)
    else:
        _end(tx, row, "finish", values)


def _contradiction(row: Row, page: CodePage, asked: FetchCodes) -> tuple[str, bool]:
    """(what is wrong with a page, whether to begin anew); empty when it fits."""
    known = row["table_version"]
    if known and (page.version, page.digest, page.total) != (known, row["digest"], row["total"]):
        return f"version_changed: {known} → {page.version}", True
    if row["wanted"] and page.version != row["wanted"]:
        return f"version_differs: {page.version}", True
    if page.start != row["rows_done"] or len(page.rows) > asked.most:
        return f"page_differs: {page.start}", False
    if not page.rows or page.start + len(page.rows) > page.total:
        return f"page_differs: {page.start} + {len(page.rows)} / {page.total}", False
    return "", False


def _damage(tx: Transaction, row: Row) -> str:
    """What is wrong with a version as a whole; empty when its digest fits and no code stands twice."""
    if store.distinct_codes(tx, row["id"]) != row["total"]:
        return "code_twice"
    found = rule.digest_of(facts_of(one) for one in store.rows(tx, row["id"]))
    return "" if found == row["digest"] else "digest_differs"


def _row(version_id: str, position: int, facts: Any) -> Row:
    values = {name: getattr(facts, name) for name in CodeFactsLike._fields}
    values |= {"sum_only": int(facts.sum_only), "usable": int(facts.usable)}
    return row_of(CodeRow, version_id=version_id, position=position, **values)


def facts_of(row: Row) -> CodeFactsLike:
    """A kept row as the bureau gave it."""
    values = {name: row[name] for name in CodeFactsLike._fields}
    return CodeFactsLike(**{**values, "sum_only": bool(row["sum_only"]), "usable": bool(row["usable"])})


def _end(tx: Transaction, row: Row, move: str, values: dict[str, Any]) -> None:
    values |= {"state": rule.MACHINE.after(row["state"], move), "ended_at": tx.now, "error": ""}
    store.change(tx, row["id"], values, tx.now)
    _tell(tx, row["id"], move, row["version"] + 1)


def _stop(tx: Transaction, row: Row, problem: str, anew: bool) -> None:
    values: dict[str, Any] = {"error": problem[:300], "ended_at": tx.now}
    if anew:
        store.drop_rows(tx, row["id"])
        values |= {"rows_done": 0, "table_version": "", "digest": "", "total": 0}
    values["state"] = rule.MACHINE.after(row["state"], "fail")
    store.change(tx, row["id"], values, tx.now)
    _tell(tx, row["id"], "fail", row["version"] + 1)


def page_refused(tx: Transaction, job: Row, problem: str) -> None:
    """The device or the bureau said no: what is here stays, and is gone on from."""
    row = store.find(tx, job["subject_id"], lock=True)
    assert row is not None
    if row["state"] == "fetching":
        _stop(tx, row, problem, anew=False)
