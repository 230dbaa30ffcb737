"""People, sessions and emergency stops as pydantic models: what the API takes strictly and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from controlplane.wire.records import Record, Strict, Verb


class OwnPassword(Strict):
    """The caller's present password and the one to come."""

    current: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    new: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class SignOut(Strict):
    """The session the caller came with, or everywhere: all sessions and tokens under the caller's name."""

    everywhere: bool


class Person(Record):
    """A person, front end or probe clock; nothing of its secrets."""

    id: str
    kind: str
    name: str
    role: str
    everything: bool
    state: str
    version: int
    allowed: list[Verb]


class Session(Record):
    """A session of a person or a token of a program; nothing of its secret."""

    id: str
    principal_id: str
    principal_name: str
    kind: str
    state: str
    current: bool
    version: int
    allowed: list[Verb]


class Stop(Record):
    """An emergency stop: what, by whom, when, why; and who resumed it."""

    id: str
    target_noun: str
    target_id: str
    target_name: str
    state: str
    reason: str
    stopped_by: str
    version: int
    allowed: list[Verb]
