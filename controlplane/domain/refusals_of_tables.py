"""Refusals about taxpayers, bureau addresses and versions of the tax code table.

Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en.
"""

from __future__ import annotations

from typing import Final

_RIGHT = "taxpayer-may-not-issue"
_TAXPAYER = "taxpayer-differs"
_BOOK = "address-book"
_CODES = "code-table-old"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    # --- what a taxpayer may issue
    ("taxpayer_may_not_issue", "bureau", 409, _RIGHT,
     "纳税人 {taxpayer_id} 被禁止开票", "Taxpayer {taxpayer_id} may not issue",
     "联系主管税务机关; 恢复后从税局获取并采用差异, 等待的发票自动继续",
     "Ask the tax authority; then fetch the taxpayer and apply what differs, waiting invoices go on by themselves"),
    ("taxpayer_retired", "data", 409, _RIGHT,
     "纳税人 {taxpayer_id} 已退役", "Taxpayer {taxpayer_id} is retired",
     "改用其他纳税人", "Use another taxpayer"),
    ("flag_missing", "bureau", 409, _RIGHT,
     "纳税人 {taxpayer_id} 没有标志“{name}” ({flag} 须为 {needed}, 现为 {value}), 不能开具 {what}",
     "Taxpayer {taxpayer_id} lacks the flag '{name}' ({flag} must be {needed}, is {value}) and may not issue {what}",
     "向主管税务机关申请; 核准后从税局获取并采用差异",
     "Apply to the tax authority; once granted, fetch the taxpayer and apply what differs"),
    ("flag_not_in_force", "bureau", 409, _RIGHT,
     "纳税人 {taxpayer_id} 的标志“{name}” ({flag} = {value}) 有效期 {valid_from} 至 {valid_to}, 现不能开具 {what}",
     "Flag '{name}' ({flag} = {value}) of taxpayer {taxpayer_id} holds from {valid_from} to {valid_to}: "
     "{what} may not be issued now",
     "向主管税务机关续期; 核准后从税局获取并采用差异",
     "Have it renewed by the tax authority; then fetch the taxpayer and apply what differs"),
    ("flag_ends_soon", "data", 409, _RIGHT,
     "标志“{name}” ({flag}) 到 {valid_to} 为止", "Flag '{name}' ({flag}) ends on {valid_to}",
     "提前向主管税务机关续期", "Have it renewed by the tax authority in time"),
    # --- keeping taxpayers
    ("taxpayer_tree_circle", "data", 409, _TAXPAYER,
     "{parent_id} 在 {taxpayer_id} 之下, 不能作它的上级", "{parent_id} is below {taxpayer_id} and cannot be above it",
     "另选上级", "Choose another parent"),
    ("taxpayer_tree_deep", "data", 409, _TAXPAYER,
     "层级将为 {depth} 层, 至多 {limit} 层", "The tree would be {depth} levels deep; at most {limit}",
     "选更高一级的上级", "Choose a parent higher up"),
    ("taxpayer_not_empty", "data", 409, _TAXPAYER,
     "纳税人 {taxpayer_id} 还不能退役: {left}", "Taxpayer {taxpayer_id} cannot be retired yet: {left}",
     "逐项处理后再退役", "Clear these first"),
    ("nothing_to_change", "data", 422, _TAXPAYER,
     "没有给出要修改的内容", "Nothing to change is given",
     "至少填一项", "Give at least one field"),
    ("fetch_stale", "data", 409, _TAXPAYER,
     "获取之后记录已被改动: 获取时版本 {base}, 现为 {current}",
     "The record has changed since it was fetched: version {base} then, {current} now",
     "重新从税局获取", "Fetch again"),
    ("fetch_field_unknown", "data", 422, _TAXPAYER,
     "差异里没有 {name}", "{name} is not among the differences",
     "从差异清单中选", "Choose from the list of differences"),
    ("days_reversed", "data", 422, _TAXPAYER,
     "结束 {last} 早于开始 {first}", "The end {last} comes before the beginning {first}",
     "改正日期", "Correct the days"),
    ("no_tax_server", "device", 409, _TAXPAYER,
     "地区 {region} 没有在用且有代理的税控服务器", "Region {region} has no tax server in service with an agent",
     "指定一台税控服务器, 或先让该地区的服务器投入使用", "Name a tax server, or bring one of the region into service"),
    # --- bureau addresses
    ("address_overlaps", "data", 409, _BOOK,
     "{area_code} {service} 在该时间已有地址 {target}", "{area_code} {service} has the address {target} at that time",
     "用“修改”登记新版本, 或先删除旧地址", "Register a new version by 'change', or remove the old one first"),
    ("address_superseded", "data", 409, _BOOK,
     "该地址已定于 {at} 由新版本接替", "A new version takes over from this address at {at}",
     "在新版本上操作", "Act on the newer version"),
    ("address_starts_early", "data", 422, _BOOK,
     "新版本的启用时间 {starts} 须晚于旧版本的 {before}",
     "The new version must start after the old one: {starts}, {before}",
     "改正启用时间", "Correct the time"),
    # --- versions of the code table
    ("tax_code_ended", "data", 422, _CODES,
     "{code} {name} 已停用 (最后一日 {last})", "{code} {name} has ended (last day {last})",
     "选用现行编码", "Use a code in force"),
    ("code_sync_running", "data", 409, _CODES,
     "编码表正在同步: 已 {done} 行, 共 {total} 行", "The code table is being synchronised: {done} rows of {total}",
     "等待完成, 或先中止", "Wait until it is done, or stop it first"),
    ("code_version_order", "data", 409, _CODES,
     "启用日须晚于在用版本 {version} 的 {before}", "It must start after version {version}, which starts on {before}",
     "改正启用日, 或先回退该版本", "Correct the day, or roll that version back first"),
    ("code_version_not_latest", "data", 409, _CODES,
     "只能回退最新启用的版本 {version}", "Only the version put in force last, {version}, can be rolled back",
     "先回退 {version}", "Roll back {version} first"),
)
# fmt: on
