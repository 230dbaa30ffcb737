"""People, sessions, one's own password, emergency stops."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from controlplane.operations import principals, secrets
from controlplane.store import principals as store
from controlplane.store.transaction import Transaction
from tests.controlplane.api.doors import OPERATORS, Maker, Valid

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

EVERYBODY = {"admin", "operator", "auditor", "front_end", "probe"}
MOVE = {"reason": "for the test"}
OWN = "the present password"
HASHED = secrets.hash_password(OWN)


def _somebody(house: House, number: int, role: str = "auditor", state: str = "active") -> dict[str, Any]:
    """A fresh principal with a token of their own, which ``house`` knows by the name."""
    name = f"somebody-{number}"
    house.tokens[name] = name.ljust(32, "x")

    def make(tx: Transaction) -> dict[str, Any]:
        row = principals.create(tx, name, role)
        store.change(tx, row["id"], {"state": state, "password_hash": HASHED}, tx.now)
        token_id = principals.give_token(tx, row["id"], house.tokens[name], None)
        return row | {"version": 2, "token_id": token_id}

    return house.scene.ledger.write_now(make)


def _person_verb(verb: str, house: House, number: int) -> Valid:
    role = "front_end" if verb in ("give_token", "revoke_token") else "auditor"
    row = _somebody(house, number, role, "disabled" if verb == "enable" else "active")
    body: dict[str, Any] = {**MOVE, "version": row["version"]}
    body |= {
        "change_role": {"role": "operator"},
        "change_scope": {"taxpayers": [house.owner]},
        "give_token": {"label": "till 1", "days": 30},
        "revoke_token": {"token_id": row["token_id"]},
    }.get(verb, {})
    return f"/v1/people/{row['id']}/{verb}", body, "admin"


def _new_person(_house: House, number: int) -> Valid:
    return "/v1/people", {"name": f"new-{number}", "role": "operator", "regions": ["4400"]}, "admin"


def _own_password(house: House, number: int) -> Valid:
    row = _somebody(house, number)
    return "/v1/me/password", {"current": OWN, "new": f"a quite new password {number}"}, str(row["name"])


def _sign_out(house: House, number: int) -> Valid:
    return "/v1/me/sign-out", {"everywhere": False}, str(_somebody(house, number)["name"])


def _revoke(house: House, number: int) -> Valid:
    row = _somebody(house, number)
    return f"/v1/sessions/{row['token_id']}/revoke", {**MOVE, "version": 1}, str(row["name"])


def _stop(house: House, number: int) -> Valid:
    server_id = house.fresh_server(number)
    return "/v1/stops", {"target_noun": "tax_server", "target": server_id, "reason": "a fire drill"}, "operator"


def _resume(house: House, number: int) -> Valid:
    url, body, role = _stop(house, number)
    status, stop = house.post(url, body, role)
    assert status == 201, stop
    return f"/v1/stops/{stop['id']}/resume", {**MOVE, "version": stop["version"]}, role


_VERBS = ("enable", "disable", "reset", "change_role", "change_scope", "give_token", "revoke_token")
_PERSON = "/v1/people/{record_id}/"
VALID: dict[str, Maker] = {
    "/v1/people": _new_person,
    **{_PERSON + verb: partial(_person_verb, verb) for verb in _VERBS},
    "/v1/me/password": _own_password,
    "/v1/me/sign-out": _sign_out,
    "/v1/sessions/{record_id}/revoke": _revoke,
    "/v1/stops": _stop,
    "/v1/stops/{record_id}/resume": _resume,
}
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("get", "/v1/people"): {"admin"},
    ("get", "/v1/people/{person_id}"): {"admin"},
    ("post", "/v1/people"): {"admin"},
    **{("post", _PERSON + verb): {"admin"} for verb in _VERBS},
    ("get", "/v1/me"): {*EVERYBODY, "agent"},
    ("post", "/v1/me/password"): EVERYBODY,
    ("post", "/v1/me/sign-out"): EVERYBODY,
    ("get", "/v1/sessions"): EVERYBODY,
    ("get", "/v1/sessions/{session_id}"): EVERYBODY,
    ("post", "/v1/sessions/{record_id}/revoke"): EVERYBODY,
    ("post", "/v1/stops"): OPERATORS,
    ("post", "/v1/stops/{record_id}/resume"): OPERATORS,
}
