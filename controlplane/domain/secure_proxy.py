"""A secure proxy (安全代理) between a tax server and its bureau: its settings, its states, and what of it warns.

Its password is not among the settings: it is set on the machine itself and never comes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.lifecycle import machine
from controlplane.domain.refusals import Refusal, refuse

MACHINE: Final = machine(
    "secure_proxy",
    "registered",
    (
        ("registered", "change", "registered"),
        ("registered", "read", "registered"),
        ("registered", "configure", "configured"),
        ("registered", "remove", "removed"),
        ("configured", "change", "configured"),
        ("configured", "read", "configured"),
        ("configured", "configure", "configured"),
        ("configured", "remove", "removed"),
    ),
)
"""Configured: our settings and address list were pushed at least once. Whether they still are is told on reading."""

JOB_KINDS: Final = {"read": "proxy.read", "configure": "proxy.configure"}
"""Verbs that need an agent → job kind."""

_NOUN = "secure-proxies"
_SETTINGS = (
    Field("name", "text"),
    Field("host", "host"),
    Field("port", "port"),
    Field("vip_host", "host", optional=True),
    Field("vip_port", "port", optional=True),
    Field("use_platform_key", "flag"),
    Field("max_connections", "count", 10_000),
    Field("protocol", "choice", choices=("tcp", "tls", "http", "https")),
    Field("login_account", "word", optional=True),
    Field("socket_connections", "count", 1_000),
    Field("offline_interval_hours", "count", 720),
    Field("login_kind", "count", 2),
    Field("log_level", "count", 3, least=0),
)

ACTS: Final = (
    ActSpec(_NOUN, "register", (Field("tax_server_id", "id"), *_SETTINGS), "fleet.change", "collection"),
    ActSpec(_NOUN, "change", _SETTINGS, "fleet.change"),
    *acts(_NOUN, "read"),
    ActSpec(_NOUN, "configure", dangerous=True),
    ActSpec(_NOUN, "remove", permission="fleet.change", dangerous=True),
)
"""What may be done with secure proxies."""

WORDS: Final[Words] = {
    "verb": {
        "change": ("修改安全代理", "change proxy"),
        "read": ("读取安全代理", "read proxy"),
        "configure": ("更新配置", "push configuration"),
        "remove": ("移除安全代理", "remove proxy"),
    },
    "field": {
        "vip_host": ("VIP 地址", "VIP host"),
        "vip_port": ("VIP 端口", "VIP port"),
        "use_platform_key": ("是否使用平台KEY", "use platform key"),
        "max_connections": ("最大连接数", "maximum connections"),
        "protocol": ("通信协议", "protocol"),
        "login_account": ("登录帐号", "login account"),
        "socket_connections": ("socket 连接个数", "socket connections"),
        "offline_interval_hours": ("离线信息下载间隔(小时)", "offline download interval (hours)"),
        "login_kind": ("登录描述 (1 自开, 2 代开)", "login kind (1 own, 2 on behalf)"),
        "log_level": ("日志级别 (0 关, 1 错误, 2 警告, 3 全部)", "log level (0 off, 1 error, 2 warning, 3 all)"),
    },
    "choice": {
        "tcp": ("tcp", "tcp"),
        "tls": ("tls", "tls"),
        "http": ("http", "http"),
        "https": ("https", "https"),
    },
}
"""Words for verbs, fields and choices."""

LABELS: Final = {
    "registered": ("已登记", "registered"),
    "configured": ("已配置", "configured"),
    "removed": ("已移除", "removed"),
}
"""State → (Chinese, English) as shown."""

PUSHED: Final = (
    "max_connections",
    "socket_connections",
    "offline_interval_hours",
    "log_level",
    "use_platform_key",
)
"""Settings that 更新配置 brings to the proxy; the others say how it is reached."""


def differing(wanted: Mapping[str, Any], reported: Mapping[str, Any]) -> tuple[str, ...]:
    """Pushed settings that the proxy reports otherwise than we want them; none while nothing was reported."""
    return tuple(name for name in PUSHED if name in reported and reported[name] != wanted[name])


def warnings(wanted: Mapping[str, Any], reported: Mapping[str, Any]) -> tuple[Refusal, ...]:
    """What an operator should look at: proxy stopped, connections at their maximum, settings not as wanted."""
    if not reported:
        return ()
    found = []
    if not reported["running"]:
        found.append(refuse("proxy_stopped"))
    if reported["connections"] >= reported["max_connections"]:
        params = {"connections": reported["connections"], "most": reported["max_connections"]}
        found.append(refuse("proxy_connections_full", "", **params))
    names = differing(wanted, reported)
    if names:
        found.append(refuse("proxy_differs", "", names=", ".join(names)))
    return tuple(found)
