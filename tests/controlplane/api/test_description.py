"""The description and the application say the same: routes, errors, permissions; and the page works without a net."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from starlette.routing import Match

from controlplane.api.access import caller_of
from controlplane.app import HOT, build
from controlplane.domain.principal import ROLE_ACTS
from controlplane.settings import Settings
from controlplane.wire.invoices import CheckAnswer, InvoiceAnswer
from tests.controlplane.api.house import House

OPEN = {"/v1/sessions", "/v1/agent/join", "/healthz", "/readyz", "/metrics"}
DOCS = {"/docs", "/docs/oauth2-redirect", "/openapi.json", "/static-offline-docs"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application, not serving: its ledger is opened only when it starts."""
    return build(Settings(database_url="sqlite:///nowhere.db"))


def routes(room: Any, prefix: str = "") -> Iterator[Any]:
    """Every route of the application object, those of included routers too."""
    for route in room.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner)
        else:
            yield route


def served(app: FastAPI) -> set[tuple[str, str]]:
    found = set()
    for route in routes(app):
        for method in set(getattr(route, "methods", None) or ()) - {"HEAD", "OPTIONS"}:
            found.add((method, route.path))
    return {one for one in found if one[1] not in DOCS}


def described(app: FastAPI) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, verbs in app.openapi()["paths"].items() for method in verbs}


def test_every_route_is_described_and_nothing_else(app: FastAPI) -> None:
    assert served(app) == described(app)
    assert len(described(app)) > 45


def test_every_described_route_answers(app: FastAPI) -> None:
    for method, path in described(app):
        url = re.sub(r"\{[a-z_]+\}", "x", path)
        scope = {"type": "http", "method": method, "path": url, "headers": [], "query_string": b"", "root_path": ""}
        assert any(route.matches(dict(scope))[0] == Match.FULL for route in app.router.routes), (method, path)


def test_every_route_names_the_act_it_needs(app: FastAPI) -> None:
    acts = set().union(*ROLE_ACTS.values())
    hot = {route.path for route in HOT}
    for route in routes(app):
        if route.path in OPEN | DOCS | hot:
            continue
        calls = [dependency.call for dependency in route.dependant.dependencies]
        named = [call.act for call in calls if hasattr(call, "act")]
        assert named or (route.path == "/v1/me" and caller_of in calls), route.path
        assert set(named) <= acts, route.path


def test_every_error_an_operation_can_answer_is_declared(app: FastAPI) -> None:
    for path, verbs in app.openapi()["paths"].items():
        for method, operation in verbs.items():
            declared = operation["responses"]
            expected = {"400", "401", "403", "404", "409", "413", "415", "422", "500", "503"}
            assert expected <= declared.keys(), (method, path)
            for status in expected:
                assert "application/problem+json" in declared[status]["content"], (method, path, status)
            assert any(status.startswith("2") for status in declared), (method, path)


def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    described = app.openapi()
    names = set(re.findall(r"#/components/schemas/([A-Za-z0-9_\[\].-]+)", str(described)))
    assert names <= described["components"]["schemas"].keys()


def test_what_was_answered_was_declared(house: House) -> None:
    """Every status seen while knocking at each door is one of its description."""
    paths = house.openapi()["paths"]
    for path, verbs in paths.items():
        if path == "/v1/events":
            continue
        for method, operation in verbs.items():
            url = re.sub(r"\{(?!verb)[a-z_]+\}", "x", path).replace("{verb}", "enable")
            seen = set()
            for role in ("", "admin", "probe", "agent"):
                for raw in (None, b"{", b"{}", b"[]", b'{"reason": "x", "version": 1}'):
                    if (raw is None) == (method == "get"):
                        seen.add(str(house.bytes_of(method.upper(), url, raw, role)[0]))
            if method == "post":
                house.agent.work_off()
                valid, body, role = house.valid(path)
                seen.add(str(house.post(valid, body, role)[0]))
            assert seen <= operation["responses"].keys(), (method, path, seen)


def test_the_docs_page_needs_no_other_host(house: House) -> None:
    status, page = house.bytes_of("GET", "/docs", role="")
    assert status == 200
    links = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.decode())
    assert len(links) >= 4
    for link in links:
        assert link.startswith("/"), link
        status, content = house.bytes_of("GET", link, role="")
        assert status == 200 and content, link
    assert not re.search(r"https?://(?!127\.0\.0\.1)", page.decode())


def test_health_and_metrics(house: House) -> None:
    assert house.ask("GET", "/healthz", role="") == (200, {"status": "ok"})
    status, ready = house.ask("GET", "/readyz", role="")
    assert (status, ready["status"], ready["ledger_seq"]) == (200, "ready", house.scene.one(
        "SELECT event_seq FROM ledger_head")["event_seq"])  # fmt: skip
    house.ask("GET", f"/v1/taxpayers/{house.owner}")
    status, headers, text = house.send("GET", "/metrics")
    assert status == 200 and headers["X-Content-Type-Options"] == "nosniff"
    assert b"taxplane_requests_total" in text and house.owner.encode() not in text, "no tax number in a label"


def test_signing_in(house: House) -> None:
    from tests.controlplane.api.house import PASSWORD

    answers = []
    for body in ({"username": "operator", "password": "wrong"}, {"username": "nobody", "password": "wrong"},
                 {"username": "auditor", "password": ""}, {"username": "front_end", "password": "x"}):  # fmt: skip
        answers.append(house.bytes_of("POST", "/v1/sessions", str(body).replace("'", '"').encode(), role=""))
    assert answers[0] == answers[1] == answers[3] and answers[0][0] == 401 and answers[2][0] == 422
    status, session = house.post("/v1/sessions", {"username": "operator", "password": PASSWORD}, "")
    assert status == 201 and session["principal"]["role"] == "operator"
    house.tokens["session"] = session["token"]
    assert house.ask("GET", "/v1/me", role="session")[1]["name"] == "operator"
    assert session["token"] not in str(house.scene.dump(but=())) and PASSWORD not in str(house.scene.dump(but=()))


def unknown(told: Any, form: Any, at: str = "") -> list[str]:
    """Members of an answer, at any depth, that its described form does not have."""
    if isinstance(told, list):
        return [name for one in told for name in unknown(one, form, f"{at}[]")]
    if not isinstance(told, dict) or not hasattr(form, "__struct_fields__"):
        return []
    forms = {field.name: field.type for field in msgspec.inspect.type_info(form).fields}
    found = [f"{at}.{name}" for name in told.keys() - forms.keys()]
    for name in told.keys() & forms.keys():
        found += unknown(told[name], struct_in(forms[name]), f"{at}.{name}")
    return found


def struct_in(info: Any) -> Any:
    """The struct a described member holds, in a list or beside null too."""
    for inner in (info, getattr(info, "item_type", None), *getattr(info, "types", ())):
        if isinstance(inner, msgspec.inspect.StructType):
            return inner.cls
    return None


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/invoices/check"])
@pytest.mark.parametrize("lines", [1, 0])
def test_an_invoice_is_answered_as_described(house: House, path: str, lines: int) -> None:
    body = house.invoice_body(1)
    body["lines"] = body["lines"][:lines]
    form = InvoiceAnswer if path == "/v1/invoices" else CheckAnswer
    status, told = house.post(path, body, "front_end")
    assert status in (200, 202)
    msgspec.convert(told, form)
    assert unknown(told, form) == []
    described = house.openapi()["components"]["schemas"][form.__name__]["properties"]
    assert told.keys() == described.keys(), "what is described is answered, and the other way round"
