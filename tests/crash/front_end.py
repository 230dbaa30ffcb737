"""A front end that never gives up: many connections, each repeating its request until the invoice is settled."""

from __future__ import annotations

import http.client
import json
import queue
import random
import threading
import time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlsplit

Row = dict[str, Any]
GOODS = (("糕点", "1030201010000000000", "0.13"), ("水产品罐头", "1010401000000000000", "0.09"))
BUYER = {"name": "南桥进出口有限公司", "tax_id": "91990000MA0001608A"}
_CENT = Decimal("0.01")


def _round(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


class Wanted:
    """One request, and what its totals must come to by the money rule."""

    def __init__(self, taxpayer_id: str, request_id: str, rng: random.Random) -> None:
        inclusive = rng.random() < 0.3
        self.request_id = request_id
        self.net = self.tax = Decimal(0)
        lines = [self._line(rng, inclusive) for _ in range(rng.randint(1, 3))]
        self.body = {
            "taxpayer_id": taxpayer_id, "request_id": request_id, "order_no": f"order-{request_id}",
            "kind": rng.choice(("026", "028")), "buyer": BUYER, "tax_inclusive": inclusive, "lines": lines,
        }  # fmt: skip

    def _line(self, rng: random.Random, inclusive: bool) -> Row:
        item, code, rate = rng.choice(GOODS)
        line = {"item_name": item, "tax_class_code": code, "rate": rate}
        if inclusive:
            gross = Decimal(rng.randint(1, 99999)) / 100
            net = _round(gross / (1 + Decimal(rate)))
            self._add(net, gross - net)
            return line | {"amount": str(gross.quantize(_CENT))}
        quantity, price = rng.randint(1, 40), Decimal(rng.randint(1, 9999)) / 100
        amount = _round(quantity * price)
        self._add(amount, _round(amount * Decimal(rate)))
        line |= {"quantity": str(quantity), "unit_price": str(price.quantize(_CENT))}
        discount = _round(amount * Decimal(rng.choice(("0", "0", "0.05", "0.25"))))
        if discount:
            self._add(-discount, -_round(discount * Decimal(rate)))
            line["discount_amount"] = str(discount)
        return line

    def _add(self, net: Decimal, tax: Decimal) -> None:
        self.net, self.tax = self.net + net, self.tax + tax

    def wrong(self, told: Row) -> str:
        """In what an answer about an issued invoice differs from what was asked for; empty if in nothing."""
        due = {"net_total": self.net, "tax_total": self.tax, "gross_total": self.net + self.tax}
        return ", ".join(
            f"{name} {told[name]} instead of {value}" for name, value in due.items() if told[name] != f"{value:.2f}"
        )


class FrontEnd:
    """Sends requests over ``connections`` at once. ``answers``: every invoice as it was told in a 2xx answer."""

    def __init__(self, api: str, token: str, connections: int) -> None:
        place = urlsplit(api)
        self._host, self._port, self._token = place.hostname or "", place.port or 80, token
        self._connections = connections
        self._waiting: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._until = 0.0
        self.sent: set[str] = set()
        self.settled: dict[str, Row] = {}
        self.answers: list[Row] = []
        self.objections: list[str] = []

    def unsettled(self) -> int:
        """Requests that were sent and are not settled, as far as this front end was told."""
        return len(self.sent) - len(self.settled)

    def send(self, wanted: list[Wanted], within: float) -> list[threading.Thread]:
        """Begin; the threads end when all is settled, or the time (seconds) is over."""
        self._until = time.monotonic() + within
        for one in (*wanted, *[None] * self._connections):
            self._waiting.put(one)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        return threads

    def repeat(self, wanted: Wanted) -> None:
        """Send a settled request once more; its answer must be the same."""
        connection = self._connect()
        try:
            self._once(connection, wanted)
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=20)

    def _work(self) -> None:
        connection = self._connect()
        while (wanted := self._waiting.get()) is not None:
            while wanted.request_id not in self.settled and time.monotonic() < self._until:
                try:
                    self._once(connection, wanted)
                except (OSError, http.client.HTTPException):
                    connection.close()
                    time.sleep(0.1)
        connection.close()

    def _once(self, connection: http.client.HTTPConnection, wanted: Wanted) -> None:
        body = json.dumps(wanted.body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", "Prefer": "wait=5"}
        self.sent.add(wanted.request_id)
        connection.request("POST", "/v1/invoices", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 500:
            time.sleep(0.1)
        elif answer.status >= 400:
            self._object(f"request {wanted.request_id}: {answer.status} {content.decode(errors='replace')}")
            self.settled[wanted.request_id] = {}
        else:
            self._take(wanted, answer.status, json.loads(content))

    def _take(self, wanted: Wanted, status: int, told: Row) -> None:
        with self._lock:
            self.answers.append(told)
        if status == 200:
            if told["state"] != "issued":
                self._object(f"request {wanted.request_id} is {told['state']}: {told['refusal']}")
            elif differing := wanted.wrong(told):
                self._object(f"I-9 broken: request {wanted.request_id}: {differing}")
            self.settled[wanted.request_id] = told

    def _object(self, text: str) -> None:
        with self._lock:
            self.objections.append(text)
