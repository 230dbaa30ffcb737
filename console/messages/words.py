"""Codes of the control plane in the operator's words: states, verbs, job kinds, invoice kinds, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from controlplane.domain import agent, invoice, invoice_segment, job, registry, tax_server, virtual_device

_VERBS: Final = registry.WORDS["verb"]

_JOBS: Final = {
    "server.synchronise": ("服务器·同步", "server: synchronise"),
    "server.calibrate": ("服务器·校时", "server: calibrate"),
    "server.commission": ("服务器·发行", "server: commission"),
    "server.certify": ("服务器·制证", "server: certify"),
    "server.request_formal": ("服务器·申请正式证书", "server: request formal certificate"),
    "server.sync_formal": ("服务器·同步正式证书", "server: synchronise formal certificate"),
    "server.renew": ("服务器·证书更新", "server: renew certificate"),
    "device.cancel": ("设备·注销", "device: cancel"),
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

_CAUSES: Final = {  # in a few words; the whole sentence comes from the control plane
    "": ("", ""),
    "fine": ("正常", "fine"),
    "agent_lost": ("代理失联", "agent lost"),
    "no_stock": ("号码不足", "out of numbers"),
    "clock_off": ("时钟偏差", "clock off"),
    "clock_off_month_end": ("月末时钟偏差", "clock off, month end"),
    "issue_deadline": ("开票截止", "issue deadline"),
    "upload_deadline": ("上传截止", "upload deadline"),
    "offline_hours": ("离线时长", "offline hours"),
    "offline_count": ("离线张数", "offline count"),
    "offline_amount": ("离线金额", "offline amount"),
    "offline_date": ("离线日期", "offline date"),
    "certificate_expired": ("证书到期", "certificate"),
    "certificate_lapsed": ("证书已过期", "certificate expired"),
    "server_certificate_expired": ("服务器证书", "server certificate"),
    "bureau_unreachable": ("局端不通", "bureau line down"),
    "server_not_in_service": ("服务器未启用", "server not in service"),
    "server_stopped": ("服务器未启用", "server not in service"),
    "device_unreachable": ("设备连不上", "device unreachable"),
    "device_not_read": ("还没有读数", "not read yet"),
    "device_facts_old": ("读数过旧", "reading too old"),
    "device_not_ready": ("尚未就绪", "not ready"),
    "device_stopped": ("已停用", "suspended"),
    "device_cancelled": ("已注销", "cancelled"),
    "taxpayer_stopped": ("禁止开票", "may not issue"),
    "no_agent": ("没有代理", "no agent"),
}

WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "state.tax-servers": tax_server.LABELS,
    "state.virtual-devices": virtual_device.LABELS,
    "state.jobs": job.LABELS,
    "state.invoices": invoice.LABELS,
    "upload": {
        "not_uploaded": ("未上传", "pending"),
        "uploaded": ("已上传", "uploaded"),
        "failed": ("上传失败", "failed"),
        "signature_rejected": ("验签失败", "rejected"),
    },
    "state.segments": invoice_segment.LABELS,
    "state.agents": agent.LABELS,
    "heartbeat": {"online": ("在线", "up"), "late": ("迟到", "late"), "lost": ("失联", "lost")},
    "verb": _VERBS,
    "field": registry.WORDS["field"],
    "choice": registry.WORDS["choice"],
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
        "disabled": ("未启用", "off"),
    },
    "service": {
        "verify": ("查验", "verify"),
        "upload_rsa": ("上传", "upload"),
        "upload_gm": ("国密上传", "upload (SM)"),
        "document_platform": ("公共服务平台", "public platform"),
        "invoice_service_platform": ("发票服务平台", "invoice service"),
        "confirmation": ("确认平台", "confirmation"),
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
