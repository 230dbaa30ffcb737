"""The link over real sockets."""

from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from console.link import Act, HttpTransport, Link, LinkDown, LinkProblem
from tests.console.fleet import device, invoice
from tests.console.plane import TOKEN, Plane, problem


@pytest.fixture
async def link(plane: Plane) -> AsyncIterator[Link]:
    transport = HttpTransport(plane.url, TOKEN)
    yield Link(transport)
    await transport.close()


async def test_lists_follow_their_cursors(plane: Plane, link: Link) -> None:
    plane.fill("invoices", [invoice(number) for number in range(2500)])
    page = await link.page("invoices", 1000)
    assert len(page.items) == 1000 and page.next
    assert len(await link.every("invoices")) == 2500
    assert len(await link.every("invoices", most=1500)) == 1500


async def test_filters_hold_even_where_the_server_ignores_them(link: Link) -> None:
    found = await link.every("invoices", {"state": "waiting", "device_id": "device-3"})
    assert [record["id"] for record in found] == ["invoice-000003"]


async def test_records_without_an_id_get_one(link: Link) -> None:
    ids = [record["id"] for record in await link.every("stock")]
    assert len(set(ids)) == len(ids) == 3


async def test_an_act_carries_reason_and_version(plane: Plane, link: Link) -> None:
    accepted = await link.act(Act("virtual-devices", "device-2", "apply", "没票了", 7, {"kind": "026", "count": 500}))
    assert plane.acts == [
        ("/v1/virtual-devices/device-2/apply", {"kind": "026", "count": 500, "reason": "没票了", "version": 7})
    ]
    assert accepted.job and accepted.job["id"] == "job-1"
    assert accepted.record["version"] == 8


async def test_an_act_that_answers_with_the_record_alone(plane: Plane, link: Link) -> None:
    plane.answer = lambda verb, body: Response('{"id": "agent-1", "state": "revoked"}', 200)
    accepted = await link.act(Act("agents", "agent-1", "revoke", "x", 1))
    assert accepted.job is None and accepted.record["state"] == "revoked"


async def test_a_refusal_is_a_problem_by_name(plane: Plane, link: Link) -> None:
    plane.answer = lambda verb, body: problem(
        409, "move_not_allowed", "不能", remedy="先恢复", runbook="device-stopped",
        allowed=["resume", {"verb": "read", "enabled": True}, {"verb": "cancel", "enabled": False}, 7],
        errors=[{"field": "kind", "message": "x"}, "no object"],
    )  # fmt: skip
    with pytest.raises(LinkProblem) as caught:
        await link.act(Act("virtual-devices", "device-2", "suspend", "x", 7))
    refused = caught.value
    assert (refused.status, refused.code, refused.message) == (409, "move_not_allowed", "不能")
    assert (refused.remedy, refused.runbook, refused.allowed) == ("先恢复", "device-stopped", ("resume", "read"))
    assert refused.errors == ({"field": "kind", "message": "x"},)


async def test_a_missing_record_is_a_problem(link: Link) -> None:
    with pytest.raises(LinkProblem) as caught:
        await link.one("invoices", "../../no such/thing?x=1")
    assert caught.value.status == 404


async def test_a_wrong_token_is_signed_out(plane: Plane) -> None:
    transport = HttpTransport(plane.url, "wrong")
    with pytest.raises(LinkProblem) as caught:
        await Link(transport).me()
    assert caught.value.signed_out
    await transport.close()


async def test_signing_in(plane: Plane) -> None:
    transport = HttpTransport(plane.url, "")
    assert await Link(transport).sign_in("li", "right") == TOKEN
    with pytest.raises(LinkProblem):
        await Link(transport).sign_in("li", "wrong")
    await transport.close()


async def test_nobody_there() -> None:
    transport = HttpTransport("http://127.0.0.1:9", TOKEN)
    with pytest.raises(LinkDown):
        await Link(transport).me()
    await transport.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"a": ' + b"9" * 5000 + b"}", b"\xff\xfe"])
async def test_an_answer_that_is_no_object_is_a_broken_line(plane: Plane, link: Link, body: bytes) -> None:
    plane.answer = lambda verb, _: Response(body, 200)
    try:
        await link.act(Act("virtual-devices", "device-2", "read", "x", 7))
    except LinkDown:
        return
    assert body.startswith(b"{")


async def test_changes_from_now_on_and_from_a_place(plane: Plane, link: Link) -> None:
    plane.put("virtual-devices", device(1, 1), "read")
    plane.put("virtual-devices", device(2, 1), "read")
    seen: list[int] = []
    async for change in link.changes(1):
        if change is not None:
            seen.append(change.seq)
            assert (change.noun, change.id, change.verb) == ("virtual-devices", "device-2", "read")
            break
    assert seen == [2]
    first = [change async for change in _until_some(link, None)]
    assert first == [None]


async def _until_some(link: Link, after: int | None) -> AsyncIterator[object]:
    changes = link.changes(after)
    async for change in changes:
        yield change
        break
    await changes.aclose()
