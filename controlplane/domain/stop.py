"""An emergency stop: no more issuing for a taxpayer, a device, a tax server or a region until somebody resumes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.lifecycle import machine
from controlplane.domain.refusals import Refusal, refuse

MACHINE: Final = machine("stop", "active", (("active", "resume", "resumed"),))
"""Resumed is final: stopping again is a new stop with a reason of its own."""

TARGETS: Final = ("taxpayer", "device", "tax_server", "region")

STOPPED_KINDS: Final = frozenset({"invoice.issue"})
"""Kinds of jobs that a stop keeps from agents. Uploading, reading, reporting and stock go on."""

ACTS: Final = (
    ActSpec(
        "stops",
        "register",
        (Field("target_noun", "choice", choices=TARGETS), Field("target", "word"), Field("reason", "text", 200)),
        "emergency.stop",
        "collection",
        dangerous=True,
    ),
    ActSpec("stops", "resume", permission="emergency.stop"),
)
"""What may be done with emergency stops."""

WORDS: Final[Words] = {
    "verb": {"register": ("紧急停止", "stop at once"), "resume": ("恢复", "resume")},
    "field": {
        "target_noun": ("对象种类", "kind of target"),
        "target": ("识别号、编号或地区代码", "taxpayer id, number or area code"),
        "reason": ("原因", "reason"),
    },
    "choice": {
        "taxpayer": ("纳税人", "taxpayer"),
        "device": ("设备", "device"),
        "tax_server": ("税控服务器", "tax server"),
        "region": ("地区", "region"),
    },
}
"""Words for verbs, fields and targets."""

LABELS: Final = {"active": ("停止中", "in force"), "resumed": ("已恢复", "resumed")}
"""State → (Chinese, English) as shown."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop in force. ``at`` is its time as shown, in the device zone."""

    id: str
    target_noun: str
    target_id: str
    target_name: str
    actor: str
    at: str
    reason: str

    def refusal(self) -> Refusal:
        """What a device under this stop says."""
        return refuse(
            "emergency_stop",
            target=self.target_name,
            actor=self.actor,
            at=self.at,
            reason=self.reason,
            stop_id=self.id,
        )


def holding(
    stops: Iterable[Stop], taxpayer_id: str, device_id: str, tax_server_id: str | None, regions: frozenset[str]
) -> Stop | None:
    """The first stop that holds a device; ``regions`` are its taxpayer's and its tax server's. None when none does."""
    places: dict[str, frozenset[str]] = {
        "taxpayer": frozenset({taxpayer_id}),
        "device": frozenset({device_id}),
        "tax_server": frozenset({tax_server_id or ""}),
        "region": regions,
    }
    return next((stop for stop in stops if stop.target_id in places[stop.target_noun]), None)
