"""A virtual device (虚拟设备): its states, the order of its commissioning, and its verbs."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.lifecycle import machine

_READY_VERBS = ("calibrate", "read", "add_terminal", "apply", "receive", "distribute", "reclaim", "return")
_ON_THE_WAY = ("registered", "commissioned", "company_fetched", "certified", "kinds_fetched")
_REPEATABLE = ("fetch_company", "certify", "fetch_kinds", "fetch_rates")

MACHINE: Final = machine(
    "virtual_device",
    "registered",
    (
        *((state, "commission_fully", state) for state in _ON_THE_WAY),
        ("registered", "commission", "commissioned"),
        ("registered", "cancel", "cancelled"),
        ("commissioned", "fetch_company", "company_fetched"),
        ("commissioned", "read", "commissioned"),
        ("commissioned", "cancel", "cancelled"),
        ("company_fetched", "certify", "certified"),
        ("company_fetched", "fetch_company", "company_fetched"),
        ("company_fetched", "read", "company_fetched"),
        ("company_fetched", "cancel", "cancelled"),
        ("certified", "fetch_kinds", "kinds_fetched"),
        ("certified", "fetch_company", "certified"),
        ("certified", "certify", "certified"),
        ("certified", "read", "certified"),
        ("certified", "cancel", "cancelled"),
        ("kinds_fetched", "fetch_rates", "ready"),
        ("kinds_fetched", "fetch_company", "kinds_fetched"),
        ("kinds_fetched", "certify", "kinds_fetched"),
        ("kinds_fetched", "fetch_kinds", "kinds_fetched"),
        ("kinds_fetched", "read", "kinds_fetched"),
        ("kinds_fetched", "cancel", "cancelled"),
        *(("ready", verb, "ready") for verb in (*_REPEATABLE, *_READY_VERBS)),
        ("ready", "suspend", "suspended"),
        ("ready", "cancel", "cancelled"),
        *(("suspended", verb, "suspended") for verb in (*_REPEATABLE, *_READY_VERBS)),
        ("suspended", "resume", "ready"),
        ("suspended", "cancel", "cancelled"),
    ),
)
"""Five steps, each gated on the one before; a ready device takes every upkeep verb, and so does a suspended one.
``commission_fully`` sets the steps off one after the other, from wherever the device stands."""

JOB_KINDS: Final = {
    "commission": "device.commission",
    "fetch_company": "device.fetch_company",
    "certify": "device.certify",
    "fetch_kinds": "device.fetch_kinds",
    "fetch_rates": "device.fetch_rates",
    "calibrate": "device.calibrate",
    "read": "device.read",
    "add_terminal": "terminal.add",
    "apply": "segment.apply",
    "receive": "segment.receive",
    "distribute": "segment.distribute",
    "cancel": "device.cancel",
    "reclaim": "segment.reclaim",
    "return": "segment.return",
}
"""Verbs that need an agent → job kind. Suspend and resume settle at once, and so does cancelling what was never
commissioned; ``commission_fully`` opens the job of the next step."""

_NOUN = "virtual-devices"
_KIND = Field("kind", "kind")
_RUN = (_KIND, Field("invoice_code", "code"), Field("start_no", "number"), Field("count", "count", 100_000))
_TERMINAL = Field("terminal_code", "terminal")

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (Field("taxpayer_id", "taxpayer_id"), Field("tax_server_id", "id"), Field("name", "text")),
        "fleet.change",
        "collection",
    ),
    *acts(_NOUN, "commission_fully", "commission"),
    *acts(_NOUN, "fetch_company", "certify", "fetch_kinds", "fetch_rates", "calibrate", "read", "resume"),
    ActSpec(_NOUN, "suspend", dangerous=True),
    ActSpec(_NOUN, "cancel", dangerous=True),
    ActSpec(_NOUN, "add_terminal", (_TERMINAL, Field("terminal_name", "text"))),
    ActSpec(_NOUN, "apply", (_KIND, Field("count", "count", 100_000))),
    ActSpec(_NOUN, "receive", (_KIND,)),
    ActSpec(_NOUN, "distribute", (*_RUN, _TERMINAL)),
    ActSpec(_NOUN, "reclaim", (*_RUN, _TERMINAL)),
    ActSpec(_NOUN, "return", _RUN, dangerous=True),
)
"""What may be done with virtual devices."""

WORDS: Final[Words] = {
    "verb": {
        "commission_fully": ("一键发行", "commission fully"),
        "fetch_company": ("企业信息获取", "fetch company information"),
        "fetch_kinds": ("发票类型获取", "fetch invoice kinds"),
        "fetch_rates": ("核定税率获取", "fetch authorised rates"),
        "read": ("读取设备", "read device"),
        "add_terminal": ("新增开票终端", "add terminal"),
        "apply": ("申领号段", "apply for numbers"),
        "receive": ("领用号段", "receive numbers"),
        "distribute": ("分发号段", "distribute numbers"),
        "reclaim": ("回收号段", "reclaim numbers"),
        "return": ("退回号段", "return numbers"),
        "cancel": ("注销", "cancel device"),
    },
    "field": {
        "taxpayer_id": ("纳税人识别号", "taxpayer id"),
        "tax_server_id": ("税控服务器", "tax server"),
        "kind": ("票种 (026 或 028)", "kind (026 or 028)"),
        "count": ("数量", "count"),
        "terminal_code": ("终端代码", "terminal code"),
        "terminal_name": ("终端名称", "terminal name"),
        "invoice_code": ("发票代码", "invoice code"),
        "start_no": ("起始号码", "first number"),
    },
}
"""Words for verbs and fields."""

NEXT_STEP: Final = {
    "registered": "commission",
    "commissioned": "fetch_company",
    "company_fetched": "certify",
    "certified": "fetch_kinds",
    "kinds_fetched": "fetch_rates",
}
"""Commissioning: state → the verb that leads on; a state that is missing here has no next step."""

ISSUING: Final = frozenset({"ready"})
"""States in which a device may issue."""

LABELS: Final = {
    "registered": ("已登记", "registered"),
    "commissioned": ("已发行未制证", "commissioned"),
    "company_fetched": ("已获取企业信息", "company fetched"),
    "certified": ("已发行已制证", "certified"),
    "kinds_fetched": ("已获取票种", "kinds fetched"),
    "ready": ("就绪", "ready"),
    "suspended": ("已停用", "suspended"),
    "cancelled": ("已注销", "cancelled"),
}
"""State → (Chinese, English) as shown."""
