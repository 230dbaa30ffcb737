"""The calls about releases of the server and its secure proxy (TP_BB*), and about the proxy itself (TP_DL*)."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.simulated import seal_memory
from agents.simulated.memory import Statement
from agents.simulated.refusals import Refusal
from agents.simulated.tax_server import Ask, Call, Done

_PRODUCTS = {"0": "tax_server", "1": "secure_proxy"}
_UPGRADE_SECONDS = 3.0
"""What an upgrade takes at speed 1, its self-test included."""


def _product(ask: Ask) -> str:
    product = _PRODUCTS.get(str(ask.body.get("CPLX", "")))
    if product is None:
        raise Refusal("092400", "CPLX")
    return product


def _proxy(ask: Ask) -> seal_memory.ProxyFacts:
    return seal_memory.proxy(ask.server.around.store.memory, ask.server.tax_server_no)


def _running(ask: Ask, product: str) -> str:
    return ask.server.kernel_version if product == "tax_server" else _proxy(ask).version


async def _published(ask: Ask, product: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await ask.server.line.call("GET", f"/releases?product={product}"))["releases"]
    return found


async def releases(ask: Ask) -> Done:
    """TP_BBCX: what runs, and what the bureau announces, oldest first."""
    product = _product(ask)
    rows = [
        {
            "BBH": one["version"],
            "FBRQ": one["released_on"].replace("-", ""),
            "QYSJ": one["effective_on"].replace("-", ""),
            "SM": one["notes"],
        }
        for one in await _published(ask, product)
    ]
    return Done({"DQBBH": _running(ask, product), "BBXX": rows})


async def upgrade(ask: Ask) -> Done:
    """TP_BBSJ: install an announced version and test it; one that fails is put back. No device may be at work."""
    product, wanted, server = _product(ask), ask.text("BBH", 64), ask.server
    if wanted not in {one["version"] for one in await _published(ask, product)}:
        raise Refusal("300002", f"无此版本 {wanted}")
    if any(device.working_on for device in server.devices.values()):
        raise Refusal("7503")
    server.upgrading = True
    try:
        await asyncio.sleep(_UPGRADE_SECONDS / server.around.speed)
    finally:
        server.upgrading = False
    if server.around.faults.take((ask.owner,), "TP_BBSJ", ("self_test_failed",)):
        answer = {"DQBBH": _running(ask, product), "ZJJG": 1, "HTZT": 1, "MS": "自检失败: 签名模块无应答, 已退回原版本"}
        return Done(answer)
    return Done({"DQBBH": wanted, "ZJJG": 0, "HTZT": 0, "MS": ""}, [_installed(ask, product, wanted)])


def _installed(ask: Ask, product: str, version: str) -> Statement:
    if product == "tax_server":
        ask.server.facts.kernel_version = version
        return ask.server.row()
    proxy = _proxy(ask)
    proxy.version = version
    return proxy.row(ask.server.tax_server_no)


async def read_proxy(ask: Ask) -> Done:
    """TP_DLXX: state and settings; each virtual device keeps a connection, as far as they reach."""
    proxy = _proxy(ask)
    return Done(
        {
            "BBH": proxy.version,
            "YXZT": 1,
            "LJS": min(proxy.max_connections, 1 + len(ask.server.devices)),
            "ZDLJS": proxy.max_connections,
            "SOCKLJS": proxy.socket_connections,
            "LXXZJG": proxy.offline_interval_hours,
            "RZJB": proxy.log_level,
            "PTKEY": int(proxy.use_platform_key),
            "SFS": len(proxy.areas),
        }
    )


async def configure_proxy(ask: Ask) -> Done:
    """TP_DLPZ (更新配置): settings and the list of the bureaus' addresses, whole."""
    proxy = _proxy(ask)
    proxy.max_connections = ask.count("ZDLJS", 10_000)
    proxy.socket_connections = ask.count("SOCKLJS", 1_000)
    proxy.offline_interval_hours = ask.count("LXXZJG", 720)
    level, listed = str(ask.body.get("RZJB", "")), ask.body.get("SJLB")
    if level not in ("0", "1", "2", "3"):
        raise Refusal("092400", "RZJB")
    if not isinstance(listed, list) or not listed:
        raise Refusal("092400", "SJLB")
    proxy.log_level, proxy.use_platform_key = int(level), str(ask.body.get("PTKEY", "")) == "1"
    proxy.areas = [_area(one) for one in listed]
    return Done({"SFS": len(proxy.areas)}, [proxy.row(ask.server.tax_server_no)])


def _area(one: Any) -> tuple[str, str]:
    if not isinstance(one, dict) or not one.get("SF") or not one.get("SJDZ"):
        raise Refusal("092400", "SJLB")
    return str(one["SF"]), str(one["SJDZ"])


CALLS: dict[str, Call] = {
    "TP_BBCX": Call(releases, for_server=True),
    "TP_BBSJ": Call(upgrade, changing=True, for_server=True),
    "TP_DLXX": Call(read_proxy, for_server=True),
    "TP_DLPZ": Call(configure_proxy, changing=True, for_server=True),
}
