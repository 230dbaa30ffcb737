"""Twelve hostile bodies on every route that writes: refused, nothing changed, no list poisoned; valid twins pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.controlplane.api.house import House

BUT_THE_LOG = ("operation_log", "ledger_head")


def _instead(fragment: str) -> Callable[[dict[str, Any]], bytes]:
    """The body with the value of its first member replaced by a piece of JSON text."""

    def make(body: dict[str, Any]) -> bytes:
        first = next(iter(body))
        return json.dumps({**body, first: "@@"}).replace('"@@"', fragment).encode()

    return make


def _twice(body: dict[str, Any]) -> bytes:
    first = next(iter(body))
    member = f"{json.dumps(first)}: {json.dumps(body[first])}"
    return f"{{{member}, {json.dumps(body)[1:]}".encode()


def _invalid_utf8(body: dict[str, Any]) -> bytes:
    return _instead('"@"')(body).replace(b'"@"', b'"\xff\xfe"')


HOSTILE: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "NaN": _instead("NaN"),
    "Infinity": _instead("Infinity"),
    "1e400": _instead("1e400"),
    "2^63": _instead(str(2**63)),
    "5000 digits": _instead("9" * 5000),
    "lone surrogate": _instead('"\\ud800"'),
    "NUL": _instead('"a\\u0000b"'),
    "deep nesting": _instead("[" * 5000 + "]" * 5000),
    "duplicate keys": _twice,
    "UTF-16": lambda body: json.dumps(body).encode("utf-16"),
    "invalid UTF-8": _invalid_utf8,
    "BOM": lambda body: b"\xef\xbb\xbf" + json.dumps(body).encode(),
}


def test_twelve_hostile_bodies_on_every_write_route(house: House) -> None:
    paths = house.openapi()["paths"]
    writing = [path for path, verbs in paths.items() if verbs.keys() & {"post", "put", "patch", "delete"}]
    writing = [path for path in writing if "application/json" in str(paths[path]["post"].get("requestBody"))]
    lists = [path for path, verbs in paths.items() if "get" in verbs and "{" not in path and path.startswith("/v1/")]
    lists = [path for path in lists if path not in ("/v1/me", "/v1/events")]
    asking = [path for path in lists if not any(one.get("required") for one in paths[path]["get"].get("parameters", ()))]
    assert set(lists) - set(asking) == {"/v1/stock/tree"}
    lists = asking
    assert len(writing) >= 20 and len(lists) >= 12
    writing = house.share(writing)
    for place, path in enumerate(writing):
        url, body, role = house.valid(path)
        before = house.scene.dump(BUT_THE_LOG)
        for name, make in HOSTILE.items():
            status, answer = house.ask("POST", url, make(body), role)
            assert 400 <= status < 500, (path, name, status, answer)
            assert answer["code"] and answer["remedy"], (path, name, answer)
        assert house.scene.dump(BUT_THE_LOG) == before, path
        status, answer = house.post(url, body, role)
        assert 200 <= status < 300, (path, status, answer)
        if place % 10 == 9 or path == writing[-1]:  # a row that poisons a list does so for good
            for listed in lists:
                assert house.ask("GET", listed)[0] == 200, (path, listed)
