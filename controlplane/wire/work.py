"""Work: the closed list of what an agent may be asked to do.

Money is a decimal string with two places. Whatever is here loads neither pydantic nor the server.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from controlplane.wire.frame import Frame


class Party(Frame):
    """Buyer or seller as printed."""

    tax_id: str = ""
    name: str = ""
    address_phone: str = ""
    bank_account: str = ""


class IssueLine(Frame):
    """One priced line; decimals as text, ``nature`` 0 normal, 1 discount, 2 discounted."""

    nature: int
    item_name: str
    tax_class_code: str
    rate: str
    amount: str
    tax: str
    quantity: str | None = None
    unit_price: str | None = None
    unit: str = ""
    spec: str = ""
    preference_flag: int = 0
    preference_note: str = ""
    zero_rate_kind: str = ""


class IssueInvoice(Frame, tag="invoice.issue"):
    """开具: the device signs and assigns code and number from the terminal's stock."""

    kind: str
    direction: Literal["blue", "red"]
    request_id: str
    order_no: str
    terminal_code: str
    seller: Party
    buyer: Party
    lines: list[IssueLine]
    net_total: str
    tax_total: str
    gross_total: str
    issuer: str
    payee: str = ""
    reviewer: str = ""
    remark: str = ""
    original_code: str = ""
    original_no: str = ""
    """Of a red invoice: the blue one it offsets."""
    red_form_no: str = ""
    red_reason: str = ""


class SynchroniseServer(Frame, tag="server.synchronise"):
    """Read number, quota, clock and kernel version of the tax server."""


class CalibrateServer(Frame, tag="server.calibrate"):
    """Set the tax server's clock to the bureau's."""


class CommissionServer(Frame, tag="server.commission"):
    """发行: register the tax server at its bureau."""


class CertifyServer(Frame, tag="server.certify"):
    """制证: fetch the tax server's certificate."""


class CommissionDevice(Frame, tag="device.commission"):
    """发行 of a virtual device for one taxpayer; the tax server assigns its number."""

    taxpayer_id: str
    taxpayer_name: str
    region: str


class FetchCompany(Frame, tag="device.fetch_company"):
    """企业信息获取: flags of the taxpayer as the bureau has them."""


class CertifyDevice(Frame, tag="device.certify"):
    """虚拟设备制证."""


class FetchKinds(Frame, tag="device.fetch_kinds"):
    """发票类型获取: kinds and their limits."""


class FetchRates(Frame, tag="device.fetch_rates"):
    """核定税率获取."""


class CalibrateDevice(Frame, tag="device.calibrate"):
    """Set the virtual device's clock."""


class ReadDevice(Frame, tag="device.read"):
    """Read clock, limits, stock and uploads now; the answer is an observation."""


class AddTerminal(Frame, tag="terminal.add"):
    """Create a terminal (开票终端) on the device."""

    terminal_code: str
    terminal_name: str


class ApplySegment(Frame, tag="segment.apply"):
    """申领: ask the bureau for numbers of one kind."""

    kind: str
    count: int


class ReceiveSegments(Frame, tag="segment.receive"):
    """领用: query what was granted, write it to the device, confirm to the bureau (three calls, resumable).

    ``patient``: wait a while for the bureau to decide, and refuse when it granted nothing; otherwise only finish what
    is there and tell how it stands.
    """

    kind: str
    patient: bool = True


class DistributeSegment(Frame, tag="segment.distribute"):
    """分发: move ``count`` numbers from ``start_no`` on to a terminal."""

    kind: str
    invoice_code: str
    start_no: str
    count: int
    terminal_code: str


class RequestFormal(Frame, tag="server.request_formal"):
    """申请正式证书: ask the bureau for the formal certificate in place of the temporary one."""


class SynchroniseFormal(Frame, tag="server.sync_formal"):
    """同步正式证书: fetch and install the formal certificate the bureau granted."""


class RenewServer(Frame, tag="server.renew"):
    """证书更新 of the tax server."""


class CancelDevice(Frame, tag="device.cancel"):
    """注销: the bureau forgets the device for ever; it refuses while numbers or invoices are left on it."""


class FetchTaxpayer(Frame, tag="taxpayer.fetch"):
    """纳税人信息同步 through a tax server: everything the bureau knows of one taxpayer."""

    taxpayer_id: str


class FetchCodes(Frame, tag="codes.fetch"):
    """税收分类编码: one page of one version (empty: the newest), from row ``start`` (from 0) on."""

    version: str
    start: int
    most: int


class SealKey(Frame, tag="seal.fetch_key"):
    """获取签名公钥: the device makes a key pair and tells its index and public key; the private key stays inside."""

    area_code: str


class SealApply(Frame, tag="seal.apply"):
    """税局申请: apply to the bureau for the supervision seal of a province."""

    area_code: str
    key_index: str
    seal_name: str
    handler_name: str
    handler_mobile: str
    handler_id: str


class SealDownload(Frame, tag="seal.download"):
    """税局下载: bring the granted seal to the tax server; what is secret in it never leaves it."""

    area_code: str
    application_no: str


class SealUpload(Frame, tag="seal.upload"):
    """签章上传: put the downloaded seal to use on the tax server."""

    area_code: str
    application_no: str


class SealTest(Frame, tag="seal.test"):
    """Sign a canary document with the seal: ``document`` is text, the device answers with digest and signature."""

    area_code: str
    application_no: str
    document: str


class CheckRelease(Frame, tag="release.check"):
    """新版本查询 of a product (tax_server or secure_proxy)."""

    product: Literal["tax_server", "secure_proxy"]


class UpgradeRelease(Frame, tag="release.upgrade"):
    """升级 to a version with self-test; a build that fails its self-test is put back by the device."""

    product: Literal["tax_server", "secure_proxy"]
    version: str


class ProxyArea(Frame):
    """One province's bureau address as pushed to a secure proxy."""

    area_code: str
    address: str


class ReadProxy(Frame, tag="proxy.read"):
    """Read state and connections of the secure proxy of a tax server."""


class ConfigureProxy(Frame, tag="proxy.configure"):
    """更新配置: push settings and the province list to the secure proxy."""

    max_connections: int
    socket_connections: int
    offline_interval_hours: int
    log_level: int
    use_platform_key: bool
    areas: list[ProxyArea]


class QueryApplications(Frame, tag="segment.query"):
    """申领状态查询: what became of applications for one kind."""

    kind: str


class CancelApplication(Frame, tag="segment.cancel"):
    """撤销申领, possible while the bureau has not decided."""

    application_no: str


class ReclaimSegment(Frame, tag="segment.reclaim"):
    """回收: take the unused tail of a terminal's run back to the device."""

    kind: str
    invoice_code: str
    start_no: str
    count: int
    terminal_code: str


class ReturnSegment(Frame, tag="segment.return"):
    """退回: give the unused tail of an undistributed run back to the bureau."""

    kind: str
    invoice_code: str
    start_no: str
    count: int


class VoidInvoice(Frame, tag="invoice.void"):
    """作废 of one issued invoice; ``voided_by`` is the person named on it."""

    kind: str
    invoice_code: str
    invoice_no: str
    gross_total: str
    voided_by: str
    reason: str


class UploadRedForm(Frame, tag="redform.upload"):
    """红字信息表上传: ask the bureau's leave for a red invoice of a special kind."""

    form_no: str
    """申请单编号 of ours, 24 characters."""
    kind: str
    original_code: str
    original_no: str
    applicant: Literal["buyer_deducted", "buyer_not_deducted", "seller"]
    net_total: str
    tax_total: str
    lines: list[IssueLine]


class QueryRedForm(Frame, tag="redform.query"):
    """What the bureau says of a form now."""

    form_no: str


class CancelRedForm(Frame, tag="redform.cancel"):
    """撤销 an approved form that was not used."""

    form_no: str


class ReportKind(Frame, tag="report.send"):
    """抄报 of one kind: read the period's summary from the device and send it to the bureau. ``period`` is YYYY-MM."""

    kind: str
    period: str


class VerifyReport(Frame, tag="report.verify"):
    """Ask whether the bureau accepted the summary of one kind."""

    kind: str
    period: str


class ClearKind(Frame, tag="report.clear"):
    """清零/解锁 of one kind: the bureau writes the new deadline to the device, which is then read back."""

    kind: str
    period: str


Work = (
    SynchroniseServer
    | CalibrateServer
    | CommissionServer
    | CertifyServer
    | CommissionDevice
    | FetchCompany
    | CertifyDevice
    | FetchKinds
    | FetchRates
    | CalibrateDevice
    | ReadDevice
    | AddTerminal
    | ApplySegment
    | ReceiveSegments
    | DistributeSegment
    | IssueInvoice
    | RequestFormal
    | SynchroniseFormal
    | RenewServer
    | CancelDevice
    | FetchTaxpayer
    | FetchCodes
    | SealKey
    | SealApply
    | SealDownload
    | SealUpload
    | SealTest
    | CheckRelease
    | UpgradeRelease
    | ReadProxy
    | ConfigureProxy
    | QueryApplications
    | CancelApplication
    | ReclaimSegment
    | ReturnSegment
    | VoidInvoice
    | UploadRedForm
    | QueryRedForm
    | CancelRedForm
    | ReportKind
    | VerifyReport
    | ClearKind
)
"""Everything an order may ask for."""

ORDERS = msgspec.json.Decoder(Work)
"""Work as kept in a job's row."""
