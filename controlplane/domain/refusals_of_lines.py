"""Refusals of lines. Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en."""

from __future__ import annotations

from typing import Final

_DOOR = "request-refused"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    ("line_disabled", "data", 409, _DOOR,
     "线路 {target} 已停用, 不检测", "The line {target} is disabled and is not checked",
     "先启用该线路", "Enable the line first"),
    ("line_checked_lately", "data", 429, _DOOR,
     "刚刚检测过, {seconds} 秒后可再次人工检测",
     "It was checked a moment ago; check by hand again in {seconds} seconds",
     "看刚才的结果, 或按 Retry-After 等待", "Look at that result, or wait as Retry-After says"),
    ("target_not_allowed", "data", 422, _DOOR,
     "不允许检测此地址: {problem}", "This address may not be probed: {problem}",
     "改用税局的公网域名或地址; 内网地址须由管理员在 TAXPLANE_PROBE_ALLOW 中放行",
     "Use the bureau's public name or address; an inside one must be opened in TAXPLANE_PROBE_ALLOW"),
    ("slot_not_yours", "data", 409, "watch-missed",
     "时段 {slot} 不由 {holder} 负责", "The slot {slot} is not held by {holder}",
     "无需处理: 结果不采用", "Nothing to do: the samples are not taken"),
    ("slot_closed", "data", 409, "watch-missed",
     "时段 {slot} 已记为未检测", "The slot {slot} was written as missed meanwhile",
     "无需处理: 结果来得太晚", "Nothing to do: the samples came too late"),
    ("scope_matches_nothing", "data", 422, _DOOR,
     "范围里没有任何线路: {value}", "No line is in the scope: {value}",
     "填写地址簿里有的地区代码、服务或线路编号", "Give area codes, services or line ids of the address book"),
    ("scope_values_wrong", "data", 422, _DOOR,
     "范围 {scope} 的取值不合适", "The values do not suit the scope {scope}",
     "范围为全部时不填, 其他范围至少填一个", "None for the scope all, at least one for the others"),
    ("recipient_invalid", "data", 422, _DOOR,
     "{address} 不是可用的邮件地址", "{address} is no mail address that can be used",
     "逐个填写完整地址, 如 ops@example.com", "Give whole addresses one by one, like ops@example.com"),
)
# fmt: on
