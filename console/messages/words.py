"""Codes of the control plane in the operator's words: states, verbs, job kinds, invoice kinds, verdicts."""

from __future__ import annotations

from typing import Final

from controlplane.domain import agent, invoice, invoice_segment, job, tax_server, virtual_device

_VERBS: Final = {
    "synchronise": ("同步税控信息", "synchronise"),
    "calibrate": ("时钟校准", "calibrate clock"),
    "commission": ("发行", "commission"),
    "certify": ("制证", "certify"),
    "suspend": ("停用", "suspend"),
    "resume": ("恢复", "resume"),
    "retire": ("退役", "retire"),
    "fetch_company": ("企业信息获取", "fetch company information"),
    "fetch_kinds": ("发票类型获取", "fetch invoice kinds"),
    "fetch_rates": ("核定税率获取", "fetch authorised rates"),
    "read": ("读取设备", "read device"),
    "add_terminal": ("新增开票终端", "add terminal"),
    "apply": ("申领号段", "apply for numbers"),
    "receive": ("领用号段", "receive numbers"),
    "distribute": ("分发号段", "distribute numbers"),
    "cancel": ("注销", "cancel device"),
    "revoke": ("吊销", "revoke"),
    "bind": ("绑定税控服务器", "bind tax server"),
}

_JOBS: Final = {
    "server.synchronise": ("服务器·同步", "server: synchronise"),
    "server.calibrate": ("服务器·校时", "server: calibrate"),
    "server.commission": ("服务器·发行", "server: commission"),
    "server.certify": ("服务器·制证", "server: certify"),
    "device.commission": ("设备·发行", "device: commission"),
    "device.fetch_company": ("设备·企业信息", "device: company"),
    "device.certify": ("设备·制证", "device: certify"),
    "device.fetch_kinds": ("设备·发票类型", "device: kinds"),
    "device.fetch_rates": ("设备·核定税率", "device: rates"),
    "device.calibrate": ("设备·校时", "device: calibrate"),
    "device.read": ("设备·读取", "device: read"),
    "terminal.add": ("终端·新增", "terminal: add"),
    "segment.apply": ("号段·申领", "numbers: apply"),
    "segment.receive": ("号段·领用", "numbers: receive"),
    "segment.distribute": ("号段·分发", "numbers: distribute"),
    "invoice.issue": ("发票·开具", "invoice: issue"),
}

_KINDS: Final = {
    "004": ("专票", "special"),
    "005": ("机动车", "motor vehicle"),
    "006": ("二手车", "used vehicle"),
    "007": ("普票", "ordinary"),
    "025": ("卷票", "roll"),
    "026": ("电子普票", "e-ordinary"),
    "028": ("电子专票", "e-special"),
}

_CAUSES: Final = {
    "": ("", ""),
    "fine": ("正常", "fine"),
    "agent_lost": ("代理失联, 它的设备状态未知", "agent lost, its devices are unknown"),
}

WORDS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "state.tax-servers": tax_server.LABELS,
    "state.virtual-devices": virtual_device.LABELS,
    "state.jobs": job.LABELS,
    "state.invoices": invoice.LABELS,
    "upload": invoice.LABELS,
    "state.segments": invoice_segment.LABELS,
    "state.agents": agent.LABELS,
    "heartbeat": agent.LABELS,
    "verb": _VERBS,
    "job": _JOBS,
    "kind": _KINDS,
    "cause": _CAUSES,
    "verdict": {
        "ok": ("正常", "fine"),
        "warn": ("注意", "attention"),
        "stopped": ("停止", "stopped"),
        "unknown": ("未知", "unknown"),
    },
    "outcome": {"allowed": ("允许", "allowed"), "refused": ("拒绝", "refused")},
    "step": {
        **job.LABELS,
        "unreachable": ("连不上", "unreachable"),
        "redelivered": ("再次派出", "handed out again"),
        "withdrawn": ("撤回", "withdrawn"),
        "requeued": ("重新排队", "queued again"),
    },
    "direction": {"blue": ("蓝字", "blue"), "red": ("红字", "red")},
    "taxpayer_kind": {"general": ("一般纳税人", "general"), "small": ("小规模", "small-scale")},
    "role": {
        "admin": ("管理员", "admin"),
        "operator": ("运维", "operator"),
        "auditor": ("审计", "auditor"),
        "front_end": ("业务前端", "front end"),
    },
    "line": {
        "ok": ("通", "up"),
        "up": ("通", "up"),
        "normal": ("正常", "normal"),
        "slow": ("慢", "slow"),
        "down": ("不通", "down"),
        "abnormal": ("异常", "abnormal"),
        "unknown": ("未知", "unknown"),
    },
    "phase": {
        "dns": ("域名解析", "name lookup"),
        "connect": ("连接", "connect"),
        "tcp": ("连接", "connect"),
        "tls": ("TLS 握手", "TLS handshake"),
        "http": ("应答", "answer"),
        "refused": ("地址不允许", "address not allowed"),
    },
}
