"""Refusals of fleet. Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en."""

from __future__ import annotations

from typing import Final

_CERTIFICATE = "certificate-expired"
_CANCEL = "device-cancel"
_BATCH = "device-batch"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    # --- certificates
    ("server_certificate_stopped", "device", 409, _CERTIFICATE,
     "税控服务器证书已挂起或注销 (状态 {status}), 设备 {device_no} 不能开票",
     "The tax server's certificate is suspended or revoked (status {status}); device {device_no} cannot issue",
     "到主管税务机关恢复, 或重新制证", "Have the tax office restore it, or certify the tax server again"),
    # --- what is still there
    ("things_left", "data", 409, _CANCEL,
     "设备 {device_no} 还不能注销: 未用号码 {numbers}, 未上传发票 {uploads}, 未抄报票种 {periods}, 等待发票 {waiting}, "
     "未完成作业 {jobs}",
     "Device {device_no} cannot be cancelled yet: unused numbers {numbers}, invoices not uploaded {uploads}, "
     "kinds not reported {periods}, waiting invoices {waiting}, open jobs {jobs}",
     "逐项处理: 回收并退回号码, 等待上传, 抄报清零, 改派或撤销等待的发票",
     "Settle each: reclaim and return numbers, wait for uploads, report and clear, move or cancel what waits"),
    ("devices_left", "data", 409, _CANCEL,
     "税控服务器 {tax_server_no} 上还有 {count} 台未注销的虚拟设备: {devices}",
     "Tax server {tax_server_no} still holds {count} virtual devices that are not cancelled: {devices}",
     "先注销或迁移这些设备", "Cancel or move these devices first"),
    ("device_not_empty", "data", 409, _CANCEL,
     "设备上尚有未结事项: {native_message}", "Something is left on the device: {native_message}",
     "按设备提示处理后再注销", "Act on the device's text, then cancel again"),
    # --- batches
    ("sheet_refused", "data", 422, _BATCH,
     "文件不能作为表格读取: {problem}", "The file cannot be read as a table: {problem}",
     "按模板另存为不含宏、公式和外部链接的 xlsx",
     "Save it from the template as xlsx without macros, formulas or links"),
    ("sheet_cell", "data", 422, _BATCH,
     "单元格 {place} ({column}) 不合格: {problem}", "Cell {place} ({column}) is not valid: {problem}",
     "改正该单元格", "Correct the cell"),
    ("sheet_empty", "data", 422, _BATCH,
     "文件里没有数据行", "The file holds no rows",
     "在表头下填写数据", "Fill in rows below the header"),
    ("sheet_too_long", "data", 422, _BATCH,
     "超过 {limit} 行", "More than {limit} rows",
     "分成几个文件", "Split it into several files"),
    ("batch_taxpayer_unknown", "data", 422, _BATCH,
     "{place}: 没有纳税人 {taxpayer_id}", "{place}: there is no taxpayer {taxpayer_id}",
     "先登记该纳税人, 或改正识别号", "Take the taxpayer on first, or correct the id"),
    ("batch_server_unknown", "data", 422, _BATCH,
     "{place}: 没有税控服务器 {tax_server_no}", "{place}: there is no tax server {tax_server_no}",
     "改正税控服务器编号", "Correct the tax server's number"),
    ("batch_server_not_serving", "data", 422, _BATCH,
     "{place}: 税控服务器 {tax_server_no} 不在可用状态: {state}",
     "{place}: tax server {tax_server_no} is not in service: {state}",
     "先完成其发行与制证, 或恢复", "Finish commissioning and certifying it, or resume it"),
    ("batch_name_taken", "data", 422, _BATCH,
     "{place}: 该纳税人已有同名设备 {name}", "{place}: the taxpayer already has a device named {name}",
     "换一个名称; 同一文件不要导入两次", "Use another name; do not import the same file twice"),
    ("batch_row_twice", "data", 422, _BATCH,
     "{place}: 与第 {line} 行重复", "{place}: the same as line {line}",
     "删去重复的行", "Remove the row that repeats"),
    ("batch_quota", "stock", 422, _BATCH,
     "{place}: 税控服务器 {tax_server_no} 只剩 {free} 个名额, 文件需要 {wanted} 个",
     "{place}: tax server {tax_server_no} has {free} places left, the file needs {wanted}",
     "增购数量, 或把多出的行换到另一台服务器", "Buy more, or move the rows that are too many to another server"),
)
# fmt: on
