"""Hands for what is done about issued invoices: issue, upload, void, red-offset, red forms."""

from __future__ import annotations

from typing import Any

from controlplane.domain.principal import Principal
from controlplane.operations import red_forms, red_offsets, voids
from controlplane.operations.acts import Act
from controlplane.store.statement import Row
from controlplane.wire.invoices import BuyerBody, LineBody
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import ADMIN, RICE, RULES, Agent, Scene, body

BUYER = BuyerBody(name="购方有限公司", tax_id="91990000MA0000AB0C")


class Desk:
    """One taxpayer with a ready device, and what may be done about its invoices."""

    def __init__(self, scene: Scene, agent: Agent) -> None:
        self.scene, self.agent = scene, agent
        self.owner = scene.taxpayer(1)
        self.server_id = scene.server(agent)
        self.paper: Paper = scene.ready(agent, self.owner, self.server_id)

    def line(self, **changes: Any) -> LineBody:
        fields: dict[str, Any] = {
            "item_name": "稻谷", "tax_class_code": RICE, "rate": "0.09", "quantity": "2", "unit_price": "10.00",
        }  # fmt: skip
        return LineBody(**{**fields, **changes})

    def issued(self, request_id: str, upload: str | None = "uploaded", **changes: Any) -> str:
        """An issued invoice, its upload told if there is any word on it; its id."""
        fields = {"buyer": BUYER, **changes}
        invoice_id, _ = self.scene.request(body(self.owner, request_id, **fields))
        self.agent.work_off()
        assert self.scene.invoice(invoice_id)["state"] == "issued"
        if upload is not None:
            self.upload(upload)
        return invoice_id

    def upload(self, status: str = "uploaded") -> None:
        """Tell how all uploads went that have no final word yet."""
        self.agent.observe(self.paper, uploads=self.paper.uploads(status))

    def row(self, invoice_id: str) -> Row:
        return self.scene.invoice(invoice_id)

    def act_of(self, invoice_id: str, verb: str, caller: Principal = ADMIN, **arguments: Any) -> Act:
        return Act(caller, verb, invoice_id, self.row(invoice_id)["version"], "for the test", arguments)

    def void(self, invoice_id: str, caller: Principal = ADMIN) -> str:
        wanted = self.act_of(invoice_id, "void", caller, voided_by="李四")
        return self.scene.ledger.write_now(lambda tx: voids.void(tx, wanted, RULES))

    def red(self, invoice_id: str, request_id: str, caller: Principal = ADMIN, **said: Any) -> str:
        """Request the red invoice; its id."""
        asked = self.red_asked(invoice_id, request_id, caller, **said)
        return self.scene.ledger.write_now(lambda tx: red_offsets.request(tx, asked, RULES))[0]

    def red_asked(
        self, invoice_id: str, request_id: str, caller: Principal = ADMIN, **said: Any
    ) -> red_offsets.RedAsked:
        arguments = {"request_id": request_id, "red_reason": "1", "lines": None, **said}
        return red_offsets.ask(self.act_of(invoice_id, "red_offset", caller, **arguments))

    def form(self, invoice_id: str, **said: Any) -> str:
        """Register a red form; its id."""
        values = {"invoice_id": invoice_id, "applicant": "seller", **said}
        return self.scene.ledger.write_now(lambda tx: red_forms.register(tx, ADMIN, values, RULES))

    def form_row(self, form_id: str) -> Row:
        return self.scene.one("SELECT * FROM red_forms WHERE id = :id", id=form_id)

    def on_form(self, form_id: str, verb: str) -> str | None:
        wanted = Act(ADMIN, verb, form_id, self.form_row(form_id)["version"], "for the test", {})
        return self.scene.ledger.write_now(lambda tx: red_forms.act(tx, wanted, RULES))

    def approved(self, invoice_id: str, **said: Any) -> Row:
        """A form the bureau has approved."""
        form_id = self.form(invoice_id, **said)
        self.on_form(form_id, "upload")
        self.agent.work_off()
        return self.form_row(form_id)
