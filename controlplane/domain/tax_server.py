"""A tax server (税控服务器): its states, the order of its wizard, and when its certificate still serves."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.lifecycle import machine

_ALIVE = ("registered", "synchronised", "calibrated", "commissioned", "certified", "suspended")
_CERTIFICATE_VERBS = ("request_formal", "sync_formal", "renew")

MACHINE: Final = machine(
    "tax_server",
    "registered",
    (
        ("registered", "synchronise", "synchronised"),
        ("synchronised", "calibrate", "calibrated"),
        ("synchronised", "synchronise", "synchronised"),
        ("calibrated", "commission", "commissioned"),
        ("calibrated", "synchronise", "calibrated"),
        ("calibrated", "calibrate", "calibrated"),
        ("commissioned", "certify", "certified"),
        ("commissioned", "synchronise", "commissioned"),
        ("commissioned", "calibrate", "commissioned"),
        ("certified", "synchronise", "certified"),
        ("certified", "calibrate", "certified"),
        ("certified", "certify", "certified"),
        *((state, verb, state) for state in ("certified", "suspended") for verb in _CERTIFICATE_VERBS),
        ("certified", "suspend", "suspended"),
        ("suspended", "resume", "certified"),
        ("suspended", "synchronise", "suspended"),
        ("suspended", "calibrate", "suspended"),
        *((state, "change", state) for state in _ALIVE),
        *((state, "retire", "retired") for state in _ALIVE),
    ),
)
"""Each wizard step waits for the one before it; reading and calibrating again never lose a later state.
The certificate's own stages (``certificate.MACHINE``) gate the verbs that are about it."""

JOB_KINDS: Final = {
    "synchronise": "server.synchronise",
    "calibrate": "server.calibrate",
    "commission": "server.commission",
    "certify": "server.certify",
    "request_formal": "server.request_formal",
    "sync_formal": "server.sync_formal",
    "renew": "server.renew",
}
"""Verbs that need an agent → job kind. The other verbs (suspend, resume, retire, change) settle at once."""

_NOUN = "tax-servers"

_CHANGEABLE: Final = (
    Field("name", "text", optional=True),
    Field("host", "host", optional=True),
    Field("port", "port", optional=True),
    Field("vendor", "text", optional=True),
    Field("model", "text", optional=True),
    Field("crypto_certificate_no", "text", optional=True),
    Field("crypto_model", "text", optional=True),
)

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
    *acts(
        _NOUN, "synchronise", "calibrate", "commission", "certify", "request_formal", "sync_formal", "renew", "resume"
    ),
    ActSpec(_NOUN, "suspend", dangerous=True),
    ActSpec(_NOUN, "change", _CHANGEABLE, "fleet.change"),
    ActSpec(_NOUN, "retire", dangerous=True),
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
        "change": ("修改", "change"),
        "request_formal": ("申请正式证书", "request formal certificate"),
        "sync_formal": ("同步正式证书", "synchronise formal certificate"),
        "renew": ("证书更新", "renew certificate"),
    },
    "field": {
        "tax_server_no": ("税控服务器编号", "tax server number"),
        "name": ("名称", "name"),
        "region": ("地区代码", "area code"),
        "host": ("地址", "host"),
        "port": ("端口", "port"),
        "vendor": ("厂商", "vendor"),
        "model": ("型号", "model"),
        "crypto_certificate_no": ("商密证书编码", "crypto certificate number"),
        "crypto_model": ("国密型号", "crypto model"),
    },
}
"""Words for verbs and fields."""

ADDRESS: Final = frozenset({"host", "port"})
"""Changed fields after which the server is read again."""

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
