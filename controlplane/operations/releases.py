"""Releases: asking what is published, upgrading one tax server or secure proxy, and which version runs where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from controlplane import data
from controlplane.domain import release
from controlplane.domain.dated import DEVICE_ZONE, day_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.release import Product, Release
from controlplane.operations import acts, jobs
from controlplane.operations.acts import Act, Viewer
from controlplane.store import board, devices, releases, secure_proxies, tax_servers
from controlplane.store import jobs as job_store
from controlplane.store.listing import Source
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire import work

MATRIX = Source(
    "(SELECT s.id AS place, 'tax-servers' AS noun, 'tax_server' AS product, s.id AS tax_server_id, s.tax_server_no, "
    "s.name, s.kernel_version AS running, s.version FROM tax_servers s WHERE s.state <> 'retired' UNION ALL "
    "SELECT p.id, 'secure-proxies', 'secure_proxy', s.id, s.tax_server_no, p.name, p.running_version, p.version "
    "FROM secure_proxies p JOIN tax_servers s ON s.id = p.tax_server_id WHERE p.state <> 'removed') m",
    "m.place", None, "m.*",
)  # fmt: skip
OVERRIDES = "agents.manage"
"""The permission that may leave the freeze aside: administrators have it."""


def act_on_server(tx: Transaction, wanted: Act) -> str:
    """``check_releases`` or ``upgrade`` of a tax server; the id of the job it opened."""
    acts.begin(tx, wanted, "tax-servers")
    server = acts.found(tax_servers.find(tx, wanted.record_id, lock=True), wanted)
    place = ("tax-servers", server["id"])
    if wanted.verb == "check_releases":
        product: Product = wanted.arguments["product"]
        problem = check_gate(server)
        if problem is None and product == "secure_proxy" and secure_proxies.of_server(tx, server["id"]) is None:
            problem = refuse("proxy_missing", "product")
        if problem is not None:
            raise problem
        return _open(tx, place, server["id"], work.CheckRelease(product=product), wanted.caller)
    _refuse_upgrade(tx, server, wanted, ("tax_server", server["kernel_version"]))
    return _open(tx, place, server["id"], _upgrade("tax_server", wanted), wanted.caller)


def upgrade_proxy(tx: Transaction, wanted: Act) -> str:
    """``upgrade`` of a secure proxy; the id of the job it opened."""
    acts.begin(tx, wanted, "secure-proxies")
    proxy = acts.found(secure_proxies.find(tx, wanted.record_id, lock=True), wanted)
    server = tax_servers.find(tx, proxy["tax_server_id"], lock=True)
    if proxy["state"] == "removed" or server is None:
        raise refuse("move_not_allowed", noun="secure_proxy", state=proxy["state"], move="upgrade", allowed="—")
    _refuse_upgrade(tx, server, wanted, ("secure_proxy", proxy["running_version"]))
    return _open(
        tx, ("secure-proxies", proxy["id"]), server["id"], _upgrade("secure_proxy", wanted), wanted.caller
    )


def _upgrade(product: Product, wanted: Act) -> work.UpgradeRelease:
    return work.UpgradeRelease(product=product, version=wanted.arguments["release_version"])


def _open(tx: Transaction, place: tuple[str, str], server_id: str, order: work.Work, caller: Principal) -> str:
    return jobs.open_job(tx, ("tax-servers", server_id), (*place, jobs.PLATFORM), order, caller)


def _refuse_upgrade(tx: Transaction, server: Row, wanted: Act, runs: tuple[Product, str]) -> None:
    """Raise what forbids this upgrade; ``runs`` is the product and the version it reported last."""
    product, running = runs
    version = wanted.arguments["release_version"]
    published = [as_release(row) for row in releases.of_product(tx, product)]
    target = next((one for one in published if one.version == version), None)
    if target is None:
        raise refuse("release_unknown", "release_version", product=product, version=version)
    if version == running:
        raise refuse("release_runs", "release_version", version=version)
    if release.is_older(target, running, published):
        raise refuse("release_older", "release_version", version=version, running=running)
    problem = upgrade_gate(tx, server)
    if problem is not None:
        raise problem
    override = bool(wanted.arguments.get("override"))
    if override and not wanted.caller.may(OVERRIDES):
        raise refuse("not_permitted", "override", act=OVERRIDES)
    frozen = freeze(tx.moment)
    if frozen is not None and not override:
        raise frozen


def check_gate(server: Row) -> Refusal | None:
    """Why a tax server cannot be asked for releases; None when it can."""
    return refuse("release_server_not_ready", state=server["state"]) if server["state"] == "retired" else None


def upgrade_gate(hand: Connection, server: Row) -> Refusal | None:
    """Why nothing on a tax server may be upgraded now, the calendar apart; None when it may."""
    if server["state"] not in release.UPGRADABLE:
        return refuse("release_server_not_ready", state=server["state"])
    held = [device["id"] for device in devices.of_server(hand, server["id"])]
    waiting = sum(int(row["n"]) for row in board.to_upload(hand, held))
    if waiting:
        return refuse("release_uploads_waiting", count=waiting)
    open_jobs = releases.open_jobs(hand, server["id"])
    return refuse("release_jobs_open", count=open_jobs) if open_jobs else None


def freeze(now: datetime) -> Refusal | None:
    """The freeze before a filing deadline, if the day lies in one."""
    due = data.freezes().until(_day(now))
    return refuse("release_frozen", due=due.isoformat()) if due is not None else None


def server_gate(hand: Connection, server: Row, verb: str, viewer: Viewer) -> Refusal | None:
    """What a tax server's ``allowed`` says of a verb of this room; who may override is not told of the freeze."""
    if verb == "check_releases":
        return check_gate(server)
    return upgrade_gate(hand, server) or _frozen_for(viewer)


def proxy_gate(hand: Connection, proxy: Row, viewer: Viewer) -> Refusal | None:
    """What a secure proxy's ``allowed`` says of its upgrade."""
    server = tax_servers.find(hand, proxy["tax_server_id"])
    if server is None or proxy["state"] == "removed":
        return refuse("release_server_not_ready", state=proxy["state"])
    return upgrade_gate(hand, server) or _frozen_for(viewer)


def _frozen_for(viewer: Viewer) -> Refusal | None:
    return None if viewer.caller.may(OVERRIDES) else freeze(viewer.now)


def as_release(row: Row) -> Release:
    """A row as the rules know it."""
    effective = day_of(row["effective_on"]) if row["effective_on"] else None
    return Release(row["release_version"], day_of(row["released_on"]), effective)


def _day(now: datetime) -> date:
    return now.astimezone(DEVICE_ZONE).date()


# --- which version runs where


def matrix(hand: Connection, rows: Sequence[Row], viewer: Viewer) -> list[dict[str, Any]]:
    """Places of the matrix with where they stand: status, the day the newer release must run, the last upgrade."""
    published: dict[str, list[Release]] = {product: [] for product in release.PRODUCTS}
    for row in releases.everything(hand):
        published.setdefault(row["product"], []).append(as_release(row))
    servers = sorted({row["tax_server_id"] for row in rows})
    checked = {(row["tax_server_id"], row["product"]): row["checked_at"] for row in releases.checks(hand, servers)}
    upgrades = {row["record_id"]: row for row in releases.last_upgrades(hand, [row["place"] for row in rows])}
    today = _day(viewer.now)
    found = []
    for row in rows:
        stands = release.standing(row["running"], published[row["product"]], today)
        shown = {name: value for name, value in row.items() if name != "place"} | {"id": row["place"]}
        found.append(
            shown
            | {
                "status": stands.status,
                "newest": stands.newest,
                "due_on": stands.due_on.isoformat() if stands.due_on else None,
                "days": stands.days,
                "checked_at": checked.get((row["tax_server_id"], row["product"])),
                "last_upgrade": upgrades.get(row["place"]),
                "open_job": job_store.open_of(hand, row["place"]),
            }
        )
    return found
