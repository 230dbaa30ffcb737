"""A reading as text for a person: one line for the verdict, one bar per phase; Chinese or English."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from probes.reading import PHASES, FailingPhase, Reading, Reason

Language = Literal["zh", "en"]

_PHASE_WORDS: dict[FailingPhase, tuple[str, str]] = {
    "reach": ("允许列表", "allow-list"),
    "dns": ("域名解析", "DNS"),
    "tcp": ("建立连接", "connect"),
    "tls": ("TLS 握手", "TLS"),
    "ttfb": ("首字节  ", "first byte"),
    "body": ("读取应答", "answer"),
    "login": ("登录", "login"),
    "read": ("读取", "read"),
}
_REASON_WORDS: dict[Reason, tuple[str, str]] = {
    "not_allowed": (
        "地址不在允许列表内（内网地址须用 --allow 放行）",
        "address is not allowed (inside ones need --allow)",
    ),
    "no_such_name": ("域名不存在", "no such name"),
    "name_server_failed": ("域名服务器出错", "name server failed"),
    "refused": ("对方拒绝连接", "connection refused"),
    "unreachable": ("网络不可达", "network unreachable"),
    "timeout": ("超时", "timed out"),
    "reset": ("连接被重置", "connection reset"),
    "closed": ("对方提前关闭连接", "peer closed early"),
    "tls_failed": ("TLS 握手失败", "TLS handshake failed"),
    "certificate_expired": ("证书已过期或尚未生效", "certificate expired or not yet valid"),
    "certificate_wrong_name": ("证书与域名不符", "certificate is for another name"),
    "certificate_untrusted": ("证书不受信任", "certificate is not trusted"),
    "bad_answer": ("应答无法识别", "answer not understood"),
    "server_error": ("服务端错误", "server error"),
    "host_key_unknown": ("主机密钥未登记", "host key unknown"),
    "host_key_changed": ("主机密钥已变更，停止连接", "host key changed, stopped"),
    "denied": ("无权访问", "access denied"),
    "no_credentials": ("未配置凭据", "no credentials configured"),
    "not_found": ("不存在", "not found"),
    "failed": ("失败", "failed"),
}
_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉"


def lines_of(reading: Reading, language: Language, now: datetime) -> list[str]:
    """The lines for one reading; ``now`` tells how many days a certificate has left."""
    pick = 0 if language == "zh" else 1
    lines = [_verdict(reading, pick)]
    total = sum(reading.phases.values()) or 1.0
    for phase in PHASES:
        if phase in reading.phases:
            took = reading.phases[phase]
            lines.append(f"    {_padded(_PHASE_WORDS[phase][pick])} {_bar(took / total)} {took:9.2f} ms")
    if reading.certificate:
        days = (reading.certificate.not_after - now).days
        until, issuer = reading.certificate.not_after.date(), reading.certificate.issuer
        lines.append(
            "    "
            + (
                f"证书：{until} 到期（{days} 天），签发者 {issuer}",
                f"certificate: until {until} ({days} days), issuer {issuer}",
            )[pick]
        )
    if reading.facts:
        lines.append("    " + "  ".join(f"{name}={value}" for name, value in reading.facts.items()))
    return lines


def _verdict(reading: Reading, pick: int) -> str:
    where = f" [{reading.address}]" if reading.address and reading.address not in reading.target else ""
    if reading.ok:
        return f"✓ {reading.target}{where}  {('正常', 'ok')[pick]}  {reading.duration_ms:.1f} ms"
    phase = _PHASE_WORDS[reading.failing_phase or "reach"][pick].strip()
    reason = _REASON_WORDS[reading.reason][pick]
    return f"✗ {reading.target}{where}  {('异常', 'failed')[pick]}  {phase}: {reason}  {reading.duration_ms:.1f} ms"


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return bar.ljust(_BAR, "░")


def _padded(word: str) -> str:
    """To ten columns; a Chinese character takes two."""
    return word + " " * (10 - sum(1 if letter.isascii() else 2 for letter in word))
