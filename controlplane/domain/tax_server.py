"""A tax server (税控服务器): its states, the order of its wizard, and when its certificate still serves."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "tax_server",
    "registered",
    (
        ("registered", "synchronise", "synchronised"),
        ("registered", "retire", "retired"),
        ("synchronised", "calibrate", "calibrated"),
        ("synchronised", "synchronise", "synchronised"),
        ("synchronised", "retire", "retired"),
        ("calibrated", "commission", "commissioned"),
        ("calibrated", "synchronise", "calibrated"),
        ("calibrated", "calibrate", "calibrated"),
        ("calibrated", "retire", "retired"),
        ("commissioned", "certify", "certified"),
        ("commissioned", "synchronise", "commissioned"),
        ("commissioned", "calibrate", "commissioned"),
        ("commissioned", "retire", "retired"),
        ("certified", "synchronise", "certified"),
        ("certified", "calibrate", "certified"),
        ("certified", "certify", "certified"),
        ("certified", "suspend", "suspended"),
        ("certified", "retire", "retired"),
        ("suspended", "resume", "certified"),
        ("suspended", "synchronise", "suspended"),
        ("suspended", "calibrate", "suspended"),
        ("suspended", "retire", "retired"),
    ),
)
"""Each wizard step waits for the one before it; reading and calibrating again never lose a later state."""

JOB_KINDS: Final = {
    "synchronise": "server.synchronise",
    "calibrate": "server.calibrate",
    "commission": "server.commission",
    "certify": "server.certify",
}
"""Verbs that need an agent → job kind. The other verbs (suspend, resume, retire) settle at once."""

_NOUN = "tax-servers"

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (
            Field("tax_server_no", "word"),
            Field("name", "text"),
            Field("region", "area"),
            Field("host", "host"),
            Field("port", "port"),
        ),
        "fleet.change",
        "collection",
    ),
    *acts(_NOUN, "synchronise", "calibrate", "commission", "certify", "resume"),
    ActSpec(_NOUN, "suspend", dangerous=True),
)
"""What may be done with tax servers."""

WORDS: Final[Words] = {
    "verb": {
        "register": ("登记", "register"),
        "synchronise": ("同步税控信息", "synchronise"),
        "calibrate": ("时钟校准", "calibrate clock"),
        "commission": ("发行", "commission"),
        "certify": ("制证", "certify"),
        "suspend": ("停用", "suspend"),
        "retire": ("退役", "retire"),
        "resume": ("恢复", "resume"),
    },
    "field": {
        "tax_server_no": ("税控服务器编号", "tax server number"),
        "name": ("名称", "name"),
        "region": ("地区代码", "area code"),
        "host": ("地址", "host"),
        "port": ("端口", "port"),
    },
}
"""Words for verbs and fields."""

SERVING: Final = frozenset({"certified"})
"""States in which its virtual devices may issue."""

LABELS: Final = {
    "registered": ("已登记", "registered"),
    "synchronised": ("已同步", "synchronised"),
    "calibrated": ("已校时", "calibrated"),
    "commissioned": ("已发行未制证", "commissioned"),
    "certified": ("已发行已制证", "certified"),
    "suspended": ("已停用", "suspended"),
    "retired": ("已退役", "retired"),
}
"""State → (Chinese, English) as shown."""
