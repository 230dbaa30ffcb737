"""Who may call what: every route without a credential, and every role on every route."""

from __future__ import annotations

import re

from tests.controlplane.api import doors
from tests.controlplane.api.house import ROLES, House

OPEN = {"/v1/sessions", "/v1/agent/join", "/healthz", "/readyz", "/metrics"}
MISSING = "01a20000-0000-7000-8000-000000000000"
ALLOWED: dict[tuple[str, str], set[str]] = doors.allowed()
"""Who may call what, route by route."""


def _routes(house: House) -> list[tuple[str, str]]:
    paths = house.openapi()["paths"]
    return [(method, path) for path, verbs in sorted(paths.items()) for method in sorted(verbs)]


def _url(path: str) -> str:
    return "/".join(_part(part) for part in path.split("/"))


def _part(part: str) -> str:
    if part == "{verb}":
        return "enable"
    return MISSING if part.startswith("{") else part


def test_no_route_without_a_credential(house: House) -> None:
    answers = set()
    for method, path in _routes(house):
        if path in OPEN:
            continue
        raw = b"{}" if method == "post" else None
        status, content = house.bytes_of(method.upper(), _url(path), raw, role="")
        assert status == 401, (method, path, status)
        answers.add(content)
    assert len(answers) == 1, "the answer tells nothing about the route"


def test_every_role_on_every_route(house: House) -> None:
    for method, path in _routes(house):
        if path in OPEN or path == "/v1/events":
            continue
        allowed = ALLOWED[method, path]
        for role in (*ROLES, "agent"):
            raw = b"[]" if method == "post" else None
            status, answer = house.ask(method.upper(), _url(path), raw, role)
            refused = status == 403 and answer["code"] == "not_permitted"
            assert refused == (role not in allowed), (method, path, role, status, answer)


def test_the_description_names_every_route(house: House) -> None:
    status, page = house.bytes_of("GET", "/docs", role="")
    assert not re.search(rb"(src|href)=.https?://", page), "the page works without the internet"
    described = {path for _, path in _routes(house)}
    assert {"/v1/invoices", "/v1/invoices/check", "/v1/agent/lease", "/v1/events", "/readyz"} <= described
    for path, verbs in house.openapi()["paths"].items():
        for method, operation in verbs.items():
            missing = {"401", "403", "422", "500", "503"} - operation["responses"].keys()
            assert not missing, (method, path, missing)
    assert status == 200
