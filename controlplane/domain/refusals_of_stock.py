"""Refusals of stock. Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en."""

from __future__ import annotations

from typing import Final

_PAGE = "stock-empty"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    ("application_open", "data", 409, _PAGE,
     "设备 {device_no} 票种 {kind} 已有未决的申领 {application_no}",
     "Device {device_no} has an undecided application {application_no} for kind {kind}",
     "先查询或撤销该申领", "Query that application, or cancel it, first"),
    ("run_not_there", "data", 409, _PAGE,
     "设备上没有这样的号段: {invoice_code} {start_no}, {place}",
     "There is no such run on the device: {invoice_code} {start_no}, {place}",
     "在号段列表核对代码、号码和终端", "Check code, number and terminal in the list of segments"),
    ("run_not_tail", "data", 409, _PAGE,
     "只能取号段未使用的尾部: 到 {end_no} 为止, 下一张 {next_no}, 剩余 {left}",
     "Only the unused tail may leave: it ends at {end_no}, next is {next_no}, {left} are left",
     "起始号码与数量要正好到号段末尾", "First number and count must reach exactly to the end of the run"),
    ("numbers_spoken_for", "stock", 409, _PAGE,
     "号码已被占用: 要取 {count} 个, 有 {waiting} 张等待开具, 该号段可取 {free} 个",
     "The numbers are spoken for: {count} wanted, {waiting} invoices wait, {free} of this run are free",
     "等待中的发票开完后再取, 或少取一些", "Wait until those invoices are issued, or take fewer"),
    ("nothing_distributed", "stock", 409, _PAGE,
     "终端上没有可回收的号码", "No terminal holds numbers that could be reclaimed",
     "无需处理", "Nothing to do"),
    ("nothing_undistributed", "stock", 409, _PAGE,
     "设备上没有未分发的号码", "The device holds no undistributed numbers",
     "先领用, 或先从终端回收", "Receive numbers, or reclaim them from a terminal, first"),
)
# fmt: on
