"""Jobs: what agents are asked to do, in order per target, and the evidence they bring back."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement

OPEN = "state IN ('queued', 'leased', 'unknown')"


class JobRow(SQLModel, table=True):
    """One job. ``target_id`` is the device or tax server whose lane it waits in.

    ``exclusive`` names the record that may have only one open job at a time. JSON columns: work, trail.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_lane", "target_id", "id", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
        Index("uq_jobs_exclusive", "taxpayer_id", "exclusive", unique=True,
              sqlite_where=text(f"{OPEN} AND exclusive IS NOT NULL"),
              postgresql_where=text(f"{OPEN} AND exclusive IS NOT NULL")),
        Index("ix_jobs_subject", "subject_id", "id"),
        Index("ix_jobs_id", "id"),
    )  # fmt: skip
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str
    state: str
    target_id: str
    target_noun: str
    subject_noun: str
    subject_id: str
    exclusive: str | None = None
    work: str
    attempts: int = 0
    lost_sight: int = 0
    """1 once it was handed out again without a word about the time before: only the device's journal may clear it."""
    epoch: int | None = None
    agent_id: str | None = None
    code: str = ""
    message: str = ""
    trail: str = "[]"
    requested_by: str = ""
    leased_at: str | None = None
    settled_at: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


class EvidenceRow(SQLModel, table=True):
    """An outcome that was not applied (older epoch, record already settled otherwise): kept, never thrown away."""

    __tablename__ = "evidence"
    id: str = Field(primary_key=True)
    taxpayer_id: str
    job_id: str = Field(index=True)
    epoch: int
    reason: str
    outcome: str
    created_at: str


class BindingRow(SQLModel, table=True):
    """Which agent serves a device or tax server, and under which epoch its orders go out."""

    __tablename__ = "bindings"
    target_id: str = Field(primary_key=True)
    target_noun: str
    agent_id: str | None = Field(default=None, index=True)
    epoch: int = 0
    session: str = ""
    rest_until: str = ""
    """No orders before this time: the device could not be reached a moment ago."""
    failures: int = 0
    version: int = 1
    updated_at: str


_ONE = Statement("SELECT * FROM jobs WHERE taxpayer_id = :taxpayer_id AND id = :id", for_update=True)
_BY_ID = Statement("SELECT * FROM jobs WHERE id = :id")
_OF_SUBJECT = Statement("SELECT * FROM jobs WHERE subject_id = :subject_id ORDER BY id")
_OPEN_OF = Statement(f"SELECT id, kind, state FROM jobs WHERE subject_id = :subject_id AND {OPEN} ORDER BY id LIMIT 1")
# OPEN stands in both, though the state says as much: else the index of lanes, which holds open jobs only, is not used.
_HELD_ON = Statement(
    f"SELECT id FROM jobs WHERE target_id = :target_id AND {OPEN} AND state IN ('leased', 'unknown') LIMIT 1"
)
_QUEUED_ISSUES = Statement(
    f"SELECT * FROM jobs WHERE target_id = :target_id AND {OPEN} AND state = 'queued' AND kind = 'invoice.issue' "
    "AND created_at < :before ORDER BY id"
)
_OF_INVOICES = (
    "FROM jobs j JOIN invoices i ON i.taxpayer_id = j.taxpayer_id AND i.id = j.subject_id "
    f"WHERE j.target_id = :target_id AND j.kind = 'invoice.issue' AND {OPEN.replace('state', 'j.state')}"
)
_UNTOLD_ISSUES = Statement(
    f"SELECT j.* {_OF_INVOICES} AND (i.waiting_reason IS NULL OR i.waiting_reason <> :told) ORDER BY j.id LIMIT :limit"
)
_LARGEST_QUEUED = Statement(
    f"SELECT i.kind, MAX(i.gross_fen) AS gross_fen {_OF_INVOICES} AND j.state = 'queued' GROUP BY i.kind"
)
_LEAVING = Statement(
    f"SELECT id FROM jobs WHERE target_id = :target_id AND {OPEN} AND kind = 'segment.return' "
    "AND state IN ('leased', 'unknown') LIMIT 1"
)
_EVIDENCE = Statement(
    "SELECT id FROM evidence WHERE job_id = :job_id AND epoch = :epoch AND outcome = :outcome LIMIT 1"
)
_ISSUING = Statement(f"SELECT DISTINCT target_id FROM jobs WHERE kind = 'invoice.issue' AND {OPEN}")
_COMMISSIONING = Statement(
    f"SELECT COUNT(*) AS n FROM jobs WHERE target_id = :target_id AND {OPEN} AND kind = 'device.commission'"
)
_LANES = Statement(
    "SELECT b.target_id, b.target_noun, b.epoch, b.session, b.rest_until FROM bindings b WHERE b.agent_id = :agent_id "
    f"AND EXISTS (SELECT 1 FROM jobs j WHERE j.target_id = b.target_id AND {OPEN.replace('state', 'j.state')}) "
    "ORDER BY b.target_id",
    for_update=True,
)
_GLANCE = Statement(
    "SELECT b.target_id, b.session, b.rest_until, SUM(CASE WHEN j.state = 'queued' THEN 1 ELSE 0 END) AS waiting "
    "FROM bindings b JOIN jobs j ON j.target_id = b.target_id "
    f"WHERE b.agent_id = :agent_id AND {OPEN.replace('state', 'j.state')} GROUP BY b.target_id, b.session, b.rest_until"
)
_HELD_BY = Statement(
    "SELECT j.id FROM bindings b JOIN jobs j ON j.target_id = b.target_id "
    "WHERE b.agent_id = :agent_id AND j.state IN ('leased', 'unknown')"
)
_LANE = Statement(f"SELECT * FROM jobs WHERE target_id = :target_id AND {OPEN} ORDER BY id LIMIT :limit")
_LEASE = Statement(
    "UPDATE jobs SET state = CASE WHEN state = 'queued' THEN 'leased' ELSE state END, epoch = :epoch, "
    "agent_id = :agent_id, attempts = attempts + 1, lost_sight = :lost_sight, leased_at = :now, "
    "trail = :trail, version = version + 1, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id AND state IN ('queued', 'leased', 'unknown')"
)
_SESSION = Statement(
    "UPDATE bindings SET session = :session, epoch = :epoch, updated_at = :now WHERE target_id = :target_id"
)
_SETTLE = Statement(
    "UPDATE jobs SET state = :state, code = :code, message = :message, trail = :trail, settled_at = :settled_at, "
    "version = version + 1, updated_at = :now WHERE taxpayer_id = :taxpayer_id AND id = :id"
)
_REST = Statement(
    "UPDATE bindings SET rest_until = :rest_until, failures = :failures, updated_at = :now WHERE target_id = :target_id"
)
_BINDING = Statement("SELECT * FROM bindings WHERE target_id = :target_id", for_update=True)
_GLANCE_ONE = Statement("SELECT * FROM bindings WHERE target_id = :target_id")
_BIND = Statement(
    "UPDATE bindings SET agent_id = :agent_id, epoch = epoch + 1, session = '', version = version + 1, "
    "updated_at = :now WHERE target_id = :target_id"
)
_SERVES = Statement(
    "SELECT b.target_id, b.target_noun, COALESCE(d.device_kind, 'new_tax_server') AS device_kind, d.device_no, "
    "d.taxpayer_id, d.state AS device_state, s.tax_server_no, s.host, s.port FROM bindings b "
    "LEFT JOIN devices d ON d.id = b.target_id "
    "LEFT JOIN tax_servers s ON s.id = COALESCE(d.tax_server_id, b.target_id) "
    "WHERE b.agent_id = :agent_id AND (d.state IS NULL OR d.state <> 'cancelled') ORDER BY b.target_id"
)


def find(hand: Connection, taxpayer_id: str, job_id: str) -> Row | None:
    """One job, its row locked until the end of the batch."""
    return hand.one(_ONE, {"taxpayer_id": taxpayer_id, "id": job_id})


def by_id(hand: Connection, job_id: str) -> Row | None:
    """One job, whoever it belongs to; the caller checks the scope."""
    return hand.one(_BY_ID, {"id": job_id})


def of_subject(hand: Connection, subject_id: str) -> list[Row]:
    """All jobs about one record, oldest first."""
    return hand.rows(_OF_SUBJECT, {"subject_id": subject_id})


def open_of(hand: Connection, subject_id: str) -> Row | None:
    """The open job about a record, if any."""
    return hand.one(_OPEN_OF, {"subject_id": subject_id})


def held_on(hand: Connection, target_id: str) -> bool:
    """Whether an agent holds any job of a target."""
    return hand.one(_HELD_ON, {"target_id": target_id}) is not None


def commissioning(hand: Connection, server_id: str) -> int:
    """How many virtual devices a tax server is being asked for right now."""
    row = hand.one(_COMMISSIONING, {"target_id": server_id})
    return int(row["n"]) if row else 0


def leaving(hand: Connection, target_id: str) -> bool:
    """Whether a device is giving numbers back to the bureau, and has not told how it ended."""
    return hand.one(_LEAVING, {"target_id": target_id}) is not None


def queued_issues(hand: Connection, target_id: str, before: str = "~") -> list[Row]:
    """Issue jobs of a device that no agent holds yet, opened before a time."""
    return hand.rows(_QUEUED_ISSUES, {"target_id": target_id, "before": before})


def largest_queued(hand: Connection, target_id: str) -> list[Row]:
    """Per invoice kind that waits for a device unheld: the largest total in fen."""
    return hand.rows(_LARGEST_QUEUED, {"target_id": target_id})


def untold_issues(hand: Connection, target_id: str, told: str, limit: int) -> list[Row]:
    """Open issue jobs of a device, held or not, whose invoices give another reason for waiting than ``told``."""
    return hand.rows(_UNTOLD_ISSUES, {"target_id": target_id, "told": told, "limit": limit})


def devices_with_issues(hand: Connection) -> list[str]:
    """Devices that have open issue jobs."""
    return [row["target_id"] for row in hand.rows(_ISSUING)]


def has_evidence(hand: Connection, job_id: str, epoch: int, outcome: str) -> bool:
    """Whether this very outcome is kept already."""
    return hand.one(_EVIDENCE, {"job_id": job_id, "epoch": epoch, "outcome": outcome}) is not None


def lanes(hand: Connection, agent_id: str) -> list[Row]:
    """Targets of an agent that have open jobs, their binding rows locked."""
    return hand.rows(_LANES, {"agent_id": agent_id})


def lanes_at_a_glance(hand: Connection, agent_id: str) -> list[Row]:
    """Targets with open jobs: session, and how many jobs wait there."""
    return hand.rows(_GLANCE, {"agent_id": agent_id})


def held_by(hand: Connection, agent_id: str) -> set[str]:
    """Ids of the jobs an agent was handed and has not settled."""
    return {row["id"] for row in hand.rows(_HELD_BY, {"agent_id": agent_id})}


def lane(hand: Connection, target_id: str, limit: int) -> list[Row]:
    """Open jobs of a target in their order, read again under the binding's lock."""
    return hand.rows(_LANE, {"target_id": target_id, "limit": limit})


def lease(hand: Connection, values: Row) -> bool:
    """Hand a job to an agent; the state is tested again on the row that is changed. False: it is over meanwhile."""
    return hand.run(_LEASE, values) == 1


def take_over(hand: Connection, values: Row) -> None:
    """A new session of the agent takes a target: its epoch goes up."""
    hand.run(_SESSION, values)


def settle(hand: Connection, values: Row) -> None:
    """Write a job's new state, code and trail."""
    hand.run(_SETTLE, values)


def rest(hand: Connection, values: Row) -> None:
    """Hold a target's lane back until ``rest_until``."""
    hand.run(_REST, values)


def binding(hand: Connection, target_id: str) -> Row | None:
    """The binding of a device or tax server, locked."""
    return hand.one(_BINDING, {"target_id": target_id})


def glance(hand: Connection, target_id: str) -> Row | None:
    """The binding of a device or tax server, for reading."""
    return hand.one(_GLANCE_ONE, {"target_id": target_id})


def bind(hand: Connection, target_id: str, agent_id: str | None, now: str) -> None:
    """Give a target to an agent (or to none); orders of the one before become stale."""
    hand.run(_BIND, {"target_id": target_id, "agent_id": agent_id, "now": now})


def serves(hand: Connection, agent_id: str) -> list[Row]:
    """Everything an agent is bound to, with addresses."""
    return hand.rows(_SERVES, {"agent_id": agent_id})
