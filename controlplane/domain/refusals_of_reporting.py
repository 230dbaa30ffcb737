"""Of reporting. Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en."""

from __future__ import annotations

from typing import Final

_PAGE = "report-and-clear"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    ("device_zombie", "limit", 409, _PAGE,
     "设备 {device_no} 票种 {kind} 上次抄报是 {last_report}, 距今超过 {limit} 天 (僵尸盘), 不能远程抄报清零",
     "Device {device_no}, kind {kind}: last report {last_report}, over {limit} days ago; only the tax hall clears it",
     "带设备到办税厅处理, 之后读取设备", "Take the device to the tax hall, then read it again"),
    ("period_open", "limit", 409, _PAGE,
     "设备 {device_no} 票种 {kind} 的属期 {period} 还没有结束",
     "Device {device_no}, kind {kind}: period {period} is not over yet",
     "属期结束后再抄报", "Report when the period is over"),
    ("uploads_waiting", "limit", 409, "upload-waiting",
     "设备 {device_no} 票种 {kind} 还有 {count} 张发票未上传, 不能抄报",
     "Device {device_no}, kind {kind}: {count} invoices are not uploaded; it cannot report",
     "先全部上传, 再抄报", "Upload everything first, then report"),
    ("device_uploads_waiting", "limit", 409, "upload-waiting",
     "设备 {device_no} 自己还有 {count} 张发票没有上传结果, 不能抄报票种 {kind}",
     "Device {device_no} itself has {count} invoices without an upload result; kind {kind} cannot be reported",
     "等待上传结果读回, 或读取设备", "Wait for the upload results to be read, or read the device"),
    ("kinds_to_report", "limit", 409, _PAGE,
     "设备 {device_no} 的票种 {kinds} 还没有抄报; 该设备须全部票种抄报成功才能清零",
     "Device {device_no}: kinds {kinds} are not reported; on this device all kinds are reported before any clears",
     "先抄报其余票种", "Report the other kinds first"),
    ("report_not_verified", "bureau", 409, _PAGE,
     "税局没有受理设备 {device_no} 票种 {kind} 的抄报",
     "The bureau has not accepted the report of device {device_no}, kind {kind}",
     "查询抄报结果; 被退回的重新抄报", "Ask for the verdict; report again what was refused"),
    ("return_not_filed", "bureau", 409, _PAGE,
     "税局要求属期 {period} 先申报再清零: 设备 {device_no} 票种 {kind}",
     "The bureau wants the return of {period} filed before clearing: device {device_no}, kind {kind}",
     "请纳税人申报缴款, 之后登记已申报", "Have the taxpayer file and pay, then record that the return is filed"),
    ("totals_differ", "data", 409, _PAGE,
     "设备 {device_no} 票种 {kind} 属期 {period} 的汇总与账本不一致: {names}",
     "Device {device_no}, kind {kind}, period {period}: the summary differs from the ledger in {names}",
     "核对设备日志; 设备日志能说明差异时, 填写事由接受差异",
     "Compare with the device's journal; if it explains the difference, accept it with a reason"),
    ("totals_agree", "data", 409, _PAGE,
     "设备 {device_no} 票种 {kind} 的汇总与账本一致, 没有差异可接受",
     "Device {device_no}, kind {kind}: summary and ledger agree; there is nothing to accept",
     "直接进行下一步", "Go on with the next step"),
    ("report_refused", "bureau", 409, _PAGE,
     "税局退回了抄报: {native_message}", "The bureau refused the report: {native_message}",
     "按税局原文处理后重新抄报", "Act on the bureau's text, then report again"),
    ("deadline_not_moved", "device", 409, _PAGE,
     "设备 {device_no} 票种 {kind} 清零后截止日期仍是 {deadline}",
     "Device {device_no}, kind {kind}: the deadline is still {deadline} after clearing",
     "读取设备后再清零; 仍不变到办税厅", "Read the device and clear again; if nothing changes, go to the tax hall"),
)
# fmt: on
