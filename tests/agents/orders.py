"""Orders as a control plane would write them."""

from __future__ import annotations

import itertools
import uuid

from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.work import IssueInvoice, IssueLine, Party, Work
from tests.agents.peers.tax_server import TaxServer

TAXPAYER = "91310000MA1FL00001"
DEVICE = "500000000001"
_count = itertools.count(1)


def address(server: TaxServer, device_no: str | None = DEVICE) -> DeviceAddress:
    return DeviceAddress(
        device_kind="new_tax_server",
        host="127.0.0.1",
        port=server.port,
        tax_server_no="499000000001",
        device_no=device_no,
        taxpayer_id=TAXPAYER,
    )


def order(server: TaxServer, work: Work | None = None, **facts: object) -> Order:
    """An order, for one invoice unless told otherwise; its id is used as its serial."""
    name = uuid.UUID(int=next(_count) << 64).hex
    device_no = facts.pop("device_no", DEVICE)
    given = {"job_id": name, "taxpayer_id": TAXPAYER, "serial": name, "epoch": 1, "redelivered": False, **facts}
    return Order(address=address(server, device_no), work=work or invoice(), **given)  # type: ignore[arg-type]


def invoice(item: str = "软件服务") -> IssueInvoice:
    number = next(_count)
    line = IssueLine(
        nature=0,
        item_name=item,
        tax_class_code="3040201000000000000",
        rate="0.06",
        amount="100.00",
        tax="6.00",
        quantity="1",
        unit_price="100.00",
    )
    return IssueInvoice(
        kind="026",
        direction="blue",
        request_id=f"REQ-{number}",
        order_no=f"ORD-{number}",
        terminal_code="0001",
        seller=Party(tax_id=TAXPAYER, name="上海示例“软件”有限公司"),
        buyer=Party(name="个人"),
        lines=[line],
        net_total="100.00",
        tax_total="6.00",
        gross_total="106.00",
        issuer="张三",
    )
