"""The demo's traffic: the sample orders sent one after the other, as a front end would, for ever."""

from __future__ import annotations

import csv
import itertools
import logging
import threading
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from typing import Any

import httpx2

from console.demo import fleet
from console.demo.places import Places

PER_SECOND = 1.0
LOW = 60
TOP_UP = 400
LOOK_AT_STOCK_EVERY = 20

log = logging.getLogger("taxplane.demo")


def sample() -> list[dict[str, Any]]:
    """The 830 sample orders as request bodies without taxpayer and request id."""
    text = files("console.demo").joinpath("orders.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return [_order(order_no, list(lines)) for order_no, lines in itertools.groupby(rows, lambda row: row["order_no"])]


def _order(order_no: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    first = rows[0]
    buyer = {"name": first["buyer_name"]}
    if first["buyer_tax_id"]:
        buyer["tax_id"] = first["buyer_tax_id"]
    return {
        "order_no": order_no,
        "kind": first["invoice_kind"],
        "source": "northwind",
        "buyer": buyer,
        "lines": [_line(row) for row in rows],
    }


def _line(row: dict[str, str]) -> dict[str, Any]:
    cent = Decimal("0.01")
    amount = (Decimal(row["quantity"]) * Decimal(row["unit_price_excluding_tax"])).quantize(cent, ROUND_HALF_UP)
    discount = (amount * Decimal(row["discount_rate"])).quantize(cent, ROUND_HALF_UP)
    line = {
        "item_name": row["item_name"],
        "tax_class_code": row["tax_class_code"],
        "rate": format((Decimal(row["vat_rate_percent"]) / 100).normalize(), "f"),
        "quantity": row["quantity"],
        "unit_price": row["unit_price_excluding_tax"],
    }
    if discount:
        line["discount_amount"] = format(discount, "f")
    return line


class Trickle(threading.Thread):
    """Sends one order after the other, keeps its place over restarts, and has devices stocked as they run low."""

    def __init__(self, api: str, tokens: dict[str, str], places: Places, speed: float) -> None:
        super().__init__(name="trickle", daemon=True)
        self._client = httpx2.Client(
            base_url=api, headers={"Authorization": f"Bearer {tokens['front_end']}"}, timeout=20.0, trust_env=False
        )
        self._fleet = fleet.Fleet(api, tokens["admin"])
        self._places = places
        self._pause = 1.0 / (PER_SECOND * speed)
        self._stop_it = threading.Event()

    def stop(self) -> None:
        """Send no more."""
        self._stop_it.set()

    def run(self) -> None:
        """Send until told to stop; an order that cannot be handed in is tried again."""
        position = int(self._places.remembered("trickle.json").get("position", 0))
        for number, body in self._bodies(position):
            while not self._stop_it.is_set() and not self._send(body):
                self._stop_it.wait(1.0)
            if self._stop_it.is_set():
                return
            self._places.remember("trickle.json", {"position": number + 1})
            if number % LOOK_AT_STOCK_EVERY == 0:
                self._top_up()
            self._stop_it.wait(self._pause)

    def _bodies(self, position: int) -> Iterator[tuple[int, dict[str, Any]]]:
        orders = sample()
        for number in itertools.count(position):
            cycle, index = divmod(number, len(orders))
            order = orders[index]
            owner = fleet.taxpayer_id(1 + number % (fleet.TAXPAYERS - 1))
            order_no = f"{order['order_no']}-{cycle + 1}"
            yield number, order | {"taxpayer_id": owner, "order_no": order_no, "request_id": f"R-{order_no}"}

    def _send(self, body: dict[str, Any]) -> bool:
        try:
            answer = self._client.post("/v1/invoices", json=body)
        except httpx2.HTTPError as fault:
            log.info("order %s not handed in yet: %s", body["order_no"], fault)
            return False
        if answer.status_code >= 500:
            return False
        if answer.status_code >= 400:
            log.warning("order %s: %s", body["order_no"], answer.text)
        return True

    def _top_up(self) -> None:
        try:
            for wanted in fleet.plan()[fleet.READY_DEVICES :]:
                self._fleet.top_up(wanted, TOP_UP, LOW)
        except (fleet.SetupFailed, httpx2.HTTPError) as fault:
            log.info("stock not topped up yet: %s", fault)
