"""What alert letters say: Chinese first, then English; the worst first, recovered ones named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from controlplane.domain.dated import DEVICE_ZONE
from controlplane.mail.letter import Letter
from controlplane.store.statement import Row

_REASONS = {
    "not_allowed": "不允许的地址",
    "no_such_name": "域名不存在",
    "name_server_failed": "域名服务器故障",
    "refused": "连接被拒",
    "unreachable": "网络不可达",
    "timeout": "超时",
    "reset": "连接被重置",
    "closed": "连接被关闭",
    "tls_failed": "TLS 握手失败",
    "certificate_expired": "证书已过期",
    "certificate_wrong_name": "证书域名不符",
    "certificate_untrusted": "证书不受信任",
    "bad_answer": "应答无法识别",
    "server_error": "服务端错误",
}
_PHASES = {
    "reach": "放行检查",
    "dns": "域名解析",
    "tcp": "建立连接",
    "tls": "TLS 握手",
    "ttfb": "首字节",
    "body": "应答正文",
}


def write(recipient: str, flips: Sequence[Row], lines: dict[str, Row], still: set[str]) -> Letter:
    """One letter that names every flip; a line that flipped more than once shows its course and where it ended.

    ``still``: lines that are abnormal now, for the subject.
    """
    courses: dict[tuple[str, str], list[Row]] = {}
    for flip in flips:
        course = courses.setdefault((flip["line_id"], flip["vantage"] if not flip["line_id"] else ""), [])
        if not course or (course[-1]["move"], course[-1]["slot"]) != (flip["move"], flip["slot"]):
            course.append(flip)  # the same flip by another rule is named once
    down = [key for key, course in courses.items() if course[-1]["move"] == "opened"]
    up = [key for key in courses if key not in down]
    text = [_line(courses[key], lines.get(key[0])) for key in (*down, *up)]
    still_down = f", 仍有 {len(still)} 条异常" if still else ""
    subject = f"[taxplane] 局端网络: {len(down)} 条异常, {len(up)} 条恢复{still_down}"
    return Letter(recipient, subject, "\n".join([*text, "", _HELP]))


_HELP = (
    "处理: 手册 bureau-line-down (线路), watch-missed (监测中断)\nWhat to do: runbooks bureau-line-down, watch-missed"
)


def _line(course: list[Row], line: Row | None) -> str:
    last = course[-1]
    if not last["line_id"]:
        return _vantage(course)
    name = f"{line['region']} {line['service']} {line['target']}" if line else last["line_id"]
    earlier = "".join(f"{_clock(flip['slot'])} {_word(flip)} → " for flip in course[:-1])
    return f"{name}: {earlier}{_clock(last['slot'])} {_word(last)} / {_english(last)}"


def _word(flip: Row) -> str:
    if flip["move"] == "closed":
        return "停止监测" if flip["reason"] == "watch_ended" else "恢复正常"
    phase = _PHASES.get(flip["failing_phase"], flip["failing_phase"])
    reason = _REASONS.get(flip["reason"], flip["reason"])
    return f"异常 (环节 {phase}: {reason})"


def _english(flip: Row) -> str:
    if flip["move"] == "closed":
        return "no longer watched" if flip["reason"] == "watch_ended" else "recovered"
    return f"down ({flip['failing_phase']}: {flip['reason']})"


def _vantage(course: list[Row]) -> str:
    last = course[-1]
    name = last["vantage"]
    if last["move"] == "opened":
        return f"监测点 {name}: 异常 自 {_clock(last['slot'])} 起没有检测 / nothing is checked from vantage {name}"
    return f"监测点 {name}: 恢复正常, {last['reason']} 个时段未检测 / vantage {name} checks again"


def _clock(slot: str) -> str:
    return datetime.fromisoformat(slot).astimezone(DEVICE_ZONE).strftime("%m-%d %H:%M")


def test_letter(recipient: str, name: str) -> Letter:
    """A letter that shows that letters arrive."""
    text = f"这是预警规则“{name}”的试发邮件, 收到即表示投递正常。\nA test mail of the alert rule: delivery works."
    return Letter(recipient, "[taxplane] 试发 / test", text)
