"""The small HTTP server and client of the simulated processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agents.simulated.http_peer import BODY_LIMIT, Listener, Peer, PeerSilent, PeerUnreachable, Reply, Request


async def echo(request: Request) -> Reply | None:
    match request.path:
        case "/nothing":
            return None
        case "/half":
            return Reply(b'{"a":1}', cut=True)
        case "/late":
            await asyncio.sleep(5)
    return Reply.of({"path": request.path, "query": request.query, "size": len(request.body)})


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener(echo)
    await listener.open()
    yield listener
    listener.close()


async def said(listener: Listener, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(words)
    answer = await reader.readuntil(b"\r\n")
    writer.transport.abort()
    return answer


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1), b"413"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
    ],
)
async def test_what_is_no_request_is_refused(listener: Listener, words: bytes, status: bytes):
    assert (await said(listener, words)).split(b" ")[1] == status


async def test_requests_in_pieces_and_in_one_piece_are_answered_in_order(listener: Listener):
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    words = b"".join(b"POST /%d HTTP/1.1\r\ncontent-length: 2\r\n\r\nab" % n for n in range(3))
    for cut in range(0, len(words), 7):
        writer.write(words[cut : cut + 7])
        await asyncio.sleep(0)
    for n in range(3):
        assert b'"path":"/%d"' % n in await reader.readuntil(b'"size":2}')
    writer.transport.abort()


async def test_a_peer_keeps_its_connection_and_replaces_a_dead_one(listener: Listener):
    peer = Peer(f"http://127.0.0.1:{listener.port}")
    assert await peer.call("GET", "/a?b=c%20d") == (200, {"path": "/a", "query": {"b": "c d"}, "size": 0})
    assert len(listener.connections) == 1
    await peer.call("POST", "/a", {"x": 1})
    assert len(listener.connections) == 1
    listener.close()
    await listener.open()
    assert (await peer.call("GET", "/again"))[0] == 200
    peer.close()


async def test_a_peer_tells_unreachable_from_silent(listener: Listener):
    peer = Peer(f"http://127.0.0.1:{listener.port}", timeout=0.3)
    for path in ("/nothing", "/half", "/late"):
        with pytest.raises(PeerSilent):
            await peer.call("GET", path)
    listener.close()
    with pytest.raises(PeerUnreachable):
        await peer.call("GET", "/a")


async def test_a_call_goes_on_when_its_caller_hangs_up():
    finished = asyncio.Event()

    async def work(_: Request) -> Reply:
        await asyncio.sleep(0.05)
        finished.set()
        return Reply.of({})

    listener = Listener(work)
    await listener.open()
    _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await asyncio.sleep(0.02)
    writer.transport.abort()
    await asyncio.wait_for(finished.wait(), 2)
    listener.close()
