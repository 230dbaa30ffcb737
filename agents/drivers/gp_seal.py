"""Seals, releases and secure proxies in the GP dialect."""

from __future__ import annotations

from typing import Any, Final

from agents.drivers import gp_replies as gp
from agents.drivers.gp_call import Call, Reading, given
from agents.drivers.gp_calls import GpCalls
from agents.drivers.gp_transport import Unanswered
from agents.plain_text import plain
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import (
    Evidence,
    ProxyFacts,
    ReleaseFacts,
    Releases,
    SealFacts,
    SealTested,
    Upgraded,
)
from controlplane.wire.work import (
    CheckRelease,
    ConfigureProxy,
    ReadProxy,
    SealApply,
    SealDownload,
    SealKey,
    SealTest,
    SealUpload,
    UpgradeRelease,
)

_WAITING, _GRANTED, _REFUSED = range(3)
_STATUS: Final = {_WAITING: "applied", _GRANTED: "granted", _REFUSED: "refused"}
"""SQZT → the bureau's decision."""
_PRODUCTS: Final = {"tax_server": 0, "secure_proxy": 1}
"""Product → CPLX."""
_MOST_NOTES = 1000


# --- seals


def _key(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return SealFacts(
        step="key_fetched", key_index=given(reply.MYSY, "MYSY"), public_key=given(reply.QMGY, "QMGY").lower()
    )


def _applied(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    number = given(reply.SQBH, "SQBH")
    return SealFacts(step="applied", application_no=number, bureau_status="applied", message=plain(reply.MS, 200))


def _downloaded(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    status = _STATUS.get(reply.SQZT)
    if status is None:
        raise Unanswered("damaged", f"no such SQZT: {reply.SQZT}")
    message = plain(reply.MS, 200)
    if reply.SQZT != _GRANTED:
        return SealFacts(step="applied", bureau_status=status, message=message)
    end = gp.utc_text(given(reply.YXQZ, "YXQZ"))
    return SealFacts(step="downloaded", bureau_status=status, message=message, not_after=end)


def _uploaded(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return SealFacts(step="uploaded", bureau_status="granted", message=plain(reply.MS, 200))


def _tested(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return SealTested(
        digest=given(reply.ZY, "ZY").lower(),
        signature=given(reply.QM, "QM").lower(),
        public_key=given(reply.QMGY, "QMGY").lower(),
        algorithm=plain(given(reply.QMSF, "QMSF"), 40),
    )


def _application(work: SealApply) -> dict[str, Any]:
    return {
        "SF": work.area_code,
        "MYSY": work.key_index,
        "JZZMC": work.seal_name,
        "JBRXM": work.handler_name,
        "JBRSJ": work.handler_mobile,
        "ZJHM": work.handler_id,
    }


def _named(work: SealDownload | SealUpload) -> dict[str, Any]:
    return {"SF": work.area_code, "SQBH": work.application_no}


# --- releases


def _releases(calls: GpCalls, address: DeviceAddress, work: CheckRelease) -> Evidence:
    reply = calls.ask(address, "TP_BBCX", {"CPLX": _PRODUCTS[work.product]}, gp.ReleasesReply)
    return Releases(
        product=work.product,
        current=given(reply.DQBBH, "DQBBH"),
        releases=[
            ReleaseFacts(
                version=line.BBH,
                released_on=_day(line.FBRQ),
                effective_on=_day(line.QYSJ) if line.QYSJ else "",
                notes=plain(line.SM, _MOST_NOTES),
            )
            for line in reply.BBXX
        ],
    )


def _day(device_text: str) -> str:
    """A device date as YYYY-MM-DD; raises Unanswered when it is none."""
    moment = gp.moment_of(device_text[:8])
    return f"{moment:%Y-%m-%d}"


def _upgraded(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    """The device is asked once more what runs: its own word after the upgrade is the proof."""
    work = order.work
    assert isinstance(work, UpgradeRelease)
    if reply.ZJJG not in (0, 1) or reply.HTZT not in (0, 1):
        raise Unanswered("damaged", f"self-test {reply.ZJJG}, put back {reply.HTZT}")
    if work.product == "tax_server":
        running = given(calls.ask_after_change(order.address, "TP_FWQXX", gp.Server).LJNH, "LJNH")
    else:
        running = given(calls.ask_after_change(order.address, "TP_DLXX", gp.ProxyReply).BBH, "BBH")
    return Upgraded(
        product=work.product,
        version=running,
        self_test="failed" if reply.ZJJG else "passed",
        rolled_back=reply.HTZT == 1,
        message=plain(reply.MS, 300),
    )


# --- secure proxies


def _proxy_facts(reply: gp.ProxyReply) -> ProxyFacts:
    return ProxyFacts(
        version=given(reply.BBH, "BBH"),
        running=reply.YXZT == 1,
        connections=reply.LJS,
        max_connections=reply.ZDLJS,
        socket_connections=reply.SOCKLJS,
        offline_interval_hours=reply.LXXZJG,
        log_level=reply.RZJB,
        use_platform_key=reply.PTKEY == 1,
        areas=reply.SFS,
    )


def _proxy(calls: GpCalls, address: DeviceAddress, work: ReadProxy) -> Evidence:
    return _proxy_facts(calls.ask(address, "TP_DLXX", {}, gp.ProxyReply))


def _configured(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return _proxy_facts(calls.ask_after_change(order.address, "TP_DLXX", gp.ProxyReply))


def _configuration(work: ConfigureProxy) -> dict[str, Any]:
    return {
        "ZDLJS": work.max_connections,
        "SOCKLJS": work.socket_connections,
        "LXXZJG": work.offline_interval_hours,
        "RZJB": work.log_level,
        "PTKEY": int(work.use_platform_key),
        "SJLB": [{"SF": area.area_code, "SJDZ": area.address} for area in work.areas],
    }


CALLS: dict[type, Call] = {
    SealKey: Call("TP_YZMY", _key, lambda work: {"SF": work.area_code}),
    SealApply: Call("TP_YZSQ", _applied, _application),
    SealDownload: Call("TP_YZXZ", _downloaded, _named),
    SealUpload: Call("TP_YZSC", _uploaded, _named),
    SealTest: Call("TP_YZQM", _tested, lambda work: {**_named(work), "NR": work.document}),
    UpgradeRelease: Call(
        "TP_BBSJ", _upgraded, lambda work: {"CPLX": _PRODUCTS[work.product], "BBH": work.version}
    ),
    ConfigureProxy: Call("TP_DLPZ", _configured, _configuration),
}
"""Work that changes something → its call."""

READS: dict[type, Reading] = {CheckRelease: _releases, ReadProxy: _proxy}
"""Work that only reads → how it is read."""
