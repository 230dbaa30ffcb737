"""Sentences of the console itself: keys, notices, dialogs, banners."""

from __future__ import annotations

from typing import Final

_KEYS: Final = {
    "up": ("上移", "up"),
    "down": ("下移", "down"),
    "page_up": ("上翻页", "page up"),
    "page_down": ("下翻页", "page down"),
    "top": ("到顶", "top"),
    "bottom": ("到底", "bottom"),
    "open": ("打开/看原因", "open, why"),
    "mark": ("标记", "mark"),
    "command": ("命令", "command"),
    "filter": ("筛选", "filter"),
    "help": ("帮助", "help"),
    "back": ("返回", "back"),
    "sort": ("排序", "sort"),
    "reverse": ("反向排序", "reverse order"),
    "refresh": ("刷新", "refresh"),
    "faults": ("只看异常", "faults"),
    "related": ("关联", "related"),
    "act": ("操作", "act"),
    "language": ("中文 / English", "中文 / English"),
    "quit": ("退出", "quit"),
    "fold": ("展开/收起", "fold"),
    "join": ("加入令牌", "join token"),
    "new": ("新增", "new"),
    "close": ("关闭", "close"),
    "choose": ("选择", "choose"),
    "submit": ("提交", "submit"),
    "next_field": ("下一项", "next field"),
    "previous_field": ("上一项", "previous field"),
}

_HINTS: Final = {
    "keys": ("{keys}", "{keys}"),
    "command": ("回车执行  Tab 补全  Esc 关闭", "Enter runs  Tab completes  Esc closes"),
    "filter": ("!词 排除  ~正则  回车保留  Esc 清除", "!word leaves out  ~regex  Enter keeps  Esc clears"),
    "quit": ("按 q 退出", "press q to quit"),
    "no_command": ("没有命令 “{text}”", "no command “{text}”"),
    "bad_pattern": ("正则不完整: {text}", "regex is not complete: {text}"),
}

_LISTS: Final = {
    "loading": ("读取中…", "reading…"),
    "empty": ("没有记录", "no records"),
    "no_match": ("没有符合筛选的记录", "nothing matches the filter"),
    "failed": ("读取失败: {text}", "could not read: {text}"),
    "count": ("{n} 条", "{n} rows"),
    "shown": ("显示 {n} / {all} 条", "{n} of {all} rows"),
    "devices": ("{n} 台设备", "{n} devices"),
    "more": ("还有更多, 到底继续", "more at the end"),
    "filter": ("筛选 {text}", "filter {text}"),
    "faults": ("只看异常", "faults only"),
    "marked": ("已标记 {n}", "{n} marked"),
    "scope": ("范围 {text}", "scope {text}"),
}

_BOARD: Final = {
    "today": ("今日开具 {n}", "issued today {n}"),
    "rate": ("每分钟 {n}", "{n} a minute"),
    "waiting": ("待开 {n}", "waiting {n}"),
    "uploads": ("待传 {n}", "to upload {n}"),
    "alike": ("{n} 台", "{n}×"),
    "unplaced": ("未分配服务器", "no tax server"),
}

_LINE: Final = {
    "connecting": ("连接中", "connecting"),
    "live": ("实时", "live"),
    "lost": ("断线", "offline"),
    "signed_out": ("未登录", "signed out"),
    "lost_banner": (
        "与控制平面的连接中断, 自动重连中; 下面是 {at} 的数据。{reason}",
        "The connection to the control plane is lost; trying again. What you see is from {at}. {reason}",
    ),
    "signed_out_banner": (
        "登录已失效, 退出后重新登录。{reason}",
        "The sign-in is no longer valid; quit and sign in again. {reason}",
    ),
    "read_only": ("只读", "read-only"),
}

_ACTS: Final = {
    "title": ("操作 · {name}", "Act · {name}"),
    "none": ("没有可做的操作", "there is nothing to do here"),
    "read_only": ("只读模式, 不能操作", "read-only: no acts"),
    "not_now": ("现在不能做", "not possible now"),
    "menu_hint": ("↑↓ 选择  回车 打开  Esc 关闭", "↑↓ choose  Enter opens  Esc closes"),
    "form_hint": ("回车 下一项, 最后一项提交  Esc 取消", "Enter next field, the last submits  Esc cancels"),
    "sent_hint": ("Esc 关闭, 作业继续", "Esc closes, the job goes on"),
    "reason": ("事由 (必填)", "reason (required)"),
    "reason_missing": ("请写明事由", "give a reason"),
    "confirm": ("危险操作: 输入 {word} 确认", "dangerous: type {word} to confirm"),
    "confirm_missing": ("确认内容不符, 请输入 {word}", "that does not match; type {word}"),
    "sending": ("提交中…", "sending…"),
    "taken": ("已受理", "accepted"),
    "done": ("完成", "done"),
    "refused": ("被拒绝: {text}", "refused: {text}"),
    "allowed_now": ("现在可以做: {verbs}", "allowed now: {verbs}"),
    "version_differs": (
        "记录刚刚变了, 已重新读取, 请核对后再提交",
        "the record has just changed and was read again; check and send again",
    ),
    "lost": ("没有收到应答, 不知道是否已执行: {text}", "no answer came; it is not known whether it was done: {text}"),
    "job": ("作业 {kind}: {state}", "job {kind}: {state}"),
    "optional": ("(可选)", "(optional)"),
    "shown_once": ("只显示一次:", "shown once:"),
    "nothing_new": ("这个列表不能新增", "nothing can be added to this list"),
    "progress": (
        "{n}/{all}  已受理 {taken}  被拒绝 {refused}",
        "{n}/{all}  taken {taken}  refused {refused}",
    ),
}

_SHAPES: Final = {
    "word": ("字母、数字和 . _ : - , 最多 64 个", "letters, digits and . _ : -, at most 64"),
    "id": ("记录编号", "the id of a record"),
    "words": ("用逗号隔开的词", "words with commas between"),
    "terminal": ("字母、数字和 _ - , 最多 20 个", "letters, digits and _ -, at most 20"),
    "text": ("1 到 {most} 个可见字符", "1 to {most} visible characters"),
    "kind": ("票种是 3 位数字", "a kind is 3 digits"),
    "count": ("数量是 {least} 到 {most} 的整数", "a count is a whole number from {least} to {most}"),
    "number": ("8 位数字", "8 digits"),
    "code": ("10 到 12 位数字", "10 to 12 digits"),
    "area": ("4 位地区代码", "an area code of 4 digits"),
    "areas": ("用逗号隔开的 4 位地区代码", "area codes of 4 digits with commas between"),
    "taxpayer_ids": ("用逗号隔开的纳税人识别号", "taxpayer ids with commas between"),
    "taxpayer_id": ("15 到 20 位大写字母和数字", "15 to 20 capitals and digits"),
    "day": ("日期 YYYY-MM-DD", "a day, YYYY-MM-DD"),
    "month": ("月份 YYYY-MM", "a month, YYYY-MM"),
    "choice": ("只能是: {choices}", "one of: {choices}"),
    "flag": ("是 或 否", "yes or no"),
    "host": ("主机名或地址", "a host name or address"),
    "port": ("端口 1 到 65535", "a port from 1 to 65535"),
    "mail": ("邮件地址", "a mail address"),
    "mails": ("用逗号隔开的邮件地址", "mail addresses with commas between"),
    "amount": ("金额, 最多两位小数", "an amount with at most two decimals"),
    "form_no": ("16 位信息表编号", "a red form number of 16 digits"),
    "tax_code": ("19 位税收分类编码", "a tax class code of 19 digits"),
    "moment": ("日期或时间, 如 2026-12-01T08:00", "a day or time, like 2026-12-01T08:00"),
    "file": ("文件的 base64", "a file in base64"),
    "mobile": ("11 位手机号", "a mobile number of 11 digits"),
    "person_id": ("18 位身份证号", "an ID number of 18 characters"),
    "target": ("scheme://主机:端口", "scheme://host:port"),
}

_PAGES: Final = {
    "no_runbook": ("手册没有这一页: {slug}", "the runbook has no page {slug}"),
    "no_problem": ("没有要处理的", "nothing needs you"),
    "readings_head": ("本控制台看到的读数, 新的在前", "as seen by this console, newest first"),
    "missing": ("读不到: {text}", "could not be read: {text}"),
    "help_keys": ("按键", "Keys"),
    "help_commands": ("命令", "Commands"),
    "help_signs": ("记号", "Signs"),
    "help_filter": ("筛选", "Filter"),
    "none": ("无", "none"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "online": ("通", "up"),
    "offline": ("断", "down"),
    "token": ("加入令牌 (只显示一次)", "join token (shown once)"),
    "token_expires": ("有效至 {at}", "valid until {at}"),
    "token_use": ("在设备主机上运行:", "run on the device host:"),
}

_TIME: Final = {
    "now": ("现在", "now"),
    "minutes": ("{n} 分钟", "{n} min"),
    "hours": ("{n} 小时", "{n} h"),
    "days": ("{n} 天", "{n} d"),
    "seconds": ("{n} 秒", "{n} s"),
}

_COMMANDS: Final = {
    "quit": ("退出", "quit"),
    "help": ("帮助", "help"),
    "lang": ("切换语言", "change the language"),
    "theme": ("换配色: night day mono", "change colours: night day mono"),
    "emergency": ("紧急停止: {text}", "EMERGENCY STOP: {text}"),
}

_GROUPS: Final = {
    "key": _KEYS,
    "hint": _HINTS,
    "list": _LISTS,
    "board": _BOARD,
    "link": _LINE,
    "act": _ACTS,
    "shape": _SHAPES,
    "page": _PAGES,
    "time": _TIME,
    "command": _COMMANDS,
}

TEXTS: Final[dict[str, tuple[str, str]]] = {
    f"{group}.{key}": pair for group, texts in _GROUPS.items() for key, pair in texts.items()
}
