"""Own, other and missing objects: every route, every role, every kind of scope, by the hand-written tables of the doors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.controlplane.api import doors
from tests.controlplane.api.doors.reach import BEYOND, BY_ID, REACH, WRITING
from tests.controlplane.api.house import ROLES, House
from tests.controlplane.api.test_hostile_bodies import BUT_THE_LOG

OPEN = {"/v1/sessions", "/v1/agent/join", "/healthz", "/readyz", "/metrics"}
MISSING = "01a20000-0000-7000-8000-000000000000"
NOBODY = "91990000MA0999999X"
HERE, THERE, NOWHERE = "4400", "3100", "9900"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ALLOWED = doors.allowed()


def noun_of(path: str) -> str:
    return path.split("/")[2]


def test_the_tables_name_every_route_and_nothing_else(house: House) -> None:
    paths = house.openapi()["paths"]
    routes = {(method, path) for path, verbs in paths.items() for method in verbs if path not in OPEN}
    routes |= {("get", "/v1/sessions")}
    assert routes - ALLOWED.keys() == set() and ALLOWED.keys() - routes == set()
    writing = {path for path, verbs in paths.items() if "post" in verbs}
    assert writing == doors.valid().keys()
    listed = {noun_of(path) for method, path in routes if method == "get" and "{" not in path}
    assert listed - {"me", "events"} == REACH.keys()
    assert writing >= BEYOND.keys()


def missing(house: House, template: str, url: str, body: Any) -> tuple[str, Any]:
    """The same request about what is not there."""
    names = {house.owner: NOBODY, HERE: NOWHERE, str(house.paper.device_no): "000000000000", "SK0001": "SK9999"}

    def gone(value: Any) -> Any:
        if isinstance(value, str):
            return MISSING if UUID.fullmatch(value) else names.get(value, value)
        if isinstance(value, dict):
            return {name: gone(one) for name, one in value.items()}
        return [gone(one) for one in value] if isinstance(value, list) else value

    parts = zip(template.split("/"), url.split("/"), strict=True)
    address = "/".join(_gone(part) if mould.startswith("{") and mould != "{verb}" else part for mould, part in parts)
    return address, gone(body)


def _gone(part: str) -> str:
    return MISSING if UUID.fullmatch(part) or not part.startswith("91") else NOBODY


def send(house: House, url: str, body: Any, role: str) -> tuple[int, bytes]:
    return house.bytes_of("POST", url, json.dumps(body).encode(), role)


def other_taxpayer(house: House) -> str:
    who = {"taxpayer_id": "91990000MA0008001X", "name": "外地公司", "taxpayer_kind": "general", "region": THERE}
    status, row = house.post("/v1/taxpayers", who)
    assert status == 201, row
    return str(row["taxpayer_id"])


def own_scopes(house: House, role: str, other: str) -> dict[str, str]:
    """Fresh callers whose scope takes in everything of the house: as a list of trees, and as a region."""
    trees = [row["taxpayer_id"] for row in house.scene.rows("SELECT taxpayer_id FROM taxpayers")]
    return {
        "tree": house.scoped(role, [one for one in trees if one != other]),
        "region": house.scoped(role, (), [HERE]),
    }


def writing_reach(path: str) -> str:
    return WRITING.get(noun_of(path)) or REACH[noun_of(path)]


def gets_in(path: str, kind: str) -> bool:
    """What the tables say of a caller whose scope takes the object in."""
    if kind in BEYOND.get(path, ()):
        return False
    reach = writing_reach(path)
    return reach in ("taxpayer", "everyone", "both") or (reach == "region" and kind == "region")


@pytest.mark.parametrize("part", range(4))
def test_every_write_with_own_other_and_missing_objects(house: House, part: int) -> None:
    other = other_taxpayer(house)
    found = []
    for path in house.share(sorted(doors.valid())[part::4]):
        role = house.valid(path)[2]
        if role not in ROLES or role == "probe" or noun_of(path) in ("me", "sessions", "agent"):
            continue
        for kind in ("tree", "region"):
            found += _write(house, path, kind, other)
    assert found == [], "\n".join(map(str, found))


def _write(house: House, path: str, kind: str, other: str) -> list[Any]:
    house.scene.change("UPDATE bindings SET rest_until = ''")  # lanes that a refused report left standing
    url, body, role = house.valid(path)
    found: list[Any] = []
    if isinstance(body, bytes):
        return found
    url_of_none, body_of_none = missing(house, path, url, body)
    before = house.scene.dump(BUT_THE_LOG)
    for wrong in set(ROLES) - ALLOWED["post", path]:
        answers = {send(house, url, body, wrong), send(house, url_of_none, body_of_none, wrong)}
        if len(answers) != 1 or next(iter(answers))[0] != 403:
            found.append((path, wrong, answers))
    stranger = house.scoped(role, [other], [THERE])
    before = house.scene.dump((*BUT_THE_LOG, "principals", "tokens"))
    theirs, none = send(house, url, body, stranger), send(house, url_of_none, body_of_none, stranger)
    if theirs != none or theirs[0] not in (403, 404):
        found.append((path, "other", theirs, none))
    elif house.scene.dump((*BUT_THE_LOG, "principals", "tokens")) != before:
        found.append((path, "changed something"))
    mine = own_scopes(house, role, other)[kind]
    status, content = send(house, url, body, mine)
    if (200 <= status < 300) != gets_in(path, kind):
        found.append((path, kind, status, content[:300]))
    hidden = not gets_in(path, kind) and kind not in BEYOND.get(path, ())
    if hidden and (status, content) != send(house, url_of_none, body_of_none, mine):
        found.append((path, kind, "tells own from missing", status, content[:200]))
    return found


def belongs(noun: str, row: dict[str, Any], taxpayers: set[str], regions: set[str], regions_of: dict[str, str]) -> bool:
    """Whether the tables say that a record exists for a scope, from what the record itself tells."""
    reach = REACH[noun]
    owner = row.get("taxpayer_id")
    by_taxpayer = bool(owner) and owner != "-" and owner in taxpayers
    subject = regions_of.get(row.get("subject_id", ""), "") or regions_of.get(row.get("target_id", ""), "")
    area = row.get("area_code") or row.get("region") or subject
    by_region = area in regions and (not owner or owner == "-")
    if reach == "both":
        return by_taxpayer or by_region
    return reach == "everyone" or (reach == "taxpayer" and by_taxpayer) or (reach == "region" and area in regions)


def everything(house: House, noun: str, role: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        status, page = house.ask("GET", f"/v1/{noun}?limit=1000{cursor}", role=role)
        assert status == 200, (noun, role, page)
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def fill(house: House) -> str:
    """Records of every noun for the house, and some of everything for a taxpayer of another region; its id."""
    for path in house.share(sorted(doors.valid())):
        house.scene.change("UPDATE bindings SET rest_until = ''")
        url, body, role = house.valid(path)
        assert house.post(url, body, role)[0] < 300, path
    house.scene.change("UPDATE stops SET state = 'resumed'")
    house.scene.change("UPDATE bindings SET rest_until = ''")
    house.agent.work_off()
    other = other_taxpayer(house)
    house.scene.ready(house.agent, other, house.server_id)
    server = {"tax_server_no": "R3100", "name": "外地", "region": THERE, "host": "127.0.0.1", "port": 9}
    line = {"region": "外地", "area_code": THERE, "service": "test", "target": "tcp://bureau.example.cn:443"}
    stop = {"target_noun": "region", "target": THERE, "reason": "a drill"}
    for path, body in (("tax-servers", server), ("lines", line), ("stops", stop)):
        assert house.post(f"/v1/{path}", body)[0] == 201, path
    assert house.post("/v1/invoices", {**house.invoice_body(99_999), "taxpayer_id": other}, "front_end")[0] == 202
    return other


@pytest.mark.parametrize("role", ["admin", "operator", "auditor", "front_end"])
def test_every_list_and_object_of_every_scope(house: House, role: str) -> None:
    other = fill(house)
    here = {row["taxpayer_id"] for row in house.scene.rows("SELECT taxpayer_id FROM taxpayers")} - {other}
    regions_of = {row["id"]: row["region"] for row in house.scene.rows("SELECT id, region FROM tax_servers")}
    for table in ("bureau_endpoints", "seals"):
        regions_of |= {row["id"]: row["area_code"] for row in house.scene.rows(f"SELECT id, area_code FROM {table}")}
    regions_of |= {row["id"]: row["region"] for row in house.scene.rows("SELECT id, region FROM stops")}
    scopes = {
        house.scoped(role, here): (here, set()),
        house.scoped(role, (), [HERE]): (here, {HERE}),
        house.scoped(role, [other]): ({other}, set()),
        house.scoped(role, (), [THERE]): ({other}, {THERE}),
    }
    faults: list[Any] = []
    objects = {noun_of(path): path for method, path in ALLOWED if method == "get" and path.count("/") == 3 and "{" in path}
    for noun in sorted(REACH.keys() - {"sessions"}):
        if role not in ALLOWED["get", f"/v1/{noun}"]:
            continue
        rows = everything(house, noun, "admin")
        for caller, (taxpayers, regions) in scopes.items():
            if REACH[noun] == "platform" and noun == "people":
                assert house.ask("GET", f"/v1/{noun}", role=caller)[0] == 403
                continue
            seen = {json.dumps(row.get("id") or row, sort_keys=True) for row in everything(house, noun, caller)}
            expected = [belongs(noun, row, taxpayers, regions, regions_of) for row in rows]
            keys = [json.dumps(row.get("id") or row, sort_keys=True) for row in rows]
            should = {key for key, yes in zip(keys, expected, strict=True) if yes}
            if seen != should:
                faults.append((noun, caller, "lists", len(seen - should), len(should - seen), sorted(seen - should)[:2]))
            if noun in objects:
                key = "taxpayer_id" if noun == "taxpayers" else "id"
                own = {row[key] for row, yes in zip(rows, expected, strict=True) if yes}
                if noun in BY_ID and taxpayers == here:
                    continue
                faults += _objects(house, objects[noun], caller, [row[key] for row in rows], own)
    assert faults == [], "\n".join(map(str, faults))


def _objects(house: House, path: str, caller: str, ids: list[str], seen: set[str]) -> list[Any]:
    """Of what is listed the page opens; of the rest the answer has the bytes of a missing one."""
    mould = re.sub(r"\{[a-z_]+\}", "{}", path)
    nothing = house.bytes_of("GET", mould.format(MISSING), role=caller)
    faults: list[Any] = [] if nothing[0] == 404 else [(path, caller, "missing", nothing)]
    own = [one for one in ids if one in seen]
    foreign = [one for one in ids if one not in seen]
    for one in (own[:2], own[-2:]):
        faults += [(path, caller, "own", key) for key in one if house.bytes_of("GET", mould.format(key), role=caller)[0] != 200]
    for key in (*foreign[:2], *foreign[-2:]):
        found = house.bytes_of("GET", mould.format(key), role=caller)
        if found != nothing:
            faults.append((path, caller, "other", key, found[0]))
    return faults


NEEDED = {"/v1/taxpayers/{taxpayer_id}/effects": "?kind=small"}
"""Queries that a page cannot do without."""


def test_no_reading_tells_a_stranger_anything_of_the_house(house: House) -> None:
    """Sums, trees, matrices and files too: nothing of the house's own in any answer, and pages of it have none."""
    other = fill(house)
    secrets = {house.owner, house.device_id, str(house.paper.device_no)}
    ids = {"taxpayers": house.owner, "virtual-devices": house.device_id, "tax-servers": house.server_id}
    faults = []
    for role in ("operator", "front_end"):
        for caller in (house.scoped(role, [other]), house.scoped(role, (), [THERE])):
            for method, path in sorted(ALLOWED):
                if method != "get" or path == "/v1/events" or role not in ALLOWED[method, path]:
                    continue
                if "{" not in path or path.endswith("{form}"):
                    said = house.bytes_of("GET", path.replace("{form}", "csv"), role=caller)[1].decode("utf-8", "replace")
                    faults += [(path, caller, secret) for secret in secrets if secret in said]
                elif noun_of(path) in ids:
                    mould = re.sub(r"\{[a-z_]+\}", "{}", path) + NEEDED.get(path, "")
                    found = house.bytes_of("GET", mould.format(ids[noun_of(path)]), role=caller)
                    if found[0] != 404 or found != house.bytes_of("GET", mould.format(MISSING), role=caller):
                        faults.append((path, caller, found))
    assert faults == [], "\n".join(map(str, faults))
