"""Every state machine against a second copy of its table, written by hand and in another shape."""

from __future__ import annotations

import pytest

from controlplane.domain import (
    agent,
    alert_rule,
    application,
    bureau_address,
    certificate,
    delivery,
    invoice,
    invoice_segment,
    job,
    line_watch,
    red_form,
    stock_alert,
    tax_code,
    tax_server,
    taxpayer,
    virtual_device,
)
from controlplane.domain.lifecycle import Machine, machine
from controlplane.domain.refusals import Refusal

READY = (
    "fetch_company certify fetch_kinds fetch_rates calibrate read add_terminal apply receive distribute reclaim return"
)
STAYS = " ".join(f"{verb}=self" for verb in READY.split())

BY_HAND: dict[str, tuple[Machine, str, dict[str, str]]] = {
    "tax_server": (
        tax_server.MACHINE,
        "registered",
        {
            "registered": "synchronise=synchronised change=self retire=retired",
            "synchronised": "synchronise=self calibrate=calibrated change=self retire=retired",
            "calibrated": "synchronise=self calibrate=self commission=commissioned change=self retire=retired",
            "commissioned": "synchronise=self calibrate=self certify=certified change=self retire=retired",
            "certified": "synchronise=self calibrate=self certify=self request_formal=self sync_formal=self renew=self"
            " suspend=suspended change=self retire=retired",
            "suspended": "synchronise=self calibrate=self request_formal=self sync_formal=self renew=self"
            " resume=certified change=self retire=retired",
            "retired": "",
        },
    ),
    "virtual_device": (
        virtual_device.MACHINE,
        "registered",
        {
            "registered": "commission_fully=self commission=commissioned cancel=cancelled",
            "commissioned": "commission_fully=self fetch_company=company_fetched read=self cancel=cancelled",
            "company_fetched": "commission_fully=self fetch_company=self certify=certified read=self cancel=cancelled",
            "certified": "commission_fully=self fetch_company=self certify=self fetch_kinds=kinds_fetched read=self"
            " cancel=cancelled",
            "kinds_fetched": "commission_fully=self fetch_company=self certify=self fetch_kinds=self read=self"
            " fetch_rates=ready cancel=cancelled",
            "ready": f"{STAYS} suspend=suspended cancel=cancelled",
            "suspended": f"{STAYS} resume=ready cancel=cancelled",
            "cancelled": "",
        },
    ),
    "certificate": (
        certificate.MACHINE,
        "none",
        {
            "none": "certify=temporary",
            "temporary": "certify=self request_formal=formal_requested renew=self",
            "formal_requested": "certify=self request_formal=self sync_formal=formal_synced renew=self",
            "formal_synced": "certify=self renew=self",
        },
    ),
    "invoice": (
        invoice.MACHINE,
        "waiting",
        {
            "waiting": "issue=issued refuse=refused cancel=refused",
            "issued": "void=voided red_offset=self",
            "refused": "",
            "voided": "",
        },
    ),
    "red_form": (
        red_form.MACHINE,
        "draft",
        {
            "draft": "upload=uploaded cancel=cancelled",
            "uploaded": "query=self approve=approved refuse=refused cancel=cancelled",
            "approved": "query=self cancel=cancelled use=used",
            "used": "query=self release=approved",
            "refused": "",
            "cancelled": "",
        },
    ),
    "slot": (
        line_watch.SLOT,
        "claimed",
        {"claimed": "report=done miss=missed", "missed": "claim=claimed", "done": ""},
    ),
    "line_check": (
        line_watch.CHECK,
        "wanted",
        {"wanted": "take=taken", "taken": "take=self finish=done", "done": ""},
    ),
    "alert_rule": (
        alert_rule.MACHINE,
        "enabled",
        {
            "enabled": "change=self test_send=self disable=disabled remove=removed",
            "disabled": "change=self test_send=self enable=enabled remove=removed",
            "removed": "",
        },
    ),
    "delivery": (
        delivery.MACHINE,
        "queued",
        {
            "queued": "accept=sent put_off=deferred give_up=given_up",
            "deferred": "accept=sent put_off=self give_up=given_up",
            "sent": "",
            "given_up": "",
        },
    ),
    "upload": (
        invoice.UPLOAD,
        "not_uploaded",
        {
            "not_uploaded": "uploaded=uploaded failed=failed signature_rejected=signature_rejected",
            "failed": "uploaded=uploaded failed=self signature_rejected=signature_rejected",
            "uploaded": "",
            "signature_rejected": "",
        },
    ),
    "segment": (
        invoice_segment.MACHINE,
        "on_device",
        {
            "on_device": "distribute=on_terminal return=returned exhaust=exhausted",
            "on_terminal": "reclaim=on_device exhaust=exhausted",
            "exhausted": "",
            "returned": "",
        },
    ),
    "grant": (
        invoice_segment.GRANT,
        "granted",
        {"granted": "write=written", "written": "confirm=confirmed", "confirmed": ""},
    ),
    "application": (
        application.MACHINE,
        "applied",
        {
            "applied": "query=self grant=granted refuse=refused cancel=cancelled",
            "granted": "query=self receive=received",
            "refused": "",
            "cancelled": "",
            "received": "",
        },
    ),
    "stock_alert": (
        stock_alert.MACHINE,
        "enabled",
        {
            "enabled": "change=self disable=disabled test=self remove=removed",
            "disabled": "change=self enable=enabled test=self remove=removed",
            "removed": "",
        },
    ),
    "job": (
        job.MACHINE,
        "queued",
        {
            "queued": "lease=leased withdraw=refused",
            "leased": "lease=self unreachable=queued requeue=queued unknown=unknown done=done refused=refused",
            "unknown": "lease=self unknown=self unreachable=self requeue=queued done=done refused=refused",
            "done": "",
            "refused": "",
        },
    ),
    "taxpayer": (
        taxpayer.MACHINE,
        "active",
        {
            "active": "change=self move=self allow_issue=self stop_issue=self fetch=self apply=self discard=self"
            " set_flag=self end_flag=self add_contact=self remove_contact=self retire=retired",
            "retired": "",
        },
    ),
    "taxpayer_fetch": (
        taxpayer.FETCH_MACHINE,
        "fetching",
        {
            "fetching": "differ=pending agree=unchanged fail=failed",
            "pending": "apply=applied discard=discarded supersede=superseded",
            "unchanged": "", "failed": "", "applied": "", "discarded": "", "superseded": "",
        },
    ),
    "bureau_address": (
        bureau_address.MACHINE,
        "disabled",
        {"disabled": "enable=enabled change=self remove=removed", "enabled": "disable=disabled change=self", "removed": ""},
    ),
    "code_version": (
        tax_code.MACHINE,
        "fetching",
        {
            "fetching": "finish=complete recognise=known fail=stopped stop=stopped",
            "stopped": "resume=fetching",
            "complete": "activate=active",
            "active": "rollback=rolled_back",
            "rolled_back": "activate=active",
            "known": "",
        },
    ),
    "agent": (agent.MACHINE, "active", {"active": "revoke=revoked", "revoked": ""}),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_table_is_the_one_written_by_hand(name: str) -> None:
    tested, initial, by_hand = BY_HAND[name]
    assert tested.initial == initial
    assert tested.states == set(by_hand)
    for state in sorted(tested.states):
        edges = dict(edge.split("=") for edge in by_hand[state].split())
        assert set(tested.allowed(state)) == set(edges)
        assert tested.final(state) is (not edges)
        for move in sorted(tested.moves):
            if move in edges:
                assert tested.after(state, move) == (state if edges[move] == "self" else edges[move])
                assert tested.may(state, move)
            else:
                with pytest.raises(Refusal) as caught:
                    tested.after(state, move)
                assert caught.value.code == "move_not_allowed"
                assert not tested.may(state, move)


@pytest.mark.parametrize("name", BY_HAND)
def test_every_state_can_be_reached(name: str) -> None:
    tested = BY_HAND[name][0]
    reached, pending = {tested.initial}, [tested.initial]
    while pending:
        state = pending.pop()
        fresh = {tested.after(state, move) for move in tested.allowed(state)} - reached
        reached |= fresh
        pending += fresh
    assert reached == tested.states


def test_a_refused_move_names_what_is_allowed_now() -> None:
    with pytest.raises(Refusal) as caught:
        tax_server.MACHINE.after("registered", "certify")
    assert "synchronise" in caught.value.remedy and caught.value.http_status == 409


def test_a_row_may_not_stand_twice() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        machine("thing", "a", [("a", "go", "b"), ("a", "go", "c")])


def test_an_unknown_job_never_becomes_queued_by_lease_or_by_a_device_out_of_reach() -> None:
    assert job.MACHINE.after("unknown", "lease") == "unknown"
    assert job.MACHINE.after("unknown", "unreachable") == "unknown"
    assert job.HELD | {"queued"} == job.OPEN


def test_commissioning_leads_from_registered_to_ready() -> None:
    state, steps = "registered", []
    while state in virtual_device.NEXT_STEP:
        steps.append(virtual_device.NEXT_STEP[state])
        state = virtual_device.MACHINE.after(state, steps[-1])
    assert steps == ["commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates"]
    assert state in virtual_device.ISSUING


def test_verbs_labels_and_results_fit_their_machines() -> None:
    for module in (tax_server, virtual_device):
        assert set(module.JOB_KINDS) <= module.MACHINE.moves
        assert set(module.LABELS) == module.MACHINE.states
    assert set(certificate.LABELS) == certificate.MACHINE.states
    assert set(certificate.DATES) == certificate.MACHINE.states - {"none"}
    assert set(invoice.LABELS) == invoice.MACHINE.states | invoice.UPLOAD.states
    assert set(job.LABELS) == job.MACHINE.states
    assert set(job.MOVES_BY_RESULT.values()) <= job.MACHINE.moves
    assert set(invoice_segment.LABELS) == invoice_segment.MACHINE.states | invoice_segment.GRANT.states
    assert set(application.LABELS) == application.MACHINE.states
    assert set(application.JOB_KINDS) <= application.MACHINE.moves
    assert set(stock_alert.LABELS) == stock_alert.MACHINE.states | {"low", "enough"}
    assert set(agent.LABELS) == agent.MACHINE.states | {"online", "late", "lost"}


def test_what_counts_as_live() -> None:
    assert invoice.live("waiting") and invoice.live("issued")
    assert not invoice.live("refused") and not invoice.live("voided") and not invoice.live("issued", True)
