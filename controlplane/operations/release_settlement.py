"""What an agent's outcome changes on releases and secure proxies: what runs is what the device reports."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain import secure_proxy
from controlplane.operations import jobs
from controlplane.operations.fleet_settlement import Settle
from controlplane.store import devices, releases, secure_proxies, tax_servers, times
from controlplane.store.releases import ReleaseCheckRow, ReleaseRow, UpgradeRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Event, Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work


def contradiction(job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this job; empty when it can."""
    told = outcome.evidence
    if not isinstance(told, evidence.Releases | evidence.Upgraded):
        return ""
    asked = msgspec.json.decode(job["work"], type=work.CheckRelease | work.UpgradeRelease)
    if told.product != asked.product:
        return f"asked for {asked.product}, told of {told.product}"
    if isinstance(told, evidence.Upgraded) and told.rolled_back != (told.self_test == "failed"):
        return "rolled back and self-test do not fit"
    return ""


def _running(tx: Transaction, job: Row, told: tuple[str, str]) -> None:
    """Write down which version (product, version) runs at the place the job was for; silence changes nothing."""
    product, version = told
    if not version:
        return
    if product == "tax_server":
        server = tax_servers.find(tx, job["target_id"], lock=True)
        if server is not None and server["kernel_version"] != version:
            devices.change(tx, "tax_servers", server["id"], {"kernel_version": version}, tx.now)
            tx.raise_event(Event("tax-servers", server["id"], jobs.PLATFORM, "version", server["version"] + 1))
        return
    proxy = secure_proxies.of_server(tx, job["target_id"])
    if proxy is not None and proxy["running_version"] != version:
        devices.change(tx, "secure_proxies", proxy["id"], {"running_version": version}, tx.now)
        tx.raise_event(Event("secure-proxies", proxy["id"], jobs.PLATFORM, "version", proxy["version"] + 1))


def _checked(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    told = outcome.evidence
    assert isinstance(told, evidence.Releases)
    known = {row["release_version"]: row for row in releases.of_product(tx, told.product)}
    found = []
    for facts in told.releases:
        row = known.get(facts.version)
        found.append(
            ReleaseRow(
                id=row["id"] if row else times.new_id(),
                product=told.product,
                release_version=facts.version,
                released_on=facts.released_on,
                effective_on=facts.effective_on or None,
                notes=facts.notes,
                first_seen_at=tx.now,
                first_seen_on=job["target_id"],
            )
        )
        if row is None:
            tx.raise_event(Event("releases", found[-1].id, jobs.PLATFORM, "published", 1))
    releases.seen(tx, found)
    releases.checked(tx, ReleaseCheckRow(tax_server_id=job["target_id"], product=told.product, checked_at=tx.now))
    _running(tx, job, (told.product, told.current))
    _event(tx, job, "checked")


def _upgraded(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """The device's word on what runs now; one that failed its self-test was put back by the device itself."""
    told = outcome.evidence
    assert isinstance(told, evidence.Upgraded)
    asked = msgspec.json.decode(job["work"], type=work.UpgradeRelease)
    result = "rolled_back" if told.rolled_back else "upgraded"
    tx.add(
        UpgradeRow(
            id=times.new_id(),
            noun=job["subject_noun"],
            record_id=job["subject_id"],
            product=told.product,
            from_version=_version_before(tx, job, told.product),
            wanted_version=asked.version,
            running_version=told.version,
            result=result,
            self_test=told.self_test,
            message=told.message,
            requested_by=job["requested_by"],
            at=tx.now,
        )
    )
    _running(tx, job, (told.product, told.version))
    _event(tx, job, result)


def _version_before(tx: Transaction, job: Row, product: str) -> str:
    if product == "tax_server":
        server = tax_servers.find(tx, job["target_id"])
        return str(server["kernel_version"]) if server else ""
    proxy = secure_proxies.of_server(tx, job["target_id"])
    return str(proxy["running_version"]) if proxy else ""


def _event(tx: Transaction, job: Row, verb: str) -> None:
    tx.raise_event(Event(job["subject_noun"], job["subject_id"], jobs.PLATFORM, verb))


def _proxy(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    told = outcome.evidence
    assert isinstance(told, evidence.ProxyFacts)
    row = secure_proxies.find(tx, job["subject_id"], lock=True)
    assert row is not None
    verb = job["kind"].removeprefix("proxy.")
    values: dict[str, Any] = {
        "state": secure_proxy.MACHINE.after(row["state"], verb) if row["state"] != "removed" else row["state"],
        "reported": msgspec.json.encode(msgspec.to_builtins(told)).decode(),
        "running_version": told.version,
        "read_at": tx.now,
    }
    if verb == "configure":
        values["configured_at"] = tx.now
    devices.change(tx, "secure_proxies", row["id"], values, tx.now)
    tx.raise_event(Event("secure-proxies", row["id"], jobs.PLATFORM, verb, row["version"] + 1))


DONE: dict[str, Settle] = {
    "release.check": _checked,
    "release.upgrade": _upgraded,
    "proxy.read": _proxy,
    "proxy.configure": _proxy,
}
"""Job kind → what its outcome ``done`` changes."""

EVIDENCE: dict[str, type] = {
    "release.check": evidence.Releases,
    "release.upgrade": evidence.Upgraded,
    "proxy.read": evidence.ProxyFacts,
    "proxy.configure": evidence.ProxyFacts,
}
"""Job kind → the evidence a done job must bring."""
