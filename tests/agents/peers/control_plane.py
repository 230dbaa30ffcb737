"""A small control plane: queues orders per device, leases them, settles outcomes, and fails on request."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from controlplane.wire.agents import (
    JOIN_PATH,
    LEASE_PATH,
    OUTCOMES_PATH,
    DeviceAddress,
    JoinAnswer,
    JoinRequest,
    LeaseAnswer,
    LeaseRequest,
    Observation,
    Order,
    Outcome,
    OutcomeAck,
    OutcomeReport,
)

AGENT_ID = "agent-1"
SECRET = "ab" * 32
INSTANCE = "instance-1"


@dataclass
class Job:
    """One order and where it stands: queued, leased, unknown, done, refused."""

    order: Order
    state: str = "queued"
    session: str = ""
    outcomes: list[Outcome] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """An agent that was killed does not read its answer."""


class ControlPlane:
    """Listens until ``close``. Jobs of a session that is gone are offered again as redelivered, at the next epoch."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.serves: list[DeviceAddress] = []
        self.revision = "r1"
        self.instance_id = INSTANCE
        self.ledger_seq = 100
        self.epochs: dict[str, int] = {}
        self.sessions: list[str] = []
        self.reports: list[OutcomeReport] = []
        self.observations: list[Observation] = []
        self.joins: list[JoinRequest] = []
        self.cursors: dict[str, int] = {}
        self.requeues = True
        """Orders given back go out again; those of a device that was not reached after it has rested."""
        self.resting: dict[str, float] = {}
        self.silent_acks = 0
        """So many reports are taken in without settling anything."""
        self.trouble: dict[str, deque[int]] = {}
        """Statuses to answer with before the route works again, by path; 0 = take it in and close without a word."""
        self.leases = 0
        self.sent_again = 0
        """Jobs the agent did not name as held."""
        self.polling = 0
        """Long polls open now, also of agents that are gone."""
        self._change = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- the test's side -----------------------------------------------------------

    def put(self, *orders: Order) -> None:
        with self._change:
            for order in orders:
                self.jobs[order.job_id] = Job(order)
                self.epochs.setdefault(_device(order), order.epoch)
            self._change.notify_all()

    def outcomes(self, job_id: str) -> list[str]:
        """Results reported for a job, in order."""
        return [outcome.result for outcome in self.jobs[job_id].outcomes]

    def settled(self) -> bool:
        return all(job.state in ("done", "refused") for job in list(self.jobs.values()))

    def wait(self, condition: Any, seconds: float = 10.0) -> None:
        """Until the condition holds. Raises AssertionError with the state of all jobs."""
        until = time.monotonic() + seconds
        while not condition():
            states = {name: (job.state, [o.code or o.result for o in job.outcomes]) for name, job in self.jobs.items()}
            assert time.monotonic() < until, states
            time.sleep(0.01)

    # --- the agent's side ------------------------------------------------------------

    def lease(self, request: LeaseRequest) -> LeaseAnswer:
        self.polling += 1
        try:
            return self._lease(request)
        finally:
            self.polling -= 1

    def _lease(self, request: LeaseRequest) -> LeaseAnswer:
        until = time.monotonic() + min(request.wait, 0.3)
        with self._change:
            self.leases += 1
            if request.session not in self.sessions:
                self.sessions.append(request.session)
                self._abandon(request.session)
            orders = self._due(request)
            while not orders and (left := until - time.monotonic()) > 0:
                self._change.wait(min(left, 0.05))
                orders = self._due(request)
            known = request.revision == self.revision
            return LeaseAnswer(
                instance_id=self.instance_id,
                ledger_seq=self.ledger_seq,
                orders=orders,
                revision=self.revision,
                serves=None if known else self.serves,
            )

    def _abandon(self, session: str) -> None:
        lost = {_device(job.order) for job in self.jobs.values() if job.state in ("leased", "unknown")}
        for device in lost:
            self.epochs[device] += 1
        for job in self.jobs.values():
            if job.state in ("leased", "unknown") and job.session != session:
                job.state = "queued"
                job.order = msgspec.structs.replace(job.order, redelivered=True)

    def _due(self, request: LeaseRequest) -> list[Order]:
        orders = []
        for job in self.jobs.values():
            if self.resting.get(_device(job.order), 0.0) > time.monotonic():
                continue
            lost = job.state in ("leased", "unknown") and job.order.job_id not in request.holding
            if lost:
                job.order = msgspec.structs.replace(job.order, redelivered=True)
                self.sent_again += 1
            if job.state == "queued" or lost:
                job.state = "unknown" if job.state == "unknown" else "leased"
                job.session = request.session
                job.order = msgspec.structs.replace(job.order, epoch=self.epochs[_device(job.order)])
                orders.append(job.order)
        return orders

    def report(self, report: OutcomeReport) -> OutcomeAck:
        with self._change:
            self.ledger_seq += 1
            self.reports.append(report)
            self.observations += report.observations
            ack = OutcomeAck(settled=[], stale=[], ledger_seq=self.ledger_seq, upload_cursors=dict(self.cursors))
            if self.silent_acks:
                self.silent_acks -= 1
                return ack
            for outcome in report.outcomes:
                self._settle(outcome, ack)
            self._change.notify_all()
            return ack

    def _settle(self, outcome: Outcome, ack: OutcomeAck) -> None:
        job = self.jobs[outcome.job_id]
        job.outcomes.append(outcome)
        if outcome.epoch != self.epochs[_device(job.order)]:
            ack.stale.append(outcome.job_id)
            return
        ack.settled.append(outcome.job_id)
        if job.state in ("done", "refused"):
            return
        job.state = outcome.result
        if outcome.result == "unreachable" and self.requeues:
            job.state = "queued"
            job.order = msgspec.structs.replace(job.order, redelivered=True)
            if outcome.code != "not_started":
                self.resting[_device(job.order)] = time.monotonic() + 0.3


def _device(order: Order) -> str:
    return order.address.device_no or "server"


def _handler(plane: ControlPlane) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._send(200, b"{}")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            trouble = plane.trouble.get(self.path)
            status = trouble.popleft() if trouble else 200
            if self.path != JOIN_PATH and self.headers["Authorization"] != f"Bearer {AGENT_ID}.{SECRET}":
                status = 401
            if status not in (0, 200):
                return self._send(status, b'{"title":"no"}')
            answer = self._answer(body)
            if status == 0:
                self.close_connection = True
                return None
            return self._send(200, msgspec.json.encode(answer))

        def _answer(self, body: bytes) -> Any:
            if self.path == LEASE_PATH:
                return plane.lease(msgspec.json.decode(body, type=LeaseRequest))
            if self.path == OUTCOMES_PATH:
                return plane.report(msgspec.json.decode(body, type=OutcomeReport))
            plane.joins.append(msgspec.json.decode(body, type=JoinRequest))
            return JoinAnswer(agent_id=AGENT_ID, instance_id=INSTANCE)

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return

    return Handler
