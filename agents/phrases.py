"""What the agent says to people, in Chinese or English; which of the two is set once at start."""

from __future__ import annotations

from collections.abc import Mapping

_ZH, _EN = 0, 1
_language = _ZH

PHRASES: dict[str, tuple[str, str]] = {
    "receive.waiting": ("等待税局发放票段", "waiting for the bureau to grant numbers"),
    "receive.nothing_granted": ("税局没有可领用的票段", "the bureau granted no numbers"),
    "device.working": ("设备正在处理", "the device is still working on it"),
    "device.busy": ("设备忙，未执行", "the device is busy and did not begin"),
    "device.no_answer": ("设备没有明确答复", "no definite answer from the device"),
    "order.unsupported": ("此类设备不支持该任务：{kind}", "this device kind cannot do {kind}"),
    "order.no_driver": ("没有此类设备的驱动：{kind}", "no driver for device kind {kind}"),
    "order.stale_epoch": ("任务来自已失效的租约，未执行", "the order is of an older lease; not executed"),
    "order.lease_lost": ("与控制面失去联系，未执行", "contact with the control plane is lost; not executed"),
    "order.not_started": ("设备不可达，排队任务退回，未执行", "device not reached; given back unexecuted"),
    "order.stopping": ("代理停止，排队任务退回，未执行", "the agent stops; given back, not executed"),
    "order.never_executed": ("重启后查设备日志：从未执行", "after a restart the device's journal says: never executed"),
    "order.fault": ("代理内部错误，未执行：{error}", "fault inside the agent; not executed: {error}"),
    "order.journal": ("代理日志无法写入，未执行", "the agent's journal cannot be written; not executed"),
    "recall.differs": ("设备日志中同一流水号的内容不同：{names}", "the device's journal holds other content: {names}"),
    "recall.missing": ("设备已答复开具，但其日志中没有这张发票", "the device said issued, but its journal lacks it"),
    "recall.answer_differs": ("设备答复与其日志不一致：{names}", "the device's answer and its journal differ: {names}"),
    "join.done": ("已加入 {url}，代理名 {name}，状态目录 {home}", "joined {url} as {name}, home {home}"),
    "join.already": ("{home} 已加入过控制面；换一个 --home", "{home} has joined already; choose another --home"),
    "join.bad_url": ("地址或名称不正确：{url}", "address or name not valid: {url}"),
    "join.away": ("控制面 {url} 不可达：{why}", "control plane {url} not reached: {why}"),
    "join.refused": ("控制面不接受该令牌：{why}", "the control plane does not accept this token: {why}"),
    "join.home": ("状态目录 {home} 不可用：{why}", "home {home} cannot be used: {why}"),
    "run.not_joined": (
        "{home} 尚未加入控制面；先运行 taxplane-agent join URL TOKEN",
        "{home} has not joined; run taxplane-agent join URL TOKEN first",
    ),
    "run.bad_settings": ("设置不正确：{error}", "settings not valid: {error}"),
    "run.in_use": ("{home} 正被进程 {pid} 使用", "{home} is in use by process {pid}"),
    "run.fault_points": ("测试用故障点已启用：{names}", "fault points for tests are armed: {names}"),
    "run.journal": (
        "日志 {home}/journal.db 不可用，未触碰任何设备。{error}",
        "journal {home}/journal.db cannot be used; no device is touched. {error}",
    ),
    "run.revoked": (
        "控制面 {url} 已吊销此代理，停止工作。如需恢复，请用新令牌重新加入",
        "control plane {url} has revoked this agent; work is stopped. To come back, join again with a new token",
    ),
    "doctor.title": ("设备代理自检", "Device agent check"),
    "doctor.identity": ("身份", "identity"),
    "doctor.control_plane": ("控制面", "control plane"),
    "doctor.clock": ("与控制面时差", "clock against control plane"),
    "doctor.journal": ("日志", "journal"),
    "doctor.open_intents": ("未决任务", "open intents"),
    "doctor.undelivered": ("未送达结果", "undelivered outcomes"),
    "doctor.device": ("设备 {no}", "device {no}"),
    "doctor.devices": ("设备", "devices"),
    "doctor.disk": ("磁盘空间", "disk space"),
    "doctor.version": ("版本", "versions"),
    "doctor.running": ("进程", "process"),
    "doctor.is_running": ("运行中，进程 {pid}", "running, process {pid}"),
    "doctor.not_running": ("未运行", "not running"),
    "doctor.not_joined": ("尚未加入控制面", "not joined"),
    "doctor.reached": ("可达", "reached"),
    "doctor.accepted": ("可达，身份有效", "reached, identity accepted"),
    "doctor.revoked": ("可达，但身份已被吊销", "reached, but the identity is revoked"),
    "doctor.not_reached": ("不可达：{why}", "not reached: {why}"),
    "doctor.seconds": ("{n:+.1f} 秒", "{n:+.1f} s"),
    "doctor.durable": ("完整，WAL，synchronous=FULL", "sound, WAL, synchronous=FULL"),
    "doctor.fault": ("有故障：{why}", "fault: {why}"),
    "doctor.count": ("{n} 个", "{n}"),
    "doctor.none_served": ("控制面尚未分配设备", "no device assigned yet"),
    "doctor.line_up": ("可达，时差 {n:+.1f} 秒，局端在线", "reached, clock {n:+.1f} s, bureau online"),
    "doctor.line_down": ("可达，时差 {n:+.1f} 秒，局端离线：{why}", "reached, clock {n:+.1f} s, bureau offline: {why}"),
    "doctor.free": ("剩余 {n} MiB", "{n} MiB free"),
    "doctor.well": ("一切正常", "all is well"),
    "doctor.trouble": ("有 {n} 项需要处理", "{n} to be looked at"),
}


def use(language: str) -> None:
    """Speak this language from now on; anything but ``en`` is Chinese."""
    global _language
    _language = _EN if language == "en" else _ZH


def chosen(argument: str | None, environment: Mapping[str, str]) -> str:
    """The language asked for by option or by ``TAXPLANE_LANG``."""
    return (argument or environment.get("TAXPLANE_LANG", "zh"))[:2].lower()


def say(key: str, **values: object) -> str:
    """The phrase in the chosen language, with its values put in."""
    text = PHRASES[key][_language]
    return text.format(**values) if values else text
